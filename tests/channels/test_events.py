"""The event stream: in commit order, resumable without gap or double, bounded for units, ending cleanly."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from channels.web import events
from channels.web.server import build_app
from channels.web.setting import WebSetting
from intake import feed
from intake.gateway import Gateway
from intake.model import Role
from intake.records import FeedEvent, Token, User
from intake.usecases import Command
from tests.channels.conftest import Served
from tests.channels.desk_people import Client, Person, hire, report, walk

SHORT_S = 0.02


@asynccontextmanager
async def stream(client: Client, person: Person, **sent: str) -> AsyncIterator[ClientResponse]:
    """Open the stream; `last` is sent as Last-Event-ID, anything else in the query."""
    last = sent.pop("last", None)
    headers = person.bearer | ({"Last-Event-ID": last} if last is not None else {})
    async with client.get("/api/v1/events", headers=headers, params=sent) as answer:
        assert answer.status == 200
        yield answer


async def next_block(answer: ClientResponse) -> dict[str, str]:
    """The fields of the next block; a lone comment comes under its empty name. Empty at the end of the stream."""
    found: dict[str, str] = {}
    while True:
        line = (await answer.content.readline()).decode()
        if line in ("\n", ""):
            return found
        name, _, value = line.rstrip("\n").partition(":")
        found[name] = value.strip()


async def changes(answer: ClientResponse, count: int) -> list[dict[str, str]]:
    """The next `count` changes, heartbeats left out."""
    found: list[dict[str, str]] = []
    while len(found) < count:
        block = await next_block(answer)
        assert block, "the stream ended early"
        if "data" in block:
            found.append(block)
    return found


def told(blocks: list[dict[str, str]]) -> list[tuple[str, str]]:
    data = [json.loads(block["data"]) for block in blocks]
    return [(one["case_no"], one["step"]) for one in data]


async def test_live_changes_come_in_order_with_growing_ids(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    async with stream(client, operator) as answer:
        await next_block(answer)
        numbers = [await report(gateway) for _ in range(5)]
        heard = await changes(answer, 5)
    assert told(heard) == [(str(number), "receive") for number in numbers]
    ids = [int(block["id"]) for block in heard]
    assert ids == sorted(set(ids))


async def test_the_stream_says_how_it_must_be_treated(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    async with stream(client, operator) as answer:
        assert answer.content_type == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store, no-transform"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert (await next_block(answer))["retry"] == "3000"


@pytest.mark.parametrize("by", ["last", "after"])
async def test_resuming_misses_nothing_and_doubles_nothing(gateway: Gateway, client: Client, by: str) -> None:
    """Reports go on while the stream is cut and taken up again many times; a fixed plan, no chance in it."""
    operator = await hire(gateway, Role.OPERATOR)
    numbers = [await report(gateway) for _ in range(3)]
    heard: list[tuple[str, str]] = []
    last = "0"
    for round_ in range(6):
        reporting = asyncio.gather(*(report(gateway) for _ in range(4)))
        async with stream(client, operator, **{by: last}) as answer:
            await next_block(answer)
            blocks = await changes(answer, 3 + round_ % 2)
        heard += told(blocks)
        last = blocks[-1]["id"]
        numbers += await reporting
    async with stream(client, operator, **{by: last}) as answer:
        await next_block(answer)
        heard += told(await changes(answer, len(numbers) - len(heard)))
    assert sorted(heard) == sorted((str(number), "receive") for number in numbers)
    assert len(set(heard)) == len(heard)


async def test_more_than_one_page_of_missed_changes_is_replayed(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    count = feed.PAGE + 20

    def many(work: "object") -> None:
        for version in range(count):
            work.tell(FeedEvent(number, work.now, "note", "reported", version))  # type: ignore[attr-defined]

    await gateway.store.write(many)
    async with stream(client, operator, after="0") as answer:
        await next_block(answer)
        heard = await changes(answer, count + 1)
    versions = [json.loads(block["data"])["version"] for block in heard[1:]]
    assert versions == list(range(count))


async def test_without_a_last_id_a_console_hears_only_what_comes(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    await report(gateway)
    async with stream(client, operator) as answer:
        start = await next_block(answer)
        number = await report(gateway)
        heard = await changes(answer, 1)
    assert told(heard) == [(str(number), "receive")]
    assert int(start["id"]) < int(heard[0]["id"])


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "9" * 30])
async def test_a_last_id_that_is_no_number_is_named(gateway: Gateway, client: Client, given: str) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    answer = await client.get("/api/v1/events", params={"after": given}, headers=operator.bearer)
    assert answer.status == 422
    assert (await answer.json(content_type=None))["field"] == "after"


async def test_a_unit_hears_of_its_own_cases_from_dispatch_on(gateway: Gateway, client: Client) -> None:
    own, undispatched, settled = [await report(gateway) for _ in range(3)]
    case = await walk(gateway, own, until="take")
    operator = (await hire(gateway, Role.OPERATOR)).actor
    dispatcher = (await hire(gateway, Role.DISPATCHER)).actor
    leader = (await hire(gateway, Role.SHIFT_LEADER)).actor
    unit, other = await hire(gateway, Role.UNIT, unit=case.unit), await hire(gateway, Role.UNIT, unit="lighting")
    await gateway.perform(Command(undispatched, "accept", operator))
    await gateway.perform(Command(settled, "settle", operator, fields={"result": "当场清走"}))
    await gateway.perform(Command(own, "ask_void", dispatcher, fields={"reason": "立错了"}))
    await gateway.perform(Command(own, "void", leader, fields={"reason": "确认"}))
    everything = await hire(gateway, Role.AUDITOR)
    async with stream(client, unit, after="0") as answer:
        await next_block(answer)
        assert told(await changes(answer, 4)) == [
            (str(own), step) for step in ("dispatch", "take", "ask_void", "void")
        ]  # fmt: skip
    async with stream(client, everything, after="0") as answer:
        await next_block(answer)
        assert {number for number, _ in told(await changes(answer, 9))} == {str(own), str(undispatched), str(settled)}
    async with stream(client, other, after="0") as answer:
        await next_block(answer)
        last = await walk(gateway, await report(gateway), until="dispatch", unit="lighting")
        assert told(await changes(answer, 1)) == [(str(last.case_no), "dispatch")]


async def test_a_unit_hears_that_a_case_was_taken_back(gateway: Gateway, client: Client) -> None:
    number = await report(gateway)
    case = await walk(gateway, number, until="dispatch")
    unit = await hire(gateway, Role.UNIT, unit=case.unit)
    dispatcher = (await hire(gateway, Role.DISPATCHER)).actor
    async with stream(client, unit) as answer:
        await next_block(answer)
        await gateway.perform(Command(number, "withdraw", dispatcher, fields={"reason": "派错了"}))
        assert told(await changes(answer, 1)) == [(str(number), "withdraw")]


# Heartbeats, and the end


@pytest.fixture
async def beating(gateway: Gateway, web_setting: WebSetting) -> AsyncIterator[Client]:
    """A client of a server whose heartbeat is short."""
    app = build_app(gateway, web_setting)
    app[events.HEARTBEAT_S] = SHORT_S
    async with TestClient(Served(app)) as client:
        yield client


async def test_a_silent_stream_beats(gateway: Gateway, beating: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    async with stream(beating, operator) as answer:
        await next_block(answer)
        assert [await next_block(answer) for _ in range(3)] == [{"": ""}] * 3
        number = await report(gateway)
        assert told(await changes(answer, 1)) == [(str(number), "receive")]


async def test_a_stream_ends_when_its_token_is_revoked(gateway: Gateway, beating: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    token = (await gateway.store.read(lambda work: work.find(Token, user_id=operator.actor.user_id)))[0]
    async with stream(beating, operator) as answer:
        await next_block(answer)
        await gateway.store.write(lambda work: work.change(token, replace(token, revoked_at=work.now)))
        while await next_block(answer):
            pass
        assert answer.content.at_eof()
    assert (await beating.get("/api/v1/events", headers=operator.bearer)).status == 401


async def test_a_stream_of_a_disabled_person_ends_however_much_comes(gateway: Gateway, beating: Client) -> None:
    """The right to hear is asked by the clock: a feed that is never silent must not go on for ever."""
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    user = await gateway.store.read(lambda work: work.get(User, operator.actor.user_id))
    assert user is not None

    async def talk_on() -> None:
        for _ in range(2000):
            await gateway.store.write(lambda work: work.tell(FeedEvent(number, work.now, "note", "reported", 2)))

    async with stream(beating, operator) as answer:
        await next_block(answer)
        await gateway.store.write(lambda work: work.change(user, replace(user, disabled=True)))
        talking = asyncio.create_task(talk_on())
        while await next_block(answer):
            pass
        assert answer.content.at_eof()
        assert not talking.done()
        talking.cancel()
        with suppress(asyncio.CancelledError):
            await talking


async def test_a_unit_whose_post_changes_hears_by_its_new_post(gateway: Gateway, web_setting: WebSetting) -> None:
    app = build_app(gateway, web_setting)
    app[events.HEARTBEAT_S] = 0  # So the right to hear is asked before each event.
    case = await walk(gateway, await report(gateway), until="dispatch")
    unit = await hire(gateway, Role.UNIT, unit=case.unit)
    user = await gateway.store.read(lambda work: work.get(User, unit.actor.user_id))
    assert user is not None
    async with TestClient(Served(app)) as client, stream(client, unit) as answer:
        await next_block(answer)
        await gateway.store.write(lambda work: work.change(user, replace(user, unit="lighting")))
        await walk(gateway, await report(gateway), until="dispatch")
        other = await walk(gateway, await report(gateway), until="dispatch", unit="lighting")
        assert told(await changes(answer, 1)) == [(str(other.case_no), "dispatch")]


async def test_an_id_beyond_the_end_of_the_feed_hears_on_from_the_end(gateway: Gateway, client: Client) -> None:
    """After a restore the feed ends before what a console has seen."""
    operator = await hire(gateway, Role.OPERATOR)
    await report(gateway)
    async with stream(client, operator, last="999999") as answer:
        start = await next_block(answer)
        number = await report(gateway)
        heard = await changes(answer, 1)
    assert told(heard) == [(str(number), "receive")]
    assert int(start["id"]) < int(heard[0]["id"])


async def test_open_streams_end_when_the_server_stops(gateway: Gateway, web_setting: WebSetting) -> None:
    """Cleanly: the body ends, it is not cut off, and nobody waits for the heartbeat."""
    operator = await hire(gateway, Role.OPERATOR)
    server = Served(build_app(gateway, web_setting))
    async with TestClient(server) as client, stream(client, operator) as answer:
        await next_block(answer)
        closing = asyncio.create_task(server.close())
        assert await next_block(answer) == {}
        assert answer.content.at_eof()
        assert answer.content.exception() is None
        answer.close()
        await closing
    assert gateway.feed.listener_count == 0
