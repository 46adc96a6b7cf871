"""Whole calls to 12319 and 96310 through a real Asterisk and a started gateway: what the citizen hears, and what is stored."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.asterisk.calls import Telephone, behave
from tests.asterisk.exchange import Exchange
from tests.asterisk.gateway import connected, gateway_behind, rows, sit_down, until
from tests.asterisk.install import RELEASE
from tests.asterisk.room import SPEAKS_S, Room
from tests.running import RunningGateway

pytestmark = pytest.mark.servers
OPERATOR = 2
"""Number of the user op1."""
PROMPTS = ("greeting_12319", "greeting_96310", "recording_notice", "message_speak", "message_review", "message_saved-1", "ask_case_no",
           "ask_code", "status_told-2", "goodbye")  # fmt: skip


@pytest.fixture(scope="module")
def gateway(pbx: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One operator, ready at 8001. Every test calls from a number of its own."""
    gateway = gateway_behind(pbx, tmp_path_factory.mktemp("calls") / "home")
    with ThreadPoolExecutor(1) as thread:  # a fixture may find a test's loop running in this thread
        thread.submit(asyncio.run, sit_down(gateway.home, e8001=OPERATOR)).result()
    gateway.start("--no-train")
    yield gateway
    if gateway.process is not None:
        gateway.stop()


@pytest.fixture
async def open_line(room: Room, gateway: RunningGateway) -> Room:
    """The gateway is connected and running; the operator's telephone rings without being answered."""
    if gateway.process is None:
        await asyncio.to_thread(gateway.start, "--no-train")
    await connected(room)
    await until(lambda: room.pbx.command("queue show hotline"), lambda told: "PJSIP/8001" in str(told))
    await behave(room.agents, "8001", "ring")
    return room


async def call_of(gateway: RunningGateway, room: Room, citizen: Telephone) -> int:
    """The gateway's number of the call a citizen is in."""
    ringing = await room.pbx.event("Newexten", Context="hotline", CallerIDNum=citizen.caller)
    [(call_id,)] = await until(lambda: rows(gateway, "select call_id from calls where leg_id = ?", ringing["Uniqueid"]))
    return int(call_id)


async def queueing(room: Room, citizen: Telephone) -> None:
    await room.pbx.event("QueueCallerJoin", Queue="hotline", CallerIDNum=citizen.caller)


async def recording(room: Room, citizen: Telephone) -> None:
    """Until the citizen's message is recorded, and he has spoken a while."""
    await room.pbx.event("Newexten", Application="Record", CallerIDNum=citizen.caller)
    await citizen.do(f"w1&{room.speak('citizen')}")


LINK_UP = '"state": "up", "event": "phone.ami"'
RECORDINGS = "select kind, ref, size, attempts, error, stored_at from recordings where call_id = ?"


async def sound_of(gateway: RunningGateway, call_id: int, kind: str) -> tuple[int, int, int]:
    """Size, milliseconds and case of a call's recording, once it has been fetched and sealed."""
    query = "select size, duration_ms, case_no from recordings where call_id = ? and kind = ? and size > 0"
    try:
        [(size, millis, case_no)] = await until(lambda: rows(gateway, query, call_id, kind))
    except AssertionError as error:
        said = [line for line in gateway.output.splitlines() if '"http.' not in line][-30:]
        known = rows(gateway, "select * from calls where call_id = ?", call_id) + rows(gateway, RECORDINGS, call_id)
        raise AssertionError("\n".join([str(error), *said, *map(str, known)])) from error
    return size, millis, case_no


async def test_a_citizen_reaches_an_operator(open_line: Room, gateway: RunningGateway) -> None:
    room = open_line
    citizen = await room.citizen_rings(caller="19900000011")
    operator = await room.operator_answers("8001")
    call_id = await call_of(gateway, room, citizen)
    await room.talk(citizen, operator)
    await operator.hang_up()
    # A key before the question would be nobody's answer.
    await room.pbx.event("Newexten", Application="Read", where=lambda event: "rating_ask" in event.get("AppData", ""))
    await citizen.do("n&q1500&d1")  # asked to rate the call, he is content
    await citizen.ended()
    heard = room.prompts_on(citizen.heard, *PROMPTS)
    assert heard[:2] == ["greeting_12319", "recording_notice"]
    assert room.is_on("operator", citizen.heard)
    assert room.is_on("citizen", operator.heard)
    [(extension, rating)] = await until(
        lambda: rows(gateway, "select extension, rating from calls where call_id = ? and ended_at is not null", call_id)
    )
    assert (extension, rating) == ("8001", 1)
    size, millis, _ = await sound_of(gateway, call_id, "talk")
    assert size > 8000 * sum(SPEAKS_S.values())
    assert millis >= 800 * sum(SPEAKS_S.values())
    assert "intake_phone_servers_up 1.0" in await asyncio.to_thread(gateway.page, "/metrics")


@pytest.mark.skipif(RELEASE == "16", reason="Asterisk 16 has no command that ends a connection to AMI")
async def test_a_cut_link_does_not_touch_a_talk(open_line: Room, gateway: RunningGateway) -> None:
    room = open_line
    citizen = await room.citizen_rings(caller="19900000016")
    operator = await room.operator_answers("8001")
    call_id = await call_of(gateway, room, citizen)
    links = gateway.output.count(LINK_UP)
    for line in (await room.pbx.command("manager show connected")).splitlines():
        if line.startswith("intake"):
            descriptor = line.split()[-4]
            assert "Kicking" in await room.pbx.command(f"manager kick session {descriptor}")
    await room.talk(citizen, operator)
    await operator.hang_up()
    await citizen.hang_up()
    await citizen.ended()
    await until(lambda: gateway.output.count(LINK_UP) > links)
    assert await until(lambda: rows(gateway, "select 1 from calls where call_id = ? and ended_at is not null", call_id))
    await sound_of(gateway, call_id, "talk")


async def test_citizens_help_themselves_while_they_wait(open_line: Room, gateway: RunningGateway) -> None:
    """Four at once, because each call takes as long as it takes. From here on the operator is rung for a call-back owed."""
    async with asyncio.TaskGroup() as calls:
        for call in (message_becomes_a_report, hanging_up_in_a_message, state_of_a_case, giving_up_waiting):
            calls.create_task(call(open_line, gateway))


async def message_becomes_a_report(room: Room, gateway: RunningGateway) -> None:
    """With its sound, in the journal."""
    citizen = await room.citizen_rings("96310", caller="19900000012")
    await queueing(room, citizen)
    await citizen.begin("d1")
    await recording(room, citizen)
    await citizen.do("d#&n&q1500&d1")
    await citizen.ended()
    heard = room.prompts_on(citizen.heard, *PROMPTS)
    assert heard == ["greeting_96310", "recording_notice", "message_speak", "message_review", "message_saved-1", "goodbye"]
    call_id = await call_of(gateway, room, citizen)
    size, millis, case_no = await sound_of(gateway, call_id, "message")
    assert size > 8000 * SPEAKS_S["citizen"]
    assert millis >= 1000 * SPEAKS_S["citizen"]
    assert rows(gateway, "select state from cases where case_no = ?", case_no) == [("reported",)]


async def hanging_up_in_a_message(room: Room, gateway: RunningGateway) -> None:
    """What was said until then becomes a report all the same."""
    citizen = await room.citizen_rings(caller="19900000013")
    await queueing(room, citizen)
    await citizen.begin("d1")
    await recording(room, citizen)
    await citizen.hang_up()
    await citizen.ended()
    size, millis, case_no = await sound_of(gateway, await call_of(gateway, room, citizen), "message")
    assert size > 8000 * SPEAKS_S["citizen"]
    assert millis >= 900 * SPEAKS_S["citizen"]
    assert case_no


async def state_of_a_case(room: Room, gateway: RunningGateway) -> None:
    """By number and query code."""
    report = {"text": "鼓楼广场北侧有一堆垃圾", "place": "鼓楼广场北侧"}
    status, receipt = await asyncio.to_thread(gateway.ask, "POST", "/api/v1/reports", report)
    assert status == 201
    citizen = await room.citizen_rings(caller="19900000014")
    await queueing(room, citizen)
    await citizen.begin(f"d2&n&q800&d{receipt['case_no']}#&n&q800&d{receipt['query_code']}#&n&q2000&h")
    await citizen.ended()
    heard = room.prompts_on(citizen.heard, *PROMPTS)
    assert heard == ["greeting_12319", "recording_notice", "ask_case_no", "ask_code", "status_told-2"]


async def giving_up_waiting(room: Room, gateway: RunningGateway) -> None:
    """Who hangs up after more than five seconds in the queue is owed a call-back."""
    citizen = await room.citizen_rings(caller="19900000015")
    await queueing(room, citizen)
    await citizen.begin("w6&h")
    await citizen.ended()
    call_id = await call_of(gateway, room, citizen)
    assert await until(lambda: rows(gateway, "select state from callbacks where call_id = ?", call_id)) in (
        [("owed",)], [("dialling",)])  # fmt: skip


async def test_a_gateway_killed_in_two_messages_loses_neither(open_line: Room, gateway: RunningGateway) -> None:
    """Asterisk records on. Who gives up meanwhile has his message found by the note of his call; who speaks until the new
    gateway is there goes on with it at the review."""
    room = open_line
    leaver, stayer = [await room.citizen_rings(caller=caller) for caller in ("19900000017", "19900000018")]
    left, stayed = await asyncio.gather(speaking(room, gateway, leaver), speaking(room, gateway, stayer))
    await asyncio.to_thread(gateway.kill)
    await stayer.begin("&".join([room.speak("citizen")] * 20))
    await leaver.begin("d#")
    await room.pbx.event("Newexten", Context="hotline-fallback", Application="Answer")
    await leaver.hang_up()
    await leaver.ended()
    note = await until(lambda: note_of(room, left))
    assert isinstance(note, list)
    assert note[7].startswith(f"message/{left}-")
    assert room.is_on("citizen", room.stored(note[7]))
    await asyncio.to_thread(gateway.start, "--no-train")
    await stayer.do("d#&n&q1500&d1")
    await stayer.ended()
    assert room.prompts_on(stayer.heard, *PROMPTS)[2:] == ["message_speak", "message_review", "message_saved-1", "goodbye"]
    for call_id, least_s in ((left, SPEAKS_S["citizen"]), (stayed, 2 * SPEAKS_S["citizen"])):
        size, _, case_no = await sound_of(gateway, call_id, "message")
        assert size > 8000 * least_s
        assert case_no
        assert rows(gateway, "select 1 from calls where call_id = ? and ended_at is not null", call_id)
    await until(room.notes, lambda notes: notes == [])


async def speaking(room: Room, gateway: RunningGateway, citizen: Telephone) -> int:
    """He waits, chooses to leave a message and has spoken a while; the number of his call."""
    await queueing(room, citizen)
    call_id = await call_of(gateway, room, citizen)
    await citizen.begin("d1")
    await recording(room, citizen)
    return call_id


async def note_of(room: Room, call_id: int) -> list[str] | None:
    """What Asterisk keeps of a call that is over and that no gateway has seen to its end."""
    return next((note for note in await room.notes() if note[6] == str(call_id) and note[5]), None)
