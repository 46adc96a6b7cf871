"""The work order of a case (派遣工单) as every form of it shows it: sections of label and words. Pure.

Made from the view of whoever asks, so it shows no more than his page; full names and numbers only where they are handed in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from channels.web.desk_view import CaseView
from intake.records import Contact

Moment = Callable[[datetime | None], str]
Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its lines of label and words."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A work order as every form of it shows it. `personal`: it bears full names and numbers."""

    heading: str
    number: str
    subtitle: str
    sections: tuple[Section, ...]
    signatures: tuple[str, ...]
    printed: str
    personal: bool


SIGNATURES = ("派遣员", "签收人", "签收时间", "处置人", "核查人", "核查时间")

def work_order(view: CaseView, *, heading: str, moment: Moment, now: datetime, contacts: tuple[Contact, ...] | None) -> WorkOrder:
    """Put the order together; `contacts` are there only after they were revealed."""
    sections = (
        Section("案件", _matter(view, moment)),
        Section("派遣", _dispatch(view, moment)),
        Section("反映人", _people(view, contacts)),
        Section("办理经过", tuple((moment(line.at), _line_words(line.label, line.actor, line.details)) for line in view.history)),
    )
    row = view.row
    return WorkOrder(
        heading=heading,
        number=row.case_no,
        subtitle=f"{row.state_words} · {row.urgency_words}" + "".join(f" · {flag}" for flag in row.flags),
        sections=tuple(Section(one.title, tuple(pair for pair in one.rows if pair[1])) for one in sections if one.rows),
        signatures=SIGNATURES,
        printed=moment(now),
        personal=contacts is not None,
    )


def _matter(view: CaseView, moment: Moment) -> tuple[Row, ...]:
    row = view.row
    return (
        ("受理编号", row.case_no), ("类别", f"{row.subclass or '未分类'} {row.subclass_code}".strip()),
        ("诉求类型", view.request_type), ("来源", row.channel_words), ("收到时间", moment(row.received_at)),
        ("位置", row.place), ("网格", " ".join(w for w in (row.district, row.street, row.community, row.grid_code) if w)),
        ("内容", view.description), ("立案条件", view.condition), ("照片", f"{len(view.photos)} 张，见系统" if view.photos else ""),
    )  # fmt: skip


def _dispatch(view: CaseView, moment: Moment) -> tuple[Row, ...]:
    row = view.row
    return (
        ("责任单位", row.unit_name), ("协办单位", view.co_unit_name),
        ("先排险时限", moment(view.safe_due_at)), ("办结时限", moment(row.due_at) + ("（暂定）" if row.due_provisional else "")),
        ("结案标准", view.standard), ("处理结果", view.result), ("结案时间", moment(view.closed_at)),
    )  # fmt: skip


def _people(view: CaseView, contacts: tuple[Contact, ...] | None) -> tuple[Row, ...]:
    if contacts is not None:
        return tuple((one.name or "未留姓名", one.phone or one.address or "未留电话") for one in contacts)
    shown = (("保密", "身份信息不显示") if one.confidential else (one.name or "未留姓名", one.phone or "未留电话")
             for one in view.reporters)  # fmt: skip
    return tuple(shown)


def _line_words(label: str, actor: str, details: tuple[Row, ...]) -> str:
    told = "；".join(f"{name}：{words}" for name, words in details)
    return f"{label}　{actor}" + (f"　{told}" if told else "")
