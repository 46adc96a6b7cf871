"""The case page in Chromium: merge and undo, confidential case, parting, recording, papers; by keys, and axe on each state."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import Page, expect

from channels.web.media import Album
from channels.web.setting import WebSetting
from channels.web.vendor import load_vendor
from classifier.repeats_live import LiveRepeats
from intake.call import CallRecording
from intake.case_link import CaseLink
from intake.feed import Feed
from intake.gateway import Gateway
from intake.model import Actor, Case, Place, Role, State
from intake.receive import attachment_of
from intake.records import Debt, OutboxRow, Reply, Task
from intake.store.sqlite import SqliteStore
from intake.usecases import Command
from tests.channels.desk_browser import AXE, Desk, desk_of, grave_faults, keep
from tests.channels.desk_people import hire, report, walk
from tests.make import NOON
from tests.servers import missing

pytestmark = pytest.mark.servers
SPOT = Place(text="人民路12号门口", lon=102.34, lat=40.33)
TOKEN = "s" * 43


@pytest.fixture
async def gateway(gateway: Gateway, store: SqliteStore, feed: Feed) -> AsyncIterator[Gateway]:
    repeats = LiveRepeats(store, feed, lambda _: ("v1", None))
    task = asyncio.create_task(repeats.run())
    yield replace(gateway, repeats=repeats)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


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


async def known(gateway: Gateway, number: int) -> None:
    probe = replace(await case_of(gateway, number), case_no=1)
    for _ in range(400):
        if any(one.case_no == number for one in await gateway.repeats.likely(probe)):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the index never heard of the case")


def street(colour: tuple[int, int, int], heap: int) -> bytes:
    """A picture that a person can tell from another: a road with a larger or smaller heap on it."""
    image = Image.new("RGB", (640, 480), (170, 190, 205))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 300, 640, 480), fill=(95, 98, 102))
    draw.ellipse((320 - heap, 380 - heap, 320 + heap, 380 + heap // 2), fill=colour)
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


async def add_photos(gateway: Gateway, setting: WebSetting, number: int, **usages: bytes) -> None:
    album = Album(setting.media, gateway.city.zone)
    for usage, body in usages.items():
        photos = await album.keep([body])
        await gateway.store.write(
            lambda work, photos=photos, usage=usage: work.add(
                *(attachment_of(photo, number, usage=usage, at=work.now) for photo in photos)
            )
        )


async def look(page: Page, name: str) -> None:
    """Keep pictures at three widths where a person asked for them, and always look for serious faults."""
    assert await grave_faults(page) == []
    size = page.viewport_size
    await keep(page, name)
    if folder := os.environ.get("HOTLINE_LOOK"):
        for width in (360, 1280, 1920):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} scrolls sideways at {width}"
    assert size
    await page.set_viewport_size(size)


async def test_two_reports_of_one_matter_are_merged_and_parted_again_by_keys(gateway: Gateway, desk: Desk) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    first = await report(gateway, text="人民路12号门口垃圾堆了三天没人清，味道很大", place=SPOT)
    second = await report(gateway, text="人民路12号门口的垃圾好几天没人清理了", place=SPOT, phone="+8619900000002", name="李四")
    await known(gateway, first)
    page = await desk.page_of(operator)
    await page.goto(f"{desk.url}/desk/cases/{second}")
    await expect(page.get_by_role("heading", name="可能是同一件事")).to_be_visible()
    await look(page, "case-repeats")
    await page.keyboard.press("m")
    await expect(page.get_by_role("textbox", name="并入编号")).to_have_value(str(first))
    await look(page, "case-merge")
    await page.keyboard.press("F8")
    await expect(page.get_by_text("已完成：并单")).to_be_visible()
    assert (await case_of(gateway, second)).main_case_no == first
    await page.wait_for_load_state()
    await page.keyboard.press("j")
    await expect(page.locator("#f-reason")).to_be_focused()
    await page.keyboard.type("是隔壁一处")
    await page.keyboard.press("F8")
    await expect(page.get_by_text("已完成：撤销并单")).to_be_visible()
    assert (await case_of(gateway, second)).state is State.REPORTED


async def test_a_report_of_three_matters_is_parted_on_the_page(gateway: Gateway, desk: Desk) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    words = "1. 人民路12号门口垃圾没人清运 2. 中山路路口井盖破损有危险 3. 广场东侧商贩占道经营"
    number = await report(gateway, text=words, place=SPOT)
    page = await desk.page_of(operator)
    await page.goto(f"{desk.url}/desk/cases/{number}")
    await expect(page.get_by_text("内容里像有 3 件事")).to_be_visible()
    await look(page, "case-split")
    await page.get_by_role("button", name="确认拆单").click()
    await expect(page.get_by_role("heading", name="相关案件")).to_be_visible()
    links = await gateway.store.read(lambda work: work.find(CaseLink, case_no=number))
    assert len(links) == 2
    await page.get_by_role("link", name=str(links[0].other_no)).first.click()
    await expect(page.get_by_text("拆自")).to_be_visible()


async def test_a_confidential_case_is_opened_by_the_leader_with_a_reason_and_sent_redacted(gateway: Gateway, desk: Desk) -> None:
    words = "幸福里3栋楼下烧烤店占道经营，油烟很大，每晚到两点。我住2单元501，我叫张三丰，请保密"
    number = await report(gateway, text=words, confidential=True, place=SPOT)
    unit = (await walk(gateway, number, until="file")).unit
    leader, dispatcher = await hire(gateway, Role.SHIFT_LEADER), await hire(gateway, Role.DISPATCHER)
    page = await desk.page_of(leader)
    await page.goto(f"{desk.url}/desk/cases/{number}")
    assert "张三丰" not in await page.locator("#reporters").inner_text()
    await page.keyboard.press("v")
    await page.keyboard.type("核实位置")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("本次查看已记录")).to_be_visible()
    await look(page, "case-revealed")
    page = await desk.page_of(dispatcher)
    await page.goto(f"{desk.url}/desk/cases/{number}?step=dispatch")
    draft = page.get_by_role("textbox", name="转派描述")
    assert "油烟很大" in await draft.input_value()
    assert "张三丰" not in await draft.input_value()
    await look(page, "case-dispatch")
    await page.keyboard.press("F8")
    await expect(page.get_by_text("已完成：派遣")).to_be_visible()
    worker = await hire(gateway, Role.UNIT, unit=unit)
    page = await desk.page_of(worker)
    await page.goto(f"{desk.url}/desk/cases/{number}")
    text = await page.locator("main").inner_text()
    assert "油烟很大" in text
    assert "张三丰" not in text
    assert "2单元" not in text


async def test_a_case_is_checked_beside_its_pictures_and_its_failed_reply_sent_again(
    gateway: Gateway, desk: Desk, web_setting: WebSetting
) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, channel="sms", provider_id="mo-1", place=SPOT)
    await walk(gateway, number, until="check")
    await add_photos(gateway, web_setting, number, report=street((80, 60, 40), 110), after=street((120, 122, 126), 20))
    held = CallRecording(71, 70, "message", "message", "m/70", TOKEN, "pbx", 65_000, NOON, case_no=number, transcript="人民路垃圾")
    await gateway.store.write(lambda work: (work.add(held), _fail(work, number)))
    await desk.board.audio.store(TOKEN, wave())
    page = await desk.page_of(operator)
    await page.goto(f"{desk.url}/desk/cases/{number}?step=checked")
    await expect(page.get_by_role("heading", name="处置前").first).to_be_visible()
    await page.keyboard.press("a")
    await page.keyboard.type("核对位置")
    await page.keyboard.press("Enter")
    await expect(page.locator("audio")).to_be_visible()
    length = await page.evaluate(
        "() => new Promise((done) => { const a = document.querySelector('audio'); a.onloadedmetadata = () => done(a.duration);"
        " a.onerror = () => done(-1); a.load(); a.preload = 'metadata'; })"
    )
    assert round(length, 1) == 1.0
    await look(page, "case-check")
    await page.get_by_role("link", name="重新发送").click()
    box = page.get_by_role("textbox", name="回复内容")
    await box.fill("很" * 80)
    await expect(page.get_by_text("80 字，2 条短信")).to_be_visible()
    await look(page, "case-resend")


def wave() -> bytes:
    """One second of silence at 8 kHz, 16 bits."""
    import wave as sound

    out = io.BytesIO()
    with sound.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 8000)
    return out.getvalue()


def _fail(work: object, number: int) -> None:
    debt = work.find(Debt, case_no=number)[0]  # type: ignore[attr-defined]
    (reply,) = work.find(Reply, debt_id=debt.debt_id)  # type: ignore[attr-defined]
    for task in work.find(Task, case_no=number, state="open"):  # type: ignore[attr-defined]
        work.change(task, replace(task, state="done"))  # type: ignore[attr-defined]
    now = work.now  # type: ignore[attr-defined]
    row = OutboxRow(work.new_id(), reply.reply_id, debt.debt_id, number, 0, "sms", "failed", now, now, attempts=3,  # type: ignore[attr-defined]
                    outcome="no_receipt")  # fmt: skip
    work.add(row, Task(work.new_id(), "send_failed", number, now, Role.OPERATOR, debt_id=debt.debt_id))  # type: ignore[attr-defined]


async def test_a_return_is_decided_beside_its_basis_and_the_order_printed(gateway: Gateway, desk: Desk) -> None:
    dispatcher = await hire(gateway, Role.DISPATCHER)
    number = await report(gateway, place=SPOT, text="人民路12号门口垃圾堆了三天没人清，味道很大")
    case = await walk(gateway, number, until="dispatch")
    unit = Actor(9009, "unit", Role.UNIT, case.unit)
    await gateway.perform(Command(number, "ask_return", unit, fields={"reason": "该路段不在我处保洁范围", "basis": "权责清单第七条"}))
    page = await desk.page_of(dispatcher)
    await page.goto(f"{desk.url}/desk/cases/{number}")
    await expect(page.get_by_role("heading", name="退单的依据")).to_be_visible()
    await look(page, "case-return")
    await page.keyboard.press("p")
    await expect(page.get_by_role("heading", name="派遣工单")).to_be_visible()
    await look(page, "case-paper")
    async with page.expect_download() as waited:
        await page.get_by_role("link", name="PDF").click()
    download = await waited.value
    assert download.suggested_filename == f"{number}.pdf"
    body = await asyncio.to_thread(Path(await download.path()).read_bytes)
    assert body.startswith(b"%PDF-")


async def test_everything_on_the_page_works_without_scripts(gateway: Gateway, desk: Desk) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    number = await report(gateway, text="1. 人民路12号门口垃圾没人清运 2. 中山路路口井盖破损有危险", place=SPOT)
    page = await desk.page_of(operator, scripts=False)
    await page.goto(f"{desk.url}/desk/cases/{number}")
    await page.get_by_role("button", name="再加一件").click()
    await expect(page.get_by_role("group", name="第 3 件")).to_be_visible()
    await page.get_by_role("button", name="确认拆单").click()
    await expect(page.get_by_role("heading", name="相关案件")).to_be_visible()
