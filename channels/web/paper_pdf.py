"""The work order as PDF. The only importer of reportlab.

Set in STSong-Light, one of the Chinese fonts every reader of PDF knows by name (Adobe-GB1), so nothing is embedded.
"""

from html import escape
from io import BytesIO

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from channels.web.paper_order import Section, WorkOrder

FONT = "STSong-Light"
LABEL_W, WORDS_W, SIGN_W = 30 * mm, 144 * mm, 58 * mm
TEXT = ParagraphStyle("text", fontName=FONT, fontSize=10.5, leading=15.5, wordWrap="CJK")
SMALL = ParagraphStyle("small", parent=TEXT, fontSize=9, leading=13, textColor=colors.HexColor("#51606f"))
HEAD = ParagraphStyle("head", parent=TEXT, fontSize=17, leading=24, alignment=TA_CENTER, spaceAfter=3)
PART = ParagraphStyle("part", parent=TEXT, fontSize=12, leading=17, spaceBefore=9, spaceAfter=3)
GRID = TableStyle([
    ("GRID", (0, 0), (-1, -1), 0.5, colors.HexColor("#76879a")), ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("BACKGROUND", (0, 0), (0, -1), colors.HexColor("#f2f5f9")), ("TOPPADDING", (0, 0), (-1, -1), 3),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
])  # fmt: skip


def pdf_of(order: WorkOrder) -> bytes:
    """An A4 document; long cases run over several pages."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = BytesIO()
    margin = 18 * mm
    document = SimpleDocTemplate(out, pagesize=A4, leftMargin=margin, rightMargin=margin, topMargin=margin,
                                 bottomMargin=margin, title=f"{order.heading} {order.number}", author=order.heading)  # fmt: skip
    document.build(_flow(order))
    return out.getvalue()


def _flow(order: WorkOrder) -> list[Flowable]:
    warning = "　含个人信息，用后收存或销毁" if order.personal else ""
    flow: list[Flowable] = [_words(order.heading, HEAD), _words(f"{order.number}　{order.subtitle}{warning}", SMALL)]
    for section in order.sections:
        flow += [_words(section.title, PART), _table(section)]
    flow += [Spacer(1, 6 * mm), _signatures(order.signatures), _words(f"打印时间 {order.printed}", SMALL)]
    return flow


def _table(section: Section) -> Table:
    rows = [[_words(label, TEXT), _words(words, TEXT)] for label, words in section.rows]
    return Table(rows, colWidths=[LABEL_W, WORDS_W], style=GRID, splitInRow=1)


def _signatures(names: tuple[str, ...]) -> Table:
    cells = [_words(f"{name} ________________", TEXT) for name in names]
    return Table([cells[start : start + 3] for start in range(0, len(cells), 3)], colWidths=[SIGN_W] * 3)


def _words(text: str, style: ParagraphStyle) -> Paragraph:
    """Words of people: what looks like markup in them is none."""
    return Paragraph(escape(text).replace("\n", "<br/>"), style)
