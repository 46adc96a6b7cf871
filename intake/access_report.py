"""The monthly report of who looked at personal data, and what of it looks odd. Pure: from views to plain lines.

Odd is no accusation: it is what the auditor should ask about. Every reveal and export is a View with a reason; rows of
views can be neither changed nor deleted (store/triggers.py).
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from intake.masking import mask_text
from intake.model import Case, Role
from intake.records import User, View
from intake.workflow import EVERY_UNIT, ROLE_WORDS

NIGHT_FROM, NIGHT_TO = 22, 6
"""Local hours in which nobody rings a citizen; looking at his number then wants a reason."""
MANY_IN_AN_HOUR = 20
"""A busy desk calls back about ten people in an hour; twice that is a list being copied."""
HOUR = timedelta(hours=1)
ODD_WORDS = {"night": "夜间", "many": "一小时内过多", "foreign": "非本人或本单位经办", "confidential": "保密件"}
NO_CASE = "未建案通话"
WHAT_WORDS = {"contact": "查看联系方式", "export": "导出", "recording": "听录音", "call": "拨打"}


@dataclass(frozen=True, slots=True)
class Access:
    """One view with what is known about it. `odd` holds keys of ODD_WORDS."""

    view: View
    case: Case | None
    user: User | None
    reason: str
    odd: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the report is made from: views in order of time, their cases, all users, reasons, confidential cases. Listening to
    a call without a case is a view of case 0."""

    views: Sequence[View]
    cases: Mapping[int, Case]
    users: Mapping[int, User]
    reasons: Mapping[int, str]
    confidential: Collection[int]


def judged(seen: Seen, zone: tzinfo) -> list[Access]:
    """Each view with what is odd about it, in order of time."""
    hasty = _in_a_hurry(seen.views)
    found = []
    for view in sorted(seen.views, key=lambda one: (one.at, one.view_id)):
        case, user = seen.cases.get(view.case_no), seen.users.get(view.user_id)
        marks = {
            "night": not NIGHT_TO <= view.at.astimezone(zone).hour < NIGHT_FROM,
            "many": view.view_id in hasty,
            # A call that made no case belongs to nobody in particular.
            "foreign": (view.case_no != 0 or user is None) and is_foreign(case, user),
            "confidential": view.case_no in seen.confidential or (case is not None and case.confidential),
        }
        odd = tuple(name for name, so in marks.items() if so)
        found.append(Access(view, case, user, seen.reasons.get(view.reason_id, ""), odd))
    return found


def is_foreign(case: Case | None, user: User | None) -> bool:
    """A unit's person with another unit's case, or an operator with a colleague's. An account that is gone is foreign."""
    if user is None or case is None:
        return True
    if user.role is Role.UNIT:
        return user.unit not in (case.unit, case.co_unit, EVERY_UNIT)
    return user.role is Role.OPERATOR and case.operator_id not in (0, user.user_id)


def _in_a_hurry(views: Iterable[View]) -> set[int]:
    """Views that stand in any sixty minutes in which their user looked at more different cases than is plausible."""
    hasty: set[int] = set()
    by_user: dict[int, list[View]] = {}
    for view in sorted(views, key=lambda one: (one.at, one.view_id)):
        recent = [one for one in by_user.get(view.user_id, []) if view.at - one.at < HOUR]
        recent.append(view)
        by_user[view.user_id] = recent
        if len({one.case_no or -one.view_id for one in recent}) > MANY_IN_AN_HOUR:
            hasty |= {one.view_id for one in recent}
    return hasty


def report_lines(accesses: Sequence[Access], *, month: str, zone: tzinfo) -> list[str]:
    """The report: a table with a line for each user, then every odd access with its reason."""
    if not accesses:
        return [f"{month} 没有人查看过个人信息。"]
    lines = [f"{month} 个人信息查看情况（共 {len(accesses)} 次）", "", *table(_heading(), _user_rows(accesses))]
    odd = [access for access in accesses if access.odd]
    if not odd:
        return [*lines, "", "没有异常查看。"]
    heading = ("时间", "账号", "受理编号", "方式", "异常", "理由")
    return [*lines, "", f"异常查看 {len(odd)} 次，请逐条核实：", "", *table(heading, [_odd_row(one, zone) for one in odd])]


def _heading() -> tuple[str, ...]:
    return ("账号", "姓名", "岗位", "次数", "案件", *ODD_WORDS.values())


def _user_rows(accesses: Iterable[Access]) -> list[tuple[str, ...]]:
    by_user: dict[int, list[Access]] = {}
    for access in accesses:
        by_user.setdefault(access.view.user_id, []).append(access)
    rows = []
    for user_id, own in sorted(by_user.items(), key=lambda item: (-len(item[1]), item[0])):
        counts = (str(sum(name in access.odd for access in own)) for name in ODD_WORDS)
        cases = len({access.view.case_no for access in own if access.view.case_no})
        rows.append((*_named(own[0].user, user_id), str(len(own)), str(cases), *counts))
    return rows


def _named(user: User | None, user_id: int) -> tuple[str, str, str]:
    return (user.name, user.display_name, ROLE_WORDS[user.role]) if user else (f"#{user_id}", "", "")


def _odd_row(access: Access, zone: tzinfo) -> tuple[str, ...]:
    view = access.view
    return (
        f"{view.at.astimezone(zone):%m-%d %H:%M}",
        _named(access.user, view.user_id)[0],
        str(view.case_no or NO_CASE),
        WHAT_WORDS.get(view.what, view.what),
        "、".join(ODD_WORDS[name] for name in access.odd),
        mask_text(access.reason) or "（无）",
    )


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width on a terminal, where a Chinese character takes two places."""
    widths = [max(_width(row[place]) for row in (heading, *rows)) for place in range(len(heading))]
    return ["  ".join(_padded(text, width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in (heading, *rows)]  # fmt: skip


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def month_bounds(month: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """`2026-11` as the moments in which the city's month begins and ends; raises ValueError for anything else."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first, following
