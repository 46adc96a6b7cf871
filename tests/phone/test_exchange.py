"""The telephone joined: events to the switchboard, acts of the desk, what is put right after a reconnection, recordings."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from channels.phone import PhoneSettings, Server, read_settings
from channels.phone.exchange import Exchange
from channels.phone.recordings import PATIENCE, REFUSED_REST_S, Recordings
from channels.phone.sounds import Sounds
from intake.call import Call, CallRecording, LineState, OperatorLine
from intake.errors import Misconfigured, Refused, Unavailable
from tests.phone.ami_server import SECRET, AmiServer, ami_server, message
from tests.phone.conftest import PROMPTS, all_files
from tests.phone.fake_board import NOW, FakeBoard


def listed(event: str, *rows: tuple[str, ...]) -> bytes:
    parts = [message("Response: Success", "ActionID: {id}", "EventList: start")]
    parts += [message(row[0], "ActionID: {id}", *row[1:]) for row in rows]
    return b"".join([*parts, message(f"Event: {event}Complete", "ActionID: {id}", "EventList: Complete")])


def leg(channel: str, unique: str, call_id: int, linked: str = "1.1") -> tuple[str, ...]:
    return ("Event: CoreShowChannel", f"Channel: {channel}", f"Uniqueid: {unique}", f"Linkedid: {linked}", f"ChanVariable: CALL_ID={call_id}")


TALKING = listed("CoreShowChannels", leg("PJSIP/trunk-00000001", "1.1", 7), leg("PJSIP/8001-00000002", "1.2", 7))
NOTHING = {"coreshowchannels": listed("CoreShowChannels"), "queuestatus": listed("QueueStatus"),
           "dbgettree": message("Response: Error", "ActionID: {id}", "Message: Database entry not found")}  # fmt: skip


@asynccontextmanager
async def running(server: AmiServer, board: FakeBoard) -> AsyncIterator[Exchange]:
    settings = PhoneSettings(servers=(Server("pbx", ami_port=server.port, ami_secret=SECRET),), agi_port=0)
    async with aiohttp.ClientSession() as http:
        exchange = Exchange(settings, board, sounds=Sounds(PROMPTS, all_files(), "zh"), http=http, clock=lambda: NOW)
        tasks = [asyncio.create_task(loop()) for name, loop in exchange.loops.items() if name != "phone-agi"]
        try:
            await server.seen(lambda it: bool(it.named("DBGetTree")))
            yield exchange
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_asterisk_tells_of_a_call_reaches_the_switchboard_in_order() -> None:
    board = FakeBoard(calls={7: Call(7, "in", "pbx", "1.1", "12319", NOW)})
    async with ami_server(replies=dict(NOTHING)) as server, running(server, board):
        for event, more in (("AgentCalled", "Interface: PJSIP/8001"), ("AgentConnect", "Interface: PJSIP/8001"), ("Hangup", "Cause: 16")):
            await server.send(message(f"Event: {event}", "ChanVariable: CALL_ID=7", "Uniqueid: 1.1", "Linkedid: 1.1", more))
        async with asyncio.timeout(10):
            await board.ended.wait()
        assert [each[0] for each in board.told if each[1] == 7][:2] == ["ringing", "answered"]


async def test_after_a_reconnection_our_records_and_the_queues_are_put_right() -> None:
    board = FakeBoard(calls={7: Call(7, "in", "pbx", "1.1", "12319", NOW - timedelta(minutes=9))})
    board.lines.rows = [OperatorLine(1, "8001", LineState.READY, NOW)]
    note = ("Event: DBGetTreeResponse", "Key: /hotline-open/9.9", "Val: 1795230419,12319,19900000001,message,fallback/a-9,1795230479,")
    replies = NOTHING | {"dbgettree": listed("DBGetTree", note)}
    async with ami_server(replies=replies) as server, running(server, board):
        await server.seen(lambda it: bool(it.named("QueueAdd")))
        assert ("hung_up", 7, "vanished") in board.told
        assert server.named("QueueAdd")[0]["Interface"] == "PJSIP/8001"
        (found,) = (call for call in board.calls.values() if call.leg_id == "9.9")
        assert ("recorded", found.call_id, "fallback", "fallback/a-9", 60.0, "message") in board.told
        assert ("gone", found.call_id) in board.told
        assert server.named("Originate")[0]["Variable"] == "FORGET=9.9"


async def test_who_watches_the_process_sees_whether_asterisk_is_reached() -> None:
    def now(exchange: Exchange) -> dict[str, float]:
        return {name.removeprefix("intake_phone_"): read() for name, (_, read) in exchange.figures.items()}

    async with ami_server(replies=dict(NOTHING)) as server, running(server, FakeBoard()) as exchange:
        assert now(exchange) == {"calls": 0, "servers_up": 1, "servers": 1, "peers_refused": 0}
        exchange.peers.refused += 2
    assert now(exchange)["servers_up"] == 0
    assert now(exchange)["peers_refused"] == 2


async def test_click_to_call_rings_the_operator_first() -> None:
    async with ami_server(replies=dict(NOTHING)) as server, running(server, FakeBoard()) as exchange:
        await exchange.desk.call("8001", "19900001234", call_id=7, kind="contact")
        sent = server.named("Originate")[-1]
        assert (sent["Channel"], sent["Context"], sent["Exten"], sent["Async"]) == ("PJSIP/8001", "hotline-out", "call", "true")
        assert b"Variable: __CALL_ID=7\r\n" in server.raw[-1]
        assert b"Variable: GW_DIAL=PJSIP/19900001234@trunk\r\n" in server.raw[-1]


@pytest.mark.parametrize("number", ["1990000\r\nAction: x", "1;2", "", "1" * 40, "张三丰"])
async def test_what_is_no_number_is_not_dialled(number: str) -> None:
    async with ami_server(replies=dict(NOTHING)) as server, running(server, FakeBoard()) as exchange:
        with pytest.raises(Refused):
            await exchange.desk.call("8001", number, call_id=7, kind="contact")
        assert server.named("Originate") == []


async def test_without_asterisk_the_desk_is_told_so() -> None:
    async with aiohttp.ClientSession() as http:
        settings = PhoneSettings(servers=(Server("pbx", ami_secret=SECRET),))
        exchange = Exchange(settings, FakeBoard(), sounds=Sounds(PROMPTS, all_files(), "zh"), http=http, clock=lambda: NOW)
        for act in (exchange.desk.pause("8001", "meal"), exchange.desk.call("8001", "19900001234", call_id=1, kind="reply")):
            with pytest.raises(Unavailable):
                await act


async def test_hold_moves_the_citizen_aside_and_the_operator_into_a_room() -> None:
    none = message("Response: Error", "ActionID: {id}", "Message: No active conferences.")
    replies = NOTHING | {"coreshowchannels": TALKING, "confbridgelist": none}
    board = FakeBoard(calls={7: Call(7, "in", "pbx", "1.1", "12319", NOW)})
    async with ami_server(replies=replies) as server, running(server, board) as exchange:
        await exchange.desk.hold(7)
        sent = server.named("Redirect")[0]
        assert (sent["Channel"], sent["Exten"]) == ("PJSIP/trunk-00000001", "hold")
        assert (sent["ExtraChannel"], sent["ExtraExten"]) == ("PJSIP/8001-00000002", "conference")


async def test_a_listener_hears_the_operators_leg_and_is_no_part_of_the_call() -> None:
    board = FakeBoard(calls={7: Call(7, "in", "pbx", "1.1", "12319", NOW)})
    async with ami_server(replies=NOTHING | {"coreshowchannels": TALKING}) as server, running(server, board) as exchange:
        await exchange.desk.whisper("8900", 7)
        assert server.named("Originate")[0]["Exten"] == "whisper"
        assert b"Variable: __CALL_ID=0\r\nVariable: GW_SPY=PJSIP/8001-00000002\r\n" in server.raw[-1]


async def test_a_call_that_is_over_cannot_be_held() -> None:
    board = FakeBoard(calls={7: Call(7, "in", "pbx", "1.1", "12319", NOW)})
    async with ami_server(replies=dict(NOTHING)) as server, running(server, board) as exchange:
        with pytest.raises(Refused):
            await exchange.desk.hold(7)


async def test_logging_in_joins_the_queues_paused() -> None:
    async with ami_server(replies=dict(NOTHING)) as server, running(server, FakeBoard()) as exchange:
        await exchange.desk.log_in("8001", 5, skills=("dialect",))
        added = [(each["Queue"], each["Paused"], each["MemberName"]) for each in server.named("QueueAdd")]
        assert added == [("hotline", "true", "5"), ("hotline-dialect", "true", "5")]


WAV = b"RIFF" + bytes(36) + (60).to_bytes(4, "little") + bytes(60)


@asynccontextmanager
async def ari(status: int, body: bytes, *, listed_names: Sequence[str] = ()) -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
    seen: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path))
        if request.path.endswith("/stored"):
            return web.json_response([{"name": name} for name in listed_names])
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("")), seen
    await server.close()


def wanted(kind: str = "message", ref: str = "message/7-a-1") -> CallRecording:
    return CallRecording(1, 7, "message", kind, ref, "token", "pbx", 1000, NOW)


def at_ari(url: str) -> PhoneSettings:
    return PhoneSettings(servers=(Server("pbx", ari_url=url, ari_secret="x"),))


async def fetch(board: FakeBoard, url: str) -> int:
    async with aiohttp.ClientSession() as http:
        return await Recordings(board, at_ari(url), http).fetch_wanted()


def over(**more: Any) -> FakeBoard:
    """A board with one call that is over."""
    return FakeBoard(calls={7: Call(7, "in", "pbx", "1.1", "12319", NOW, ended_at=NOW)}, **more)


async def test_a_recording_is_fetched_stored_and_erased_there() -> None:
    board = over()
    board.audio.waiting = [wanted()]
    async with ari(200, WAV) as (url, seen):
        assert await fetch(board, url) == 1
    assert board.audio.stored == {"token": WAV}
    path = "/ari/recordings/stored/message%2F7-a-1"
    assert seen == [("GET", f"{path}/file"), ("DELETE", path), ("GET", "/ari/recordings/stored")]


async def test_takes_that_were_replaced_are_erased_and_others_left() -> None:
    board = over()
    board.audio.waiting = [wanted(ref="message/7-message-9")]
    there = ["message/7-message-4", "message/77-message-4", "talk/7", "message/7-late-2-4"]
    async with ari(200, WAV, listed_names=there) as (url, seen):
        assert await fetch(board, url) == 1
    erased = [path.rpartition("/")[2] for method, path in seen if method == "DELETE"]
    assert erased == ["message%2F7-message-9", "message%2F7-message-4"]


async def test_a_file_that_asterisk_has_not_closed_is_fetched_later() -> None:
    board = over()
    board.audio.waiting = [wanted()]
    async with ari(200, WAV + bytes(10)) as (url, _):
        assert await fetch(board, url) == 0
        assert board.audio.failures == [("token", "unfinished")]
        board.audio.waiting = [replace(wanted(), attempts=PATIENCE)]
        assert await fetch(board, url) == 1


async def test_while_asterisk_is_away_no_recording_is_given_up_and_none_is_asked_for_all_the_time() -> None:
    board, moment = over(), [0.0]
    board.audio.waiting = [wanted()]
    settings = PhoneSettings(servers=(Server("pbx", ari_url="http://127.0.0.1:9", ari_secret="x"),))
    async with aiohttp.ClientSession() as http:
        recordings = Recordings(board, settings, http, now_s=lambda: moment[0])
        assert await recordings.fetch_wanted() == 0
        assert board.audio.failures == []
        async with ari(200, WAV) as (url, seen):
            there = replace(recordings, settings=PhoneSettings(servers=(Server("pbx", ari_url=url, ari_secret="x"),)))
            assert await there.fetch_wanted() == 0
            assert seen == []
            moment[0] = 60.0
            assert await there.fetch_wanted() == 1
    assert recordings.rests == {}


@pytest.mark.parametrize(("status", "body", "why"), [(404, b"", "http 404"), (500, b"", "http 500"), (200, b"", "empty"), (200, b"<html>" * 20, "no audio")])
async def test_what_cannot_be_played_is_counted_and_left_there(status: int, body: bytes, why: str) -> None:
    board = over()
    board.audio.waiting = [wanted()]
    async with ari(status, body) as (url, seen):
        assert await fetch(board, url) == 0
    assert board.audio.failures == [("token", why)]
    assert [method for method, _ in seen] == ["GET"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_password_gives_no_recording_up_asks_rarely_and_is_told_once(status: int) -> None:
    """A hundred recordings wait: neither Asterisk's log nor ours fills, and none is lost until somebody mends the password."""
    board, moment = over(), [0.0]
    board.audio.waiting = [replace(wanted(ref=f"message/7-a-{n}"), token=f"token-{n}") for n in range(100)]
    async with aiohttp.ClientSession() as http:
        async with ari(status, b"") as (url, seen):
            recordings = Recordings(board, at_ari(url), http, now_s=lambda: moment[0])
            with capture_logs() as logs:
                for _ in range(30):
                    assert await recordings.fetch_wanted() == 0
                    moment[0] += 10
        assert len(seen) == 300 / REFUSED_REST_S
        assert [(line["event"], line.get("state")) for line in logs] == [("phone.ari", "refused")]
        assert board.audio.failures == []
        async with ari(200, WAV) as (url, _):
            mended = replace(recordings, settings=at_ari(url))
            moment[0] += REFUSED_REST_S
            with capture_logs() as logs:
                assert await mended.fetch_wanted() == 100
            assert [line["state"] for line in logs if line["event"] == "phone.ari"] == ["up"]


@pytest.mark.parametrize("first", [401, None])
async def test_a_call_we_placed_is_fetched_from_the_next_server_while_the_first_cannot_be_asked(first: int | None) -> None:
    """And while it stands on neither, it is not given up: it may be on the one that could not be asked."""
    board = over()
    async with ari(first or 500, b"") as (refusing, _), ari(200, WAV) as (url, _), ari(404, b"") as (without, _), aiohttp.ClientSession() as http:

        def recordings(second: str) -> Recordings:
            stands = {"north": refusing if first else "http://127.0.0.1:9", "south": second}
            servers = tuple(Server(name, ari_url=at, ari_secret="x") for name, at in stands.items())
            return Recordings(board, PhoneSettings(servers=servers), http)

        board.audio.waiting = [replace(wanted(), server="")]
        assert await recordings(without).fetch_wanted() == 0
        assert (board.audio.stored, board.audio.failures) == ({}, [])
        assert await recordings(url).fetch_wanted() == 1
    assert board.audio.stored == {"token": WAV}


async def test_an_endless_recording_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.phone.recordings.MAX_BYTES", 50)
    board = over()
    board.audio.waiting = [wanted()]
    async with ari(200, WAV) as (url, _):
        assert await fetch(board, url) == 0
    assert board.audio.failures == [("token", "too long")]


@pytest.mark.parametrize("recording", [wanted("talk", "talk/7"), wanted()])
async def test_a_recording_is_fetched_when_its_call_is_over(recording: CallRecording) -> None:
    """Before that a talk may go on and the citizen may want to hear his message again."""
    board = FakeBoard(calls={7: Call(7, "in", "pbx", "1.1", "12319", NOW)})
    board.audio.waiting = [recording]
    async with ari(200, WAV) as (url, seen):
        assert await fetch(board, url) == 0
        assert seen == []
        board.calls[7] = Call(7, "in", "pbx", "1.1", "12319", NOW, ended_at=NOW)
        assert await fetch(board, url) == 1


@pytest.mark.parametrize("raw", [
    {"servers": []}, {"servers": "x"}, {"servers": [{"name": "a"}]}, {"servers": [{"ami_secret": "s"}]},
    {"servers": [{"name": "a", "ami_secret": "s", "colour": "red"}]}, {"servers": [{"name": "a", "ami_secret": "s", "ami_port": "x"}]},
    {"servers": [{"name": "a", "ami_secret": "s"}] * 2}, {"servers": [{"name": "a", "ami_secret": "s\r\nAction: x"}]},
    {"servers": [{"name": "a", "ami_secret": "s"}], "max_calls": 0},
])  # fmt: skip
def test_wrong_settings_are_refused_by_name(raw: dict[str, object]) -> None:
    with pytest.raises(Misconfigured):
        read_settings(raw)


def test_settings_from_the_environment_are_text() -> None:
    settings = read_settings({"servers": [{"name": "a"}, {"name": "b"}], "ami_secret": "s", "max_calls": "50", "lines": "12319,96310"})
    assert settings is not None
    assert (settings.max_calls, settings.lines, settings.servers[1].ami_secret) == (50, ("12319", "96310"), "s")
    assert "s'" not in repr(settings.servers[0])


def test_no_phone_section_is_no_telephone() -> None:
    assert read_settings({}) is None
