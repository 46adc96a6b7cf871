"""The desk's pages as a browser without JavaScript sees and uses them."""

import io
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import FormData
from PIL import Image

from channels.web.setting import WebSetting
from intake.errors import Unavailable
from intake.gateway import Gateway
from intake.model import Case, Place, Role
from intake.records import Attachment, Debt, Reply, Task, View
from intake.usecases import Command
from tests.channels.desk_people import Client, Person, hire, report, walk
from tests.channels.html_form import PageForm, form_to, unlabelled
from tests.fakes import FakeClock


async def page(client: Client, person: Person, path: str) -> str:
    answer = await client.get(path, headers=person.browser)
    text = await answer.text()
    assert answer.status == 200, text[:400]
    return text


async def send(client: Client, person: Person, form: PageForm, **typed: str) -> tuple[int, str, str]:
    """Submit a form with some fields typed over; status, page, and where it leads."""
    fields = form.values | typed
    answer = await client.post(form.action, data=fields, headers=person.browser, allow_redirects=False)
    return answer.status, await answer.text(), answer.headers.get("Location", "")


async def case_of(gateway: Gateway, number: int) -> Case:
    case = await gateway.store.read(lambda work: work.get(Case, number))
    assert case is not None
    return case


# Taking steps by form


async def test_a_case_is_carried_to_its_end_by_forms_alone(gateway: Gateway, client: Client) -> None:
    number = await report(gateway)
    proposed = (await case_of(gateway, number)).unit
    operator, dispatcher = await hire(gateway, Role.OPERATOR), await hire(gateway, Role.DISPATCHER)
    unit, inspector = await hire(gateway, Role.UNIT, unit=proposed), await hire(gateway, Role.INSPECTOR)
    way = ((operator, "accept"), (operator, "file"), (dispatcher, "dispatch"), (unit, "take"), (unit, "feedback"),
           (operator, "check"), (inspector, "checked"), (operator, "close"))  # fmt: skip
    for person, step in way:
        shown = form_to(await page(client, person, f"/desk/cases/{number}?step={step}"), f"/steps/{step}")
        typed = {name: next(value for value in shown.choices[name] if value) if name in shown.choices else "已清走"
                 for name in shown.required if not shown.values.get(name)}  # fmt: skip
        status, text, led = await send(client, person, shown, **typed)
        assert (status, led) == (303, f"/desk/cases/{number}?done={step}#main"), text[:600]
        assert "已完成" in await page(client, person, led)
    assert (await case_of(gateway, number)).state == "closed"
    replies = await gateway.store.read(lambda work: work.find(Reply, case_no=number))
    assert {reply.edited_by for reply in replies} == {0}


@pytest.mark.parametrize(
    ("state", "opened"),
    [("reported", "accept"), ("accept", "file"), ("file", "dispatch"), ("take", "feedback"), ("feedback", "check")],
)
async def test_a_case_opens_with_the_form_of_what_usually_comes_next(
    gateway: Gateway, client: Client, state: str, opened: str
) -> None:
    number = await report(gateway)
    if state != "reported":
        await walk(gateway, number, until=state)
    case = await case_of(gateway, number)
    role = {"dispatch": Role.DISPATCHER, "feedback": Role.UNIT}.get(opened, Role.OPERATOR)
    person = await hire(gateway, role, unit=case.unit if role is Role.UNIT else "")
    assert form_to(await page(client, person, f"/desk/cases/{number}"), f"/steps/{opened}").values["version"]


async def test_a_decision_that_waits_comes_first(gateway: Gateway, client: Client) -> None:
    number = await report(gateway)
    case = await walk(gateway, number, until="take")
    unit, dispatcher = await hire(gateway, Role.UNIT, unit=case.unit), await hire(gateway, Role.DISPATCHER)
    await gateway.perform(Command(number, "ask_suspension", unit.actor,
                                  fields={"reason": "等配件", "until": "2027-01-10T10:00"}))  # fmt: skip
    text = await page(client, dispatcher, f"/desk/cases/{number}")
    assert form_to(text, "/steps/decide_suspension")
    assert "等配件" in text


async def test_another_class_brings_its_own_conditions_and_a_notice(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    await walk(gateway, number, until="accept")
    shown = form_to(await page(client, operator, f"/desk/cases/{number}?step=file"), "/steps/file")
    typed = {
        "subclass": "event:0101",
        "condition": shown.choices["condition"][1],
        "waive_verify": "night",
        "opinion": "已看",
    }
    status, text, _ = await send(client, operator, shown, **typed)
    again = form_to(text, "/steps/file")
    assert status == 422
    assert "请按新类别选择立案条件" in text
    assert [choice for choice in again.choices["condition"] if choice] == ["正在搭建", "已建成", "其他情形"]
    assert (again.values["subclass"], again.values["opinion"], again.values["waive_verify"]) == (
        "event:0101",
        "已看",
        "night",
    )
    status, text, _ = await send(client, operator, again, condition="正在搭建")
    assert status == 303, text[:600]
    case = await case_of(gateway, number)
    assert (str(case.subclass), case.condition) == ("event:0101", "正在搭建")
    replies = await gateway.store.read(lambda work: work.find(Reply, case_no=number))
    assert ["私搭乱建" in reply.text for reply in replies] == [True]
    assert [reply.edited_by for reply in replies] == [0]


async def test_a_preview_shows_conditions_and_reply_and_changes_nothing(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    await walk(gateway, number, until="accept")
    shown = form_to(await page(client, operator, f"/desk/cases/{number}?step=file"), "/steps/file")
    assert "暴露垃圾" in shown.values["reply_text"]
    status, text, _ = await send(client, operator, shown, subclass="event:0101", preview="1")
    again = form_to(text, "/steps/file")
    assert status == 200
    assert "私搭乱建" in again.values["reply_text"]
    assert "正在搭建" in again.choices["condition"]
    assert (await case_of(gateway, number)).version == 2


async def test_a_reply_that_needs_the_steps_own_fields_is_drafted_by_the_preview(
    gateway: Gateway, client: Client
) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    text = await page(client, operator, f"/desk/cases/{number}?step=reject")
    shown = form_to(text, "/steps/reject")
    assert shown.values["reply_text"] == ""
    assert "〔不予受理理由〕" in text
    _, text, _ = await send(client, operator, shown, reason="private", way="与对方协商", preview="1")
    again = form_to(text, "/steps/reject")
    assert "因属于私人纠纷不能立案。建议与对方协商" in again.values["reply_text"]
    status, _, _ = await send(client, operator, again)
    replies = await gateway.store.read(lambda work: work.find(Reply, case_no=number))
    assert status == 303
    assert [(reply.text, reply.edited_by) for reply in replies] == [(again.values["reply_text"], 0)]


async def test_an_edited_reply_is_kept_with_its_editor(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    await walk(gateway, number, until="accept")
    shown = form_to(await page(client, operator, f"/desk/cases/{number}?step=file"), "/steps/file")
    condition = shown.choices["condition"][-1]
    status, _, _ = await send(
        client, operator, shown, condition=condition, waive_verify="night", reply_text="您好，已立案。"
    )
    reply = (await gateway.store.read(lambda work: work.find(Reply, case_no=number)))[0]
    assert status == 303
    assert (reply.draft == reply.text, reply.edited_by) == (False, operator.actor.user_id)


async def test_an_unchanged_description_is_not_written_again(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, text="第一行\n第二行有垃圾")
    shown = form_to(await page(client, operator, f"/desk/cases/{number}?step=accept"), "/steps/accept")
    assert shown.values["description"] == "第一行\n第二行有垃圾"
    await send(client, operator, shown, description=shown.values["description"].replace("\n", "\r\n"))
    assert (await case_of(gateway, number)).description == "第一行\n第二行有垃圾"


# What goes wrong


async def test_a_wrong_field_comes_back_with_its_error_and_what_was_typed(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    shown = form_to(await page(client, operator, f"/desk/cases/{number}?step=merge"), "/steps/merge")
    status, text, _ = await send(client, operator, shown, main_case="26112099999", reason="同一处<垃圾>")
    again = form_to(text, "/steps/merge")
    assert status == 422
    assert 'id="f-main_case-error"' in text
    assert "没有这个受理编号" in text
    assert (again.values["main_case"], again.values["reason"]) == ("26112099999", "同一处<垃圾>")
    assert "<垃圾>" not in text


async def test_a_stale_form_says_what_changed_and_keeps_what_was_typed(gateway: Gateway, client: Client) -> None:
    operator, other = await hire(gateway, Role.OPERATOR), await hire(gateway, Role.SHIFT_LEADER)
    number = await report(gateway)
    shown = form_to(await page(client, operator, f"/desk/cases/{number}?step=note"), "/steps/note")
    await gateway.perform(Command(number, "supervise", other.actor, fields={"reason": "领导交办"}))
    status, text, _ = await send(client, operator, shown, text="我看过了")
    again = form_to(text, "/steps/note")
    assert status == 409
    assert "督办" in text
    assert "您打开页面之后" in text
    assert (again.values["text"], again.values["version"]) == ("我看过了", "2")
    assert (await send(client, operator, again))[0] == 303


async def test_a_form_whose_step_is_gone_gives_back_what_was_typed(gateway: Gateway, client: Client) -> None:
    operator, other = await hire(gateway, Role.OPERATOR), await hire(gateway, Role.OPERATOR, name="other")
    number = await report(gateway)
    shown = form_to(await page(client, operator, f"/desk/cases/{number}?step=answer"), "/steps/answer")
    await gateway.perform(Command(number, "accept", other.actor))
    await gateway.perform(Command(number, "verify", other.actor))
    status, text, _ = await send(client, operator, shown, answer="请联系物业")
    assert status == 409
    assert "请联系物业" in text
    assert "可复制保存" in text
    assert (await case_of(gateway, number)).state == "verifying"


async def test_a_step_of_another_post_is_refused_on_the_page(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    await walk(gateway, number, until="file")
    shown = form_to(await page(client, operator, f"/desk/cases/{number}?step=note"), "/steps/note")
    shown.action = f"/desk/cases/{number}/steps/dispatch"
    status, text, _ = await send(client, operator, shown, unit="roads")
    assert status == 403
    assert "没有这项权限" in text


async def test_a_form_without_a_version_counts_as_stale(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    for version in ("", "x", "9" * 30):
        answer = await client.post(f"/desk/cases/{number}/steps/note", headers=operator.page, allow_redirects=False,
                                   data={"version": version, "text": "看过了"})  # fmt: skip
        assert answer.status == 409
    assert (await case_of(gateway, number)).version == 1


# Queue, ledger, tasks, emergencies


async def test_tabs_count_and_filters_narrow_the_queue(gateway: Gateway, client: Client, clock: FakeClock) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    plain, gas = await report(gateway), await report(gateway, text="闻到煤气味", place=Place(text="东门菜场"))
    late = await walk(gateway, await report(gateway), until="take")
    text = await page(client, operator, "/desk")
    assert text.index(str(gas)) < text.index(str(plain))
    assert '待受理 <span class="count">2</span>' in text
    assert "特急" in text
    found = await page(client, operator, f"/desk?text={quote('菜场')}")
    assert (str(gas) in found, str(plain) in found) == (True, False)
    clock.pass_time(days=9)
    operator = await hire(gateway, Role.OPERATOR, name="later")
    overdue = await page(client, operator, "/desk?overdue=1")
    assert (str(late.case_no) in overdue, str(gas) in overdue, "超期" in overdue) == (True, False, True)


async def test_the_queue_pages_by_links(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    numbers = [await report(gateway) for _ in range(27)]
    first = await page(client, operator, "/desk")
    following = first.split('rel="next"')[0].rpartition('href="')[2].rstrip('" ').replace("&amp;", "&")
    second = await page(client, operator, f"/desk{following}")
    assert [f">{number}<" in first for number in numbers] == [True] * 25 + [False] * 2
    assert [f">{number}<" in second for number in numbers] == [False] * 25 + [True] * 2


async def test_the_shift_leader_is_alarmed_on_every_page_until_he_acknowledges(
    gateway: Gateway, client: Client
) -> None:
    leader, operator = await hire(gateway, Role.SHIFT_LEADER), await hire(gateway, Role.OPERATOR)
    number = await report(gateway, text="闻到煤气味")
    for path in ("/desk", "/desk/ledger", "/desk/tasks", "/desk/password", f"/desk/cases/{number}"):
        assert "有 1 起紧急情况尚未知悉" in await page(client, leader, path)
        assert "尚未知悉" not in await page(client, operator, path)
    button = form_to(await page(client, leader, "/desk/tasks?kind=emergency"), "/steps/acknowledge")
    assert (await send(client, leader, button))[0] == 303
    assert "尚未知悉" not in await page(client, leader, "/desk")
    assert await gateway.store.read(lambda work: work.find(Task, state="open", kind="emergency")) == []


async def test_an_emergency_whose_case_has_ended_can_still_be_acknowledged(gateway: Gateway, client: Client) -> None:
    leader, operator = await hire(gateway, Role.SHIFT_LEADER), await hire(gateway, Role.OPERATOR)
    number = await report(gateway, text="闻到煤气味", phone="", wants_reply=False)
    await gateway.perform(Command(number, "reject", operator.actor, fields={"reason": "private", "way": "请拨打 119"}))
    button = form_to(await page(client, leader, "/desk/tasks?kind=emergency"), "/steps/acknowledge")
    assert (await send(client, leader, button))[0] == 303
    assert "尚未知悉" not in await page(client, leader, "/desk")


async def test_the_ledger_lists_open_debts_and_the_case_leads_to_paying_one(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    await walk(gateway, number, until="file")
    listed = await page(client, operator, "/desk/ledger")
    assert (str(number) in listed, "立案告知" in listed, "待电话告知" in listed) == (True, True, True)
    debt = (await gateway.store.read(lambda work: work.find(Debt, case_no=number)))[0]
    shown = form_to(
        await page(client, operator, f"/desk/cases/{number}?step=send_reply&debt={debt.debt_id}"), "/steps/send_reply"
    )
    assert shown.values["debt"] == str(debt.debt_id)
    assert "已受理立案" in shown.values["text"]
    told = form_to(
        await page(client, operator, f"/desk/cases/{number}?step=told_by_phone&debt={debt.debt_id}"),
        "/steps/told_by_phone",
    )
    assert (await send(client, operator, told, call_result="reached"))[0] == 303
    assert str(number) not in await page(client, operator, "/desk/ledger")


async def test_tasks_lead_to_the_step_that_settles_them(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    await walk(gateway, number, until="file")
    listed = await page(client, operator, "/desk/tasks")
    assert f"/desk/cases/{number}?step=told_by_phone#step" in listed
    assert "没有待办事项" in await page(client, operator, "/desk/tasks?kind=revisit")


# Contacts and pictures


async def test_revealing_on_the_page_needs_a_reason_and_is_written_down(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    text = await page(client, operator, f"/desk/cases/{number}")
    assert ("199****0001" in text, "19900000001" in text) == (True, False)
    shown = form_to(text, "/reveal")
    status, text, _ = await send(client, operator, shown, reason=" ")
    assert (status, "请写明查看理由" in text, "19900000001" in text) == (422, True, False)
    status, text, _ = await send(client, operator, shown, reason="电话核实位置")
    assert (status, "19900000001" in text, "张三丰" in text) == (200, True, True)
    assert len(await gateway.store.read(lambda work: work.find(View, case_no=number))) == 1
    assert "19900000001" not in await page(client, operator, f"/desk/cases/{number}")


async def test_a_confidential_case_offers_its_contact_to_the_shift_leader_alone(
    gateway: Gateway, client: Client
) -> None:
    number = await report(gateway, confidential=True)
    case = await walk(gateway, number, until="take", forwarded_text="路口一堆垃圾")
    operator, leader = await hire(gateway, Role.OPERATOR), await hire(gateway, Role.SHIFT_LEADER)
    unit = await hire(gateway, Role.UNIT, unit=case.unit)
    pages = {person: await page(client, person, f"/desk/cases/{number}") for person in (operator, leader, unit)}
    assert ["/reveal" in text for text in pages.values()] == [False, True, False]
    assert "路口一堆垃圾" in pages[unit]
    assert "人民广场北门有一堆垃圾没人清理" not in pages[unit]
    assert "反映人</h2>" not in pages[unit]


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(stream, "JPEG")
    return stream.getvalue()


async def test_a_picture_goes_with_the_feedback_or_not_at_all(gateway: Gateway, client: Client) -> None:
    number = await report(gateway)
    case = await walk(gateway, number, until="take")
    unit = await hire(gateway, Role.UNIT, unit=case.unit)
    text = await page(client, unit, f"/desk/cases/{number}?step=feedback")
    assert 'enctype="multipart/form-data"' in text
    shown = form_to(text, "/steps/feedback")
    for body, result, status in ((b"no picture", "已清走", 422), (picture(), "", 422), (picture(), "已清走", 303)):
        data = FormData(shown.values | {"result": result})
        data.add_field("photos", body, filename="after.jpg", content_type="image/jpeg")
        answer = await client.post(shown.action, data=data, headers=unit.browser, allow_redirects=False)
        assert answer.status == status
        kept = await gateway.store.read(lambda work: work.find(Attachment, case_no=number))
        assert [photo.usage for photo in kept] == (["after"] if status == 303 else [])
    assert (await case_of(gateway, number)).state == "done"
    shown_page = await page(client, unit, f"/desk/cases/{number}")
    assert f"/media/{kept[0].token}/thumb" in shown_page
    assert (await client.get(f"/media/{kept[0].token}/thumb", headers=unit.browser)).status == 200


async def test_pictures_stay_when_nobody_knows_whether_their_step_was_stored(
    gateway: Gateway, client: Client, web_setting: WebSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await report(gateway)
    case = await walk(gateway, number, until="take")
    unit = await hire(gateway, Role.UNIT, unit=case.unit)
    shown = form_to(await page(client, unit, f"/desk/cases/{number}?step=feedback"), "/steps/feedback")
    stored = gateway.store.write

    async def cut_off(unit: Any) -> None:
        await stored(unit)
        raise Unavailable

    monkeypatch.setattr(gateway.store, "write", cut_off)
    data = FormData(shown.values | {"result": "已清走"})
    data.add_field("photos", picture(), filename="after.jpg", content_type="image/jpeg")
    answer = await client.post(shown.action, data=data, headers=unit.browser, allow_redirects=False)
    assert answer.status == 503
    [photo] = await gateway.store.read(lambda work: work.find(Attachment, case_no=number))
    assert [path.stem for path in web_setting.media.rglob(f"{photo.token}.jpg")] == [photo.token]


# Form and order of the pages


async def test_every_field_has_a_label_and_nothing_is_inline(gateway: Gateway, client: Client) -> None:
    leader, number = await hire(gateway, Role.SHIFT_LEADER), await report(gateway, text="煤气味，还有垃圾")
    await walk(gateway, number, until="checked")
    steps = [offer.step.name for offer in (await gateway.case_file(number, leader.actor)).offers]
    paths = [
        "/desk/password",
        "/desk",
        "/desk/ledger",
        "/desk/tasks",
        *(f"/desk/cases/{number}?step={s}" for s in steps),
    ]
    texts = [await page(client, leader, path) for path in paths] + [await (await client.get("/desk/sign-in")).text()]
    for text in texts:
        assert unlabelled(text) == []
        assert " style=" not in text
        assert "<script>" not in text
        assert " onclick=" not in text


async def test_what_a_citizen_wrote_is_never_markup(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(
        gateway, text="<script>alert(1)</script>有垃圾", name="<b>张</b>", place=Place(text='"><img src=x>')
    )
    for path in ("/desk", f"/desk/cases/{number}"):
        text = await page(client, operator, path)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
