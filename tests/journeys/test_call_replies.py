"""A message by telephone and both replies to it by telephone: by machine where the city and the case allow it, else by a person."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from channels.web.vendor import load_vendor
from intake.model import Role
from intake.settings import load_settings
from intake.wiring import open_gateway
from tests.asterisk import hearing
from tests.asterisk.calls import behave, rung
from tests.asterisk.desks import chromium, first_ring, hire, sits_down
from tests.asterisk.exchange import Exchange
from tests.asterisk.gateway import connected, gateway_behind, rows, until, with_voice_replies
from tests.asterisk.room import Room
from tests.asterisk.stand_in_pack import asked_of, said, stand_in_pack
from tests.channels.desk_people import TO_CLOSING, Move, take_step
from tests.running import RunningGateway
from tests.servers import missing

pytestmark = pytest.mark.servers
CITIZEN, SECRET_CITIZEN = "19900000031", "19900000032"
PROMPTS = ("reply_hello", "reply_choices", "reply_thanks")


@pytest.fixture(scope="module")
def gateway(pbx: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """In a city that has switched automatic voice replies on, at every hour. Nobody has logged in."""
    home = tmp_path_factory.mktemp("replies")
    gateway = gateway_behind(pbx, home / "home")
    gateway.environment["INTAKE_PHONE"] = json.dumps(pbx.phone_settings() | {"speech_url": gateway.url})
    gateway.environment["INTAKE_SPEECH"] = str(stand_in_pack(home / "speech"))
    gateway.environment["INTAKE_CITY"] = str(with_voice_replies(home / "city"))
    gateway.start("--no-train")
    hire(gateway, "8001")
    yield gateway
    gateway.stop()


async def take(gateway: RunningGateway, number: int, *moves: Move) -> None:
    """Steps of a case, by people of each post at another gateway of the same database."""
    settings = load_settings(home=gateway.home, city=gateway.environment["INTAKE_CITY"])
    async with open_gateway(settings, judging=False) as running:
        for move in moves:
            await take_step(running.gateway, number, move)


async def file(gateway: RunningGateway, number: int) -> None:
    """受理 by what was heard on the recording, and 立案."""
    words = {"subclass": "event:0102", "place": "鼓楼广场北侧", "description": "鼓楼广场北侧有一堆垃圾"}
    await take(gateway, number, ("accept", Role.OPERATOR, words), ("file", Role.OPERATOR, {"waive_verify": "clear_evidence"}))


async def message(room: Room, gateway: RunningGateway) -> int:
    """A citizen leaves a message, because nobody is there; the number of its case."""
    citizen = await room.citizen_rings(caller=CITIZEN, script="n&w1&d1")
    await room.pbx.event("Newexten", Application="Record", CallerIDNum=CITIZEN)
    await citizen.do(f"w1&{room.speak('citizen')}&d#&n&q1500&d1")
    await citizen.ended()
    query = "select case_no from recordings where kind = 'message' and case_no > 0"
    [(number,)] = await until(lambda: rows(gateway, query))
    return int(number)


async def test_both_replies_are_told_by_machine_and_answered_by_key(room: Room, gateway: RunningGateway) -> None:
    await connected(room)
    number = await message(room, gateway)
    # Somebody who talks longer than this before he listens is taken for an answering machine.
    hello = hearing.write(room.public.root / "hello.wav", hearing.voice(7, 0.6))
    await behave(room.pstn, CITIZEN, "answer", f"p{hello.with_suffix('')}&n&q2500&d1&n&q1500&w1")
    await file(gateway, number)
    first = await rung(room.public, room.pstn, CITIZEN)
    await first.ended()
    assert room.prompts_on(first.heard, *PROMPTS) == ["reply_hello", "reply_choices", "reply_thanks"]
    recording = hearing.read(first.heard)
    words = [text for text in asked_of(Path(gateway.environment["INTAKE_SPEECH"])) if text != "您好"]
    assert any("立案" in text for text in words)
    assert [text for text in words if hearing.find(recording, said(text)) is None] == []
    await paid(gateway, number, "filing")
    await take(gateway, number, *TO_CLOSING)
    await paid(gateway, number, "closing")
    told = rows(gateway, "select purpose, result, rating from calls where case_no = ? and purpose = 'voice'", number)
    assert told == [("voice", "reached", 1)] * 2
    assert rows(gateway, "select route from replies where case_no = ?", number) == [("phone",)] * 2
    assert rows(gateway, "select rating from cases where case_no = ?", number) != [(None,)]


async def paid(gateway: RunningGateway, number: int, kind: str) -> None:
    """Until this reply has its receipt."""
    query = 'select "end" from debts where case_no = ? and kind = ? and "end" <> \'\''
    assert await until(lambda: rows(gateway, query, number, kind)) == [("delivered",)]


async def test_a_confidential_reporter_is_rung_by_a_person_only(room: Room, gateway: RunningGateway) -> None:
    """His reply is an operator's task; who rings him by a click never sees the number, and writes down that he was reached."""
    if not load_vendor():
        missing("front-end packages", "channels/web/front/install.sh")
    await connected(room)
    report = {"text": "楼下饭店油烟扰民", "place": "鼓楼广场北侧", "confidential": True,
              "wants_reply": True, "contact": {"name": "李四海", "phone": SECRET_CITIZEN}}  # fmt: skip
    status, receipt = await asyncio.to_thread(gateway.ask, "POST", "/api/v1/reports", report)
    assert status == 201
    number = int(receipt["case_no"])
    await file(gateway, number)
    assert await until(lambda: rows(gateway, "select kind from tasks where case_no = ? and state = 'open'", number)) == [("call_reply",)]
    assert rows(gateway, "select 1 from outbox where case_no = ?", number) == []

    await behave(room.agents, "8001", "ring")
    await behave(room.pstn, SECRET_CITIZEN, "answer")
    async with chromium() as browser:
        page = await sits_down(browser, gateway, "8001")
        await page.goto(f"{gateway.url}/desk/cases/{number}")
        await page.get_by_role("button", name="拨打并答复").click()
        await page.wait_for_url("**/desk/phone/calls/*")
        assert SECRET_CITIZEN not in await page.content()
        _, telephone = await first_ring(room, "8001")
        await room.agents.act("Redirect", Channel=telephone.channel, Context="answer", Exten="8001", Priority=1)
        citizen = await rung(room.public, room.pstn, SECRET_CITIZEN)
        await room.pstn.user_event("PhoneAnswered", Number=SECRET_CITIZEN)
        await room.talk(citizen, telephone)
        await citizen.hang_up()
        await citizen.ended()
        await page.get_by_label("接通").check()
        await page.get_by_role("button", name="登记结果").click()
        await page.wait_for_url(f"**/desk/cases/{number}**")
        await expect(page.locator("#course")).to_contain_text("电话告知")
    assert room.is_on("operator", citizen.heard)
    assert room.is_on("citizen", telephone.heard)
    assert await until(lambda: rows(gateway, 'select "end" from debts where case_no = ?', number)) == [("delivered",)]
    query = "select size from recordings r join calls c on c.call_id = r.call_id where c.case_no = ? and r.size > 0"
    assert await until(lambda: rows(gateway, query, number)), "the talk was recorded"
    assert rows(gateway, "select 1 from calls where case_no = ? and purpose = 'voice'", number) == []
