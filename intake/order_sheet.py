"""A list of orders as another hotline exports it: which column means what, and each row read or its fault told. Pure.

Cells come as text; reading CSV and Excel stands in channels/web/order_file.py.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from intake.errors import BadInput
from intake.order_source import OrderGiven
from intake.text import normalise

MAX_ROWS = 500
HEADINGS: dict[str, tuple[str, ...]] = {
    "number": ("来源单号", "工单编号", "工单号", "受理单号", "编号", "单号"),
    "text": ("诉求内容", "问题描述", "反映内容", "工单内容", "主要内容", "内容", "描述"),
    "place": ("事发地址", "事件地址", "诉求地址", "发生地点", "地址", "地点", "位置"),
    "name": ("联系人", "诉求人", "来电人", "反映人", "市民姓名", "姓名"),
    "phone": ("联系电话", "来电号码", "联系方式", "手机号", "电话"),
    "request_type": ("诉求类型", "工单类型", "诉求性质"),
    "confidential": ("是否保密", "保密"),
    "sign_due_at": ("签收时限", "签收截止时间", "签收期限"),
    "contact_due_at": ("先行联系时限", "联系时限", "联系截止时间"),
    "finish_due_at": ("办结时限", "办结截止时间", "截止时间", "办理时限", "处理时限", "办结期限"),
}
"""Field to the headings under which hotlines export it, commonest first."""
NEEDED = ("number", "text")
MOMENTS = ("sign_due_at", "contact_due_at", "finish_due_at")
FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
YES = frozenset({"是", "y", "yes", "true", "1", "保密"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the list: its line number as the reader sees it, the order, or what is wrong with it."""

    line: int
    given: OrderGiven | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list that was read. `columns` maps our fields to the headings found; `ignored` are headings nobody knows."""

    columns: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


def read_sheet(cells: Sequence[Sequence[str]], *, source: str, zone: tzinfo) -> Sheet:
    """Read the rows under the first line that names the needed columns. Raises BadInput where none does, or for too many."""
    head = next((number for number, line in enumerate(cells[:10]) if not _missing(_columns(line))), None)
    if head is None:
        absent = _missing(_columns(cells[0])) if cells else NEEDED
        raise BadInput("file", "表头里找不到" + "、".join(f"“{HEADINGS[name][0]}”" for name in absent) + "一列。")
    columns = _columns(cells[head])
    body = [(number, line) for number, line in enumerate(cells[head + 1 :], head + 2) if any(cell.strip() for cell in line)]
    if not body:
        raise BadInput("file", "表里没有工单。")
    if len(body) > MAX_ROWS:
        raise BadInput("file", f"一次最多导入 {MAX_ROWS} 条，这张表有 {len(body)} 条。")
    rows = tuple(_row(number, line, columns, source=source, zone=zone) for number, line in body)
    names = [cell.strip() for cell in cells[head]]
    ignored = tuple(name for place, name in enumerate(names) if name and place not in columns.values())
    return Sheet({field: names[place] for field, place in columns.items()}, ignored, _without_twins(rows))


def _columns(line: Sequence[str]) -> dict[str, int]:
    """Our fields to the positions of their columns; the commoner heading wins, and no column stands for two fields."""
    names = [re.sub(r"[\s*（(].*", "", normalise(cell)) for cell in line]
    found: dict[str, int] = {}
    for name, headings in HEADINGS.items():
        places = (names.index(heading) for heading in headings if heading in names)
        place = next((place for place in places if place not in found.values()), None)
        if place is not None:
            found[name] = place
    return found


def _missing(columns: dict[str, int]) -> tuple[str, ...]:
    return tuple(name for name in NEEDED if name not in columns)


def _row(number: int, line: Sequence[str], columns: dict[str, int], *, source: str, zone: tzinfo) -> Row:
    said = {name: line[place].strip() if place < len(line) else "" for name, place in columns.items()}
    try:
        moments = {name: _moment(said[name], zone) for name in MOMENTS if said.get(name)}
    except BadInput as fault:
        return Row(number, fault=fault.message)
    if absent := [HEADINGS[name][0] for name in NEEDED if not said[name]]:
        return Row(number, fault=f"缺少{'、'.join(absent)}。")
    given = OrderGiven(
        source=source, number=said["number"], text=said["text"], place=said.get("place", ""), name=said.get("name", ""),
        phone=said.get("phone", ""), request_type=said.get("request_type", ""),
        confidential=said.get("confidential", "").lower() in YES, sign_due_at=moments.get("sign_due_at"),
        contact_due_at=moments.get("contact_due_at"), finish_due_at=moments.get("finish_due_at"),
    )  # fmt: skip
    return Row(number, given)


def _moment(text: str, zone: tzinfo) -> datetime:
    plain = normalise(text).replace("/", "-").replace("年", "-").replace("月", "-").replace("日", "").replace(".", "-")
    for form in FORMS:
        try:
            # A date alone is a limit to the end of that day.
            found = datetime.strptime(plain, form).replace(tzinfo=zone)
        except ValueError:
            continue
        return found.replace(hour=23, minute=59) if form == "%Y-%m-%d" else found
    raise BadInput("file", f"时间“{text[:20]}”看不懂，应写成 2026-11-20 18:00。")


def _without_twins(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    seen: set[str] = set()
    kept = []
    for row in rows:
        if row.given and row.given.number in seen:
            row = Row(row.line, fault="来源单号在表里出现了两次。")
        if row.given:
            seen.add(row.given.number)
        kept.append(row)
    return tuple(kept)
