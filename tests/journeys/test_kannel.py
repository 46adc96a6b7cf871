"""A city's own line by the real Kannel: a phone writes through its fake message centre, both replies arrive, reports come
back; long messages in pieces; Kannel tries again while we are away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from channels.sms_kannel import HOOK, KannelSms, Settings, build
from intake import outbox
from intake.errors import SendError
from intake.model import Case, Outbound
from intake.profile import City
from intake.records import DeliveryRow, OutboxRow
from intake.text import sms_parts
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import PHONE
from tests.providers.story import PUBLIC, Story, story
from tests.servers import free_port
from tests.servers_kannel import NUMBER, PASSWORD, PUSH_SECRET, USER, Kannel, find_kannel, kannel

pytestmark = pytest.mark.servers
LOOKS = 400
DIGITS = PHONE.removeprefix("+86")


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    """Wait for what other processes do: polling a condition with a generous deadline, not waiting for time to pass."""
    for _ in range(LOOKS):
        if await holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen")


def channel_of(send_url: str, http: aiohttp.ClientSession, callback_url: str, password: str = PASSWORD) -> KannelSms:
    return build(Settings(send_url, USER, password, PUSH_SECRET, ("127.0.0.1/32",), NUMBER, PUBLIC, callback_url), http)


@asynccontextmanager
async def line(
    store: AnyStore, city: City, clock: FakeClock, folder: Path, vault: Vault, *, combines: bool = True
) -> AsyncIterator[tuple[Story, Kannel]]:
    """The gateway and Kannel, each knowing the other's address."""
    find_kannel()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        server = Kannel(f"http://127.0.0.1:{(port := free_port())}{HOOK}", combines)
        stack.callback(server.stop)
        channel = channel_of(server.send_url, http, f"http://127.0.0.1:{port}")
        running = await stack.enter_async_context(
            story(store, city, clock, channel, name="sms_kannel", folder=folder, vault=vault, port=port)
        )
        await asyncio.to_thread(server.start)
        yield running, server


async def until_heard(holds: Callable[[], object]) -> None:
    async def look() -> object:
        return holds()

    await until(look)


async def wait_for(running: Story, kind: type, count: int = 1, **where: object) -> None:
    async def look() -> object:
        return len(await running.all(kind, **where)) >= count

    await until(look)


async def wait_for_case(running: Story, number: int, holds: Callable[[Case], object]) -> None:
    async def look() -> object:
        return holds(await running.case(number))

    await until(look)


async def test_a_message_comes_in_both_replies_go_out_and_reports_settle_them(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path, vault: Vault
) -> None:
    async with line(either_store, city, clock, tmp_path, vault) as (running, server):
        server.say(DIGITS, "有一堆  垃圾没人清理😀")
        await wait_for(running, Case)
        [case] = await running.all(Case)
        await running.courier.send_due()
        await until_heard(server.texts)
        await until_heard(lambda: "？" in server.texts()[0])
        assert str(case.case_no) in server.texts()[0]
        assert {to for to, _, _ in server.heard()} == {PHONE}

        server.say(DIGITS, "人民广场北门")
        await wait_for_case(running, case.case_no, lambda case: case.place.text)
        await running.courier.send_due()
        await running.file(case.case_no)
        await running.courier.send_due()
        await wait_for(running, OutboxRow, 3, state=outbox.DELIVERED)
        assert await running.debts() == [("filing", "delivered")]

        await running.handle_and_close(case.case_no)
        await running.courier.send_due()
        await wait_for(running, OutboxRow, 4, state=outbox.DELIVERED)
        assert await running.debts() == [("filing", "delivered"), ("closing", "delivered")]
        server.say(DIGITS, "１")
        await wait_for_case(running, case.case_no, lambda case: case.rating)
        assert {report.outcome for report in await running.all(DeliveryRow)} == {"delivered", "accepted"}


@pytest.mark.parametrize("combines", [True, False])
async def test_a_long_message_in_pieces_is_one_report(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path, vault: Vault, *, combines: bool
) -> None:
    async with line(either_store, city, clock, tmp_path, vault, combines=combines) as (running, server):
        server.say_piece(DIGITS, "rubbish 垃圾 at the north gate ", ref=7, number=2, total=2)
        server.say_piece(DIGITS, "人民广场北门 ", ref=7, number=1, total=2)
        await wait_for(running, Case)
        [case] = await running.all(Case)
        assert "人民广场北门" in case.description
        assert case.description.index("人民广场北门") < case.description.index("rubbish")


async def test_kannel_tries_again_until_we_are_there(
    store: AnyStore, city: City, clock: FakeClock, tmp_path: Path, vault: Vault
) -> None:
    find_kannel()
    port = free_port()
    with kannel(f"http://127.0.0.1:{port}{HOOK}") as server:
        server.say(DIGITS, "人民广场北门有一堆垃圾")
        log = server.folder / "smsbox.log"
        await until_heard(lambda: b"retry" in log.read_bytes().lower())
        async with aiohttp.ClientSession() as http:
            channel = channel_of(server.send_url, http, f"http://127.0.0.1:{port}")
            async with story(store, city, clock, channel, name="sms_kannel", folder=tmp_path, vault=vault, port=port) as running:
                await wait_for(running, Case)
                assert len(await running.all(Case)) == 1


async def test_long_texts_are_cut_where_we_cut_and_faults_are_told_apart() -> None:
    with kannel("http://127.0.0.1:9/hooks/sms_kannel") as server:
        server.listen()
        async with aiohttp.ClientSession() as http:
            channel = channel_of(server.send_url, http, "http://127.0.0.1:9")
            text = "长" * 66 + "𠀀" + "尾" * 10
            await channel.send(Outbound("r1", "sms", PHONE, tuple(sms_parts(text))))
            await until_heard(lambda: len(server.heard()) == 2)
            assert server.heard()[0][2].decode("utf-16-be") == "长" * 66 + " "
            assert server.heard()[1][2].decode("utf-16-be") == "𠀀" + "尾" * 10

            wrong = channel_of(server.send_url, http, "http://127.0.0.1:9", password="another")
            for sender, address, outcome in ((wrong, PHONE, "unavailable"), (channel, "nobody", "bad_address")):
                with pytest.raises(SendError) as caught:
                    await sender.send(Outbound("r2", "sms", address, ("你好",)))
                assert caught.value.outcome == outcome
