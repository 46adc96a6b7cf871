"""The desk in Chromium: a day by the keyboard alone, the pop, one key for 催办, conflicts, drafts, presence, no scripts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from channels.web.setting import WebSetting
from channels.web.vendor import load_vendor
from intake.desk_record import CallSummary
from intake.gateway import Gateway
from intake.model import Actor, Case, Role, State
from intake.records import Task
from intake.switchboard import Switchboard
from intake.telephony import Ring
from intake.usecases import Command
from tests.channels.desk_browser import AXE, Desk, desk_of, grave_faults, keep
from tests.channels.desk_people import Person, hire, report, walk
from tests.make import NOON, PHONE
from tests.servers import missing

pytestmark = pytest.mark.servers
NATIONAL = PHONE.removeprefix("+86")


@pytest.fixture
async def desk(gateway: Gateway, web_setting: WebSetting, tmp_path: Path) -> AsyncIterator[Desk]:
    if not load_vendor() or not AXE.is_file():
        missing("front-end packages", "channels/web/front/install.sh --dev")
    async with desk_of(gateway, web_setting, tmp_path) as desk:
        yield desk


async def case_of(gateway: Gateway, number: int) -> Case:
    found = await gateway.store.read(lambda work: work.get(Case, number))
    assert found is not None
    return found


async def seat(board: Switchboard, person: Person, extension: str) -> None:
    await board.lines.log_in(person.actor.user_id, extension)
    await board.lines.ready(person.actor.user_id)


async def ring(board: Switchboard, extension: str, *, leg: str = "1") -> int:
    call = await board.ring(Ring("pbx", leg, "12319", NATIONAL, NOON))
    await board.ringing(call.call_id, extension)
    return call.call_id


async def ended(page: Page) -> None:
    await expect(page.get_by_role("heading", name="来电已办结")).to_be_visible()


async def test_a_call_is_taken_to_its_case_and_the_case_filed_by_keys_alone(gateway: Gateway, desk: Desk) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    page = await desk.page_of(operator)
    await page.keyboard.press("c")
    await page.wait_for_url("**/desk/calls/*")
    await expect(page.locator("#f-what")).to_be_focused()
    await page.keyboard.type("鼓楼广场旁边一大堆垃圾没人清理")
    await page.keyboard.press("Escape")
    await page.keyboard.press("p")
    await page.keyboard.type("glgc")
    await expect(page.locator("#p-places .suggestion").first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#f-place")).to_have_value("鼓楼广场")
    await expect(page.locator("#p-places .located")).to_contain_text("已定点")
    await page.keyboard.press("Escape")
    await expect(page.locator("#p-suggest .suggestion").first).to_contain_text("依据")
    await page.keyboard.press("1")
    await expect(page.locator("#p-outlook .outlook")).to_contain_text("环境卫生")
    await page.keyboard.press("d")
    await page.keyboard.type(NATIONAL)
    await page.keyboard.press("Escape")
    await page.keyboard.press("y")
    await page.keyboard.press("e")
    await page.keyboard.press("Space")
    await keep(page, "desk-call")
    await page.keyboard.press("F8")
    await ended(page)
    case = (await gateway.store.read(lambda work: work.find(Case)))[0]
    assert (case.state, str(case.subclass), case.place.text) == (State.ACCEPTED, "event:0102", "鼓楼广场")
    assert case.place.grid_code
    assert case.operator_id == operator.actor.user_id
    await page.keyboard.press("o")
    await page.wait_for_url(f"**/desk/cases/{case.case_no}")
    await page.keyboard.press("q")
    await page.wait_for_url("**/desk")
    await expect(page.locator(".figures")).to_contain_text("来电")
    await page.keyboard.press("2")
    await page.wait_for_url("**/desk?tab=mine")
    await page.keyboard.press("j")
    await expect(page.locator(f"#case-{case.case_no}")).to_be_focused()
    await keep(page, "desk-queue-live")


async def test_keys_rest_while_an_input_method_composes_and_while_somebody_types(gateway: Gateway, desk: Desk) -> None:
    page = await desk.page_of(await hire(gateway, Role.OPERATOR))
    await page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'c', isComposing: true, bubbles: true}))")
    await page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'c', keyCode: 229, bubbles: true}))")
    await page.keyboard.press("/")
    await page.keyboard.type("c2?")
    await expect(page.locator("#text")).to_have_value("c2?")
    assert page.url.endswith("/desk")
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("接单")


async def test_the_pop_comes_to_the_right_browser_only_and_takes_nothing_away(gateway: Gateway, desk: Desk) -> None:
    one, other = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="two")
    number = await report(gateway)
    await seat(desk.board, one, "8001")
    await seat(desk.board, other, "8002")
    page, elsewhere = await desk.page_of(one), await desk.page_of(other)
    await page.keyboard.press("c")
    await page.wait_for_url("**/desk/calls/*")
    await page.keyboard.type("上一个来电还没写完")
    call_id = await ring(desk.board, "8001")
    await expect(page.locator("#pop")).to_contain_text("199****0001")
    await expect(page.locator("#pop")).to_contain_text("在办 1 件")
    await expect(page.locator("#f-what")).to_be_focused()
    assert NATIONAL not in await page.content()
    await desk.board.answered(call_id, "8001")
    await keep(page, "desk-pop")
    await page.keyboard.press("F9")
    await expect(page.locator("[data-call]")).to_be_visible()
    await expect(page.locator(f"#case-{number}")).to_be_visible()
    await expect(elsewhere.locator("#pop")).to_be_empty()
    await page.goto(f"{desk.url}/desk/drafts")
    await expect(page.get_by_text("上一个来电还没写完")).to_be_visible()


async def test_one_key_urges_an_open_case_and_the_call_ends_with_it(gateway: Gateway, desk: Desk) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway)
    await walk(gateway, number, until="file")
    await seat(desk.board, operator, "8001")
    page = await desk.page_of(operator)
    call_id = await ring(desk.board, "8001")
    await desk.board.answered(call_id, "8001")
    await expect(page.locator("#pop form")).to_be_visible()
    await page.keyboard.press("F9")
    await expect(page.locator(f"#case-{number}")).to_be_visible()
    await page.keyboard.press("u")
    await expect(page.get_by_text("本次已催办")).to_be_visible()
    assert (await case_of(gateway, number)).urge_count == 1
    await page.keyboard.press("F8")
    await ended(page)
    assert (await case_of(gateway, number)).urge_count == 1
    assert (await desk.board.call(call_id)).summary == "urge"
    assert len(await gateway.store.read(lambda work: work.find(Case))) == 1


async def test_a_draft_outlives_the_browser(gateway: Gateway, desk: Desk) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    page = await desk.page_of(operator)
    await page.keyboard.press("c")
    await page.wait_for_url("**/desk/calls/*")
    address = page.url
    await page.keyboard.type("说到一半断电了")
    await expect(page.locator("#saved")).to_contain_text("已存草稿")
    await expect(page.locator("[name=version]").first).not_to_have_value("1")
    await page.context.close()
    again = await desk.page_of(operator)
    await again.goto(address)
    await expect(again.locator("#f-what")).to_have_value("说到一半断电了")


async def test_two_windows_on_one_draft_lose_nothing(gateway: Gateway, desk: Desk) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    page = await desk.page_of(operator)
    await page.keyboard.press("c")
    await page.wait_for_url("**/desk/calls/*")
    second = await page.context.new_page()
    await second.goto(page.url)
    await second.locator("#f-what").fill("第二个窗口写的")
    await expect(second.locator("[name=version]").first).to_have_value("2")
    await page.locator("#f-what").fill("第一个窗口写的")
    await expect(page.locator("#saved")).to_contain_text("另一个窗口")
    await page.get_by_role("button", name="保存草稿").click()
    await page.get_by_role("button", name="另存为新草稿").click()
    await expect(page.locator("#f-what")).to_have_value("第一个窗口写的")
    await second.reload()
    await expect(second.locator("#f-what")).to_have_value("第二个窗口写的")


async def test_the_second_save_shows_both_sides_and_keeps_every_word(gateway: Gateway, desk: Desk) -> None:
    one, other = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="two")
    number = await report(gateway)
    page = await desk.page_of(one)
    await page.goto(f"{desk.url}/desk/cases/{number}?step=accept")
    await page.locator("#f-description").fill("我改写的描述，写了很久")
    await gateway.perform(Command(number, "supplement", other.actor, fields={"text": "同事补充：还有臭味"}))
    await expect(page.locator("#live")).to_be_visible()
    await page.locator(".step-form .buttons button").first.click()
    await expect(page.locator("#problem")).to_contain_text("补充信息")
    await expect(page.locator(".sides")).to_contain_text("我改写的描述，写了很久")
    await expect(page.locator("#f-description")).to_have_value("我改写的描述，写了很久")
    await keep(page, "desk-conflict")
    await page.locator(".step-form .buttons button").first.click()
    await expect(page.locator("#problem")).to_have_count(0)
    assert (await case_of(gateway, number)).description == "我改写的描述，写了很久"


async def test_the_queue_renews_itself_and_shows_who_looks(gateway: Gateway, desk: Desk) -> None:
    one = await hire(gateway, Role.OPERATOR, name="one")
    other = await hire(gateway, Role.OPERATOR, name="two")
    number = await report(gateway)
    page = await desk.page_of(one)
    await page.keyboard.press("j")
    looking = await desk.page_of(other)
    await looking.goto(f"{desk.url}/desk/cases/{number}")
    await expect(page.locator(f"[data-watchers='{number}']")).to_contain_text("正在看")
    late = await report(gateway, text="闻到煤气味", phone="")
    await expect(page.locator(f"#case-{late}")).to_be_visible()
    await expect(page.locator(f"#case-{number}")).to_be_focused()
    await looking.goto(f"{desk.url}/desk/drafts")
    await expect(page.locator(f"[data-watchers='{number}']")).to_be_empty()
    await page.keyboard.press("t")
    await expect(page.locator(f"tr[data-row='{number}']")).to_contain_text("我")
    assert (await case_of(gateway, number)).operator_id == one.actor.user_id


async def test_nothing_is_missed_while_the_connection_was_gone(gateway: Gateway, desk: Desk) -> None:
    page = await desk.page_of(await hire(gateway, Role.OPERATOR))
    await page.context.set_offline(True)
    number = await report(gateway)
    await page.context.set_offline(False)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator(f"#case-{number}")).to_be_visible()


async def test_a_late_entry_keeps_the_time_of_the_paper(gateway: Gateway, desk: Desk) -> None:
    page = await desk.page_of(await hire(gateway, Role.OPERATOR))
    await page.keyboard.press("l")
    await page.wait_for_url("**/desk/calls/*")
    await page.locator("#f-at").fill("2026-11-20T03:15")
    await page.locator("#f-form_no").fill("A-007")
    await page.locator("#f-what").fill("停电时来电：井盖丢失")
    await page.locator("#f-place").fill("鼓楼广场")
    await page.locator("#f-subclass").select_option("component:0101")
    await page.locator("input[name=outcome][value=new_case]").check()
    await page.keyboard.press("F8")
    await ended(page)
    case = (await gateway.store.read(lambda work: work.find(Case)))[0]
    assert case.received_at.astimezone(gateway.city.zone).strftime("%d %H:%M") == "20 03:15"


async def test_a_question_is_answered_without_a_case(gateway: Gateway, desk: Desk) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    page = await desk.page_of(operator)
    await page.keyboard.press("c")
    await page.wait_for_url("**/desk/calls/*")
    await page.keyboard.press("Escape")
    await page.keyboard.press("z")
    await page.keyboard.type("半夜施工")
    await page.get_by_role("button", name="按此答复，记为咨询").first.click()
    await page.keyboard.press("F8")
    await ended(page)
    summary = (await gateway.store.read(lambda work: work.find(CallSummary)))[0]
    assert (summary.outcome, summary.article) == ("enquiry", "night_noise")
    assert await gateway.store.read(lambda work: work.find(Case)) == []


async def test_without_scripts_a_call_still_becomes_a_case(gateway: Gateway, desk: Desk) -> None:
    page = await desk.page_of(await hire(gateway, Role.OPERATOR), scripts=False)
    await page.get_by_role("button", name="新来电").click()
    await page.locator("#f-what").fill("门前垃圾没人清理")
    await page.locator("#f-place").fill("鼓楼广场")
    await page.get_by_role("button", name="保存草稿").click()
    await page.locator("#p-suggest button").first.click()
    await expect(page.locator("#p-outlook")).to_contain_text("责任单位")
    await page.locator("input[name=outcome][value=new_case]").check()
    await page.get_by_role("button", name="办结来电").click()
    await ended(page)
    assert len(await gateway.store.read(lambda work: work.find(Case))) == 1


async def test_dissatisfied_callers_become_a_revisit(gateway: Gateway, desk: Desk) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    await walk(gateway, number, until="close")
    page = await desk.page_of(operator)
    await page.keyboard.press("c")
    await page.wait_for_url("**/desk/calls/*")
    await page.locator("input[name=outcome][value=dissatisfied]").check()
    await page.locator("#f-about").fill(str(number))
    await page.keyboard.press("F8")
    await ended(page)
    tasks = await gateway.store.read(lambda work: work.find(Task, case_no=number, state="open", kind="revisit"))
    assert len(tasks) == 1
    await page.goto(f"{desk.url}/desk?tab=revisit")
    await expect(page.locator(f"#case-{number}")).to_be_visible()


async def awaiting(gateway: Gateway, what: str) -> int:
    """A case that waits for a decision of the shift leader or of the hall."""
    number = await report(gateway)
    case = await walk(gateway, number, until={"return": "dispatch", "done": "feedback"}.get(what, "take"))
    unit = Actor(9001, "unit", Role.UNIT, case.unit)
    reason = {"reason": "不在我处保洁范围"}
    if what == "return":
        await gateway.perform(Command(number, "ask_return", unit, fields=reason | {"basis": "权责清单第七条"}))
    if what == "suspended":
        leader = Actor(9002, "leader", Role.SHIFT_LEADER)
        await gateway.perform(Command(number, "ask_suspension", unit, fields=reason | {"until": "2026-12-20T12:00"}))
        await gateway.perform(Command(number, "decide_suspension", leader, fields=reason | {"decision": "grant"}))
        await gateway.store.write(
            lambda work: work.add(Task(work.new_id(), "review_suspension", number, work.now, Role.SHIFT_LEADER))
        )
    return number


@pytest.mark.parametrize(("tab", "step"), [("return", "decide_return"), ("suspended", "resume"), ("done", "check")])
async def test_a_tab_leads_to_its_decision_in_two_keys(gateway: Gateway, desk: Desk, tab: str, step: str) -> None:
    number = await awaiting(gateway, tab)
    page = await desk.page_of(await hire(gateway, Role.SHIFT_LEADER))
    link = page.locator(f"a[href$='?tab={tab}']")
    await expect(link).to_contain_text("1")
    await page.keyboard.press(str(await link.get_attribute("data-key")))
    await page.wait_for_url(f"**/desk?tab={tab}")
    await page.keyboard.press("o")
    await page.wait_for_url(f"**/desk/cases/{number}*")
    await expect(page.locator(f"form[action*='/steps/{step}']")).to_be_visible()


PAGES = ("/desk", "/desk/phone", "/desk/callbacks", "/desk/marks", "/desk?tab=callback", "/desk/drafts", "/desk/knowledge?q=噪音", "/desk/notices", "/desk/paper", "/desk/shift")


async def test_pages_are_fit_for_everybody_and_fit_every_screen(gateway: Gateway, desk: Desk) -> None:
    leader, number = await hire(gateway, Role.SHIFT_LEADER), await report(gateway)
    await report(gateway, text="闻到煤气味")
    page = await desk.page_of(leader)
    await page.keyboard.press("c")
    await page.wait_for_url("**/desk/calls/*")
    await page.locator("#f-phone").fill(NATIONAL)
    await page.locator("#f-what").fill("门前垃圾没人清理")
    await expect(page.locator(".past")).to_have_count(2)
    await expect(page.locator("#p-suggest .suggestion")).not_to_have_count(0)
    await expect(page.locator("[name=version]").first).not_to_have_value("1")
    found = {page.url: await grave_faults(page)}
    call = page.url
    for path in (*PAGES, f"/desk/hand/{number}", f"/desk/cases/{number}"):
        await page.goto(desk.url + path)
        found[path] = await grave_faults(page)
    assert {path: faults for path, faults in found.items() if faults} == {}
    # 640 px wide is what a screen of 1280 px has left at 200 % zoom.
    for width, height in ((360, 740), (640, 480), (1920, 1080)):
        await page.set_viewport_size({"width": width, "height": height})
        for path in (call, *(f"{desk.url}{path}" for path in ("/desk", "/desk/callbacks", "/desk/marks", f"/desk/cases/{number}"))):
            await page.goto(path)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    await asyncio.sleep(0)
