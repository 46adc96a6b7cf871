"""`POST /api/v1/reports`: the shape that was promised, repeats that are harmless, and input that must be refused."""

import asyncio
import io
import json
from typing import Any

import pytest
from aiohttp import FormData

from channels.web.setting import WebSetting
from intake.model import Case
from intake.records import Attachment, Contact, JournalEntry
from intake.store.sqlite import SqliteStore
from tests.channels.conftest import Client
from tests.channels.pictures import bomb, exif, picture, zipped

REPORTS = "/api/v1/reports"
JSON = {"Content-Type": "application/json"}
SAMPLE_PHONE = "19900000001"
IN_CITY = {"lon": 102.34, "lat": 40.33}
TEXT = "人民路菜市场门口垃圾堆了三天"


async def stored(store: SqliteStore, kind: type) -> list[Any]:
    return await store.read(lambda work: work.find(kind))


async def nothing_stored(store: SqliteStore, setting: WebSetting) -> bool:
    rows = [await stored(store, kind) for kind in (Case, JournalEntry, Contact, Attachment)]
    files = list(setting.media.rglob("*.*")) if setting.media.exists() else []
    return not any(rows) and not files


async def test_a_report_is_answered_as_promised(client: Client) -> None:
    answer = await client.post(REPORTS, json={"text": TEXT, "place": "人民路菜市场东门", **IN_CITY, "coord_sys": "wgs84",
                                              "contact": {"name": "张三", "phone": SAMPLE_PHONE}, "anonymous": False,
                                              "confidential": False, "wants_reply": True})  # fmt: skip
    body = await answer.json()
    assert answer.status == 201
    assert list(body) == ["case_no", "query_code", "state", "status_url", "suggestion"]
    assert body["case_no"] == "26112000001"
    assert len(body["query_code"]) == 6
    assert body["query_code"].isdigit()
    assert body["state"] == "reported"
    assert body["status_url"] == str(client.make_url("/status?no=26112000001"))
    assert body["suggestion"] == {"kind": "event", "subclass_code": "0102", "subclass": "暴露垃圾", "confidence": 0.93}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_an_unsure_judge_suggests_nothing(client: Client) -> None:
    answer = await client.post(REPORTS, json={"text": "有件事想反映"})
    assert (answer.status, (await answer.json())["suggestion"]) == (201, None)


async def test_what_was_given_is_stored_in_normal_form(client: Client, store: SqliteStore) -> None:
    await client.post(REPORTS, json={"text": "  垃圾\r\n没人管  ", "place": "人民路　１号", **IN_CITY, "coord_sys": "gcj02",
                                     "contact": {"name": " 张三 ", "phone": "１９９ 0000-0001"}, "confidential": True})  # fmt: skip
    [case], [contact] = await stored(store, Case), await stored(store, Contact)
    assert (case.description, case.place.text, case.confidential) == ("垃圾\n没人管", "人民路 1号", True)
    assert (case.place.given_lon, case.place.given_lat, case.place.coord_sys) == (102.34, 40.33, "gcj02")
    assert case.place.lon != 102.34
    assert case.place.grid_code
    assert (contact.name, contact.phone) == ("张三", "+8619900000001")


async def test_an_anonymous_report_keeps_no_contact_even_if_one_was_sent(client: Client, store: SqliteStore) -> None:
    await client.post(REPORTS, json={"text": TEXT, "contact": {"name": "张三", "phone": SAMPLE_PHONE}, "anonymous": True,
                                     "wants_reply": True})  # fmt: skip
    [entry] = await stored(store, JournalEntry)
    assert await stored(store, Contact) == []
    assert SAMPLE_PHONE not in entry.raw
    assert "张三" not in entry.raw
    assert json.loads(entry.raw)["wants_reply"] is False


async def test_nulls_are_like_things_left_out(client: Client) -> None:
    names = ("place", "lon", "lat", "coord_sys", "contact", "anonymous", "confidential", "wants_reply")
    answer = await client.post(REPORTS, json={"text": TEXT} | dict.fromkeys(names))
    assert answer.status == 201


KEY = {"Idempotency-Key": "0123456789abcdef"}


async def test_the_same_key_and_body_give_the_first_answer(client: Client, store: SqliteStore) -> None:
    body = {"text": TEXT, "place": "人民路", "contact": {"phone": SAMPLE_PHONE}}
    first = await client.post(REPORTS, json=body, headers=KEY)
    again = await client.post(REPORTS, json=dict(reversed(body.items())), headers=KEY)
    assert (first.status, again.status) == (201, 200)
    assert await first.json() == await again.json()
    assert len(await stored(store, Case)) == 1


async def test_the_same_key_twenty_times_at_once_files_one_case(client: Client, store: SqliteStore) -> None:
    answers = await asyncio.gather(*(client.post(REPORTS, json={"text": TEXT}, headers=KEY) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({await answer.text() for answer in answers}) == 1
    assert len(await stored(store, Case)) == 1


async def test_the_same_key_with_another_body_is_refused_and_reveals_nothing(
    client: Client, store: SqliteStore
) -> None:
    first = await (await client.post(REPORTS, json={"text": TEXT}, headers=KEY)).json()
    answer = await client.post(REPORTS, json={"text": "井盖破了"}, headers=KEY)
    told = await answer.text()
    assert (answer.status, (await answer.json())["code"]) == (422, "key_reused")
    assert first["case_no"] not in told
    assert first["query_code"] not in told
    assert len(await stored(store, Case)) == 1


@pytest.mark.parametrize("key", ["short", "x" * 129, "带中文的键" * 4])
async def test_a_key_of_the_wrong_form_is_refused_by_name(client: Client, key: str) -> None:
    answer = await client.post(REPORTS, json={"text": TEXT}, headers={"Idempotency-Key": key})
    assert (answer.status, (await answer.json())["field"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize("key", ["x" * 16, "y" * 128])
async def test_keys_of_sixteen_and_128_characters_are_taken(client: Client, key: str) -> None:
    assert (await client.post(REPORTS, json={"text": TEXT}, headers={"Idempotency-Key": key})).status == 201


REFUSED: dict[str, tuple[object, int, str]] = {
    "empty text": ({"text": ""}, 422, "text"),
    "blank text": ({"text": " \n　"}, 422, "text"),
    "no text": ({"place": "人民路"}, 422, "text"),
    "emoji only": ({"text": "😀🎉‼️"}, 422, "text"),
    "punctuation only": ({"text": "？！……"}, 422, "text"),
    "control characters": ({"text": "垃圾\x00成堆"}, 422, "text"),
    "only control characters": ({"text": "\x01\x02\x03"}, 422, "text"),
    "control characters in the place": ({"text": TEXT, "place": "人民\x07路"}, 422, "place"),
    "control characters in the name": ({"text": TEXT, "contact": {"name": "张\x1b三"}}, 422, "contact.name"),
    "text too long": ({"text": "垃" * 2001}, 422, "text"),
    "place too long": ({"text": TEXT, "place": "路" * 257}, 422, "place"),
    "name too long": ({"text": TEXT, "contact": {"name": "张" * 33}}, 422, "contact.name"),
    "text a number": ({"text": 12319}, 422, "text"),
    "text a list": ({"text": [TEXT]}, 422, "text"),
    "place an object": ({"text": TEXT, "place": {}}, 422, "place"),
    "lon a string": ({"text": TEXT, "lon": "102.34", "lat": 40.33}, 422, "lon"),
    "lat a truth": ({"text": TEXT, "lon": 102.34, "lat": True}, 422, "lat"),
    "lon without lat": ({"text": TEXT, "lon": 102.34}, 422, "lat"),
    "lat without lon": ({"text": TEXT, "lat": 40.33}, 422, "lon"),
    "lon beyond the earth": ({"text": TEXT, "lon": 181, "lat": 40.33}, 422, "lon"),
    "lat beyond the earth": ({"text": TEXT, "lon": 102.34, "lat": -91}, 422, "lat"),
    "a point outside the city": ({"text": TEXT, "lon": 116.4, "lat": 39.9}, 422, "lon"),
    "unknown system": ({"text": TEXT, **IN_CITY, "coord_sys": "bd09"}, 422, "coord_sys"),
    "contact a string": ({"text": TEXT, "contact": SAMPLE_PHONE}, 422, "contact"),
    "unreadable phone": ({"text": TEXT, "contact": {"phone": "打给我"}}, 422, "contact.phone"),
    "impossible phone": ({"text": TEXT, "contact": {"phone": "12345678901234567"}}, 422, "contact.phone"),
    "phone a number": ({"text": TEXT, "contact": {"phone": 19900000001}}, 422, "contact.phone"),
    "unknown key": ({"text": TEXT, "urgent": True}, 422, "urgent"),
    "mistyped key": ({"txt": TEXT}, 422, "txt"),
    "unknown key of the contact": ({"text": TEXT, "contact": {"email": "a"}}, 422, "contact.email"),
    "anonymous a number": ({"text": TEXT, "anonymous": 1}, 422, "anonymous"),
    "confidential a string": ({"text": TEXT, "confidential": "yes"}, 422, "confidential"),
    "wants_reply a list": ({"text": TEXT, "wants_reply": []}, 422, "wants_reply"),
    "a list": ([{"text": TEXT}], 422, "body"),
    "a string": (TEXT, 422, "body"),
    "null": (None, 422, "body"),
}


async def test_bad_input_is_refused_by_field_and_nothing_is_stored(
    client: Client, store: SqliteStore, web_setting: WebSetting, subtests: pytest.Subtests
) -> None:
    for name, (body, status, field) in REFUSED.items():
        with subtests.test(name):
            answer = await client.post(REPORTS, data=json.dumps(body).encode(), headers=JSON)
            problem = await answer.json()
            assert (answer.status, problem["field"], problem["status"]) == (status, field, status)
            assert answer.content_type == "application/problem+json"
            assert any("\u4e00" <= char <= "\u9fff" for char in problem["detail"])
            assert problem["request_id"] == answer.headers["X-Request-ID"]
            assert await nothing_stored(store, web_setting)


RAW: dict[str, tuple[bytes, int, str]] = {
    "broken utf-8": (b'{"place": "a", "text": "\xff\xfe\xe4\xba"}', 400, "text"),
    "gbk": ('{"text": "垃圾"}'.encode("gbk"), 400, "text"),
    "nan": (b'{"text": "x", "lon": NaN, "lat": 40.33}', 422, "lon"),
    "infinity": (b'{"text": "x", "lon": 102.34, "lat": -Infinity}', 422, "lat"),
    "too great": (b'{"text": "x", "lon": 1e999, "lat": 40.33}', 422, "lon"),
    "key twice": ('{"text": "垃圾", "text": "井盖"}'.encode(), 400, "text"),
    "inner key twice": ('{"text": "垃圾", "contact": {"phone": "1", "phone": "2"}}'.encode(), 400, "phone"),
    "not json": (b"text=hello", 400, "body"),
    "cut off": (b'{"text": "x"', 400, "body"),
    "nothing": (b"", 400, "body"),
    "deep": (b"[" * 100_000, 400, "body"),
    "endless digits": (b'{"text": ' + b"9" * 5000 + b"}", 400, "body"),
    "a megabyte": (b'{"text": "' + b"a" * 1_048_576 + b'"}', 413, "text"),
}


async def test_bad_bytes_are_refused_and_nothing_is_stored(
    client: Client, store: SqliteStore, web_setting: WebSetting, subtests: pytest.Subtests
) -> None:
    for name, (body, status, field) in RAW.items():
        with subtests.test(name):
            answer = await client.post(REPORTS, data=io.BytesIO(body), headers=JSON)
            problem = await answer.json()
            assert (answer.status, problem["field"]) == (status, field)
            assert any("\u4e00" <= char <= "\u9fff" for char in problem["detail"])
            assert await nothing_stored(store, web_setting)


async def test_a_megabyte_in_pieces_without_a_length_is_refused_too(client: Client, store: SqliteStore) -> None:
    async def pieces() -> Any:
        yield b'{"text": "'
        for _ in range(64):
            yield b"a" * 16_384
        yield b'"}'

    answer = await client.post(REPORTS, data=pieces(), headers={"Content-Type": "application/json"})
    assert answer.status == 413
    assert await stored(store, Case) == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
async def test_other_formats_are_refused(client: Client, content_type: str) -> None:
    answer = await client.post(REPORTS, data=b"text=x", headers={"Content-Type": content_type})
    assert (answer.status, (await answer.json())["field"]) == (415, "Content-Type")


async def test_mixed_scripts_and_rare_characters_are_taken_as_they_are(client: Client, store: SqliteStore) -> None:
    text = "𠮷野家门口 мусор رائحة ごみ 垃圾 😀 café"
    assert (await client.post(REPORTS, json={"text": text})).status == 201
    [case] = await stored(store, Case)
    assert case.description == text


async def test_two_halves_of_a_character_are_joined(client: Client, store: SqliteStore) -> None:
    raw = b'{"text": "\\ud83d\\ude00 rubbish"}'
    assert (await client.post(REPORTS, data=raw, headers={"Content-Type": "application/json"})).status == 201
    [case] = await stored(store, Case)
    assert case.description == "😀 rubbish"


HALVES: dict[str, dict[str, object]] = {
    "text": {"text": "人民路\ud800"}, "place": {"text": TEXT, "place": "人民路\ud800"},
    "contact.name": {"text": TEXT, "contact": {"name": "张\udfff"}},
    "contact.phone": {"text": TEXT, "contact": {"phone": "1990000\udfff0001"}},
}  # fmt: skip


async def test_half_a_character_is_refused_by_field(
    client: Client, store: SqliteStore, web_setting: WebSetting, subtests: pytest.Subtests
) -> None:
    for field, body in HALVES.items():
        for key in ({}, KEY):
            with subtests.test(field, key=key):
                answer = await client.post(REPORTS, data=json.dumps(body).encode(), headers=JSON | key)
                assert (answer.status, (await answer.json())["field"]) == (422, field)
                assert await nothing_stored(store, web_setting)


async def test_what_was_sent_is_never_repeated_in_a_refusal(client: Client) -> None:
    answer = await client.post(REPORTS, json={"text": TEXT, "contact": {"name": "王小明", "phone": "电话是一九九"}})
    told = await answer.text()
    assert answer.status == 422
    assert TEXT not in told
    assert "王小明" not in told
    assert "一九九" not in told


# Multipart


def form_of(fields: dict[str, str], *photos: bytes, name: str = "photos") -> FormData:
    form = FormData(default_to_multipart=True)
    for field, value in fields.items():
        form.add_field(field, value)
    for number, photo in enumerate(photos):
        form.add_field(name, photo, filename=f"IMG_{number}.jpg", content_type="image/jpeg")
    return form


async def test_a_multipart_report_keeps_its_photos_with_time_and_place(
    client: Client, store: SqliteStore, web_setting: WebSetting
) -> None:
    fields = {"text": TEXT, "lon": "102.34", "lat": "40.33", "contact.phone": SAMPLE_PHONE, "wants_reply": "true"}
    answer = await client.post(REPORTS, data=form_of(fields, picture(exif=exif()), picture("PNG")))
    assert answer.status == 201
    [case], photos = await stored(store, Case), await stored(store, Attachment)
    assert len(photos) == 2
    shot = next(photo for photo in photos if photo.taken_at)
    assert (shot.lon, shot.lat, shot.mime, shot.case_no) == (102.34, 40.33, "image/jpeg", case.case_no)
    files = sorted(path for path in web_setting.media.rglob("*") if path.is_file())
    assert len(files) == 4
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert all(len(photo.token) == 43 for photo in photos)
    assert all(b"SECRET-CAMERA" not in path.read_bytes() for path in files)


async def test_the_contact_may_come_as_json_in_a_form(client: Client, store: SqliteStore) -> None:
    answer = await client.post(REPORTS, data=form_of({"text": TEXT, "contact": '{"phone": "19900000001"}'}))
    [contact] = await stored(store, Contact)
    assert (answer.status, contact.phone) == (201, "+8619900000001")


BAD_FORMS: dict[str, tuple[FormData, int, str]] = {
    "not a photo": (form_of({"text": TEXT}, picture(), b"words"), 422, "photos"),
    "an empty photo": (form_of({"text": TEXT}, b""), 422, "photos"),
    "a bomb": (form_of({"text": TEXT}, bomb()), 422, "photos"),
    "a polyglot": (form_of({"text": TEXT}, picture(), picture() + zipped()), 422, "photos"),
    "seven photos": (form_of({"text": TEXT}, *[picture()] * 7), 422, "photos"),
    "a file elsewhere": (form_of({"text": TEXT}, picture(), name="evidence"), 422, "evidence"),
    "good photos but no text": (form_of({"text": ""}, picture()), 422, "text"),
    "good photos outside the city": (form_of({"text": TEXT, "lon": "1", "lat": "2"}, picture()), 422, "lon"),
    "a number that is none": (form_of({"text": TEXT, "lon": "east", "lat": "2"}), 422, "lon"),
    "nan": (form_of({"text": TEXT, "lon": "nan", "lat": "40.33"}), 422, "lon"),
    "a truth that is none": (form_of({"text": TEXT, "anonymous": "maybe"}), 422, "anonymous"),
    "an unknown part": (form_of({"text": TEXT, "urgent": "1"}), 422, "urgent"),
    "a long part": (form_of({"text": "a" * 70_000}), 422, "text"),
}


async def test_a_bad_form_leaves_nothing_behind(
    client: Client, store: SqliteStore, web_setting: WebSetting, subtests: pytest.Subtests
) -> None:
    for name, (form, status, field) in BAD_FORMS.items():
        with subtests.test(name):
            answer = await client.post(REPORTS, data=form())
            problem = await answer.json()
            assert (answer.status, problem["field"]) == (status, field)
            assert await nothing_stored(store, web_setting)


BOUNDARY = {"Content-Type": "multipart/form-data; boundary=cut"}
BROKEN_FORMS: dict[str, tuple[bytes, dict[str, str]]] = {
    "no boundary": (b"x", {"Content-Type": "multipart/form-data"}),
    "no parts": (b"", BOUNDARY),
    "no end": (b'--cut\r\nContent-Disposition: form-data; name="text"\r\n\r\nwords', BOUNDARY),
    "no name": (b"--cut\r\nContent-Disposition: form-data\r\n\r\nwords\r\n--cut--\r\n", BOUNDARY),
    "broken utf-8": (b'--cut\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\xfe\r\n--cut--\r\n', BOUNDARY),
    "text twice": (b'--cut\r\nContent-Disposition: form-data; name="text"\r\n\r\na\r\n' * 2 + b"--cut--\r\n", BOUNDARY),
    "nested": (b"--cut\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\na\r\n--in--\r\n--cut--\r\n", BOUNDARY),
}  # fmt: skip


async def test_a_broken_form_is_refused(
    client: Client, store: SqliteStore, web_setting: WebSetting, subtests: pytest.Subtests
) -> None:
    for name, (body, headers) in BROKEN_FORMS.items():
        with subtests.test(name):
            answer = await client.post(REPORTS, data=body, headers=headers)
            assert answer.status in (400, 422)
            assert (await answer.json())["field"]
            assert await nothing_stored(store, web_setting)


async def test_photos_belong_to_the_key_and_a_repeat_keeps_no_second_copy(
    client: Client, store: SqliteStore, web_setting: WebSetting
) -> None:
    first = await client.post(REPORTS, data=form_of({"text": TEXT}, picture())(), headers=KEY)
    again = await client.post(REPORTS, data=form_of({"text": TEXT}, picture())(), headers=KEY)
    other = await client.post(REPORTS, data=form_of({"text": TEXT}, picture("PNG"))(), headers=KEY)
    assert (first.status, again.status, other.status) == (201, 200, 422)
    assert len(await stored(store, Attachment)) == 1
    assert len([path for path in web_setting.media.rglob("*") if path.is_file()]) == 2
