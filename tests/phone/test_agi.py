"""The FastAGI reader and writer against probes, broken peers and hang-ups at every moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.phone import agi
from channels.phone.agi import AgiServer, BadPeer, LegGone, Reply, Session, command, parse_reply, parse_request, quoted
from channels.phone.leg import Leg, Take, parts, take_of

HEADER = b"agi_network: yes\nagi_request: agi://127.0.0.1:4573/hotline\nagi_arg_1: pbx\n\n"


@dataclass
class Serving:
    server: AgiServer
    sessions: list[Session] = field(default_factory=list)
    results: asyncio.Queue[object] = field(default_factory=asyncio.Queue)


@asynccontextmanager
async def serving(*commands: str, max_calls: int = 10) -> AsyncIterator[Serving]:
    """A server whose calls send the commands and keep what came of it."""

    async def serve(session: Session) -> None:
        made.sessions.append(session)
        try:
            await made.results.put([await session.send(line) for line in commands])
        except (LegGone, BadPeer) as error:
            await made.results.put(error)
            raise

    async def busy(session: Session) -> None:
        await made.results.put("busy")

    made = Serving(AgiServer("127.0.0.1", 0, max_calls, serve, busy))
    listening = await made.server.start()
    yield made
    listening.close()
    for task in list(made.server._tasks):
        task.cancel()
    await asyncio.gather(*made.server._tasks, return_exceptions=True)


async def talk(made: Serving, *lines: bytes) -> object:
    """Answer each command line with the next of `lines`, then close; what the session came to."""
    reader, writer = await asyncio.open_connection("127.0.0.1", made.server.port)
    writer.write(HEADER)
    for line in lines:
        await reader.readline()
        writer.write(line)
    result = None
    if not made.sessions or lines:
        writer.write_eof()
        async with asyncio.timeout(10):
            result = await made.results.get()
    writer.close()
    return result


@pytest.mark.parametrize(("line", "reply"), [
    ("200 result=0", Reply(200, "0")),
    ("200 result=-1", Reply(200, "-1")),
    ("200 result=49 endpos=16000", Reply(200, "49", "", 16000)),
    ("200 result= (timeout)", Reply(200, "", "timeout")),
    ("200 result=12 (timeout)", Reply(200, "12", "timeout")),
    ("200 result=0 (timeout) endpos=8000", Reply(200, "0", "timeout", 8000)),
    ("200 result=-1 (hangup) endpos=24000", Reply(200, "-1", "hangup", 24000)),
    ("200 result=1 (OK:(1)2)", Reply(200, "1", "OK:(1)2")),
    ("510 Invalid or unknown command", Reply(510)),
    ("511 Command Not Permitted on a dead channel or intercept routine", Reply(511)),
])  # fmt: skip
def test_a_reply_is_read_with_all_that_stands_in_it(line: str, reply: Reply) -> None:
    assert parse_reply(line) == reply


@given(st.text())
def test_any_line_is_a_reply_or_refused(line: str) -> None:
    with suppress(BadPeer):
        assert parse_reply(line).code >= 0


@pytest.mark.parametrize("value", ["a\nHANGUP", "a\rb", "a\0"])
def test_a_line_break_in_an_argument_is_refused(value: str) -> None:
    with pytest.raises(ValueError):
        command("SET VARIABLE", "X", value)


def test_quotes_in_an_argument_stay_in_it() -> None:
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'


def test_a_command_too_long_for_asterisk_is_refused() -> None:
    with pytest.raises(ValueError):
        command("EXEC Read", "长" * 700)


@pytest.mark.parametrize("written", ["agi_request: agi://h/voice-reply", "agi_arg_1: another"])
def test_a_header_in_which_a_caller_has_written_is_refused(written: str) -> None:
    """His number stands in it as it came, with its line breaks."""
    lines = ["agi_request: agi://h:4573/hotline", "agi_callerid: 199", written, "agi_arg_1: pbx"]
    with pytest.raises(BadPeer):
        parse_request(lines)


def test_a_header_gives_the_path_and_the_arguments() -> None:
    request = parse_request(["agi_request: agi://h:4573/resume?x=1", "agi_arg_1: pbx", "agi_callerid: 鼓楼"])
    assert (request.path, request.argument(1), request.argument(9)) == ("resume", "pbx", "")


async def test_replies_come_in_the_order_of_the_commands() -> None:
    async with serving("A", "B") as made:
        assert await talk(made, b"200 result=1\n", b"200 result=2\n") == [Reply(200, "1"), Reply(200, "2")]


async def test_the_line_of_a_hang_up_does_not_shift_the_replies() -> None:
    async with serving("A") as made:
        assert await talk(made, b"HANGUP\n200 result=-1\n") == [Reply(200, "-1")]
        assert made.sessions[0].gone


async def test_nothing_is_sent_after_a_hang_up() -> None:
    async with serving("A") as made:
        await talk(made, b"HANGUP\n200 result=-1\n")
        with pytest.raises(LegGone):
            await made.sessions[0].send("B")


async def test_the_end_of_the_stream_is_a_hang_up() -> None:
    async with serving("A", "B") as made:
        assert isinstance(await talk(made, b"200 result=1\n"), LegGone)


async def test_usage_of_several_lines_is_one_reply() -> None:
    async with serving("A", "B") as made:
        usage = b"520-Invalid command syntax.  Proper usage follows:\nUsage: A\n520 End of proper usage.\n"
        assert await talk(made, usage, b"200 result=1\n") == [Reply(520), Reply(200, "1")]


@pytest.mark.parametrize("line", [b"rubbish\n", b"x" * 20_000 + b"\n", b"\xff\xfe\n", b"\n"])
async def test_an_answer_that_is_none_ends_the_call(line: bytes) -> None:
    async with serving("A") as made:
        assert isinstance(await talk(made, line), BadPeer)


async def test_asterisk_that_stops_answering_is_a_hang_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi, "REPLY_S", 0.05)
    async with serving("A") as made:
        _, writer = await asyncio.open_connection("127.0.0.1", made.server.port)
        writer.write(HEADER)
        assert isinstance(await made.results.get(), LegGone)
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"\n", b"GET / HTTP/1.1\r\n\r\n", b"agi_x: 1\n" * 200, b"x" * 100_000, b"\x16\x03\x01" + b"\0" * 50, HEADER[:40]])
async def test_probes_are_closed_and_harm_nobody(sent: bytes) -> None:
    async with serving("A") as made:
        for _ in range(3):
            _, writer = await asyncio.open_connection("127.0.0.1", made.server.port)
            writer.write(sent)
            writer.close()
        assert await talk(made, b"200 result=1\n") == [Reply(200, "1")]


async def test_two_thousand_probes_leave_the_server_answering() -> None:
    async with serving("A") as made:
        for _ in range(20):
            probes = [await asyncio.open_connection("127.0.0.1", made.server.port) for _ in range(100)]
            for _, writer in probes:
                writer.close()
        assert await talk(made, b"200 result=1\n") == [Reply(200, "1")]


async def test_a_peer_that_never_finishes_its_header_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi, "HEADER_S", 0.05)
    async with serving("A") as made:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.server.port)
        writer.write(b"agi_network: yes\n")
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


async def test_beyond_the_limit_calls_are_told_so_and_far_beyond_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi, "EXTRA_CONNECTIONS", 1)
    async with serving("A", max_calls=1) as made:
        first, one = await asyncio.open_connection("127.0.0.1", made.server.port)
        one.write(HEADER)
        assert await first.readline() == b"A\n"
        _, two = await asyncio.open_connection("127.0.0.1", made.server.port)
        two.write(HEADER)
        assert await made.results.get() == "busy"
        one.close()
        two.close()


def test_sounds_are_cut_into_commands_that_fit() -> None:
    cut = parts([f"hotline/zh/piece/{n:04x}" for n in range(300)])
    assert sum(map(len, cut)) == 300
    assert all(len("&".join(part)) <= 1500 for part in cut)
    assert parts([]) == []


@pytest.mark.parametrize(("told", "take"), [
    ("DTMF:48044", Take(3.0, "#")),
    ("OPERATOR:48044", Take(3.0, "0")),
    ("SILENCE:32044", Take(1.0)),
    ("SILENCE:8044", Take(0.0)),
    ("TIMEOUT:159000", Take(10.0)),
    ("HANGUP:24044", Take(1.5, gone=True)),
    ("ERROR:", Take(0.0)),
    ("", Take(0.0)),
])  # fmt: skip
def test_the_length_of_a_recording_leaves_out_the_silence_that_ended_it(told: str, take: Take) -> None:
    assert take_of(told, max_s=10) == take


async def test_asterisk_vanishing_while_it_records_keeps_what_it_wrote() -> None:
    async with serving("X") as made:
        async def record(session: Session) -> None:
            await made.results.put(await Leg(session).record("/rec/a", max_s=60, silence_s=5))

        made.server.serve = record
        reader, writer = await asyncio.open_connection("127.0.0.1", made.server.port)
        writer.write(HEADER)
        await reader.readline()
        writer.close()
        take = await made.results.get()
        assert isinstance(take, Take)
        assert take.gone
