"""The citizen's form and receipt, as a browser without JavaScript meets them."""

import re
from collections.abc import AsyncIterator
from dataclasses import fields, replace

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient

from channels.web.server import build_app
from channels.web.setting import WebSetting
from intake.errors import Unavailable
from intake.gateway import Gateway
from intake.model import Case, Inbound
from intake.receive import Received
from intake.records import Attachment, Contact, JournalEntry, Task
from intake.store.sqlite import SqliteStore
from tests.channels.browsing import Page, page_of
from tests.channels.conftest import Client, Served
from tests.channels.pictures import bomb, exif, picture, zipped

TEXT = "人民路菜市场门口垃圾堆了三天"
FIELDS = {"text": TEXT, "place": "人民路菜市场东门", "reply": "page"}


async def opened(client: Client) -> Page:
    return await page_of(await client.get("/"))


def filled(page: Page, *photos: bytes, **fields: str) -> FormData:
    form = FormData(default_to_multipart=True)
    hidden = {name: page.inputs[name] for name in ("form_token", "lon", "lat", "coord_sys")}
    for name, value in (hidden | FIELDS | fields).items():
        form.add_field(name, value)
    for number, photo in enumerate(photos or [b""]):
        form.add_field("photos", photo, filename=f"IMG_{number}.jpg" if photos else "", content_type="image/jpeg")
    return form


async def sent(client: Client, *photos: bytes, **fields: str) -> Page:
    return await page_of(await client.post("/report", data=filled(await opened(client), *photos, **fields)()))


async def cases(store: SqliteStore) -> list[Case]:
    return await store.read(lambda work: work.find(Case))


async def test_the_first_page_shows_form_numbers_and_emergency_calls(client: Client) -> None:
    page = await opened(client)
    assert page.status == 200
    assert "云泽市城市管理热线" in page.text
    for number in ("110", "119", "120", "12319", "96310"):
        assert f"tel:{number}" in page.links
    assert "/status" in page.links
    assert len(page.inputs["form_token"]) >= 32


async def test_every_visible_field_has_a_label_and_no_id_twice(client: Client) -> None:
    page = await opened(client)
    fields = {"text", "place", "photos", "name", "phone", "confidential", "anonymous", "reply-page", "reply-phone"}
    assert fields <= page.labelled
    assert len(page.ids) == len(set(page.ids))


async def test_short_messages_are_offered_only_where_they_can_be_sent(
    gateway: Gateway, web_setting: WebSetting
) -> None:
    offering = replace(gateway, rules=replace(gateway.rules, offered=frozenset({"sms"})))
    for setting, expected in ((gateway, False), (offering, True)):
        async with TestClient(Served(build_app(setting, web_setting))) as client:
            assert ("reply-sms" in (await opened(client)).ids) is expected


async def test_a_report_gives_a_receipt_with_number_code_and_square_code(client: Client, store: SqliteStore) -> None:
    page = await sent(client, name="张女士", phone="199 0000 0001", reply="phone", confidential="1")
    [case] = await cases(store)
    [contact] = await store.read(lambda work: work.find(Contact))
    assert page.status == 200
    assert page.words("number") == [str(case.case_no)]
    assert re.fullmatch(r"\d{6}", page.words("number code")[0])
    assert "<svg" in page.source
    assert (case.description, case.place.text, case.confidential) == (TEXT, "人民路菜市场东门", True)
    assert (contact.name, contact.phone) == ("张女士", "+8619900000001")


async def test_the_code_is_in_no_address_on_the_receipt(client: Client) -> None:
    page = await sent(client)
    [code] = page.words("number code")
    assert not [link for link in [*page.links, *page.actions] if code in link]


async def test_the_same_form_sent_again_gives_the_same_receipt(client: Client, store: SqliteStore) -> None:
    form_page = await opened(client)
    first = await page_of(await client.post("/report", data=filled(form_page, picture())()))
    again = await page_of(await client.post("/report", data=filled(form_page, picture())()))
    # What Chromium sends on a reload when it can no longer read the chosen file.
    emptied = await page_of(await client.post("/report", data=filled(form_page, b"")()))
    assert len(await cases(store)) == 1
    for page in (again, emptied):
        assert page.status == 200
        assert page.words("number code") == first.words("number code")
        assert "没有重复受理" in page.text


async def test_changed_words_under_the_same_token_are_another_report(client: Client, store: SqliteStore) -> None:
    page = await opened(client)
    for text in ("垃圾没人管", "井盖破了"):
        assert (await client.post("/report", data=filled(page, text=text)())).status == 200
    assert len(await cases(store)) == 2


@pytest.mark.parametrize("token", [None, "", "short", "x" * 31])
async def test_two_people_with_the_same_words_never_share_a_receipt(
    client: Client, store: SqliteStore, token: str | None
) -> None:
    """A form without a proper token may come from anybody."""
    body = FIELDS | ({} if token is None else {"form_token": token})
    receipts = [await page_of(await client.post("/report", data=body)) for _ in range(2)]
    assert [page.status for page in receipts] == [200, 200]
    assert receipts[0].words("number") != receipts[1].words("number")
    assert receipts[0].words("number code") != receipts[1].words("number code")
    assert len(await cases(store)) == 2


async def test_a_form_that_comes_back_has_a_proper_token(client: Client) -> None:
    page = await page_of(await client.post("/report", data=FIELDS | {"text": "", "form_token": "short"}))
    assert (page.status, len(page.inputs["form_token"]) >= 32) == (422, True)


async def test_an_empty_photo_is_told_on_the_receipt(client: Client, store: SqliteStore) -> None:
    page = await sent(client, picture(), b"")
    assert page.status == 200
    assert "1 张照片是空的" in page.text
    assert len(await store.read(lambda work: work.find(Attachment))) == 1


async def test_danger_shows_the_emergency_calls_and_alarms_the_shift_leader(client: Client, store: SqliteStore) -> None:
    page = await sent(client, text="小区里闻到煤气味")
    assert "如果有人身危险，请马上拨打" in page.text
    assert re.search(r'class="urged"><a href="tel:119"', page.source)
    assert {"tel:110", "tel:119", "tel:120"} <= set(page.links)
    assert [task.kind for task in await store.read(lambda work: work.find(Task))] == ["emergency"]
    assert "请马上拨打" not in (await sent(client)).text


async def test_the_device_position_is_taken_as_wgs84(client: Client, store: SqliteStore) -> None:
    assert (await sent(client, lon="102.340000", lat="40.330000")).status == 200
    [case] = await cases(store)
    assert (case.place.lon, case.place.lat, case.place.coord_sys) == (102.34, 40.33, "wgs84")
    assert case.place.grid_code


async def test_an_anonymous_report_keeps_no_name_and_phone(client: Client, store: SqliteStore) -> None:
    assert (await sent(client, name="张三", phone="19900000001", anonymous="1")).status == 200
    [entry] = await store.read(lambda work: work.find(JournalEntry))
    assert await store.read(lambda work: work.find(Contact)) == []
    assert "19900000001" not in entry.raw


FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "no text": ({"text": ""}, "text"),
    "emoji only": ({"text": "😀😀"}, "text"),
    "control characters": ({"text": "垃圾\x02"}, "text"),
    "text too long": ({"text": "垃" * 2001}, "text"),
    "long place": ({"place": "路" * 257}, "place"),
    "unreadable phone": ({"phone": "没有"}, "phone"),
    "reply by phone without a phone": ({"reply": "phone"}, "phone"),
    "anonymous and yet by phone": ({"reply": "phone", "phone": "19900000001", "anonymous": "1"}, "anonymous"),
    "a position elsewhere": ({"lon": "116.4", "lat": "39.9"}, "position"),
    "half a position": ({"lon": "102.34"}, "position"),
    "a position that is none": ({"lon": "nan", "lat": "x"}, "position"),
}


async def test_a_fault_is_shown_beside_its_field_and_all_words_stay(
    client: Client, store: SqliteStore, subtests: pytest.Subtests
) -> None:
    for name, (changes, field) in FAULTS.items():
        with subtests.test(name):
            page = await sent(client, **({"name": "李四"} | changes))
            assert page.status == 422
            assert f"{field}-fault" in page.ids
            assert f"#{field}" in page.links
            assert field in page.ids
            typed = {"place": FIELDS["place"], "text": TEXT, "name": "李四"} | changes
            for kept in typed.keys() & {"text", "place", "name", "phone"}:
                assert page.inputs[kept].removeprefix("\n") == typed[kept]
            assert await cases(store) == []


async def test_every_fault_is_shown_at_once(client: Client) -> None:
    page = await sent(client, text="", phone="没有", lon="1", lat="2")
    assert {"text-fault", "phone-fault", "position-fault"} <= set(page.ids)
    assert "有 3 处需要修改" in page.text


async def test_a_wrong_position_is_dropped_so_that_the_next_press_succeeds(client: Client, store: SqliteStore) -> None:
    page = await sent(client, lon="116.4", lat="39.9")
    assert (page.inputs["lon"], page.inputs["lat"]) == ("", "")
    assert (await client.post("/report", data=filled(page)())).status == 200


async def test_ticked_boxes_stay_ticked(client: Client) -> None:
    page = await sent(client, text="", confidential="1", anonymous="1", reply="phone", phone="19900000001")
    assert {"confidential=1", "anonymous=1", "reply=phone"} <= page.checked


BAD_PHOTOS = {"words": b"no picture", "bomb": bomb(), "polyglot": picture() + zipped(), "cut": picture()[:300]}


@pytest.mark.parametrize("name", BAD_PHOTOS)
async def test_a_bad_photo_is_named_and_nothing_is_kept(
    client: Client, store: SqliteStore, web_setting: WebSetting, name: str
) -> None:
    page = await sent(client, picture(exif=exif()), BAD_PHOTOS[name])
    assert page.status == 422
    assert "photos-fault" in page.ids
    assert "第 2 张" in page.text
    assert "照片需要重新选择" in page.text
    assert page.inputs["text"].removeprefix("\n") == TEXT
    assert await cases(store) == []
    assert not [path for path in web_setting.media.rglob("*") if path.is_file()]


async def test_too_many_or_too_large_photos_keep_the_words(gateway: Gateway, web_setting: WebSetting) -> None:
    small = replace(web_setting, max_photos=3, max_photo_bytes=20_000, max_body_bytes=50_000)
    large = b"\xff\xd8\xff" + b"x" * 18_990
    uploads = (
        ([picture()] * 4, 422, "照片最多 3 张"),
        ([large + b"x" * 2000], 422, "第 1 张照片超过"),
        ([large] * 3, 413, "请减少照片"),
    )
    async with TestClient(Served(build_app(gateway, small))) as client:
        for photos, status, words in uploads:
            page = await sent(client, *photos)
            assert page.status == status
            assert words in page.text
            assert "photos-fault" in page.ids
            assert page.inputs["text"].removeprefix("\n") == TEXT


async def test_markup_in_what_was_typed_stays_text(client: Client) -> None:
    page = await sent(client, text="", place='"><script>alert(1)</script>', name="<b>x")
    assert "<script>alert" not in page.source
    assert page.inputs["place"] == '"><script>alert(1)</script>'


class Failing(Exception):
    """Something nobody foresaw."""


@pytest.fixture(params=[Unavailable, Failing])
async def broken(request: pytest.FixtureRequest, gateway: Gateway, web_setting: WebSetting) -> AsyncIterator[Client]:
    """A client of a gateway whose store cannot take anything in."""

    class Broken(Gateway):
        async def take_in(self, inbound: Inbound) -> Received:
            raise request.param

    parts = {part.name: getattr(gateway, part.name) for part in fields(gateway)}
    async with TestClient(Served(build_app(Broken(**parts), web_setting))) as client:
        yield client


async def test_when_the_store_fails_the_words_and_the_hotline_are_shown(
    broken: Client, web_setting: WebSetting
) -> None:
    page = await sent(broken, picture())
    assert page.status in (500, 503)
    assert TEXT in page.source
    assert "tel:12319" in page.links
    # When nobody knows whether the case was stored, its pictures must wait for it; a sure failure leaves nothing.
    files = [path for path in web_setting.media.rglob("*") if path.is_file()]
    assert bool(files) is (page.status == 503)


async def test_too_many_reports_of_one_address_are_held_back_with_their_words(
    gateway: Gateway, web_setting: WebSetting
) -> None:
    strict = replace(web_setting, report_limit="2/minute")
    async with TestClient(Served(build_app(gateway, strict))) as client:
        pages = [await client.post("/report", data=filled(await opened(client))()) for _ in range(3)]
        assert [answer.status for answer in pages] == [200, 200, 429]
        assert 0 < int(pages[2].headers["Retry-After"]) <= 61
        assert (await page_of(pages[2])).inputs["text"].removeprefix("\n") == TEXT


async def test_a_form_without_multipart_works_too(client: Client, store: SqliteStore) -> None:
    assert (await client.post("/report", data=FIELDS)).status == 200
    assert len(await cases(store)) == 1


@pytest.mark.parametrize("body", [b"text=%FF%FE", b"\xff\xfe", b"a=1&" * 60])
async def test_a_form_that_cannot_be_read_is_refused_as_a_page(client: Client, store: SqliteStore, body: bytes) -> None:
    answer = await client.post("/report", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status in (400, 422)
    assert "/report" in (await page_of(answer)).actions
    assert await cases(store) == []


async def test_large_type_is_kept_in_a_cookie_and_leads_back(client: Client) -> None:
    answer = await client.get("/size/large?back=/status", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/status")
    assert '<html lang="zh-CN" class="large">' in (await opened(client)).source
    await client.get("/size/normal")
    assert '<html lang="zh-CN">' in (await opened(client)).source


@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\nb", ""])
async def test_the_way_back_never_leads_elsewhere(client: Client, back: str) -> None:
    answer = await client.get("/size/large", params={"back": back}, allow_redirects=False)
    assert answer.headers["Location"] == "/"
