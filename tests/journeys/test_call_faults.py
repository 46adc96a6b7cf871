"""Telephone calls when something is wrong: links cut and half open, Asterisk restarted, every line busy, odd numbers and keys.

The gateway runs in the test itself, on a clock of its own, behind a real Asterisk; only the one that is frozen is a process.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.phone import PhoneSettings, read_settings
from channels.phone.exchange import Exchange as Telephone
from channels.phone.link import Pace
from channels.phone.prompt_files import PromptFiles
from channels.phone.sounds import Sounds
from intake.call import Call, CallBack, LineState
from intake.commands.serve_phone import OVERRIDES
from intake.courier import Courier
from intake.gateway import Gateway
from intake.phone_profile import PhoneRules, VoiceRules
from intake.profile import City
from intake.records import Debt, OutboxRow, Task
from intake.usecases import Command
from intake.vault import Vault
from intake.wiring import AnyStore
from ivr.prompts import PROMPTS, load_prompts
from tests.asterisk import hearing
from tests.asterisk.calls import Telephone as Handset
from tests.asterisk.calls import behave, registered, rung
from tests.asterisk.exchange import Exchange
from tests.asterisk.gateway import connected, gateway_behind, rows, sit_down, until
from tests.asterisk.room import Room
from tests.core.test_usecases import OPERATOR
from tests.fakes import FakeClock
from tests.make import make_inbound
from tests.phones import Hall

pytestmark = pytest.mark.servers
SILENCE_S, FIRST_KEY_S = 5.0, 10.0
QUICK = Pace(connect_s=10.0, reply_s=10.0, ping_s=0.5, pong_s=20.0, rest_s=0.1, longest_rest_s=0.5)
"""A busy machine may answer late: only the test of a link that is half open gives it up soon."""
OPERATOR_7 = 7


@pytest.fixture
def hall(store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path) -> Hall:
    """A city whose replies may be said by machine."""
    hall = Hall(store, city, vault, clock, tmp_path)
    hall.gateway = Gateway(hall.store, city, city.rules(offered=("phone",)), hall.gateway.judge, vault, clock, hall.gateway.feed,
                           hall.admission)  # fmt: skip
    hall.restarted()
    hall.board.book._rules = PhoneRules(voice=VoiceRules(enabled=True))
    return hall


def settings_of(hotline: Exchange, **changes: Any) -> PhoneSettings:
    settings = read_settings(hotline.phone_settings())
    assert settings is not None
    return replace(settings, **changes)


@dataclass(frozen=True)
class Pauses:
    """In place of a synthesiser: every text is a pause, which Asterisk has. What is really said is tested elsewhere."""

    folder: str
    is_there: bool = True

    async def sound_of(self, text: str, *, wait_s: float = 0.0) -> str | None:
        return f"{self.folder}/pause"


@asynccontextmanager
async def telephone(hall: Hall, settings: PhoneSettings, *, pace: Pace = QUICK) -> AsyncIterator[Telephone]:
    """The gateway's telephone, connected."""
    files = PromptFiles.load(PROMPTS / "zh", hall.gateway.city.folder / OVERRIDES)
    sounds = Sounds(load_prompts()["zh"], files, settings.sounds, Pauses(settings.sounds))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        made = Telephone(settings, hall.board, sounds=sounds, http=http, clock=hall.clock, pace=pace)
        hall.board.connect(made.desk)
        tasks = [asyncio.create_task(loop()) for loop in made.loops.values()]
        try:
            await until(lambda: made.is_ready)
            yield made
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def at_the_desk(hall: Hall, room: Room) -> AsyncIterator[None]:
    """An operator is ready at 8001; the telephone rings until somebody picks it up."""
    await behave(room.agents, "8001", "ring")
    await hall.seat(OPERATOR_7, "8001")
    yield
    await hall.board.telephony.log_out("8001")


async def call_of(hall: Hall, caller: str) -> Call:
    """The call of a citizen, once it is known."""
    [call] = await until(lambda: hall.rows(Call, number_hash=hall.board.parts.number_hash(f"+86{caller}")))  # type: ignore[misc]
    return call


async def ended(hall: Hall, call_id: int) -> Call:
    [call] = await until(lambda: hall.rows(Call, call_id=call_id), lambda found: bool(found[0].end and found[0].ended_at))  # type: ignore[index, misc]
    return call


async def queueing(room: Room, citizen: Handset) -> None:
    await room.pbx.event("QueueCallerJoin", Queue="hotline", CallerIDNum=citizen.caller)


async def test_a_frozen_gateway_leaves_its_caller_to_the_fallback_and_reads_his_message_later(room: Room, tmp_path: Path) -> None:
    gateway = gateway_behind(room.hotline, tmp_path / "home")
    await sit_down(gateway.home, e8001=2)
    await asyncio.to_thread(gateway.start, "--no-train")
    assert gateway.process is not None
    try:
        await connected(room)
        await until(lambda: room.pbx.command("queue show hotline"), lambda told: "PJSIP/8001" in str(told))
        citizen = await room.citizen_rings(caller="19900000021")
        await queueing(room, citizen)
        await citizen.begin("d2&n")
        await citizen.idle("d2&n")  # the question for a case number
        gateway.process.send_signal(signal.SIGSTOP)
        await room.pbx.event("Newexten", Context="hotline-fallback", Application="Record", CallerIDNum=citizen.caller, deadline_s=90)
        await citizen.begin(f"w1&{room.speak('citizen')}&w1&h")
        await citizen.ended()
        silence_s = hearing.longest_silence_s(hearing.read(citizen.heard))
        assert silence_s < FIRST_KEY_S + SILENCE_S, "he was waited for, then for the gateway"
        gateway.process.send_signal(signal.SIGCONT)
        bound = "select case_no from recordings where name = 'fallback' and size > 0 and case_no > 0"
        assert await until(lambda: rows(gateway, bound), deadline_s=180)  # a driver that was frozen is given a minute to come back
    finally:
        gateway.process.send_signal(signal.SIGCONT)
        await asyncio.to_thread(gateway.stop)


async def test_a_call_abandoned_while_the_gateway_was_away_is_owed_a_call(room: Room, hall: Hall) -> None:
    citizen = await room.citizen_rings(caller="19900000022", script="w6&h")
    await citizen.ended()
    async with telephone(hall, settings_of(room.hotline)):
        [owed] = await until(lambda: hall.rows(CallBack))  # type: ignore[misc]
        assert (owed.state, owed.number) == ("owed", "+8619900000022")
        await until(room.notes, lambda notes: notes == [])


@asynccontextmanager
async def between(hotline: Exchange, held: asyncio.Event) -> AsyncIterator[int]:
    """A port that leads to the exchange's AMI; while `held` is set it lets nothing through, and nobody is told."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while block := await reader.read(65536):
                if not held.is_set():
                    writer.write(block)
        except OSError:
            pass
        finally:
            writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", hotline.ami_port)
        await asyncio.gather(pass_on(reader, back), pass_on(there, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_half_open_link_is_noticed_and_what_happened_meanwhile_is_known_afterwards(room: Room, hall: Hall) -> None:
    held = asyncio.Event()
    settings = settings_of(room.hotline)
    async with between(room.hotline, held) as port:
        through = replace(settings, servers=(replace(settings.servers[0], ami_port=port),))
        async with telephone(hall, through, pace=replace(QUICK, pong_s=2.0)) as phone, at_the_desk(hall, room):
            citizen = await room.citizen_rings(caller="19900000023")
            await queueing(room, citizen)
            held.set()
            await until(lambda: not phone.is_ready)
            operator = await room.operator_answers("8001")
            held.clear()
            call = await call_of(hall, citizen.caller)
            await until(lambda: hall.board.lines.of(OPERATOR_7), lambda line: line.state is LineState.TALKING)  # type: ignore[attr-defined]
            await operator.hang_up()
            await citizen.hang_up()
            assert (await ended(hall, call.call_id)).extension == "8001"


async def test_asterisk_restarted_in_a_talk_frees_its_operator(room: Room, hall: Hall) -> None:
    async with telephone(hall, settings_of(room.hotline)) as phone, at_the_desk(hall, room):
        citizen = await room.citizen_rings(caller="19900000024")
        await room.operator_answers("8001")
        call = await call_of(hall, citizen.caller)
        await until(lambda: hall.board.lines.of(OPERATOR_7), lambda line: line.state is LineState.TALKING)  # type: ignore[attr-defined]
        await asyncio.to_thread(room.hotline.stop)
        hall.clock.pass_time(seconds=30)
        await asyncio.to_thread(room.hotline.start)
        assert (await ended(hall, call.call_id)).end == "served"
        await until(lambda: phone.is_ready)
        line = await hall.board.lines.of(OPERATOR_7)
        assert line is not None
        assert line.state is LineState.WRAP_UP
        async with room.hotline.ami() as pbx:
            await until(lambda: pbx.command("queue show hotline"), lambda told: "PJSIP/8001" in str(told) and "paused" in str(told))
            await registered(pbx, "8001")


async def test_beyond_the_limit_a_caller_is_told_that_all_lines_are_busy(room: Room, hall: Hall) -> None:
    async with telephone(hall, settings_of(room.hotline, max_calls=1)):
        first = await room.citizen_rings(caller="19900000025")
        await first.do("n")  # nobody is logged in: he hears what he can do instead
        second = await room.citizen_rings(caller="19900000026")
        await second.ended()
        assert room.prompts_on(second.heard, "all_busy_call_back", "greeting_12319") == ["all_busy_call_back"]
        [owed] = await until(lambda: hall.rows(CallBack))  # type: ignore[misc]
        assert owed.number == "+8619900000026"


async def reply_owed(hall: Hall, phone: str) -> int:
    received = await hall.gateway.take_in(make_inbound(channel="phone", phone=phone, address=phone, wants_reply=True))
    await hall.gateway.perform(Command(received.case_no, "reject", OPERATOR, fields={"reason": "private", "way": "与邻居协商"}))
    return received.case_no


async def test_a_reply_said_by_machine_is_answered_by_a_key(room: Room, hall: Hall) -> None:
    hello = hearing.write(room.public.root / "hello.wav", hearing.voice(9, 0.7))
    await behave(room.pstn, "19900000027", "answer", f"w1&p{hello.with_suffix('')}&n&q1500&d1&w2")
    case_no = await reply_owed(hall, "+8619900000027")
    async with telephone(hall, settings_of(room.hotline)):
        await Courier(hall.store, hall.gateway.rules, {"phone": hall.board.voice}, name="gw", run_id="one").send_due()
        citizen = await rung(room.public, room.pstn, "19900000027")
        [call] = await until(lambda: hall.rows(Call, purpose="voice"))  # type: ignore[misc]
        call = await ended(hall, call.call_id)
        assert (call.end, call.result, call.rating) == ("answered", "reached", 1)
        [debt] = await hall.rows(Debt, case_no=case_no)
        assert debt.end
        await citizen.ended()
        assert room.prompts_on(citizen.heard, "reply_hello", "reply_thanks") == ["reply_hello", "reply_thanks"]


async def test_a_reply_nobody_takes_is_tried_again_and_then_an_operators(room: Room, hall: Hall) -> None:
    await behave(room.pstn, "19900000028", "busy")
    await reply_owed(hall, "+8619900000028")
    async with telephone(hall, settings_of(room.hotline)):
        for _ in range(hall.board.book.rules().voice.attempts):
            before = len(await hall.rows(Call, purpose="voice"))
            await Courier(hall.store, hall.gateway.rules, {"phone": hall.board.voice}, name="gw", run_id="one").send_due()
            calls = await until(lambda: hall.rows(Call, purpose="voice"), lambda found, n=before: len(found) > n)  # type: ignore[arg-type, misc]
            await ended(hall, calls[-1].call_id)  # type: ignore[index]
            hall.clock.pass_time(minutes=61)
    assert [task.kind for task in await hall.rows(Task, state="open")] == ["call_reply"]
    assert len(await hall.rows(OutboxRow)) >= 1


async def test_three_talk_when_the_third_picks_up(room: Room, hall: Hall) -> None:
    await behave(room.pstn, "110", "answer")
    async with telephone(hall, settings_of(room.hotline)) as phone, at_the_desk(hall, room):
        citizen = await room.citizen_rings(caller="19900000029")
        operator = await room.operator_answers("8001")
        call = await call_of(hall, citizen.caller)
        await phone.desk.three_way(call.call_id, "110")
        third = await rung(room.public, room.pstn, "110")
        await until(lambda: room.pbx.command(f"confbridge list call-{call.call_id}"), lambda listed: listed.count("PJSIP/") == 3)
        for pause in (1, 2):
            await third.do(f"w{pause}&{room.speak('operator')}")
            await citizen.do(f"w{pause}&{room.speak('citizen')}")
        for one in (third, operator, citizen):
            await one.hang_up()
            await one.ended()
        assert all(room.is_on("operator", one.heard) for one in (citizen, operator))
        assert all(room.is_on("citizen", one.heard) for one in (third, operator))
        assert (await ended(hall, call.call_id)).end == "served"


ODD = (
    ("d2&n&q800&d260000000000000000000000000000&d#&n&q1500&h", "19900000031", '张三丰"; <evil>'),
    ("d1#*2#*3###2222222222222222222222222222222222222222#&n&q1500&h", "", "anonymous"),
    ("d1&n&q1000&d#&n&q3000&h", "00000000000000000000000000000000001", "x" * 300),
)
"""A case number of 30 digits, a flood of keys from a withheld number, a message of no length from a number of 35 digits."""


async def test_odd_numbers_and_keys_harm_nobody(room: Room, hall: Hall) -> None:
    """Each caller gets to an end, and every call is written down with its number or none."""
    async with telephone(hall, settings_of(room.hotline)), at_the_desk(hall, room):
        async with asyncio.TaskGroup() as calls:
            for script, caller, name in ODD:
                calls.create_task(odd_call(room, script, caller, name))
        found = await until(lambda: hall.rows(Call), lambda calls: [bool(call.end) for call in calls] == [True] * 3)  # type: ignore[attr-defined]
    assert sorted(call.caller for call in found)[-1] == "+8619900000031"  # type: ignore[attr-defined]


async def odd_call(room: Room, script: str, caller: str, name: str) -> None:
    citizen = await room.citizen_rings(caller=caller, name=name)
    await room.pstn.event("Newstate", Uniqueid=citizen.tag, ChannelStateDesc="Up")
    await citizen.begin(f"n&w3&{script}")
    await citizen.ended()
