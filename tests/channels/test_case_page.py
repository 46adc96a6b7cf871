"""The case page without scripts: likely repeats, merging and its undoing, parting, linking, recordings, replies, papers."""

import asyncio
import io
import re
from base64 import a85decode
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zlib import decompress

import pytest
from aiohttp.test_utils import TestClient
from docx import Document

from channels.web.desk_phone import TELEPHONE
from classifier.repeats_live import LiveRepeats
from intake.call import CallRecording, Playback, Told
from intake.case_link import CaseLink, links_of
from intake.feed import Feed
from intake.gateway import Gateway
from intake.model import Actor, Case, Place, Role, State, Subclass
from intake.order_desk import take_order
from intake.order_source import OrderGiven
from intake.records import Attachment, Debt, DeliveryRow, HistoryEntry, OutboxRow, Remark, Reply, Reporter, Task, View
from intake.redaction import draft_of
from intake.store.sqlite import SqliteStore
from intake.switchboard import Switchboard
from intake.usecases import Command
from tests.channels.desk_people import Person, hire, report, take_step, walk
from tests.fakes import FakeClock
from tests.make import NOON, PHONE

Client = TestClient  # type: ignore[type-arg]
NATIONAL = PHONE.removeprefix("+86")
SOUND = b"RIFF" + bytes(range(256)) * 20
TOKEN = "s" * 43
SPOT = Place(text="人民路12号门口", lon=102.34, lat=40.33)


@pytest.fixture
async def gateway(gateway: Gateway, store: SqliteStore, feed: Feed) -> AsyncIterator[Gateway]:
    """The gateway with the index of open cases running beside it."""
    repeats = LiveRepeats(store, feed, lambda _: ("v1", None))
    task = asyncio.create_task(repeats.run())
    yield replace(gateway, repeats=repeats)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def page(client: Client, person: Person, path: str, *, status: int = 200) -> str:
    answer = await client.get(path, headers=person.browser)
    text = await answer.text()
    assert answer.status == status, text[:400]
    return text


async def post(client: Client, person: Person, path: str, **fields: str) -> tuple[int, str]:
    answer = await client.post(path, headers=person.browser, data={"csrf": person.csrf} | fields, allow_redirects=False)
    return answer.status, await answer.text()


async def case_of(gateway: Gateway, number: int) -> Case:
    found = await gateway.store.read(lambda work: work.get(Case, number))
    assert found is not None
    return found


async def known(gateway: Gateway, number: int) -> None:
    """Wait until the index of open cases has heard of a case."""
    case = await case_of(gateway, number)
    probe = replace(case, case_no=1)
    for _ in range(400):
        if any(one.case_no == number for one in await gateway.repeats.likely(probe)):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the index never heard of the case")


async def test_a_likely_repeat_is_compared_merged_and_parted_again_and_both_people_are_kept(
    gateway: Gateway, client: Client
) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    first = await report(gateway, text="人民路12号门口垃圾堆了三天没人清", place=SPOT)
    second = await report(gateway, text="人民路12号门口的垃圾好几天没人清理", place=SPOT, phone="+8619900000002", name="李四")
    await known(gateway, first)
    shown = await page(client, operator, f"/desk/cases/{second}")
    assert "可能是同一件事" in shown
    assert f"step=merge&amp;main_case={first}#step" in shown
    form = await page(client, operator, f"/desk/cases/{second}?step=merge&main_case={first}")
    assert f'value="{first}"' in form
    assert "已并入编号" in form
    version = str((await case_of(gateway, second)).version)
    merged = await post(client, operator, f"/desk/cases/{second}/steps/merge", main_case=str(first), reason="同一处垃圾", version=version)
    assert merged[0] == 303
    here = await page(client, operator, f"/desk/cases/{first}")
    assert f"由 {second} 并入" in here
    assert f"/desk/cases/{second}?step=unmerge#step" in here
    owed = await gateway.store.read(lambda work: work.find(Debt, case_no=first))
    assert [debt.template for debt in owed] == ["merged"]
    version = str((await case_of(gateway, second)).version)
    assert (await post(client, operator, f"/desk/cases/{second}/steps/unmerge", reason="不是同一处", version=version))[0] == 303
    assert (await case_of(gateway, second)).state is State.REPORTED
    assert f"由 {second} 并入" not in await page(client, operator, f"/desk/cases/{first}")


async def test_the_index_forgets_a_case_that_ended(gateway: Gateway, client: Client) -> None:
    first = await report(gateway, text="人民路12号门口垃圾堆了三天没人清", place=SPOT)
    await known(gateway, first)
    await gateway.perform(Command(first, "answer", Actor(9, "operator", Role.OPERATOR), fields={"answer": "已说明"}))
    probe = replace(await case_of(gateway, first), case_no=1, state=State.REPORTED)
    for _ in range(400):
        if not await gateway.repeats.likely(probe):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("an ended case is still proposed")


async def test_units_are_never_shown_likely_repeats(gateway: Gateway, client: Client) -> None:
    first = await report(gateway, text="人民路12号门口垃圾堆了三天没人清", place=SPOT)
    second = await report(gateway, text="人民路12号门口垃圾堆了三天没人清", place=SPOT)
    await known(gateway, first)
    unit = await hire(gateway, Role.UNIT, unit=(await walk(gateway, second, until="dispatch")).unit)
    assert "可能是同一件事" not in await page(client, unit, f"/desk/cases/{second}")


TWO = "1. 人民路12号门口垃圾没人清运 2. 中山路路口井盖破损有危险"


async def test_a_report_of_two_matters_is_parted_and_both_are_owed_their_own_replies(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, text=TWO, place=SPOT)
    shown = await page(client, operator, f"/desk/cases/{number}")
    assert "内容里像有 2 件事" in shown
    parts = {"text-1": "人民路12号门口垃圾没人清运", "place-1": SPOT.text, "text-2": "中山路路口井盖破损有危险", "place-2": "中山路路口"}
    status, _ = await post(client, operator, f"/desk/cases/{number}/split", version="1", **parts)
    assert status == 303
    ((other,), kept) = await gateway.store.read(lambda work: (work.find(CaseLink, case_no=number), work.get(Case, number)))
    assert kept is not None
    assert (kept.description, kept.place.lon) == (parts["text-1"], SPOT.lon)
    part = await case_of(gateway, other.other_no)
    assert (part.description, part.subclass, part.place.text) == (
        parts["text-2"], Subclass.parse("component:0101"), "中山路路口",
    )  # fmt: skip
    people = await gateway.store.read(
        lambda work: [work.find(Reporter, case_no=one)[0] for one in (number, part.case_no)]
    )
    assert people[0].contact_id == people[1].contact_id
    whole = await gateway.store.read(lambda work: work.find(Remark, case_no=number, kind="whole"))
    assert [one.text for one in whole] == [TWO]
    for one in (number, part.case_no):
        await walk(gateway, one, until="file")
    debts = await gateway.store.read(lambda work: [work.find(Debt, case_no=one) for one in (number, part.case_no)])
    assert [len(found) for found in debts] == [1, 1]
    links = await gateway.store.read(lambda work: links_of(work, part.case_no))
    assert [(one.case_no, one.words) for one in links] == [(number, "拆自")]
    assert "拆出" in await page(client, operator, f"/desk/cases/{number}")


async def test_parting_is_refused_for_stale_pages_single_parts_and_dispatched_cases(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, text=TWO)
    two = {"text-1": "人民路垃圾", "text-2": "中山路井盖"}
    assert (await post(client, operator, f"/desk/cases/{number}/split", version="1", **{"text-1": "人民路垃圾"}))[0] == 422
    await gateway.perform(Command(number, "accept", operator.actor))
    status, text = await post(client, operator, f"/desk/cases/{number}/split", version="1", **two)
    assert status == 409
    assert "中山路井盖" in text
    version = str((await walk_on(gateway, number, "file", "dispatch")).version)
    assert (await post(client, operator, f"/desk/cases/{number}/split", version=version, **two))[0] == 409
    assert await gateway.store.read(lambda work: work.find(CaseLink)) == []


async def walk_on(gateway: Gateway, number: int, *steps: str) -> Case:
    case = await case_of(gateway, number)
    for step in steps:
        given: dict[str, object] = {}
        if step == "file":
            assert case.subclass
            given = {"waive_verify": "clear_evidence", "condition": gateway.rules.taxonomy.conditions(case.subclass)[0]}
        role = Role.DISPATCHER if step == "dispatch" else Role.OPERATOR
        case = await gateway.perform(Command(number, step, Actor(9001, role.value, role), fields=given))
    return case


async def test_one_more_line_is_added_to_the_form_and_nothing_is_parted(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, text=TWO)
    fields = {"text-1": "甲处垃圾成堆", "text-2": "乙处井盖破损", "more": "1"}
    status, text = await post(client, operator, f"/desk/cases/{number}/split", version="1", **fields)
    assert status == 200
    assert "第 3 件" in text
    assert "乙处井盖破损" in text
    assert (await case_of(gateway, number)).description == TWO


async def with_photos(gateway: Gateway, number: int, *tokens: str) -> None:
    rows = [Attachment(token, number, "report", "0" * 64, "image/jpeg", 10, 10, 10, gateway.now()) for token in tokens]
    await gateway.store.write(lambda work: work.add(*rows))


async def photos_of(gateway: Gateway, number: int) -> list[str]:
    return sorted(one.token for one in await gateway.store.read(lambda work: work.find(Attachment, case_no=number)))


async def test_each_photo_goes_to_the_part_whose_matter_it_shows(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number, stranger = await report(gateway, text=TWO), await report(gateway, text="人民路路灯不亮")
    rubbish, cover, foreign = "r" * 43, "c" * 43, "f" * 43
    await with_photos(gateway, number, rubbish, cover)
    await with_photos(gateway, stranger, foreign)
    assert f'name="photo-{cover}"' in await page(client, operator, f"/desk/cases/{number}")
    two = {"text-1": "人民路垃圾", "text-2": "中山路井盖", f"photo-{rubbish}": "1", f"photo-{cover}": "2"}

    async def split(**more: str) -> tuple[int, str]:
        return await post(client, operator, f"/desk/cases/{number}/split", version="1", **{**two, **more})

    assert (await split(**{f"photo-{foreign}": "2"}))[0] == 422
    assert await photos_of(gateway, stranger) == [foreign]
    status, text = await split(more="1")
    assert (status, '<option value="2" selected>' in text) == (200, True)
    assert (await split())[0] == 303
    [link] = await gateway.store.read(lambda work: work.find(CaseLink, case_no=number))
    assert (await photos_of(gateway, number), await photos_of(gateway, link.other_no)) == ([rubbish], [cover])


async def test_a_case_closed_at_the_spot_before_is_shown_and_linked(gateway: Gateway, client: Client, clock: FakeClock) -> None:
    before = await report(gateway, place=SPOT)
    await walk(gateway, before, until="close")
    clock.pass_time(days=20)
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, place=SPOT, received_at=clock())
    shown = await page(client, operator, f"/desk/cases/{number}")
    assert "同点位办结过" in shown
    assert (await post(client, operator, f"/desk/cases/{number}/again", earlier=str(before)))[0] == 303
    assert "此前" in await page(client, operator, f"/desk/cases/{number}")
    links = await gateway.store.read(lambda work: links_of(work, before))
    assert [(one.case_no, one.words) for one in links] == [(number, "复发于")]
    elsewhere = await report(gateway, place=Place(text="别处", lon=102.36, lat=40.35), received_at=clock())
    assert "同点位办结过" not in await page(client, operator, f"/desk/cases/{elsewhere}")


async def with_sound(gateway: Gateway, client: Client, folder: Path, number: int) -> None:
    board = Switchboard(gateway, media=folder / "media", spool=folder / "calls")
    client.app[TELEPHONE].board = board  # type: ignore[union-attr]
    held = CallRecording(71, 70, "message", "message", "m/70", TOKEN, "pbx", 65_000, NOON, case_no=number)
    await gateway.store.write(lambda work: work.add(held))
    await board.audio.store(TOKEN, SOUND)


async def test_a_recording_is_heard_after_a_reason_in_ranges_and_by_nobody_else(
    gateway: Gateway, client: Client, tmp_path: Path, clock: FakeClock
) -> None:
    operator, other = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="two")
    number = await report(gateway)
    await with_sound(gateway, client, tmp_path, number)
    path = f"/desk/cases/{number}/recordings/{TOKEN}"
    assert "<audio" not in await page(client, operator, f"/desk/cases/{number}")
    assert (await post(client, operator, path, reason=" "))[0] == 422
    assert (await client.get(f"/desk/recordings/{TOKEN}", headers=operator.browser)).status == 403
    assert (await post(client, operator, path, reason="核对位置"))[0] == 303
    shown = await page(client, operator, f"/desk/cases/{number}")
    assert f'src="/desk/recordings/{TOKEN}"' in shown
    assert "听录音" in shown
    part = await client.get(f"/desk/recordings/{TOKEN}", headers=operator.browser | {"Range": "bytes=4-9"})
    assert (part.status, part.headers["Content-Range"]) == (206, f"bytes 4-9/{len(SOUND)}")
    assert await part.read() == SOUND[4:10]
    beyond = await client.get(f"/desk/recordings/{TOKEN}", headers=operator.browser | {"Range": "bytes=99999-"})
    assert beyond.status == 416
    whole = await client.get(f"/desk/recordings/{TOKEN}", headers=operator.browser)
    assert (whole.status, await whole.read(), whole.content_type) == (200, SOUND, "audio/wav")
    assert (await client.get(f"/desk/recordings/{TOKEN}", headers=other.browser)).status == 403
    played = await gateway.store.read(lambda work: work.find(Playback))
    assert [(one.user_id, one.reason) for one in played] == [(operator.actor.user_id, "核对位置")]
    clock.pass_time(minutes=31)
    assert (await client.get(f"/desk/recordings/{TOKEN}", headers=operator.browser)).status == 403


async def test_a_confidential_recording_opens_to_the_shift_leader_only(gateway: Gateway, client: Client, tmp_path: Path) -> None:
    operator, leader = await hire(gateway, Role.OPERATOR), await hire(gateway, Role.SHIFT_LEADER)
    number = await report(gateway, confidential=True)
    await with_sound(gateway, client, tmp_path, number)
    path = f"/desk/cases/{number}/recordings/{TOKEN}"
    assert (await post(client, operator, path, reason="核对位置"))[0] == 403
    assert "须由值班长收听" in await page(client, operator, f"/desk/cases/{number}")
    assert (await post(client, leader, path, reason="核对位置"))[0] == 303


async def test_the_draft_for_the_unit_leaves_the_reporter_of_a_confidential_case_out(gateway: Gateway, client: Client) -> None:
    dispatcher = await hire(gateway, Role.DISPATCHER)
    words = f"幸福里3栋楼下烧烤店占道经营，油烟很大，我住2单元501，我叫张三丰，电话{NATIONAL}，请保密"
    number = await report(gateway, text=words, confidential=True)
    await walk(gateway, number, until="file")
    form = await page(client, dispatcher, f"/desk/cases/{number}?step=dispatch")
    draft = re.search(r'name="forwarded_text"[^>]*>\s*(.*?)</textarea>', form, re.S)
    assert draft
    assert "油烟很大" in draft[1]
    assert not re.search(f"张三丰|{NATIONAL}|501|2单元|保密", draft[1])


def test_a_draft_keeps_the_matter_and_drops_what_tells_who_reported() -> None:
    assert draft_of("路口井盖破损，有车压到。我是李先生，就住对面") == "路口井盖破损，有车压到。"
    assert draft_of("王记餐馆后门倒污水，阿强看见的", known=("阿强",)) == "王记餐馆后门倒污水"
    assert draft_of("我家楼下很吵") == ""


def words_in(pdf: bytes) -> str:
    """The words of our own PDF: its streams unpacked, its strings read as the two-byte characters they are."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.S):
        with suppress(Exception):
            plain = decompress(a85decode(stream.strip(), adobe=False) if not stream.strip().endswith(b"~>") else
                               a85decode(b"<~" + stream.strip(), adobe=True))  # fmt: skip
            found.append(plain)
    joined = b"".join(re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), one) for one in found)
    joined = re.sub(rb"\\(.)", rb"\1", joined, flags=re.S)
    return "".join(text.decode("utf-16-be", "ignore") for text in re.findall(rb"\((.*?)\) Tj", joined, re.S))


async def test_the_work_order_prints_and_opens_as_pdf_and_word_without_personal_data(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, text="路口<b>井盖</b>破损\x0b&有危险")
    await walk(gateway, number, until="dispatch")
    paper = await page(client, operator, f"/desk/cases/{number}/paper")
    assert "派遣工单" in paper
    pdf = await client.get(f"/desk/cases/{number}/paper.pdf", headers=operator.browser)
    told = words_in(await pdf.read())
    assert str(number) in told
    assert "<b>井盖</b>破损" in told
    word = await client.get(f"/desk/cases/{number}/paper.docx", headers=operator.browser)
    text = _docx_text(await word.read())
    assert str(number) in text
    assert "责任单位" in text
    for form in (paper, told, text):
        assert NATIONAL not in form
        assert "张三丰" not in form
    assert (await client.get(f"/desk/cases/{number}/paper.exe", headers=operator.browser)).status == 404


async def test_full_names_stand_on_paper_only_after_a_reason_that_is_kept(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway)
    path = f"/desk/cases/{number}/paper"
    assert (await post(client, operator, path, reason="", **{"as": "docx"}))[0] == 422
    answer = await client.post(path, headers=operator.browser, data={"csrf": operator.csrf, "reason": "上门核实", "as": "docx"})
    text = _docx_text(await answer.read())
    assert "张三丰" in text
    assert "含个人信息" in text
    looks = await gateway.store.read(lambda work: work.find(View, case_no=number))
    assert [one.user_id for one in looks] == [operator.actor.user_id]
    assert "上门核实" in await page(client, operator, f"/desk/cases/{number}")


def _docx_text(body: bytes) -> str:
    paper = Document(io.BytesIO(body))
    cells = (cell.text for table in paper.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(one.text for one in paper.paragraphs), *cells])


async def test_a_reply_that_failed_is_offered_again_with_other_templates_and_its_length(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, channel="sms", provider_id="mo-1")
    await walk(gateway, number, until="file")
    (debt,) = await gateway.store.read(lambda work: work.find(Debt, case_no=number))
    await gateway.store.write(lambda work: _fail(work, debt))
    shown = await page(client, operator, f"/desk/cases/{number}")
    assert "重新发送" in shown
    assert "发送失败" in shown
    form = await page(client, operator, f"/desk/cases/{number}?step=send_reply&debt={debt.debt_id}")
    assert "一条短信" in form
    long = {"debt": str(debt.debt_id), "text": "很" * 250, "version": "9", "preview": "1"}
    status, text = await post(client, operator, f"/desk/cases/{number}/steps/send_reply", **long)
    assert status == 200
    assert "4 条短信，最多 3 条" in text


async def test_another_template_fills_the_reply_anew_and_sends_nothing(gateway: Gateway, client: Client) -> None:
    wording = gateway.rules.wording
    (filing,) = [one for one in wording.templates if one.id == "filing"]
    friendly = replace(filing, id="filing_friendly", text="【城管热线】谢谢您！{place}的问题已立案，编号{no}。")
    later = replace(friendly, id="filing_later", since=date(2099, 1, 1))
    more = replace(gateway.rules, wording=replace(wording, templates=(*wording.templates, friendly, later)))
    object.__setattr__(gateway, "rules", more)  # the server holds this very gateway
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, channel="sms", provider_id="mo-1")
    await walk(gateway, number, until="file")
    (debt,) = await gateway.store.read(lambda work: work.find(Debt, case_no=number))
    await gateway.store.write(lambda work: _fail(work, debt))
    form = await page(client, operator, f"/desk/cases/{number}?step=send_reply&debt={debt.debt_id}")
    assert 'value="filing_friendly"' in form
    assert "filing_later" not in form
    chosen = {"debt": str(debt.debt_id), "template": "filing_friendly", "retemplate": "1"}
    before = await gateway.store.read(lambda work: len(work.find(OutboxRow)))
    status, text = await post(client, operator, f"/desk/cases/{number}/steps/send_reply", **chosen)
    assert (status, "尚未发送" in text) == (200, True)
    assert f"已立案，编号{number}。</textarea>" in text
    assert await gateway.store.read(lambda work: len(work.find(OutboxRow))) == before


def _fail(work: object, debt: Debt) -> None:
    (reply,) = work.find(Reply, debt_id=debt.debt_id)  # type: ignore[attr-defined]
    now = work.now  # type: ignore[attr-defined]
    row = OutboxRow(work.new_id(), reply.reply_id, debt.debt_id, debt.case_no, 0, "sms", "failed", now, now, attempts=3,  # type: ignore[attr-defined]
                    outcome="no_receipt")  # fmt: skip
    task = Task(work.new_id(), "send_failed", debt.case_no, now, Role.OPERATOR, debt_id=debt.debt_id)  # type: ignore[attr-defined]
    work.add(row, task)  # type: ignore[attr-defined]


async def test_no_contact_is_no_excuse_where_one_was_left(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway)
    await walk(gateway, number, until="file")
    (debt,) = await gateway.store.read(lambda work: work.find(Debt, case_no=number))
    form = await page(client, operator, f"/desk/cases/{number}?step=excuse_reply&debt={debt.debt_id}")
    assert "反映人明确不需回复" in form
    assert "无联系方式" not in form


async def test_the_panel_says_why_this_unit_and_gives_its_duty_telephone(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, place=SPOT)
    case = await walk(gateway, number, until="dispatch")
    phone = gateway.city.units[case.unit].duty_phone
    assert phone in await page(client, operator, f"/desk/cases/{number}")
    assert case.routing_rule in await page(client, operator, f"/desk/cases/{number}")
    unit = await hire(gateway, Role.UNIT, unit=case.unit)
    assert phone not in await page(client, unit, f"/desk/cases/{number}")


async def test_a_return_is_decided_beside_its_reason_and_basis(gateway: Gateway, client: Client) -> None:
    dispatcher = await hire(gateway, Role.DISPATCHER)
    number = await report(gateway)
    case = await walk(gateway, number, until="dispatch")
    unit = Actor(9009, "unit", Role.UNIT, case.unit)
    await gateway.perform(Command(number, "ask_return", unit, fields={"reason": "不在我处范围", "basis": "权责清单第七条"}))
    shown = await page(client, dispatcher, f"/desk/cases/{number}?step=decide_return")
    assert "退单的依据" in shown
    assert "权责清单第七条" in shown


async def test_steps_of_the_course_stand_newest_first(gateway: Gateway, client: Client, clock: FakeClock) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway)
    clock.pass_time(minutes=5)
    await walk(gateway, number, until="file")
    shown = await page(client, operator, f"/desk/cases/{number}")
    course = shown[shown.index('id="course"'):]
    assert course.index("立案") < course.index("上报")
    lines = await gateway.store.read(lambda work: work.find(HistoryEntry, case_no=number))
    assert course.count('class="is-step"') == len(lines)
    assert clock() - NOON == timedelta(minutes=5)


async def test_an_order_from_above_shows_its_source_number_limits_and_news(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    given = OrderGiven(source="12345", number="YZ20261120-0001", text="人民广场北门一大堆垃圾三天没人清", place="人民广场北门")
    number = (await take_order(gateway, given)).case_no
    shown = await page(client, operator, f"/desk/cases/{number}")
    for words in ("上级工单", "YZ20261120-0001", "签收时限", "还没有向来源反馈"):
        assert words in shown
    await gateway.perform(Command(number, "sign_order", operator.actor))
    shown = await page(client, operator, f"/desk/cases/{number}")
    assert "已签收" in shown
    assert "告知上级 · 签收上级工单" in shown


async def test_receipts_and_those_told_first_stand_in_the_course(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, channel="sms", provider_id="mo-1")
    await walk(gateway, number, until="file")

    def happen(work: object) -> None:
        (debt,) = work.find(Debt, case_no=number)  # type: ignore[attr-defined]
        (reply,) = work.find(Reply, debt_id=debt.debt_id)  # type: ignore[attr-defined]
        now = work.now  # type: ignore[attr-defined]
        work.add(  # type: ignore[attr-defined]
            OutboxRow(81, reply.reply_id, debt.debt_id, number, 0, "sms", "delivered", now, now, attempts=1, sent_at=now),
            DeliveryRow(82, 81, now, "delivered", "DELIVRD", "sms", "p-1"),
            Told(83, 70, "unit:cityadmin", now, operator.actor.user_id, "值班员", "reached", number),
        )

    await gateway.store.write(happen)
    shown = await page(client, operator, f"/desk/cases/{number}")
    course = shown[shown.index('id="course"'):]
    assert "短信 · 立案告知" in course
    assert "回执 · 立案告知" in course
    assert "DELIVRD" in course
    assert "电话先通知" in course
    assert gateway.city.units["cityadmin"].name in course
    unit = await hire(gateway, Role.UNIT, unit=(await walk_on(gateway, number, "dispatch")).unit)
    assert "回执" not in await page(client, unit, f"/desk/cases/{number}")


async def test_the_page_tells_how_a_due_time_came_about(gateway: Gateway, client: Client, clock: FakeClock) -> None:
    """Projected before there is a unit; then every stretch that counts and that does not, with the reason."""
    clock.at = datetime.fromisoformat("2026-02-13T17:00+08:00")
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway)
    await walk(gateway, number, until="accept")
    assert "时限是怎么算的" not in await page(client, operator, f"/desk/cases/{number}")
    await take_step(gateway, number, ("file", Role.OPERATOR, {"waive_verify": "clear_evidence"}))
    assert "派遣后起算，现为预计" in await page(client, operator, f"/desk/cases/{number}")
    await take_step(gateway, number, ("dispatch", Role.DISPATCHER, {"unit": "cityadmin"}))
    text = await page(client, operator, f"/desk/cases/{number}")
    assert "派遣后起算" not in text
    for line in ("自2026年2月13日（周五）17:00起，按工作时间计2小时。",
                 "2月13日（周五）17:00至2月14日（周六）09:00：计2小时，累计2小时（2月14日调休上班）。", "2月14日（周六）09:00到期。"):  # fmt: skip
        assert line in text


async def test_a_point_that_a_person_must_look_at_is_told_beside_it(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    beyond, plain = Place(text="城外水库", lon=102.0, lat=40.0), SPOT
    number, other = await report(gateway, place=beyond), await report(gateway, place=plain)
    assert "定位不在任何网格内，离最近的网格 " in await page(client, operator, f"/desk/cases/{number}")
    assert "定位" not in (await page(client, operator, f"/desk/cases/{other}")).partition("<dt>坐标</dt>")[2].partition("</dd>")[0]
