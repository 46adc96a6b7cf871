"""The monthly report of access to personal data: every reveal counts, and what is odd stands out."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from intake.access_report import (
    MANY_IN_AN_HOUR,
    Access,
    Seen,
    is_foreign,
    judged,
    month_bounds,
    report_lines,
    table,
)  # fmt: skip
from intake.call import Playback
from intake.commands.access import month_before
from intake.model import Role
from intake.person import log_access
from intake.profile import City
from intake.records import User, View
from intake.store.seen import seen_between
from intake.usecases import reveal_contact
from intake.wiring import AnyStore
from tests.core.test_usecases import reported
from tests.fakes import FakeClock
from tests.make import NOON, PHONE, make_actor, make_case

ZONE = ZoneInfo("Asia/Shanghai")
OPERATOR = User(1, "li", "李", Role.OPERATOR, NOON)


def views(count: int, *, at: datetime = NOON, every: timedelta = timedelta(minutes=1), same_case: bool = False) -> list[View]:
    return [View(n, 1 if same_case else n + 1, 1, at + every * n, "contact", 0) for n in range(count)]


def judge(found: list[View], **changes: Any) -> list[Access]:
    cases = {view.case_no: make_case(case_no=view.case_no, operator_id=1) for view in found}
    return judged(Seen(**{"views": found, "cases": cases, "users": {1: OPERATOR}, "reasons": {}, "confidential": ()} | changes), ZONE)


@pytest.mark.parametrize(("hour_utc", "odd"), [(13, False), (14, True), (21, True), (22, False), (4, False)])
def test_night_is_by_the_citys_clock(hour_utc: int, odd: bool) -> None:
    at = datetime(2026, 11, 20, hour_utc, 0, tzinfo=UTC)
    assert ("night" in judge(views(1, at=at))[0].odd) is odd


def test_many_cases_within_sixty_minutes_are_odd_and_the_same_spread_out_is_not() -> None:
    assert not any(access.odd for access in judge(views(MANY_IN_AN_HOUR)))
    assert all(access.odd == ("many",) for access in judge(views(MANY_IN_AN_HOUR + 1)))
    over_hour_change = NOON + timedelta(minutes=45)
    assert all(access.odd for access in judge(views(MANY_IN_AN_HOUR + 1, at=over_hour_change)))
    assert not any(a.odd for a in judge(views(40, every=timedelta(minutes=4), at=NOON - timedelta(hours=2))))
    assert not any(access.odd for access in judge(views(40, same_case=True)))


@pytest.mark.parametrize(("role", "unit", "operator_id", "foreign"), [
    (Role.UNIT, "drainage", 0, False), (Role.UNIT, "helping", 0, False), (Role.UNIT, "*", 0, False),
    (Role.UNIT, "lighting", 0, True), (Role.OPERATOR, "", 1, False), (Role.OPERATOR, "", 0, False),
    (Role.OPERATOR, "", 2, True), (Role.SHIFT_LEADER, "", 2, False),
])  # fmt: skip
def test_foreign_is_another_units_or_another_operators_case(role: Role, unit: str, operator_id: int, foreign: bool) -> None:
    user = User(1, "li", "李", role, NOON, unit)
    case = make_case(unit="drainage", co_unit="helping", operator_id=operator_id)
    assert is_foreign(case, user) is foreign


def test_an_account_that_is_gone_is_odd() -> None:
    assert judge(views(1), users={})[0].odd == ("foreign",)


def test_confidential_cases_and_informers_are_always_listed() -> None:
    assert judge(views(1), confidential={1})[0].odd == ("confidential",)


def test_the_report_names_users_counts_and_reasons_in_aligned_columns() -> None:
    found = [View(n, n + 1, 1, NOON + timedelta(hours=10, minutes=n), "contact", 7) for n in range(2)]
    lines = report_lines(judge(found, reasons={7: "回电13812345678"}), month="2026-11", zone=ZONE)
    text = "\n".join(lines)
    assert "li" in text
    assert "受理员" in text
    assert "11-20 22:00" in text
    assert "回电138****5678" in text
    heading = next(line for line in lines if line.startswith("账号"))
    row = next(line for line in lines if line.startswith("li"))
    assert heading.split() == ["账号", "姓名", "岗位", "次数", "案件", "夜间", "一小时内过多", "非本人或本单位经办", "保密件"]
    assert row.split() == ["li", "李", "受理员", "2", "2", "2", "0", "0", "0"]


def test_a_quiet_month_says_so() -> None:
    assert report_lines([], month="2026-11", zone=ZONE) == ["2026-11 没有人查看过个人信息。"]
    assert "没有异常查看。" in report_lines(judge(views(1)), month="2026-11", zone=ZONE)


def test_chinese_characters_take_two_places() -> None:
    assert table(("账号", "x"), [("abc", "y")]) == ["账号  x", "abc   y"]


def test_a_month_is_the_citys_month() -> None:
    start, end = month_bounds("2026-12", ZONE)
    assert start.astimezone(UTC) == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert end.astimezone(UTC) == datetime(2026, 12, 31, 16, tzinfo=UTC)
    for wrong in ("2026", "2026-13", "11-2026", ""):
        with pytest.raises(ValueError, match=r"format|unconverted|data"):
            month_bounds(wrong, ZONE)


def test_without_a_month_the_last_full_one_is_meant() -> None:
    assert month_before(datetime(2027, 1, 15, tzinfo=UTC), ZONE) == "2026-12"
    assert month_before(datetime(2026, 11, 30, 17, tzinfo=UTC), ZONE) == "2026-11"


async def test_every_reveal_stands_in_the_report_and_cannot_be_taken_out(
    either_store: AnyStore, city: City, clock: FakeClock
) -> None:
    number = await reported(either_store, city, phone=PHONE, name="张三丰", confidential=True)
    leader = make_actor(Role.SHIFT_LEADER)
    for _ in range(3):
        await either_store.write(lambda work: reveal_contact(work, number, leader, reason="与反映人核实地点"))
        clock.pass_time(days=10)
    start, end = month_bounds("2026-11", ZONE)
    accesses = judged(await either_store.read(lambda work: seen_between(work, start, end)), ZONE)
    assert [(a.view.user_id, a.view.case_no, a.reason) for a in accesses] == [(leader.user_id, number, "与反映人核实地点")] * 2
    assert all("confidential" in access.odd for access in accesses)
    for statement in ("DELETE FROM views", "UPDATE views SET user_id = 0"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            await either_store.write(lambda work, s=statement: work.connection.exec_driver_sql(s))  # type: ignore[misc]
    assert {view.user_id for view in await either_store.read(lambda work: work.find(View))} == {leader.user_id}


async def test_listening_to_a_call_without_a_case_stands_in_the_report_too(
    either_store: AnyStore, city: City, clock: FakeClock
) -> None:
    number = await reported(either_store, city, phone=PHONE)
    leader = make_actor(Role.SHIFT_LEADER)

    await either_store.write(lambda work: work.add(Playback(work.new_id(), 8, 9, 77, work.now, "没有这个人")))
    clock.pass_time(seconds=1)
    await either_store.write(lambda work: log_access(work, number, leader, what="recording", reason="核对留言"))
    await either_store.write(lambda work: work.add(Playback(work.new_id(), 7, 6, leader.user_id, work.now, "核对留言")))
    clock.pass_time(seconds=1)
    await either_store.write(lambda work: work.add(Playback(work.new_id(), 8, 9, leader.user_id, work.now, "核对通话内容")))
    start, end = month_bounds("2026-11", ZONE)
    found = judged(await either_store.read(lambda work: seen_between(work, start, end)), ZONE)
    assert [(one.view.case_no, one.reason, "foreign" in one.odd) for one in found] == [
        (0, "没有这个人", True), (number, "核对留言", True), (0, "核对通话内容", True)]  # fmt: skip
    assert "未建案通话" in "\n".join(report_lines(found, month="2026-11", zone=ZONE))
