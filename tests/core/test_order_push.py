"""Telling a source: signed, in order, tried again, and given up to a person."""

import asyncio
import hashlib
import hmac
import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.order_webhook import OrderWebhook, PushSetting, read_setting
from intake.errors import Misconfigured, SendError
from intake.model import Case
from intake.order import News, Order
from intake.order_desk import news_after
from intake.order_push import Herald
from intake.order_work import after_step
from intake.outbox import DELAYS
from intake.records import Task
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import NOON, make_case

SECRET = "0123456789abcdef-secret"


async def owed_news(store: AnyStore) -> News:
    case = make_case(channel="upstream", upstream_no="A-1", upstream_source="12345", upstream_state="signed")
    order = Order(7, "12345", "A-1", case.case_no, NOON)
    news = News(8, 7, "12345", "sign_order", NOON, {"state": "accepted"}, "waiting", next_at=NOON)
    await store.write(lambda work: work.add(case, order, news))
    return news


async def held(store: AnyStore) -> News:
    news = await store.read(lambda work: work.get(News, 8))
    assert news is not None
    return news


async def test_news_are_pushed_once_and_marked(either_store: AnyStore) -> None:
    await owed_news(either_store)
    pushed: list[tuple[int, str]] = []

    async def push(news: News, order: Order) -> None:
        pushed.append((news.news_id, order.number))

    herald = Herald(either_store, {"12345": push})
    assert await herald.push_due() == 1
    assert await herald.push_due() == 0
    assert pushed == [(8, "A-1")]
    assert (await held(either_store)).state == "sent"


async def test_a_source_that_is_away_is_tried_again_until_a_person_must_see_to_it(
    either_store: AnyStore, clock: FakeClock
) -> None:
    await owed_news(either_store)

    async def push(news: News, order: Order) -> None:
        raise SendError("unavailable")

    herald = Herald(either_store, {"12345": push})
    for delay in DELAYS:
        assert await herald.push_due() == 1
        assert (await held(either_store)).state == "waiting"
        clock.pass_time(seconds=delay.total_seconds() + 1)
    assert await herald.push_due() == 1
    assert (await held(either_store)).state == "failed"
    tasks = await either_store.read(lambda work: work.find(Task, kind="order_push", state="open"))
    assert len(tasks) == 1


async def test_what_a_dead_gateway_was_pushing_is_pushed_again(either_store: AnyStore, clock: FakeClock) -> None:
    await owed_news(either_store)

    async def dies(news: News, order: Order) -> None:
        raise KeyboardInterrupt

    pushed: list[int] = []

    async def push(news: News, order: Order) -> None:
        pushed.append(news.news_id)

    with pytest.raises(KeyboardInterrupt):
        await Herald(either_store, {"12345": dies}).push_due()
    assert await Herald(either_store, {"12345": push}).push_due() == 0
    clock.pass_time(minutes=3)
    assert await Herald(either_store, {"12345": push}).push_due() == 1
    assert pushed == [8]


async def test_without_an_address_news_wait_to_be_picked_up(either_store: AnyStore) -> None:
    await owed_news(either_store)
    assert await Herald(either_store, {}).push_due() == 0
    assert (await held(either_store)).state == "held"


@pytest.mark.parametrize(("status", "outcome"), [(200, ""), (204, ""), (302, "refused"), (404, "refused"), (500, "unavailable"),
                                                 (429, "throttled")])  # fmt: skip
async def test_a_push_is_signed_and_only_a_2xx_counts(status: int, outcome: str) -> None:
    seen: list[tuple[dict[str, str], bytes]] = []

    async def receive(request: web.Request) -> web.Response:
        seen.append((dict(request.headers), await request.read()))
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/push", receive)
    order = Order(7, "12345", "A-1", 26112000001, NOON)
    news = News(8, 7, "12345", "answer_order", NOON, {"text": "已清走"})
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        webhook = OrderWebhook(PushSetting(str(server.make_url("/push")), SECRET), http)
        if outcome:
            with pytest.raises(SendError) as caught:
                await webhook.push(news, order)
            assert caught.value.outcome == outcome
        else:
            await webhook.push(news, order)
    headers, body = seen[0]
    expected = hmac.new(SECRET.encode(), headers["X-Intake-Timestamp"].encode() + b"." + body, hashlib.sha256)
    assert headers["X-Intake-Signature"] == expected.hexdigest()
    told = json.loads(body)
    assert (told["id"], told["source_no"], told["text"]) == ("8", "A-1", "已清走")


@pytest.mark.parametrize("given", [{}, {"push_url": "ftp://x", "secret": SECRET}, {"push_url": "https://a.example", "secret": "x"},
                                   {"push_url": "https://a.example", "secret": SECRET, "colour": "red"}])  # fmt: skip
def test_a_wrong_setting_is_refused_by_name(given: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        read_setting("12345", given)


@pytest.mark.parametrize(("url", "is_taken"), [
    ("https://12345.example/push", True), ("HTTPS://12345.example/push", True), ("http://127.0.0.1:9000/push", True),
    ("http://[::1]/push", True), ("http://localhost/push", True),
    ("http://12345.example/push", False), ("http://10.0.0.7/push", False), ("http://127.0.0.1.example/push", False),
    ("http://localhost.example/push", False), ("http://127.0.0.1@12345.example/push", False), ("https://", False),
    ("https:///push", False), ("https://[::1/push", False), ("https://a.example:x/push", False), ("//a.example/push", False),
])  # fmt: skip
def test_news_leave_this_machine_encrypted_only(url: str, is_taken: bool) -> None:
    given = {"push_url": url, "secret": SECRET}
    if is_taken:
        assert read_setting("12345", given) == PushSetting(url, SECRET)
        return
    with pytest.raises(Misconfigured, match="来源 12345 的 push_url 应为 https:// 开头的网址"):
        read_setting("12345", given)


async def more_news(store: AnyStore, *numbers: int) -> None:
    news = [News(number, 7, "12345", "contact_order", NOON, {}, "waiting", next_at=NOON) for number in numbers]
    await store.write(lambda work: work.add(*news))


async def test_nothing_overtakes_news_that_could_not_be_pushed(either_store: AnyStore, clock: FakeClock) -> None:
    await owed_news(either_store)
    await more_news(either_store, 9, 10)
    pushed: list[int] = []
    away = True

    async def push(news: News, order: Order) -> None:
        if away:
            raise SendError("unavailable")
        pushed.append(news.news_id)

    herald = Herald(either_store, {"12345": push})
    assert await herald.push_due() == 3
    await more_news(either_store, 11)
    assert await herald.push_due() == 0
    away = False
    clock.pass_time(seconds=DELAYS[0].total_seconds() + 1)
    assert await herald.push_due() == 4
    assert pushed == [8, 9, 10, 11]
    assert [(await either_store.read(lambda work, n=n: work.get(News, n))).attempts for n in (8, 9)] == [2, 1]  # type: ignore[misc]


async def test_of_two_gateways_one_pushes(either_store: AnyStore) -> None:
    await owed_news(either_store)
    pushed: list[int] = []

    async def push(news: News, order: Order) -> None:
        pushed.append(news.news_id)

    await asyncio.gather(*(Herald(either_store, {"12345": push}).push_due() for _ in range(5)))
    assert pushed == [8]


async def test_a_fault_of_ours_about_one_piece_is_given_up_to_a_person_and_holds_nothing_up(
    either_store: AnyStore, clock: FakeClock
) -> None:
    await owed_news(either_store)
    await more_news(either_store, 9)
    pushed: list[int] = []

    async def push(news: News, order: Order) -> None:
        if news.news_id == 8:
            raise ValueError
        pushed.append(news.news_id)

    herald = Herald(either_store, {"12345": push})
    for _ in range(10):
        await herald.push_due()
        clock.pass_time(minutes=6)
    assert ((await held(either_store)).state, pushed) == ("failed", [9])
    assert len(await either_store.read(lambda work: work.find(Task, kind="order_push", state="open"))) == 1


async def test_a_later_piece_of_news_always_has_the_higher_number(either_store: AnyStore) -> None:
    """Whichever gateway wrote it: numbers are leased in blocks, and a source reads on from the last it has."""
    await owed_news(either_store)
    far = News(10**12, 7, "12345", "contact_order", NOON, {}, "held")
    await either_store.write(lambda work: work.add(far))
    case = await either_store.read(lambda work: work.find(Case)[0])
    await either_store.write(lambda work: after_step(work, "sign_order", case, case, {}))
    found = await either_store.read(lambda work: news_after(work, "12345", far.news_id))
    assert [news.kind for news, _ in found] == ["sign_order"]
