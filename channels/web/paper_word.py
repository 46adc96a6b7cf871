"""The work order as a Word document. The only importer of python-docx."""

import re
from io import BytesIO

from docx import Document
from docx.document import Document as Paper
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from channels.web.paper_order import Section, WorkOrder

FONT = "宋体"
NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters XML cannot hold; a report may hold anything."""


def word_of(order: WorkOrder) -> bytes:
    """An A4 document with the same sections as the page."""
    paper = Document()
    _lay_out(paper, order)
    title = paper.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = title.add_run(_clean(order.heading))
    run.bold, run.font.size = True, Pt(17)
    warning = "　含个人信息，用后收存或销毁" if order.personal else ""
    paper.add_paragraph(_clean(f"{order.number}　{order.subtitle}{warning}"))
    for section in order.sections:
        _add(paper, section)
    paper.add_paragraph()
    paper.add_paragraph("　".join(f"{name} ____________" for name in order.signatures))
    paper.add_paragraph(_clean(f"打印时间 {order.printed}"))
    out = BytesIO()
    paper.save(out)
    return out.getvalue()


def _lay_out(paper: Paper, order: WorkOrder) -> None:
    page = paper.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(18)
    style = paper.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(10.5)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FONT)
    paper.core_properties.title = _clean(f"{order.heading} {order.number}")
    paper.core_properties.author = _clean(order.heading)


def _add(paper: Paper, section: Section) -> None:
    heading = paper.add_paragraph()
    heading.add_run(_clean(section.title)).bold = True
    table = paper.add_table(rows=0, cols=2, style="Table Grid")
    table.autofit = False
    for label, words in section.rows:
        cells = table.add_row().cells
        for cell, width, text in ((cells[0], Mm(30), label), (cells[1], Mm(144), words)):
            cell.width, cell.text = width, _clean(text)


def _clean(text: str) -> str:
    return NOT_XML.sub("", text)
