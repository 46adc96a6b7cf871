"""SMS by Twilio against a server that behaves like it: the whole story, signatures, faults, pictures, receipts."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from channels.sms_twilio import Settings, TwilioSms, build
from channels.webhook import Forged, ProviderCall
from intake.errors import SendError
from intake.model import Case, Outbound, Receipt
from intake.profile import City
from intake.records import Attachment, Contact, Debt, DeliveryRow, OutboxRow, Task
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import NOON, PHONE
from tests.providers.story import PUBLIC, Story, story
from tests.providers.twilio_server import NUMBER, SID, TOKEN, TwilioServer, Webhook, incoming, signature, status_of


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioServer]:
    server = TwilioServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def channel(twilio: TwilioServer) -> AsyncIterator[TwilioSms]:
    assert twilio.server
    async with aiohttp.ClientSession() as http:
        base_url = str(twilio.server.make_url("")).rstrip("/")
        yield build(Settings(SID, TOKEN, NUMBER, PUBLIC, base_url=base_url), http)


@pytest.fixture
async def running(
    either_store: AnyStore, city: City, clock: FakeClock, channel: TwilioSms, tmp_path: Path, vault: Vault
) -> AsyncIterator[Story]:
    async with story(either_store, city, clock, channel, name="sms_twilio", folder=tmp_path, vault=vault) as running:
        yield running


@pytest.fixture
def webhook(running: Story) -> Webhook:
    return Webhook(running.client, PUBLIC)


def outbound(text: str = "编号26112000001已受理", ref: str = "r1") -> Outbound:
    return Outbound(ref, "sms", PHONE, (text,))


async def test_a_report_without_a_place_goes_all_the_way_to_the_rating(
    running: Story, webhook: Webhook, twilio: TwilioServer
) -> None:
    assert await webhook.post(incoming("SM1", PHONE, "有一堆垃圾没人清理")) == 200
    [case] = await running.all(Case)
    await running.courier.send_due()
    receipt = twilio.messages[-1].body
    assert (str(case.case_no) in receipt, "查询码" in receipt, receipt.count("？")) == (True, True, 1)

    assert await webhook.post(incoming("SM2", PHONE, "人民广场北门")) == 200
    assert (await running.case(case.case_no)).place.text == "人民广场北门"
    await running.courier.send_due()

    await running.file(case.case_no)
    await running.courier.send_due()
    assert "已受理立案" in twilio.messages[-1].body
    assert await running.debts() == [("filing", "")]
    assert await webhook.post(status_of(twilio.messages[-1], "sent")) == 200
    assert await running.debts() == [("filing", "")]
    assert await webhook.post(status_of(twilio.messages[-1], "delivered")) == 200
    assert await running.debts() == [("filing", "delivered")]

    await running.handle_and_close(case.case_no)
    await running.courier.send_due()
    assert "满意回复1" in twilio.messages[-1].body
    assert await webhook.post(status_of(twilio.messages[-1], "delivered")) == 200
    assert await running.debts() == [("filing", "delivered"), ("closing", "delivered")]

    assert await webhook.post(incoming("SM3", PHONE, "1")) == 200
    after = await running.case(case.case_no)
    assert (after.state.value, after.rating) == ("archived", 1)
    await running.courier.send_due()
    assert twilio.messages[-1].body == "【城管热线】感谢您的评价！"
    assert len(await running.all(Case)) == 1


async def test_a_forged_or_stale_signature_is_refused_and_nothing_is_stored(running: Story, webhook: Webhook) -> None:
    form = incoming("SM1", PHONE, "有一堆垃圾没人清理")
    assert await webhook.post(form, token="another") == 403
    assert await webhook.post(form | {"Body": "别的内容"}, signed=signature(PUBLIC + webhook.path, form)) == 403
    assert await webhook.post(form, signed="") == 403
    assert await webhook.post(form, signed="é") == 403
    assert await running.all(Case) == []


async def test_the_same_webhook_many_times_in_parallel_is_one_case_and_one_answer(running: Story, webhook: Webhook) -> None:
    form = incoming("SM1", PHONE, "人民广场北门垃圾没人清理")
    assert set(await asyncio.gather(*(webhook.post(form) for _ in range(20)))) == {200}
    assert len(await running.all(Case)) == 1
    assert len(await running.all(OutboxRow)) == 1


async def test_late_repeated_and_contradictory_receipts_end_a_debt_once(
    running: Story, webhook: Webhook, twilio: TwilioServer
) -> None:
    await webhook.post(incoming("SM1", PHONE, "人民广场北门垃圾没人清理"))
    [case] = await running.all(Case)
    await running.courier.send_due()
    await running.file(case.case_no)
    await running.courier.send_due()
    for status in ("delivered", "undelivered", "delivered", "sent"):
        assert await webhook.post(status_of(twilio.messages[-1], status, ErrorCode="30003")) == 200
    assert await running.debts() == [("filing", "delivered")]
    assert len(await running.all(DeliveryRow)) == 4
    assert await running.all(Task, state="open") == []


async def test_an_undelivered_reply_becomes_a_call_by_an_operator(running: Story, webhook: Webhook, twilio: TwilioServer) -> None:
    await webhook.post(incoming("SM1", PHONE, "人民广场北门垃圾没人清理"))
    [case] = await running.all(Case)
    await running.courier.send_due()
    await running.file(case.case_no)
    await running.courier.send_due()
    await webhook.post(status_of(twilio.messages[-1], "undelivered", ErrorCode="30005"))
    assert [task.kind for task in await running.all(Task, state="open")] == ["call_reply"]


async def test_a_failed_automatic_answer_troubles_nobody(running: Story, webhook: Webhook, twilio: TwilioServer) -> None:
    twilio.faults = [21614]
    await webhook.post(incoming("SM1", PHONE, "人民广场北门垃圾没人清理"))
    await running.courier.send_due()
    assert [row.state for row in await running.all(OutboxRow)] == ["failed"]
    assert await running.all(Task, state="open") == []


async def test_who_unsubscribed_at_twilio_is_marked_and_told_by_phone(
    running: Story, webhook: Webhook, twilio: TwilioServer
) -> None:
    await webhook.post(incoming("SM1", PHONE, "人民广场北门垃圾没人清理"))
    [case] = await running.all(Case)
    twilio.stopped.add(PHONE)
    await running.courier.send_due()
    [contact] = await running.all(Contact)
    assert contact.opted_out_at is not None
    await running.file(case.case_no)
    assert [task.kind for task in await running.all(Task, state="open")] == ["call_reply"]
    assert len(await running.all(Debt)) == 1


async def test_pictures_are_fetched_with_the_account_s_name_and_joined_to_the_case(
    running: Story, webhook: Webhook, twilio: TwilioServer
) -> None:
    assert twilio.server
    picture = io.BytesIO()
    Image.effect_noise((200, 150), 60).convert("RGB").save(picture, "JPEG")
    twilio.media = {"one": (200, {}, picture.getvalue()), "hop": (302, {"Location": "/media/one"}, b""),
                    "inside": (302, {"Location": "http://127.0.0.1:1/secret"}, b""), "huge": (200, {}, b"x" * 6_000_000),
                    "junk": (200, {}, b"not a picture")}  # fmt: skip
    urls = {f"MediaUrl{n}": str(twilio.server.make_url(f"/media/{name}")) for n, name in enumerate(twilio.media)}
    kinds = {f"MediaContentType{n}": "image/jpeg" for n in range(len(twilio.media))}
    urls |= {"MediaUrl5": "http://169.254.169.254/latest/meta-data"}
    form = incoming("MM1", PHONE, "人民广场北门垃圾没人清理", **urls, **kinds) | {"NumMedia": "6"}
    assert await webhook.post(form) == 200
    assert len(await running.all(Attachment)) == 2
    assert set(twilio.auth_seen) == {aiohttp.encode_basic_auth(SID, TOKEN)}
    [row] = await running.all(OutboxRow)
    assert "照片没有收到" in row.words
    assert len(list(running.media.rglob("*.jpg"))) == 4


SEND_FAULTS = [
    (20429, "throttled"), (429, "throttled"), (503, "unavailable"), (500, "unavailable"), (20003, "unavailable"),
    (21211, "bad_address"), (21614, "bad_address"), (21610, "opted_out"), (21617, "too_long"), (400, "refused"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "outcome"), SEND_FAULTS)
async def test_each_fault_of_the_api_is_told_by_its_own_name(
    channel: TwilioSms, twilio: TwilioServer, fault: int, outcome: str
) -> None:
    twilio.faults = [fault]
    with pytest.raises(SendError) as caught:
        await channel.send(outbound())
    assert caught.value.outcome == outcome
    assert caught.value.retry_after_s == (30 if fault == 20429 else None)


async def test_a_message_taken_without_an_answer_is_found_in_the_list_and_not_sent_twice(
    channel: TwilioSms, twilio: TwilioServer
) -> None:
    twilio.faults = ["lost"]
    assert await channel.send(outbound()) == Receipt(twilio.messages[0].sid)
    assert (len(twilio.messages), twilio.asked["list"]) == (1, 1)
    assert await channel.find(outbound("另一条")) is None


async def test_nobody_at_the_door_is_safe_to_try_again(channel: TwilioSms, twilio: TwilioServer) -> None:
    await twilio.stop()
    with pytest.raises(SendError) as caught:
        await channel.send(outbound())
    assert caught.value.outcome == "unavailable"


async def test_nothing_is_sent_to_our_own_number_nor_taken_from_it(channel: TwilioSms, twilio: TwilioServer) -> None:
    with pytest.raises(SendError):
        await channel.send(Outbound("r1", "sms", NUMBER, ("x",)))
    call = ProviderCall("POST", PUBLIC, NOON, {"content-type": "application/x-www-form-urlencoded"},
                        b"MessageSid=SM1&Body=x&From=%2B8619900000099")  # fmt: skip
    assert channel.parse(call) == []
    assert twilio.messages == []


# The examples of Twilio's own documentation and validators.
DOCUMENTED = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
FORM_TYPE = {"content-type": "application/x-www-form-urlencoded"}
BODY = b'{"property": "value", "boolean": true}'
BODY_URL = DOCUMENTED + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


@pytest.mark.parametrize(("url", "headers", "body", "signed"), [
    (DOCUMENTED, FORM_TYPE, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("https://mycompany.com:443/myapp.php?foo=1&bar=2", FORM_TYPE, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    (BODY_URL, {"content-type": "application/json"}, BODY, "a9nBmqA0ju/hNViExpshrM61xv4="),
])  # fmt: skip
def test_documented_signatures_are_accepted_and_any_change_is_refused(
    channel: TwilioSms, url: str, headers: dict[str, str], body: bytes, signed: str
) -> None:
    call = ProviderCall("POST", url, NOON, headers | {"x-twilio-signature": signed}, body)
    channel.verify(call)
    for changed in (
        ProviderCall("POST", url + "x", NOON, call.headers, body),
        ProviderCall("POST", url, NOON, call.headers, body + b"x"),
        ProviderCall("POST", url, NOON, headers | {"x-twilio-signature": signed[::-1]}, body),
        ProviderCall("POST", url, NOON, headers, body),
    ):
        with pytest.raises(Forged):
            channel.verify(changed)
