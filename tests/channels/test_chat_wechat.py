"""WeChat against a server that behaves like it: safe mode, windows and the route ladder, the token, receipts, faults."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from channels.chat_wechat import ChatWechat, Settings, build
from channels.webhook import Forged, ProviderCall
from intake.call import CallRecording
from intake.channel_memory import OwnMemory, StoreMemory
from intake.coordinates import gcj02_to_wgs84
from intake.errors import BadPayload, Misconfigured, SendError
from intake.model import Case, Outbound, Receipt
from intake.profile import City
from intake.records import Attachment, Contact, DeliveryRow, JournalEntry, OutboxRow, Task
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock, FakeSms
from tests.make import NOON, PHONE
from tests.providers.story import PUBLIC, Story, story
from tests.providers.wechat_server import (
    AES_KEY,
    APP_ID,
    APP_SECRET,
    HOOK,
    OPENID,
    TEMPLATE_ID,
    TOKEN,
    Callbacks,
    WechatServer,
    document,
    envelope,
    sealed,
    signature,
)  # fmt: skip

TEXT = "人民广场北门有一堆垃圾没人清理"


@pytest.fixture
async def wechat(clock: FakeClock) -> AsyncIterator[WechatServer]:
    server = WechatServer(clock)
    await server.start()
    yield server
    await server.stop()


def settings(wechat: WechatServer, **changes: Any) -> Settings:
    assert wechat.server
    base_url = str(wechat.server.make_url("")).rstrip("/")
    given = Settings(APP_ID, APP_SECRET, TOKEN, AES_KEY, TEMPLATE_ID, public_url=PUBLIC, base_url=base_url)
    return replace(given, **changes)


@pytest.fixture
async def channel(wechat: WechatServer) -> AsyncIterator[ChatWechat]:
    async with aiohttp.ClientSession() as http:
        yield build(settings(wechat), http)


@pytest.fixture
def sms() -> FakeSms:
    return FakeSms()


@pytest.fixture
async def running(
    either_store: AnyStore, city: City, clock: FakeClock, channel: ChatWechat, tmp_path: Path, vault: Vault, sms: FakeSms
) -> AsyncIterator[Story]:
    async with story(
        either_store, city, clock, channel, name="chat_wechat", folder=tmp_path, vault=vault, others=[sms]
    ) as running:
        channel.remember(StoreMemory(either_store, "chat_wechat", "gw"))
        yield running


@pytest.fixture
def callbacks(running: Story, wechat: WechatServer) -> Callbacks:
    return Callbacks(running.client, wechat)


def outbound(text: str = "编号26112000001已受理", **more: Any) -> Outbound:
    return Outbound("r1", more.pop("channel", "wechat"), OPENID, (text,), **more)


def open_window(wechat: WechatServer, left: int = 5) -> None:
    wechat.windows[OPENID] = (wechat.now() + timedelta(hours=48), left)


async def reported(running: Story, callbacks: Callbacks) -> int:
    assert await callbacks.says(TEXT) == (200, "success")
    [case] = await running.all(Case)
    await running.send_all()
    return int(case.case_no)


# The whole story


async def test_with_the_window_shut_the_replies_go_as_notices_and_the_rating_comes_back(
    running: Story, callbacks: Callbacks, wechat: WechatServer
) -> None:
    number = await reported(running, callbacks)
    assert str(number) in wechat.texts()[-1]
    wechat.shut_window()
    await running.file(number)
    await running.send_all()
    assert await running.sendings(number) == [("wechat", "failed", "window_closed"), ("wechat_template", "sent", "")]
    notice = wechat.notices[-1]
    assert notice["data"]["character_string1"] == {"value": str(number)}
    assert notice["data"]["thing2"] == {"value": "立案告知"}
    assert notice["url"] == f"{PUBLIC}/status?no={number}"
    assert await running.debts() == [("filing", "")]
    assert await callbacks.receipt() == (200, "success")
    assert await running.debts() == [("filing", "delivered")]

    await running.handle_and_close(number)
    await running.send_all()
    assert "垃圾已清走" in wechat.notices[-1]["data"]["thing3"]["value"]
    await callbacks.receipt()
    assert await running.debts() == [("filing", "delivered"), ("closing", "delivered")]
    await callbacks.says("1")
    after = await running.case(number)
    assert (after.state.value, after.rating) == ("archived", 1)
    assert len(await running.all(Case)) == 1


async def test_within_the_window_the_closing_reply_can_be_rated_by_a_tap(
    running: Story, callbacks: Callbacks, wechat: WechatServer
) -> None:
    number = await reported(running, callbacks)
    await running.file(number)
    await running.handle_and_close(number)
    await running.send_all()
    assert wechat.menu() == ["1 满意", "2 不满意"]
    assert [route for route, _, _ in await running.sendings(number)] == ["wechat", "wechat"]
    assert await running.debts() == [("filing", "delivered"), ("closing", "delivered")]
    await callbacks.says("2 不满意", bizmsgmenuid="2")
    assert (await running.case(number)).rating == 2
    assert [task.kind for task in await running.all(Task, state="open")] == ["revisit"]


async def test_each_rung_of_the_ladder_stands_in_the_ledger_with_its_reason(
    running: Story, callbacks: Callbacks, wechat: WechatServer, sms: FakeSms
) -> None:
    """Talk, notice, short message, and at last a person."""
    number = await reported(running, callbacks)
    await callbacks.says("联系电话：199 0000 0001")
    [contact] = await running.all(Contact)
    assert contact.phone == PHONE
    await running.send_all()
    wechat.faults = [45047, 43101]
    sms.failures = [SendError("refused")]
    await running.file(number)
    await running.send_all()
    assert await running.sendings(number) == [
        ("wechat", "failed", "window_closed"), ("wechat_template", "failed", "not_following"), ("sms", "failed", "refused"),
    ]  # fmt: skip
    assert [task.kind for task in await running.all(Task, state="open")] == ["call_reply"]
    assert await running.debts() == [("filing", "")]


async def test_a_notice_refused_by_its_reader_goes_on_as_a_short_message(
    running: Story, callbacks: Callbacks, wechat: WechatServer, sms: FakeSms
) -> None:
    number = await reported(running, callbacks)
    await callbacks.says("我的电话是19900000001")
    await running.send_all()
    wechat.shut_window()
    await running.file(number)
    await running.send_all()
    await callbacks.receipt("failed:user block")
    await running.send_all()
    assert [(route, outcome) for route, _, outcome in await running.sendings(number)] == [
        ("wechat", "window_closed"), ("wechat_template", "user block"), ("sms", ""),
    ]  # fmt: skip
    assert sms.sent[-1].address == PHONE


async def test_a_refusal_that_overtakes_our_own_note_opens_the_next_rung(
    running: Story, callbacks: Callbacks, wechat: WechatServer, sms: FakeSms
) -> None:
    number = await reported(running, callbacks)
    await callbacks.says("我的电话是19900000001")
    await running.send_all()
    wechat.shut_window()
    await callbacks.receipt("failed:user block", number=1)
    await running.file(number)
    await running.send_all()
    assert [(route, outcome) for route, _, outcome in await running.sendings(number)] == [
        ("wechat", "window_closed"), ("wechat_template", "user block"), ("sms", ""),
    ]  # fmt: skip
    assert len(sms.sent) == 1


async def test_late_repeated_and_contradictory_receipts_of_a_notice_end_a_debt_once(
    running: Story, callbacks: Callbacks, wechat: WechatServer
) -> None:
    number = await reported(running, callbacks)
    wechat.shut_window()
    await running.file(number)
    await running.send_all()
    for status in ("success", "failed: system failed", "success"):
        assert await callbacks.receipt(status) == (200, "success")
    assert await running.debts() == [("filing", "delivered")]
    assert len(await running.all(DeliveryRow)) == 3
    assert await running.all(Task, state="open") == []


async def test_a_bare_number_is_not_taken_for_the_writer_s_own(running: Story, callbacks: Callbacks) -> None:
    await callbacks.says("电线杆上贴满小广告，号码19900000002")
    await callbacks.says("19900000002")
    [contact] = await running.all(Contact)
    assert contact.phone == ""


# Kinds of messages


async def test_a_picture_a_place_and_a_voice_note_join_the_report(
    running: Story, callbacks: Callbacks, wechat: WechatServer
) -> None:
    picture = io.BytesIO()
    Image.effect_noise((320, 240), 60).convert("RGB").save(picture, "JPEG")
    wechat.media["media-1"] = picture.getvalue()
    await callbacks.says("有一堆垃圾没人清理")
    await callbacks.says(MsgType="location", Location_X=30.5, Location_Y=104.06, Label="某路口")
    await callbacks.says(MsgType="image", PicUrl="http://169.254.169.254/latest", MediaId="media-1")
    wechat.media["media-2"] = b"#!AMR\n" + b"\x00" * 200
    await callbacks.says(MsgType="voice", MediaId="media-2", Recognition="已经好几天了。")
    [case] = await running.all(Case)
    [note] = await running.all(CallRecording, case_no=case.case_no)
    assert (note.mime, note.size, note.kind) == ("audio/amr", 206, "voice_note")
    assert {one.usage for one in await running.all(Attachment)} == {"report", "recording"}
    lon, lat = gcj02_to_wgs84(104.06, 30.5)
    assert (case.place.lon, case.place.lat, case.place.coord_sys) == (pytest.approx(lon), pytest.approx(lat), "gcj02")
    assert any("已经好几天了" in remark.text for remark in await running.remarks(case.case_no))


async def test_a_picture_that_cannot_be_fetched_is_told_and_holds_nothing_up(
    running: Story, callbacks: Callbacks, wechat: WechatServer
) -> None:
    wechat.media["huge"] = b"x" * (10 * 1024 * 1024 + 1)
    number = await reported(running, callbacks)
    for media_id in ("gone", "huge"):
        assert await callbacks.says(MsgType="image", MediaId=media_id) == (200, "success")
    await running.send_all()
    assert "照片没有收到" in wechat.texts()[-1]
    assert await running.all(Attachment, case_no=number) == []


async def test_leaving_opts_out_and_following_again_undoes_it(running: Story, callbacks: Callbacks, wechat: WechatServer) -> None:
    number = await reported(running, callbacks)
    assert await callbacks.event("unsubscribe") == (200, "success")
    [contact] = await running.all(Contact)
    assert contact.opted_out_at is not None
    assert await running.all(OutboxRow, state="waiting") == []
    await running.file(number)
    assert await running.debts() == [("filing", "published")]
    wechat.now.pass_time(seconds=1)  # type: ignore[attr-defined]
    await callbacks.event("subscribe")
    [contact] = await running.all(Contact)
    assert contact.opted_out_at is None


# Repeats and forgeries


async def test_the_same_message_many_times_in_parallel_is_one_case(running: Story, callbacks: Callbacks) -> None:
    plain = document(ToUserName="gh", FromUserName=OPENID, CreateTime=1795147200, MsgType="text", Content=TEXT, MsgId=61)
    told = await asyncio.gather(*(callbacks.post(plain) for _ in range(20)))
    assert set(told) == {(200, "success")}
    assert (len(await running.all(Case)), len(await running.all(OutboxRow))) == (1, 1)


async def test_an_event_without_an_id_is_known_by_who_and_when(running: Story, callbacks: Callbacks) -> None:
    for _ in range(3):
        assert await callbacks.event("subscribe") == (200, "success")
    entries = await running.all(JournalEntry)
    assert (len(entries), OPENID in entries[0].provider_id) == (1, False)


async def test_the_first_question_is_echoed_to_wechat_alone(running: Story, callbacks: Callbacks) -> None:
    assert await callbacks.ask("8216498") == (200, "8216498")
    assert (await callbacks.ask(token="another"))[0] == 403


async def test_forged_and_stale_requests_are_refused_and_nothing_is_stored(running: Story, callbacks: Callbacks) -> None:
    plain = document(ToUserName="gh", FromUserName=OPENID, CreateTime=1795147200, MsgType="text", Content=TEXT, MsgId=61)
    query, body = envelope(plain, at=NOON)
    _, other = envelope(plain.replace("垃圾", "石头"), at=NOON)
    told = [
        await callbacks.post(plain, token="another"),
        await callbacks.post(plain, app_id="wx1111111111111111"),
        await callbacks.post(plain, at=NOON - timedelta(minutes=11)),
        await callbacks.post(plain, at=NOON + timedelta(minutes=11)),
        await callbacks.deliver(query, other),
        await callbacks.deliver(query, plain),
        await callbacks.deliver(query.replace("msg_signature", "m"), body),
        await callbacks.deliver("", body),
    ]
    assert {status for status, _ in told} == {403}
    assert await running.all(JournalEntry) == []


def signed_call(inside: str) -> ProviderCall:
    """A call whose signatures are right, whatever stands inside."""
    stamp = str(int(NOON.timestamp()))
    query = f"signature={signature(TOKEN, stamp, '1')}&timestamp={stamp}&nonce=1&msg_signature={signature(TOKEN, stamp, '1', inside)}"
    return ProviderCall("POST", f"{PUBLIC}{HOOK}?{query}", NOON, {}, document(Encrypt=inside).encode())


@pytest.mark.parametrize("inside", ["", "AAAA", "not base64!", sealed("<xml/>", app_id="wx1"), sealed("<xml/>")[:-24]],
                         ids=["empty", "short", "no base64", "another account", "cut"])  # fmt: skip
def test_what_is_signed_but_not_sealed_for_us_is_refused(channel: ChatWechat, inside: str) -> None:
    with pytest.raises(Forged):
        channel.verify(signed_call(inside))


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml><MsgType>text</MsgType><Content>&b;</Content></xml>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><MsgType>text</MsgType><Content>&a;</Content></xml>'


@pytest.mark.parametrize("plain", [BOMB, OUTSIDE, "", "<xml>", "no xml at all", "<xml><MsgType>text</MsgType></xml>"])
def test_entities_outside_references_and_broken_documents_are_refused(channel: ChatWechat, plain: str) -> None:
    call = signed_call(sealed(plain))
    channel.verify(call)
    with pytest.raises(BadPayload):
        channel.parse(call)
    with pytest.raises(Forged):
        channel.verify(replace(call, body=plain.encode()))


# Sending


FAULTS = [
    (-1, "unavailable", None), (40003, "bad_address", None), (43004, "not_following", None), (43101, "not_following", None),
    (45002, "too_long", None), (45009, "throttled", 3600.0), (45015, "window_closed", None), (45047, "window_closed", None),
    (47003, "refused", None), (48001, "refused", None), (-503, "unavailable", 7.0), (-429, "throttled", 7.0),
    (-500, "unknown", 7.0), ("garbage", "unknown", None), ("lost", "unknown", None),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "outcome", "wait_s"), FAULTS)
async def test_each_fault_is_told_by_its_own_name(
    channel: ChatWechat, wechat: WechatServer, fault: int | str, outcome: str, wait_s: float | None
) -> None:
    open_window(wechat)
    wechat.faults = [fault]
    with pytest.raises(SendError) as caught:
        await channel.send(outbound())
    assert (caught.value.outcome, caught.value.retry_after_s) == (outcome, wait_s)


async def test_five_messages_go_and_the_sixth_finds_the_window_shut(channel: ChatWechat, wechat: WechatServer) -> None:
    open_window(wechat)
    for number in range(5):
        assert (await channel.send(replace(outbound(), ref=f"r{number}"))).delivered
    with pytest.raises(SendError) as caught:
        await channel.send(outbound())
    assert (caught.value.outcome, len(wechat.said)) == ("window_closed", 5)


async def test_chinese_goes_out_as_it_is(channel: ChatWechat, wechat: WechatServer) -> None:
    open_window(wechat)
    await channel.send(outbound("您好😀", choices=("1 满意",)))
    assert (wechat.texts(), wechat.menu()) == (["您好😀"], ["1 满意"])


async def test_a_notice_has_its_receipt_later_and_a_subscription_notice_none(wechat: WechatServer) -> None:
    async with aiohttp.ClientSession() as http:
        template = build(settings(wechat), http)
        given = outbound("【城管热线】编号26112000001已办结：" + "很长的结果" * 20, channel="wechat_template", case_no=26112000001, subject="结案告知")
        assert await template.send(given) == Receipt("200163841")
        assert await template.send(given) == Receipt("200163841")
        assert len(wechat.notices) == 1
        value = wechat.notices[0]["data"]["thing3"]["value"]
        assert (len(value), value[:5], value[-1]) == (20, "已办结：很", "…")
        fields = ("thing1={subject}", "thing2={text}", "thing3={text}")
        subscribe = build(settings(wechat, template_kind="subscribe", template_fields=fields), http)
        assert (await subscribe.send(given)).delivered
        data = wechat.notices[1]["data"]
        assert data["thing2"]["value"] + data["thing3"]["value"] == "已办结：" + "很长的结果" * 7 + "…"
        assert wechat.notices[1]["page"] == f"{PUBLIC}/status?no=26112000001"


# The token


async def test_many_at_once_ask_for_one_token(channel: ChatWechat, wechat: WechatServer) -> None:
    open_window(wechat, left=20)
    await asyncio.gather(*(channel.send(replace(outbound(), ref=f"r{n}")) for n in range(20)))
    assert (wechat.asked["token"], wechat.asked["forced"], len(wechat.said)) == (1, 0, 20)


async def test_gateways_share_the_token_and_a_restart_asks_for_none(
    either_store: AnyStore, wechat: WechatServer, clock: FakeClock
) -> None:
    open_window(wechat)
    async with aiohttp.ClientSession() as http:
        for gateway in ("one", "two"):
            channel = build(settings(wechat), http)
            channel.remember(StoreMemory(either_store, "chat_wechat", gateway))
            await channel.send(outbound())
        assert wechat.asked["token"] == 1
        clock.pass_time(seconds=7200)
        await channel.send(outbound())
        assert (wechat.asked["token"], wechat.asked["forced"]) == (2, 0)


async def test_a_spoiled_token_is_replaced_once_and_the_message_goes_out(
    running: Story, channel: ChatWechat, wechat: WechatServer
) -> None:
    open_window(wechat)
    await channel.send(outbound())
    wechat.spoil_token()
    await asyncio.gather(*(channel.send(replace(outbound(), ref=f"r{n}")) for n in range(3)))
    assert (wechat.asked["forced"], len(wechat.said)) == (1, 4)
    wechat.spoil_token()
    # Forced a moment ago: now it waits rather than use up the day's twenty.
    await channel.send(outbound())
    assert wechat.asked["forced"] == 1


@pytest.mark.parametrize("fault", [40164, 40125, -1])
async def test_no_token_is_the_administrator_s_to_mend(channel: ChatWechat, wechat: WechatServer, fault: int) -> None:
    wechat.token_faults = [fault]
    with pytest.raises(SendError) as caught:
        await channel.send(outbound())
    assert (caught.value.outcome, wechat.asked["custom"]) == ("unavailable", 0)


async def test_nobody_at_the_door_is_safe_to_try_again(channel: ChatWechat, wechat: WechatServer) -> None:
    memory = OwnMemory()
    await memory.keep("token", "token-0")
    channel.remember(memory)
    await wechat.stop()
    with pytest.raises(SendError) as caught:
        await channel.send(outbound())
    assert caught.value.outcome == "unavailable"


@pytest.mark.parametrize("changes", [
    {"aes_key": "short"}, {"aes_key": "!" * 43}, {"template_kind": "pigeon"}, {"template_fields": ("thing1",)},
    {"template_fields": ("thing1={worker}",)},
])  # fmt: skip
def test_settings_that_cannot_work_are_refused(wechat: WechatServer, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"aes_key|template"):
        settings(wechat, **changes)


def test_a_wrong_setting_is_told_by_its_channel() -> None:
    import channels

    given = {"app_id": APP_ID, "app_secret": APP_SECRET, "token": TOKEN, "aes_key": "short"}
    with pytest.raises(Misconfigured, match=r"chat_wechat.*aes_key"):
        channels.build("chat_wechat", given, None)


def test_notices_are_offered_where_there_is_a_template() -> None:
    import channels

    assert channels.kinds_of({"chat_wechat": {"template_id": ""}}) == {"wechat"}
    assert channels.kinds_of({"chat_wechat": {"template_id": TEMPLATE_ID}}) == {"wechat", "wechat_template"}
