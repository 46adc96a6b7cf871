"""An evaluation as one HTML page that needs nothing beside it: figures, diagram, classes, confusions, worst errors.

Deterministic: no time and no machine in it. Citizens' texts are masked. What the figures mean stands in evaluate.py.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from classifier.corpus import Example
from classifier.evaluate import Answer, Report
from intake.masking import mask_text

ERRORS_SHOWN = 60
TEXT_CHARS = 160
FIGURES = {
    "top1": "首选命中（含可接受的第二类别）",
    "top1_strict": "首选命中（严格）",
    "top3": "前三命中",
    "macro_f1": "宏平均 F1（5 条以上的类别）",
    "macro_f1_all": "宏平均 F1（全部类别）",
    "out_of_scope_f1": "非城管事项 F1",
    "calibration_error": "校准误差 ECE",
    "coverage_at_95": "准确率 95% 时的覆盖率",
    "precision_top60": "最有把握的 60% 的准确率",
    "abstention_rate": "弃答率（含非城管事项）",
    "precision_when_sure": "给出建议时的准确率",
    "wrong_among_unsure": "没有把握的当中确实会错的比例",
    "errors_kept_back": "错误被弃答拦下的比例",
    "place_overlap": "位置片段重合度",
    "place_found": "有位置的文本中找到位置的比例",
    "condition": "立案条件判对的比例（类别已知）",
    "emergency_recall": "紧急情形的查全率",
    "emergency_precision": "紧急情形的查准率",
}
"""Every figure with its Chinese name, in the order shown; also used by the command's tables."""
STYLE = """body{font:15px/1.6 system-ui,"Noto Sans CJK SC",sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}th,td{border:1px solid #ccc;padding:.2em .6em;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}th{background:#f3f3f3}h2{margin-top:2em}
figure{margin:1em 0}figcaption{max-width:34em;color:#555}"""


@dataclass(frozen=True, slots=True)
class Page:
    """What the page is about: the model's version, the file measured, and how a class is named."""

    version: str
    source: str
    name_of: Callable[[str], str]


def page_of(page: Page, report: Report, *, diagram: bytes, judged: Sequence[tuple[Example, Answer]] = ()) -> str:
    """The whole page. `diagram` is a PNG; `judged` pairs texts with answers, for the list of errors."""
    named = [(f"{label} {page.name_of(label)}", *rest) for label, *rest in _classes(report)]
    confused = [(_both(page, truth), _both(page, said), count) for truth, said, count in report.confusions]
    figures = [(title, f"{report.scores[name]:.4f}") for name, title in FIGURES.items() if name in report.scores]
    slices = [(each.name, each.texts, f"{each.top1:.3f}", f"{each.top3:.3f}") for each in report.slices]
    picture = base64.b64encode(diagram).decode()
    parts = (
        f"<h1>分类模型评测</h1><p>模型 {escape(page.version)}，{escape(page.source)}，{report.texts} 条文本。</p>",
        _table("指标", ("指标", "值"), figures),
        "<h2>可靠性图</h2><figure>"
        f'<img alt="可靠性图" src="data:image/png;base64,{picture}"><figcaption>横轴为置信度，纵轴为实际准确率；'
        "橙框为二者之差，落在斜线上即完全可信。下方灰柱为各段文本数。</figcaption></figure>",
        _table("按语体和长度（字）", ("分组", "条数", "首选", "前三"), slices),
        _table("各类", ("类别", "条数", "查准", "查全", "F1"), named),
        _table("易混类别", ("应为", "判为", "条数"), confused),
        _table("最有把握的错误", ("文本（已隐去个人信息）", "应为", "判为", "置信度"), _errors(page, judged)),
    )
    head = f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>分类模型评测</title><style>{STYLE}</style>'
    return f"{head}<body>{''.join(parts)}</body></html>\n"


def _classes(report: Report) -> Iterable[tuple[str, int, str, str, str]]:
    for line in sorted(report.classes, key=lambda line: (line.f1, -line.texts, line.name)):
        yield line.name, line.texts, f"{line.precision:.2f}", f"{line.recall:.2f}", f"{line.f1:.2f}"


def _errors(page: Page, judged: Sequence[tuple[Example, Answer]]) -> list[tuple[str, str, str, str]]:
    wrong = sorted((pair for pair in judged if not pair[1].is_right), key=lambda pair: -pair[1].confidence)
    return [
        (_short(example.text), _both(page, answer.truth), _both(page, answer.ranked[0]), f"{answer.confidence:.3f}")
        for example, answer in wrong[:ERRORS_SHOWN]
    ]


def _short(text: str) -> str:
    masked = mask_text(text)
    return masked if len(masked) <= TEXT_CHARS else masked[:TEXT_CHARS] + "…"


def _both(page: Page, label: str) -> str:
    return f"{label} {page.name_of(label)}"


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    text = escape(str(value))
    is_number = text.replace(".", "", 1).isdigit()
    return f'<td class="n">{text}</td>' if is_number else f"<td>{text}</td>"
