"""Abuse and load by SIPp, and beside it an honest caller: his call goes right, and of the others only calls leave a row."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from intake.settings import load_settings
from intake.wiring import open_gateway
from tests.asterisk.ami import Ami, Message
from tests.asterisk.ami import connected as connected_to
from tests.asterisk.exchange import Exchange
from tests.asterisk.gateway import connected, gateway_behind, rows, until
from tests.asterisk.room import SPEAKS_S, Room
from tests.asterisk.sipp import STRANGER, Abuse, commit, sipp
from tests.running import RunningGateway
from tests.servers import missing

pytestmark = pytest.mark.servers
HONEST = "19900000060"
GREETINGS = ("greeting_96310", "closed_greeting_96310")
"""The second one outside the hours of 96310, whenever this is run."""
PROMPTS = ("recording_notice", "message_speak", "message_review")
FORGED = "ForgedByACaller"
"""Stands in everything that a caller tries to put where it does not belong."""
LINES = f"%0d%0aagi_request%3a%20agi%3A//h/voice-reply%0d%0aagi_arg_1%3a%20{FORGED}%0d%0aChanVariable%3a%20CALL_ID%3d7"
EVENT = f"%0D%0A%0D%0AEvent%3a%20Hangup%0D%0AUniqueid%3a%20{FORGED}%0D%0ALinkedid%3a%20{FORGED}%0D%0AChanVariable%3a%20CALL_ID%3d7"
WITHHELD = ("", "")
ODD_CALLERS: tuple[tuple[bytes, tuple[str, str]], ...] = (
    ('"张建国" <sip:19900000061@h>'.encode(), ("+8619900000061", "张建国")),
    ('"王；李,赵\\"" <sip:+8619900000062@h>'.encode(), ("+8619900000062", "王;李,赵")),
    ('"张'.encode() + b"\xe5\xbb\xff\xfe" + b'" <sip:008619900000063@h>', ("+8619900000063", "张")),
    (b'"' + "长".encode() * 700 + b'" <sip:19900000064@h>', ("+8619900000064", "长" * 20)),
    (b'"' + "过".encode() * 4000 + b'" <sip:19900000065@h>', WITHHELD),
    (b'"${SHELL(id)}${DB_DELETE(hotline-open/x)}" <sip:19900000066@h>', ("+8619900000066", "")),
    (b'"a <sip:110@h>, 1)&" <sip:019900000067@h>', ("+8619900000067", "")),
    (b"<sip:0512-65000000@h>", ("+8651265000000", "")),
    (b"<sip:123456789012345678901234567890@h>", WITHHELD),
    (b"<sip:" + b"9" * 600 + b"@h>", WITHHELD),
    (b'"Anonymous" <sip:anonymous@anonymous.invalid>', WITHHELD),
    (b"<sip:h>", WITHHELD),
    (f'"x%0d%0aVariable: {FORGED}" <sip:19900000068{LINES}@h>'.encode(), WITHHELD),
    (f"<sip:19900000069{EVENT}@h>".encode(), WITHHELD),
    (f'"{FORGED}\rVariable: {FORGED}=1" <sip:19900000070@h>'.encode(), ("+8619900000070", "")),
    (b"<sip:$%7bSHELL(id)%7d@h>", WITHHELD),
)
"""What stands behind From:, and the number and name that become of it."""


def caller(number: int) -> bytes:
    return f"<sip:199000000{number}@h>".encode()


PLAIN = (
    Abuse("call", [caller(71)] * 10, lasts_ms=250),  # gone while the greeting is played inside AGI
    Abuse("reinvite", [caller(72)] * 5, lasts_ms=1500),
    Abuse("no_ack", [caller(73)] * 3, lasts_ms=500),
)
KEYS = Abuse("keys", [caller(74)] * 5, lasts_ms=9000)
FLEETING = (Abuse("cancel", [caller(75)] * 20), Abuse("length", [caller(76) + b";" + wrong for wrong in (b"0", b"5", b"9999")]))
"""Taken back before or just after the exchange has them: there may be a row, and there need not be one."""
NO_CALLS = (
    Abuse("length", [caller(77) + b";" + wrong for wrong in (b"-1", b"99999999999", b"abc")]),
    Abuse("probe", [b"<sip:100@h>", b"<sip:trunk@h>", b"<sip:8001@h>"], calls=2000, per_s=200, source=STRANGER),
)


@pytest.fixture(scope="module")
def gateway(pbx: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Nobody has logged in: every caller is offered to leave a message."""
    if sipp() is None:
        missing("SIPp", "apt-get install sip-tester")
    gateway = gateway_behind(pbx, tmp_path_factory.mktemp("abuse") / "home")
    gateway.start("--no-train")
    yield gateway
    gateway.stop()


@asynccontextmanager
async def listening(pbx: Exchange) -> AsyncIterator[list[Message]]:
    """What the gateway is told over AMI, in the eyes of another with the same rights."""
    server = pbx.phone_settings()["servers"][0]
    async with connected_to(server["ami_port"], server["ami_user"], server["ami_secret"]) as ami:
        yield ami.seen


async def honest(room: Room, gateway: RunningGateway) -> None:
    """Leaves a message and hangs up at its review, which makes it a report all the same; hears every prompt."""
    citizen = await room.citizen_rings("96310", caller=HONEST, name="李秀英", script="n&w14&d1")
    await room.pbx.event("Newexten", Application="Record", CallerIDNum=HONEST)
    await citizen.begin(f"w1&{room.speak('citizen')}&d#&n&q1000&h")
    await citizen.ended()
    greeting, *heard = room.prompts_on(citizen.heard, *GREETINGS, *PROMPTS)
    assert greeting in GREETINGS
    assert heard == list(PROMPTS)
    assert room.is_on("citizen", citizen.said)
    query = ("select r.size, r.case_no from recordings r join calls c on c.call_id = r.call_id "
             "where r.kind = 'message' and r.case_no > 0 and r.size > 8000 * ? and c.line = '96310'")  # fmt: skip
    assert await until(lambda: rows(gateway, query, SPEAKS_S["citizen"]))


async def known_callers(gateway: RunningGateway) -> Counter[tuple[str, str]]:
    """Number and name of every call that has a row."""
    async with open_gateway(load_settings(home=gateway.home), judging=False) as running:
        numbers = [int(str(call_id)) for (call_id,) in rows(gateway, "select call_id from calls where purpose = 'in'")]
        calls = [await running.switchboard.call(number) for number in numbers]
    return Counter((call.caller, call.name) for call in calls)


async def quiet(ami: Ami) -> bool:
    """Only those calls are left whose answer was never acknowledged: Asterisk gives them up after half a minute."""
    return len(await ami.collect("CoreShowChannels", "CoreShowChannelsComplete")) <= PLAIN[2].count


async def test_an_honest_call_goes_right_among_abuse(room: Room, gateway: RunningGateway, tmp_path: Path) -> None:
    await connected(room)
    odd = Abuse("call", [written for written, _ in ODD_CALLERS], lasts_ms=2000)
    storms = [odd, *PLAIN, *FLEETING, *NO_CALLS, *([KEYS] if os.geteuid() == 0 else [])]  # play_dtmf needs raw sockets
    pbx_process = room.hotline.process
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(listening(room.hotline))
        async with asyncio.TaskGroup() as group:
            done = [group.create_task(commit(storm, room.hotline, tmp_path)) for storm in storms]
            group.create_task(honest(room, gateway))
        await until(lambda: quiet(room.pbx))
        events = list(told)
    faults = [task.result() for storm, task in zip(storms, done, strict=True) if task.result()[0] and storm.scenario != "length"]
    assert faults == [], "every scenario went as it is written"

    found = await known_callers(gateway)
    wanted = Counter([became for _, became in ODD_CALLERS]) + Counter({("+8619900000060", "李秀英"): 1})
    wanted += Counter({(f"+86{number}", ""): storm.count for storm in (*PLAIN, *storms[-1:]) for number in numbers_of(storm)})
    fleeting = Counter({(f"+86{number}", ""): storm.count for storm in FLEETING for number in numbers_of(storm)})
    assert found - fleeting == wanted - fleeting
    assert not found - wanted - fleeting

    assert events
    names = {name.removeprefix("Dest") for event in events for name, value in event.items() if FORGED in name + value}
    assert names <= {"CallerIDName", "ConnectedLineName"}, "a name may be any words; nothing else is a caller's to write"
    assert not [event for event in events if "agi_request" in event]
    assert not [note for note in await room.notes() if not note[2].removeprefix("+").isdigit() and note[2]]
    assert room.hotline.process is pbx_process
    assert pbx_process is not None
    assert pbx_process.poll() is None
    assert gateway.process is not None
    assert gateway.process.poll() is None
    assert [word for word in ("phone.bad_peer", "phone.call_failed", '"state": "down"') if word in gateway.output] == []


def numbers_of(storm: Abuse) -> set[str]:
    return {written.decode().partition("@")[0].removeprefix("<sip:") for written in storm.callers if b"199000000" in written}
