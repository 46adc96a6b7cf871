"""SMS by a domestic aggregator, in each ready shape, against a server that behaves like one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from channels.sms_aggregator import AggregatorSms, Settings, build
from channels.sms_aggregator_shape import load_shape
from intake.errors import Misconfigured, SendError
from intake.model import Case, Outbound, Receipt
from intake.profile import City
from intake.records import OutboxRow, Task
from intake.text import sms_parts
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import PHONE
from tests.providers.aggregator_server import ACCOUNT, SECRET, AggregatorServer, Pushes
from tests.providers.story import Story, story

SHAPES = ("form_digest", "json_hmac", "json_digest")
MOBILE = PHONE.removeprefix("+86")
ACKS = {"form_digest": "0", "json_hmac": '{"code":0}', "json_digest": "SUCCESS"}


@pytest.fixture(params=SHAPES)
async def aggregator(request: pytest.FixtureRequest) -> AsyncIterator[AggregatorServer]:
    server = AggregatorServer(request.param)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def channel(aggregator: AggregatorServer) -> AsyncIterator[AggregatorSms]:
    assert aggregator.server
    url = str(aggregator.server.make_url("/send"))
    async with aiohttp.ClientSession() as http:
        allow = ("127.0.0.0/8",) if aggregator.shape == "json_digest" else ()
        yield build(Settings(url, ACCOUNT, SECRET, aggregator.shape, allow_from=allow), http)


@pytest.fixture
async def running(
    either_store: AnyStore, city: City, clock: FakeClock, channel: AggregatorSms, tmp_path: Path, vault: Vault
) -> AsyncIterator[Story]:
    async with story(either_store, city, clock, channel, name="sms_aggregator", folder=tmp_path, vault=vault) as running:
        yield running


def outbound(text: str = "编号26112000001已受理", ref: str = "r1") -> Outbound:
    return Outbound(ref, "sms", PHONE, tuple(sms_parts(text)))


async def test_a_report_goes_all_the_way_to_the_rating(running: Story, aggregator: AggregatorServer) -> None:
    pushes = Pushes(running.client, aggregator.shape)
    assert await pushes.message("1", MOBILE, "有一堆垃圾没人清理") == (200, ACKS[aggregator.shape])
    [case] = await running.all(Case)
    await running.courier.send_due()
    assert str(case.case_no) in aggregator.text()
    await pushes.message("2", f"86{MOBILE}", "人民广场北门")
    await running.courier.send_due()
    await running.file(case.case_no)
    await running.courier.send_due()
    assert "已受理立案" in aggregator.text()
    await pushes.receipt(f"T{len(aggregator.sent)}", "DELIVRD")
    assert await running.debts() == [("filing", "delivered")]
    await running.handle_and_close(case.case_no)
    await running.courier.send_due()
    await pushes.receipt(f"T{len(aggregator.sent)}", "DELIVRD")
    assert await running.debts() == [("filing", "delivered"), ("closing", "delivered")]
    await pushes.message("3", MOBILE, "１")
    after = await running.case(case.case_no)
    assert (after.state.value, after.rating, after.place.text) == ("archived", 1, "人民广场北门")
    assert aggregator.forged == 0


async def test_pushes_repeated_with_growing_gaps_are_one_report(running: Story, aggregator: AggregatorServer, clock: FakeClock) -> None:
    pushes = Pushes(running.client, aggregator.shape)
    for gap in (1, 10, 60, 600, 3600):
        await asyncio.gather(*(pushes.message("1", MOBILE, "人民广场北门垃圾没人清理") for _ in range(4)))
        clock.pass_time(seconds=gap)
    assert len(await running.all(Case)) == 1
    assert len(await running.all(OutboxRow)) == 1


async def test_an_undelivered_reply_becomes_a_call_and_a_late_receipt_still_settles_it(
    running: Story, aggregator: AggregatorServer
) -> None:
    pushes = Pushes(running.client, aggregator.shape)
    await pushes.message("1", MOBILE, "人民广场北门垃圾没人清理")
    [case] = await running.all(Case)
    await running.file(case.case_no)
    await running.courier.send_due()
    number = next(f"T{n}" for n, _ in enumerate(aggregator.sent, 1) if "已受理立案" in aggregator.text(n - 1))
    await pushes.receipt(number, "UNDELIV")
    assert [task.kind for task in await running.all(Task, state="open")] == ["call_reply"]
    await pushes.receipt(number, "DELIVRD")
    assert await running.debts() == [("filing", "delivered")]


async def test_a_message_lost_on_the_way_back_is_doubled_nowhere(channel: AggregatorSms, aggregator: AggregatorServer) -> None:
    aggregator.faults = ["lost"]
    with pytest.raises(SendError) as caught:
        await channel.send(outbound())
    if aggregator.shape == "json_hmac":
        assert caught.value.outcome == "timeout"
        assert await channel.send(outbound()) == Receipt("T1")
    else:
        assert caught.value.outcome == "unknown"
    assert len(aggregator.sent) == 1


CODES = {
    "form_digest": {"1010": "throttled", "1020": "bad_address", "1021": "opted_out", "1030": "too_long", "1002": "unavailable", "9": "refused"},
    "json_hmac": {"RATE_LIMIT": "throttled", "BAD_PHONE": "bad_address", "BLACKLIST": "opted_out", "AUTH": "unavailable", "X": "refused"},
    "json_digest": {"TooFrequent": "throttled", "InvalidMobile": "bad_address", "BlackMobile": "opted_out", "IllegalMac": "unavailable"},
}  # fmt: skip


async def test_each_code_is_told_by_its_own_name(channel: AggregatorSms, aggregator: AggregatorServer) -> None:
    for code, outcome in CODES[aggregator.shape].items():
        aggregator.faults = [code]
        with pytest.raises(SendError) as caught:
            await channel.send(outbound())
        assert caught.value.outcome == outcome, code
    assert aggregator.sent == []


async def test_a_long_text_with_rare_characters_arrives_whole(channel: AggregatorSms, aggregator: AggregatorServer) -> None:
    text = "【城管热线】" + "垃圾𠮷😀已清走，" * 40
    await channel.send(outbound(text))
    assert aggregator.text() == text


async def test_landlines_and_machines_get_no_short_message(channel: AggregatorSms, aggregator: AggregatorServer) -> None:
    for number in ("+865121234567", "12345", "10690001"):
        with pytest.raises(SendError) as caught:
            await channel.send(Outbound("r1", "sms", number, ("x",)))
        assert caught.value.outcome == "bad_address"
    assert aggregator.sent == []


@pytest.mark.parametrize("aggregator", ["json_digest"], indirect=True)  # the one shape that does not sign its pushes
async def test_unsigned_pushes_need_a_list_of_addresses_and_come_from_it_only(
    running: Story, aggregator: AggregatorServer, channel: AggregatorSms
) -> None:
    with pytest.raises(Misconfigured, match="allow_from"):
        build(Settings("http://127.0.0.1:9", ACCOUNT, SECRET, "json_digest"), channel._http)
    channel._networks = ()
    elsewhere = build(Settings("http://127.0.0.1:9", ACCOUNT, SECRET, "json_digest", allow_from=("198.51.100.0/24",)), channel._http)
    channel._networks = elsewhere._networks
    assert (await Pushes(running.client, aggregator.shape).message("1", MOBILE, "人民广场北门垃圾没人清理"))[0] == 403
    assert await running.all(Case) == []


def test_a_city_s_own_shape_is_read_and_a_wrong_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    good = """[shapes.own.send]\nformat="form"\nfields={to="{phone}",body="{text}"}\nok=["ok"]\n
[shapes.own.push]\nformat="json"\nmessage={id="i",phone="p",text="t"}\nreceipt={id="i",state="s",code="c",delivered=["D"],pending=[]}\n"""
    path.write_text(good, encoding="utf-8")
    assert load_shape("own", str(path)).send.fields["to"] == "{phone}"
    for wrong in (good.replace("{phone}", "{mobile}"), good.replace('"form"', '"soap"'), good + 'sign="sorted_md5"\n', "x"):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(Misconfigured):
            load_shape("own", str(path))
