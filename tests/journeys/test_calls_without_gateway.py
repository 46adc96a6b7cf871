"""Calls while the gateway is stopped, frozen or crashing: operators' telephones ring, else the citizen's words are kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.asterisk import hearing
from tests.asterisk.ami import Message
from tests.asterisk.calls import CITIZEN, Telephone, behave
from tests.asterisk.exchange import Exchange
from tests.asterisk.room import SPEAKS_S, Room

pytestmark = pytest.mark.servers
SILENCE_S = 5.0
"""Longer than this no caller may hear nothing because the gateway failed."""
ANOTHER = "19900000002"


class Session:
    """The gateway's end of one AGI connection, in the hands of a test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: str) -> None:
        self._reader, self._writer, self.request = reader, writer, request

    async def send(self, line: str) -> str:
        self._writer.write(line.encode() + b"\n")
        return (await self._reader.readline()).decode().strip()

    async def gone(self) -> None:
        """Until Asterisk has closed the connection."""
        await self._reader.read()


Part = Callable[[Session], Awaitable[object]]


@asynccontextmanager
async def acting_as_gateway(hotline: Exchange, *parts: Part) -> AsyncIterator[list[str]]:
    """Something else than the gateway on the gateway's port: a part for each connection, the last for all further ones.

    The list holds the addresses asked for, in their order.
    """
    asked: list[str] = []
    host, _, port = hotline.site.gateway.partition(":")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\n\n")).decode()
        part = parts[min(len(asked), len(parts) - 1)]
        asked.append(request.partition("agi_network_script: ")[2].partition("\n")[0])
        try:
            await part(Session(reader, writer, request))
        finally:
            writer.close()

    server = await asyncio.start_server(connected, host, int(port))
    try:
        yield asked
    finally:
        server.close()


async def frozen(session: Session) -> None:
    await session.gone()


async def crash(session: Session) -> None:
    await session.send("ANSWER")


async def in_fallback(room: Room) -> Message:
    return await room.pbx.event("Newexten", Context="hotline-fallback", Application="Answer")


async def recording_of(room: Room, citizen: Telephone) -> None:
    """Until Asterisk records a message of this citizen, past its tone."""
    rings = await room.pbx.event("Newexten", Context="hotline", where=lambda e: e["CallerIDNum"] == citizen.caller)
    await room.pbx.event("Newexten", Application="Record", Uniqueid=rings["Uniqueid"])
    await citizen.do(f"w1&{room.speak('citizen')}")


async def test_without_a_gateway_the_operators_are_rung_and_both_are_recorded(room: Room) -> None:
    await behave(room.agents, "8001", "ring")
    citizen = await room.citizen_rings()
    operator = await room.operator_answers("8001")
    assert (await room.agents.user_event("PhoneRinging", Number="8001"))["From"] == CITIZEN
    await room.talk(citizen, operator)
    await operator.hang_up()
    await citizen.ended()
    assert room.prompts_on(citizen.heard, "goodbye", "message_speak", "recording_notice", "greeting_96310", "greeting_12319") == [
        "greeting_12319", "recording_notice", "goodbye"]  # fmt: skip
    assert room.is_on("operator", citizen.heard)
    assert room.is_on("citizen", operator.heard)
    [note] = await room.notes()
    assert note[1:4] == ["12319", CITIZEN, "talk"]
    assert all(room.is_on(who, room.stored(note[4])) for who in ("citizen", "operator"))


async def test_without_gateway_and_operators_the_citizens_words_are_kept(room: Room) -> None:
    """One hangs up in the middle of his message, one falls silent: both messages are there."""
    first, second = await room.citizen_rings("96310"), await room.citizen_rings(caller=ANOTHER)
    await asyncio.gather(recording_of(room, first), recording_of(room, second))
    await first.hang_up()
    await asyncio.gather(first.ended(), second.ended())
    spoken = "message_kept", "message_speak", "greeting_12319", "greeting_96310"
    assert room.prompts_on(first.heard, *spoken) == ["greeting_96310", "message_speak"]
    assert room.prompts_on(second.heard, *spoken) == ["greeting_12319", "message_speak", "message_kept"]
    notes = {note[2]: note for note in await room.notes()}
    assert {caller: (note[1], note[3]) for caller, note in notes.items()} == {
        CITIZEN: ("96310", "message"), ANOTHER: ("12319", "message")}  # fmt: skip
    for note in notes.values():
        assert int(note[5]) >= int(note[0])
        words = hearing.read(room.stored(note[4]))
        assert room.is_on("citizen", room.stored(note[4]))
        assert hearing.seconds(words) >= SPEAKS_S["citizen"]
        assert -30 < hearing.loudness(words) < -10


async def test_a_gateway_that_never_answers_loses_the_call_after_two_seconds(room: Room) -> None:
    async with acting_as_gateway(room.hotline, frozen) as asked:
        await room.citizen_rings()
        began = await room.pbx.event("Newexten", Context="hotline-gateway", Application="AGI")
        fell = await in_fallback(room)
        assert float(fell["Timestamp"]) - float(began["Timestamp"]) < SILENCE_S
        assert asked == ["hotline"]


async def test_a_gateway_that_freezes_in_a_call_loses_it_too(room: Room) -> None:
    async def freeze(session: Session) -> None:
        await session.send('SET VARIABLE "TIMEOUT(absolute)" "3"')
        await session.send("ANSWER")
        await session.gone()

    async with acting_as_gateway(room.hotline, freeze):
        citizen = await room.citizen_rings()
        await in_fallback(room)
        await citizen.do("n&w2")
        await citizen.hang_up()
        await citizen.ended()
        assert hearing.longest_silence_s(hearing.read(citizen.heard)) < SILENCE_S
    [note] = await room.notes()
    assert note[3] == "fallback"


async def test_a_crash_is_asked_once_more_and_then_done_without(room: Room) -> None:
    async def crash_in_a_call(session: Session) -> None:
        await session.send('SET VARIABLE "__CALL_ID" "77"')
        await session.send("ANSWER")

    async with acting_as_gateway(room.hotline, crash_in_a_call, crash) as asked:
        await room.citizen_rings()
        await in_fallback(room)
        assert asked == ["hotline", "resume"]


async def test_a_gateway_restarted_meanwhile_takes_the_call_up_again(room: Room) -> None:
    async def crash_in_a_call(session: Session) -> None:
        await session.send('SET VARIABLE "__CALL_ID" "77"')

    async def finish(session: Session) -> None:
        assert "agi_arg_2: 77\nagi_arg_3: again" in session.request
        await session.send('SET VARIABLE "GW_DONE" "1"')

    async with acting_as_gateway(room.hotline, crash_in_a_call, finish) as asked:
        citizen = await room.citizen_rings()
        await room.pstn.event("Hangup", Uniqueid=citizen.tag)
        assert asked == ["hotline", "resume"]
    assert await room.notes() == []


async def test_a_talk_outlives_the_gateway_and_nobody_is_asked_twice(room: Room) -> None:
    async def to_the_queue(session: Session) -> None:
        for name, value in (("__CALL_ID", "78"), ("GW_QUEUE", "hotline"), ("GW_TIMEOUT", "30"), ("GW_NEXT", "queue")):
            await session.send(f'SET VARIABLE "{name}" "{value}"')
        await session.send("ANSWER")

    await behave(room.agents, "8001", "ring")
    await room.pbx.act("QueueAdd", Queue="hotline", Interface="PJSIP/8001")
    async with acting_as_gateway(room.hotline, to_the_queue):
        citizen = await room.citizen_rings()
        operator = await room.operator_answers("8001")
    await room.talk(citizen, operator)
    await operator.hang_up()
    await citizen.ended()
    await room.pbx.act("QueueRemove", Queue="hotline", Interface="PJSIP/8001")
    assert room.prompts_on(citizen.heard, "goodbye", "greeting_12319") == ["goodbye"]
    assert all(room.is_on(who, room.stored("talk/78")) for who in ("citizen", "operator"))


async def test_keys_while_waiting_lead_back_to_the_gateway(room: Room) -> None:
    async def to_the_queue(session: Session) -> None:
        for name, value in (("__CALL_ID", "79"), ("GW_QUEUE", "hotline"), ("GW_TIMEOUT", "60"), ("GW_NEXT", "queue")):
            await session.send(f'SET VARIABLE "{name}" "{value}"')
        await session.send("ANSWER")

    async def finish(session: Session) -> None:
        keyed.append(session.request.partition("agi_arg_3: ")[2].partition("\n\n")[0])
        await session.send('SET VARIABLE "GW_DONE" "1"')

    keyed: list[str] = []
    await behave(room.agents, "8001", "ring")
    await room.pbx.act("QueueAdd", Queue="hotline", Interface="PJSIP/8001")
    async with acting_as_gateway(room.hotline, to_the_queue, finish):
        citizen = await room.citizen_rings()
        await room.pbx.event("QueueCallerJoin", Queue="hotline")
        await citizen.begin("d3")
        await citizen.ended()
    await room.pbx.act("QueueRemove", Queue="hotline", Interface="PJSIP/8001")
    assert keyed == ["key\nagi_arg_4: 3"]
