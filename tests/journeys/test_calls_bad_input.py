"""Bad input in real calls: huge AMI messages, callers' names and numbers of any kind, a message without end, wrong passwords.

The gateway's telephone runs in the test, behind a real Asterisk. Odd keys and case numbers: test_call_faults.py. A recording
of an hour: tests/channels/test_long_recording.py.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from channels.phone import PhoneSettings, Server
from channels.phone.link import Link
from channels.phone.told import Told
from intake.call import Call, CallRecording
from intake.commands.doctor_phone import phone_findings
from intake.model import Case, State
from intake.profile import City
from intake.vault import Vault
from intake.wiring import AnyStore
from ivr.flow import Flow
from ivr.library import load_flow
from ivr.nodes import Record
from tests.asterisk.calls import Telephone as Handset
from tests.asterisk.gateway import until
from tests.asterisk.room import Room
from tests.fakes import FakeClock
from tests.journeys.test_call_faults import QUICK, call_of, ended, settings_of, telephone
from tests.phones import Hall

pytestmark = pytest.mark.servers
LONGEST_S = 6
"""What a message may last here; in the shipped flow it is three minutes."""
HEADERS, HEADER_CHARS = 110, 300
"""What Asterisk takes in one action: fewer than 128 headers, each below a kilobyte (a Chinese character is three bytes)."""
CALLERS: Mapping[str, tuple[str, str, str]] = {
    "0085223456789": ("foreign", "+85223456789", "陈大文"),
    "+86 199-0000-0041": ("mobile", "+8619900000041", "王小明"),
    "19900000042": ("mobile", "+8619900000042", "赵六；drop table calls"),
    "anonymous": ("withheld", "", "Anonymous"),
    "张三丰": ("withheld", "", "张三丰"),
    "%s%n%x": ("withheld", "", "%s%n%x"),
    "9" * 60: ("withheld", "", "长" * 100),
}
"""What a carrier may send as the calling number: its kind, normal form, and a name beside it."""


@pytest.fixture
def hall(store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path) -> Hall:
    return Hall(store, city, vault, clock, tmp_path)


@asynccontextmanager
async def linked(server: Server, events: list[Told]) -> AsyncIterator[Link]:
    """A link like the gateway's, whose events are kept."""

    async def nothing_to_read(_: Link) -> None:
        pass

    link = Link(server, on_event=events.append, on_up=nothing_to_read, pace=QUICK)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_messages_as_big_as_asterisk_lets_through_leave_the_link_alive(room: Room, hall: Hall) -> None:
    """A megabyte of them in the middle of a call, which goes on and is written down. One of a megabyte: test_link.py."""
    events: list[Told] = []
    settings = settings_of(room.hotline)
    async with telephone(hall, settings) as phone, linked(settings.servers[0], events) as beside:
        await until(lambda: beside.is_up)
        citizen = await room.citizen_rings(caller="19900000043")
        call = await call_of(hall, citizen.caller)
        big = {f"Text{n}": "长" * HEADER_CHARS for n in range(HEADERS)}
        for _ in range(10):
            await room.pbx.act("UserEvent", UserEvent="Big", **big)
        told = await until(lambda: [each for each in events if each["userevent"] == "Big"], lambda found: len(found) == 10)  # type: ignore[arg-type]
        assert all(each[f"text{n}"] == "长" * HEADER_CHARS for each in told for n in range(HEADERS))  # type: ignore[attr-defined]
        [link] = phone.links.values()
        assert (await link.act("Ping"))["response"] == "Success"
        await citizen.hang_up()
        await citizen.ended()
        assert (await ended(hall, call.call_id)).caller == "+8619900000043"


async def test_callers_of_any_number_and_name_are_served_and_written_down_as_what_they_are(room: Room, hall: Hall) -> None:
    async with telephone(hall, settings_of(room.hotline)) as phone:
        async with asyncio.TaskGroup() as calls:
            for number, (_, _, name) in CALLERS.items():
                calls.create_task(greeted(room, number, name))
        found = await until(lambda: hall.rows(Call), lambda rows: [bool(row.end) for row in rows] == [True] * len(CALLERS))  # type: ignore[attr-defined]
        assert phone.is_ready
    told = sorted((call.caller_kind, call.caller) for call in found)  # type: ignore[attr-defined]
    assert told == sorted((kind, number) for kind, number, _ in CALLERS.values())
    assert not any(set(call.name) & set("\r\n\0") for call in found)  # type: ignore[attr-defined]


async def greeted(room: Room, number: str, name: str) -> None:
    """Hears the greeting out and hangs up."""
    citizen = await room.citizen_rings(caller=number, name=name)
    await room.pstn.event("Newstate", Uniqueid=citizen.tag, ChannelStateDesc="Up")
    await citizen.begin("n&q500&h")
    await citizen.ended()
    assert "greeting_12319" in room.prompts_on(citizen.heard, "greeting_12319")


def in_short(name: str) -> Flow:
    """The flow with messages of LONGEST_S at most."""
    flow = load_flow(name)
    nodes = {key: replace(node, max_s=LONGEST_S) if isinstance(node, Record) else node for key, node in flow.nodes.items()}
    return replace(flow, nodes=nodes)


async def leaves_a_message(room: Room, caller: str, *, speaks: int) -> Handset:
    """Nobody is logged in: he is offered it at once, and speaks on and on."""
    citizen = await room.citizen_rings(caller=caller)
    await citizen.begin("n&q500&d1")
    await room.pbx.event("Newexten", Application="Record", CallerIDNum=caller)
    await citizen.do("w1&" + "&".join([room.speak("citizen")] * speaks))
    return citizen


async def test_a_message_without_end_is_cut_told_so_and_kept(room: Room, hall: Hall) -> None:
    async with telephone(hall, settings_of(room.hotline)) as phone:
        phone.steps.flow = in_short
        citizen = await leaves_a_message(room, "19900000044", speaks=4)
        await citizen.do("n&q1500&d1")
        await citizen.ended()
        heard = room.prompts_on(citizen.heard, "message_speak", "message_full", "message_review", "message_saved-1")
        assert heard == ["message_speak", "message_full", "message_review", "message_saved-1"]
        call = await call_of(hall, citizen.caller)
        [held] = await until(lambda: hall.rows(CallRecording, call_id=call.call_id), lambda rows: bool(rows and rows[0].size))  # type: ignore[index, misc]
        assert LONGEST_S * 900 <= held.duration_ms <= LONGEST_S * 1100
        assert LONGEST_S * 15_000 <= held.size <= LONGEST_S * 18_000
        [case] = await hall.rows(Case, case_no=held.case_no)
        assert case.state is State.REPORTED


def wrong(settings: PhoneSettings, **changes: str) -> PhoneSettings:
    return replace(settings, servers=tuple(replace(server, **changes) for server in settings.servers))  # type: ignore[arg-type]


async def test_a_wrong_ari_password_is_named_and_loses_no_message(room: Room, hall: Hall) -> None:
    """It stays with Asterisk until somebody has mended the password."""
    settings = settings_of(room.hotline)
    with capture_logs() as logs:
        async with telephone(hall, wrong(settings, ari_secret="wrong")):
            citizen = await leaves_a_message(room, "19900000045", speaks=1)
            await citizen.begin("d#&n&q1500&d1")
            await citizen.ended()
            call = await call_of(hall, citizen.caller)
            await ended(hall, call.call_id)
            await until(lambda: [line for line in logs if line["event"] == "phone.ari"])
    told = [line["state"] for line in logs if line["event"] == "phone.ari"]
    assert told == ["refused"]
    [held] = await hall.rows(CallRecording, call_id=call.call_id)
    assert (held.stored_at, held.attempts) == (None, 0)
    async with telephone(hall, settings):
        [held] = await until(lambda: hall.rows(CallRecording, call_id=call.call_id), lambda rows: bool(rows[0].size))  # type: ignore[index, misc]
        assert held.stored_at is not None


def rejections(room: Room) -> list[str]:
    """Lines of Asterisk's log about passwords that were wrong."""
    text = (room.hotline.folders.log / "messages").read_text(encoding="utf-8", errors="replace")
    return [line for line in text.splitlines() if "failed to authenticate as 'intake'" in line]


async def test_wrong_passwords_are_told_by_the_doctor_and_by_one_line_of_the_log(room: Room) -> None:
    given = room.hotline.phone_settings()
    [server] = given["servers"]
    [fine] = await phone_findings(given)
    [both] = await phone_findings({**given, "servers": [server | {"ami_secret": "wrong", "ari_secret": "wrong"}]})
    assert (fine.wrong, both.wrong) == (False, True)
    assert "AMI 拒绝登录" in both.words
    assert "ARI 拒绝口令" in both.words
    with capture_logs() as logs:
        refused = len(rejections(room))
        async with linked(wrong(settings_of(room.hotline), ami_secret="wrong").servers[0], []) as link:
            await until(lambda: len(rejections(room)) >= refused + 4)
            assert (link.is_up, link.state) == (False, "refused")
    assert [line["state"] for line in logs if line["event"] == "phone.ami"] == ["refused"]
    assert json.dumps(logs, default=str).count("wrong") == 0
