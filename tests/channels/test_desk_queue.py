"""The live queue without a browser: tabs and their counters, search by telephone, saved views, taking and handing over."""

from datetime import timedelta

import pytest

from channels.web.desk_bus import Bus
from channels.web.desk_day import figures
from channels.web.desk_filter import filter_of, wish_from
from channels.web.desk_left import left_of, span_words
from channels.web.desk_tabs import TABS, counters_of, tabs_for
from intake.desk_record import SavedView
from intake.errors import BadInput
from intake.gateway import Gateway
from intake.model import Case, Place, Role, State
from intake.store.counts import differing
from intake.usecases import Command
from tests.channels.desk_people import Client, hire, report, walk
from tests.channels.html_form import form_to
from tests.fakes import FakeClock
from tests.make import NOON, make_actor, make_case

NUMBER = "+8619900007788"


async def page(client: Client, person: object, path: str) -> str:
    answer = await client.get(path, headers=person.browser)  # type: ignore[attr-defined]
    assert answer.status == 200, path
    return await answer.text()


def count_of(text: str, label: str) -> int:
    return int(text.split(f"{label} <span class=\"count\">")[1].split("<")[0])


async def test_every_tab_counts_what_it_shows(gateway: Gateway, client: Client) -> None:
    operator, unit = await hire(gateway, Role.OPERATOR), Role.UNIT
    new = await report(gateway)
    lacking = await report(gateway, text="那个东西坏了很久", place=Place())
    filed = await walk(gateway, await report(gateway), until="file")
    taken = await walk(gateway, await report(gateway), until="take")
    actor = make_actor(unit, unit=taken.unit)
    await gateway.perform(Command(taken.case_no, "ask_return", actor, fields={"reason": "不属于本单位", "basis": "派遣目录"}))
    done = await walk(gateway, await report(gateway), until="feedback")
    await gateway.perform(Command(new, "transfer", operator.actor, fields={"operator": operator.name}))
    shown = {
        "待受理": {new, lacking}, "我的": {new}, "待补": {lacking}, "待回复": {filed.case_no, taken.case_no, done.case_no},
        "退单待审": {taken.case_no}, "待核查": {done.case_no}, "待回访": set(), "发送失败": set(), "上级工单": set(),
        "挂账到期": set(), "待回拨": set(),
    }  # fmt: skip
    for tab in tabs_for(operator.actor):
        text = await page(client, operator, f"/desk?tab={tab.name}")
        found = {number for number in (new, lacking, filed.case_no, taken.case_no, done.case_no) if f">{number}<" in text}
        assert found == shown[tab.label], tab.label
        if tab.label != "待回复":  # counted by debts, of which a case may owe several
            assert count_of(text, tab.label) == len(found), tab.label
    assert await gateway.store.read(lambda work: differing(work.connection)) == []


async def test_the_changing_part_is_served_alone(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    text = await page(client, operator, "/desk/rows?tab=new")
    assert f">{number}<" in text
    assert "<html" not in text


async def test_a_telephone_finds_its_cases_whole_or_by_its_tail(gateway: Gateway, client: Client) -> None:
    operator, dispatcher = await hire(gateway, Role.OPERATOR), await hire(gateway, Role.DISPATCHER)
    # A tail that stands in no case number.
    mine, other = await report(gateway, phone=NUMBER), await report(gateway, phone="+8619900000002")
    hidden = await report(gateway, phone=NUMBER, confidential=True)
    for words in (NUMBER.removeprefix("+86"), NUMBER[-4:]):
        text = await page(client, operator, f"/desk?text={words}")
        assert [f">{number}<" in text for number in (mine, other, hidden)] == [True, False, False]
        assert f">{mine}<" not in await page(client, dispatcher, f"/desk?text={words}")


async def test_a_saved_view_comes_back_and_goes(gateway: Gateway, client: Client) -> None:
    operator, other = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="two")
    form = {"csrf": operator.csrf, "name": "我的紧急件", "query": "tab=mine&urgent=1"}
    answer = await client.post("/desk/saved", data=form, headers=operator.browser, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/desk?tab=mine&urgent=1")
    assert "我的紧急件" in await page(client, operator, "/desk")
    assert "我的紧急件" not in await page(client, other, "/desk")
    saved = (await gateway.store.read(lambda work: work.find(SavedView)))[0]
    path = f"/desk/saved/{saved.saved_id}/forget"
    refused = await client.post(path, data={"csrf": other.csrf}, headers=other.browser, allow_redirects=False)
    assert refused.status == 404
    await client.post(path, data={"csrf": operator.csrf, "query": ""}, headers=operator.browser)
    assert await gateway.store.read(lambda work: work.find(SavedView)) == []


async def test_a_view_that_would_be_refused_is_not_kept(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    for query in ("tab=nothing", "state=nowhere", "text=a&nosuch=1"):
        form = {"csrf": operator.csrf, "name": "坏的", "query": query}
        answer = await client.post("/desk/saved", data=form, headers=operator.browser, allow_redirects=False)
        assert answer.status == 422, query
    assert await gateway.store.read(lambda work: work.find(SavedView)) == []


async def test_who_takes_a_case_second_is_told_who_was_first(gateway: Gateway, client: Client) -> None:
    one, two = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="two")
    number = await report(gateway)
    forms = [form_to(await page(client, person, "/desk"), f"/desk/hand/{number}") for person in (one, two)]
    first = await client.post(f"/desk/hand/{number}", data=forms[0].values, headers=one.browser, allow_redirects=False)
    assert first.status == 303
    second = await client.post(f"/desk/hand/{number}", data=forms[1].values, headers=two.browser, allow_redirects=False)
    text = await second.text()
    assert second.status == 409
    assert "移交" in text
    assert "没有丢失" in text
    held = await gateway.store.read(lambda work: work.get(Case, number))
    assert held is not None
    assert held.operator_id == one.actor.user_id


async def test_a_shift_hands_everything_over(gateway: Gateway, client: Client) -> None:
    one, two = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="two")
    numbers = [await report(gateway) for _ in range(3)]
    for number in numbers:
        await gateway.perform(Command(number, "transfer", one.actor, fields={"operator": one.name}))
    form = {"csrf": one.csrf, "operator": two.name}
    answer = await client.post("/desk/shift", data=form, headers=one.browser)
    assert "已移交 3 件" in await answer.text()
    held = [await gateway.store.read(lambda work, n=n: work.get(Case, n)) for n in numbers]
    assert {case.operator_id for case in held if case} == {two.actor.user_id}


def test_a_tab_belongs_to_its_posts_only() -> None:
    wish = wish_from([("tab", "reply")])
    assert filter_of(wish, make_actor(Role.OPERATOR), now=NOON).needs == ("debt",)  # type: ignore[union-attr]
    assert filter_of(wish, make_actor(Role.INSPECTOR), now=NOON).needs == ()  # type: ignore[union-attr]
    with pytest.raises(BadInput):
        wish_from([("tab", "nothing")])
    assert [tab.label for tab in TABS if tab.name in ("new", "mine")] == ["待受理", "我的"]
    mine = next(tab for tab in TABS if tab.name == "mine")
    assert all(name.startswith("operator:7:") for name in counters_of(mine, make_actor(user_id=7)))


def test_time_left_says_in_words_what_its_colour_says(clock: FakeClock) -> None:
    def left(hours: float) -> tuple[str, str]:
        case = make_case(state=State.HANDLING, clock_at=NOON - timedelta(hours=20), due_at=NOON + timedelta(hours=hours))
        found = left_of(case, NOON)
        return found.level, found.words

    assert left(30) == ("calm", "剩1天6小时")
    assert left(1.5) == ("soon", "将到期 剩1小时30分")
    assert left(-3) == ("late", "超期3小时")
    assert left_of(make_case(received_at=NOON - timedelta(minutes=11)), NOON).level == "soon"
    assert span_words(timedelta(minutes=59)) == "59分"


def test_figures_show_what_a_post_does_and_what_else_was_done() -> None:
    shown = {one.label: one.count for one in figures({"calls": 3, "file": 2, "answer": 1, "dispatch": 1}, make_actor())}
    assert shown == {"来电": 3, "受理": 1, "立案": 2, "派遣": 1, "结案": 0, "回复": 0}


def test_presence_follows_the_connection_and_names_nobody_of_a_unit() -> None:
    bus = Bus()
    with bus.open(make_actor(user_id=1), "甲", case_no=5), bus.open(make_actor(Role.UNIT, user_id=2), "乙", case_no=5):
        with bus.open(make_actor(user_id=3), "丙") as console:
            assert bus.watchers(5) == ((1, "甲"),)
            bus.tell("ask", lambda actor: actor.user_id == 3, words="来一下")
            assert b"ask" in (console.frames.get_nowait() or b"")
        assert bus.watchers(0) == ()
    assert bus.watchers(5) == ()
    assert bus.console_count == 0
