"""Every fault of panoramisk 1.4 that was found, against a Manager that provokes it: the link has none of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from channels.phone import Server
from channels.phone.link import MAX_MESSAGE, Link, Pace
from channels.phone.told import Told
from intake.errors import BadInput, Refused, Unavailable
from tests.phone.ami_server import SECRET, AmiServer, ami_server, message

QUICK = Pace(connect_s=5, reply_s=0.05, list_s=0.2, ping_s=0.02, pong_s=0.05, rest_s=0.005, longest_rest_s=0.01)
PATIENT = Pace(rest_s=0.005, longest_rest_s=0.01)


@dataclass
class Watched:
    """A running link, what it was told, and how often the truth was re-read."""

    link: Link
    task: "asyncio.Task[None]"
    told: list[Told] = field(default_factory=list)
    ups: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, wanted: str) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: bool(eval(wanted, {"self": self})))


@asynccontextmanager
async def linked(server: AmiServer, *, pace: Pace = PATIENT, secret: str = SECRET) -> AsyncIterator[Watched]:
    async def wake() -> None:
        async with watched.changed:
            watched.changed.notify_all()

    def heard(told: Told) -> None:
        watched.told.append(told)
        tasks.append(asyncio.ensure_future(wake()))

    async def up(link: Link) -> None:
        watched.ups += 1
        await wake()

    tasks: list[asyncio.Future[None]] = []
    link = Link(Server("pbx", ami_port=server.port, ami_secret=secret), on_event=heard, on_up=up, pace=pace)
    watched = Watched(link, asyncio.create_task(link.run()))
    try:
        yield watched
    finally:
        watched.task.cancel()
        with suppress(asyncio.CancelledError):
            await watched.task
        await asyncio.gather(*tasks)


async def test_a_character_cut_in_two_arrives_whole() -> None:
    async with ami_server(segment=1) as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        await server.send(message("Event: Newchannel", "CallerIDNum: 1", "CallerIDName: 鼓楼区城管"))
        await watched.until("self.told")
        assert watched.told[0]["CallerIDName"] == "鼓楼区城管"


async def test_bytes_that_are_no_text_harm_only_themselves() -> None:
    async with ami_server() as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        await server.send(b"Event: Newchannel\r\nCallerIDNum: 1\r\nCallerIDName: \xff\xfe\xc4\xe3\r\n\r\n" + message("Event: Hangup"))
        await watched.until("len(self.told) == 2")
        assert watched.told[1].event == "Hangup"


@pytest.mark.parametrize("value", ["8001\r\nAction: Command", "8001\nX: y", "8001\0", ["a", "b\r\nc"]])
async def test_a_line_break_in_a_value_is_refused_and_nothing_is_sent(value: str | list[str]) -> None:
    async with ami_server() as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        with pytest.raises(BadInput):
            await watched.link.act("QueueAdd", Interface=value)
        assert server.named("QueueAdd") == []
        await watched.link.act("QueueAdd", Interface="PJSIP/8001")
        assert server.named("Command") == []


async def test_an_action_while_the_link_is_down_fails_and_is_never_sent_later() -> None:
    async with ami_server() as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        server.mute.add("originate")
        doubtful = asyncio.create_task(watched.link.act("Originate", Channel="PJSIP/8001"))
        await server.seen(lambda it: bool(it.named("Originate")))
        server.drop()
        with pytest.raises(Unavailable):
            await doubtful
        with pytest.raises(Unavailable):
            await watched.link.act("Originate", Channel="PJSIP/8002")
        await watched.until("self.ups == 2")
        await watched.link.act("Ping")
        assert [each["Channel"] for each in server.named("Originate")] == ["PJSIP/8001"]


async def test_pings_are_sent_and_answered() -> None:
    async with ami_server() as server, linked(server, pace=QUICK) as watched:
        await server.seen(lambda it: len(it.named("Ping")) >= 3)
        assert server.connections == 1
        assert watched.link.is_up


async def test_a_half_open_connection_is_noticed_and_replaced() -> None:
    async with ami_server(mute={"ping"}) as server, linked(server, pace=QUICK) as watched:
        await server.seen(lambda it: it.connections >= 2)
        await watched.until("self.ups >= 2")


async def test_every_action_has_a_time_out() -> None:
    async with ami_server(mute={"queuepause", "queuestatus"}) as server, linked(server, pace=QUICK) as watched:
        await watched.until("self.ups == 1")
        with pytest.raises(Unavailable):
            await watched.link.act("QueuePause", Interface="PJSIP/8001")
        with pytest.raises(Unavailable):
            await watched.link.all_of("QueueStatus")


async def test_an_answer_that_comes_too_late_answers_nothing_else() -> None:
    async with ami_server(mute={"queuepause"}) as server, linked(server, pace=QUICK) as watched:
        await watched.until("self.ups == 1")
        with pytest.raises(Unavailable):
            await watched.link.act("QueuePause", Interface="PJSIP/8001")
        late = server.named("QueuePause")[0]["ActionID"]
        await server.send(message("Response: Error", f"ActionID: {late}", "Message: late"))
        assert (await watched.link.act("QueueAdd", Interface="PJSIP/8001"))["Response"] == "Success"


@pytest.mark.parametrize("given", [{}, {"Async": "false"}])
async def test_originate_is_always_asynchronous(given: dict[str, str]) -> None:
    async with ami_server() as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        await watched.link.act("Originate", Channel="PJSIP/8001", Variable=["__CALL_ID=7", "GW_RECORD=1"], **given)
        assert server.named("Originate")[0]["Async"] == "true"
        assert b"Variable: __CALL_ID=7\r\nVariable: GW_RECORD=1\r\n" in server.raw[-1]


@pytest.mark.parametrize("action", ["Originate", "PlayDTMF", "Redirect"])
async def test_successfully_queued_does_not_cut_the_connection(action: str) -> None:
    reply = message("Response: Success", "ActionID: {id}", "Message: successfully queued")
    async with ami_server(replies={action.lower(): reply}) as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        assert (await watched.link.act(action, Channel="PJSIP/8001"))["Message"] == "successfully queued"
        await watched.link.act("Ping")
        assert server.connections == 1


async def test_the_outcome_of_an_originate_comes_as_an_event() -> None:
    async with ami_server() as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        await watched.link.act("Originate", Channel="PJSIP/8001")
        key = server.named("Originate")[0]["ActionID"]
        await server.send(message("Event: OriginateResponse", f"ActionID: {key}", "Response: Failure", "Reason: 5"))
        await watched.until("self.told")
        assert (watched.told[0].event, watched.told[0]["Response"]) == ("OriginateResponse", "Failure")


async def test_stopping_while_the_connection_is_refused_stops_the_trying() -> None:
    async with ami_server() as server:
        port = server.port
    # Nobody listens there now.
    async with linked(AmiServer(port=port), pace=QUICK) as watched:
        await asyncio.sleep(0)
        assert not watched.link.is_up
    assert watched.task.cancelled()
    async with ami_server(port=port) as server:
        await asyncio.sleep(0)
        assert server.connections == 0


async def test_stopping_while_logging_in_closes_the_connection() -> None:
    async with ami_server(mute={"login"}) as server:
        async with linked(server) as watched:
            await server.seen(lambda it: bool(it.named("Login")))
        assert watched.task.cancelled()
        assert not watched.link.is_up


async def test_a_line_of_a_megabyte_is_read() -> None:
    async with ami_server() as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        await server.send(message("Event: UserEvent", "Text: " + "长" * 350_000) + message("Event: Hangup"))
        await watched.until("len(self.told) == 2")
        assert len(watched.told[0]["Text"]) == 350_000


async def test_a_message_without_end_is_skipped_and_the_next_is_read() -> None:
    async with ami_server() as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        await server.send(b"Event: UserEvent\r\nText: " + b"x" * (MAX_MESSAGE + 70_000) + b"\r\n\r\n" + message("Event: Hangup"))
        await watched.until("self.told")
        assert [told.event for told in watched.told] == ["Hangup"]


async def test_a_wrong_secret_is_told_and_tried_again_without_harm() -> None:
    async with ami_server() as server, linked(server, pace=QUICK, secret="wrong") as watched:
        await server.seen(lambda it: it.connections >= 2)
        assert watched.link.state == "refused"
        with pytest.raises(Unavailable):
            await watched.link.act("Ping")


async def test_a_wrong_secret_is_tried_ever_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """No busy loop at either end, and one line of the log, not one for each attempt."""
    rests: list[float] = []
    real = asyncio.sleep

    async def at_once(seconds: float) -> None:
        if seconds:
            rests.append(seconds)
        await real(0)

    async with ami_server() as server:
        link = Link(Server("pbx", ami_port=server.port, ami_secret="wrong"), on_event=lambda _: None, on_up=_nothing)
        monkeypatch.setattr(asyncio, "sleep", at_once)
        with capture_logs() as logs:
            task = asyncio.create_task(link.run())
            await server.seen(lambda it: it.connections >= 9)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert rests[:8] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    assert [(line["event"], line["state"]) for line in logs] == [("phone.ami", "refused")]


async def _nothing(_: Link) -> None:
    """Nothing is re-read."""


async def test_somebody_else_at_that_port_is_not_taken_for_asterisk() -> None:
    async with ami_server() as server:
        server.serve = _ssh(server)  # type: ignore[method-assign]
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        async with linked(server, pace=QUICK) as watched:
            await server.seen(lambda it: it.connections >= 2)
            assert not watched.link.is_up
        listening.close()


def _ssh(server: AmiServer):  # type: ignore[no-untyped-def]
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")
        async with server.changed:
            server.connections += 1
            server.changed.notify_all()
        await reader.read()
        writer.close()

    return serve


async def test_no_is_told_apart_from_no_answer() -> None:
    reply = message("Response: Error", "ActionID: {id}", "Message: No such channel")
    async with ami_server(replies={"hangup": reply, "queuestatus": reply}) as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        with pytest.raises(Refused):
            await watched.link.act("Hangup", Channel="PJSIP/8001-1")
        with pytest.raises(Refused):
            await watched.link.all_of("QueueStatus")


async def test_a_list_ends_where_it_says_that_it_is_complete() -> None:
    reply = message("Response: Success", "ActionID: {id}", "EventList: start") + b"".join(
        message("Event: CoreShowChannel", "ActionID: {id}", f"Uniqueid: 1.{n}", f"ChanVariable: CALL_ID={n}", "ChanVariable: X=1")
        for n in range(300)
    ) + message("Event: CoreShowChannelsComplete", "ActionID: {id}", "EventList: Complete")
    async with ami_server(replies={"coreshowchannels": reply}, segment=977) as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        listed = await watched.link.all_of("CoreShowChannels")
        assert [each.variable("CALL_ID") for each in listed] == [str(n) for n in range(300)]
        assert watched.told == []


async def test_what_is_up_again_is_re_read() -> None:
    async with ami_server() as server, linked(server) as watched:
        await watched.until("self.ups == 1")
        server.drop()
        await watched.until("self.ups == 2")
        assert watched.link.state == "up"
