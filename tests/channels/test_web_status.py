"""The citizen's look at his case, on the page and through the API."""

import pytest

from intake.gateway import MAX_CODE_TRIES_CASE, Gateway
from intake.model import Case, Role, State, Subclass
from intake.profile import City
from intake.records import Remark, Task
from intake.store.sqlite import SqliteStore
from intake.usecases import Command
from tests.channels.browsing import Page, page_of
from tests.channels.conftest import Client
from tests.fakes import FakeClock
from tests.make import make_actor

TEXT = "人民广场北门垃圾没人清理"


@pytest.fixture
async def keys(client: Client) -> dict[str, str]:
    """Number and code of a fresh report."""
    body = await (await client.post("/api/v1/reports", json={"text": TEXT, "place": "人民广场北门"})).json()
    return {"case_no": body["case_no"], "code": body["query_code"]}


async def close(gateway: Gateway, city: City, number: int) -> None:
    operator, inspector = make_actor(Role.OPERATOR), make_actor(Role.INSPECTOR)
    condition = city.taxonomy.conditions(Subclass.parse("event:0102"))[0]
    case = await take(gateway, number, "accept", operator)
    unit = make_actor(Role.UNIT, unit=case.unit)
    for step, actor, fields in (
        ("file", operator, {"condition": condition, "waive_verify": "clear_evidence"}),
        ("dispatch", make_actor(Role.DISPATCHER), {}),
        ("take", unit, {}),
        ("feedback", unit, {"result": "垃圾已清走，地面已冲洗"}),
        ("check", operator, {"check_method": "photo"}),
        ("checked", inspector, {"check_result": "pass"}),
        ("close", operator, {}),
    ):
        await take(gateway, number, step, actor, **fields)


async def take(gateway: Gateway, number: int, step: str, actor: object, **fields: object) -> Case:
    return await gateway.perform(Command(number, step, actor, fields=fields))  # type: ignore[arg-type]


async def viewed(client: Client, keys: dict[str, str]) -> Page:
    return await page_of(await client.post("/status", data=keys))


async def test_number_and_code_open_the_case(client: Client, keys: dict[str, str]) -> None:
    page = await viewed(client, keys)
    assert page.status == 200
    assert "已收到，等待受理" in page.text
    assert "暴露垃圾" in page.text
    assert "人民广场北门" in page.text
    assert "11月20日 12:00" in page.text
    assert "收到您的反映" in page.text


async def test_numbers_may_be_typed_as_people_type_them(client: Client, keys: dict[str, str]) -> None:
    spaced = {"case_no": f" {keys['case_no'][:6]}-{keys['case_no'][6:]} ", "code": " ".join(keys["code"])}
    assert (await viewed(client, spaced)).status == 200


async def test_the_address_may_hold_the_number_but_is_never_given_the_code(
    client: Client, keys: dict[str, str]
) -> None:
    page = await page_of(await client.get(f"/status?no={keys['case_no']}"))
    assert page.inputs["case_no"] == keys["case_no"]
    view = await viewed(client, keys)
    assert not [link for link in [*view.links, *view.actions] if keys["code"] in link]


async def test_a_wrong_code_and_an_unknown_number_answer_alike(client: Client, keys: dict[str, str]) -> None:
    wrong = "000000" if keys["code"] != "000000" else "111111"
    pages = [await viewed(client, keys | change) for change in (
        {"code": wrong}, {"case_no": "26112099999"}, {"case_no": "12"}, {"case_no": "abc"}, {"code": ""})]  # fmt: skip
    assert {page.status for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert "没有找到，请核对受理编号和查询码" in pages[0].text


@pytest.mark.parametrize("change", [{"code": "000000"}, {"case_no": "26112099999"}, {"case_no": "12"}, {"code": ""}])
async def test_the_api_answers_a_wrong_code_and_an_unknown_number_alike(
    client: Client, keys: dict[str, str], change: dict[str, str]
) -> None:
    asked = keys | change
    answer = await client.get(f"/api/v1/cases/{asked['case_no']}", headers={"X-Query-Code": asked["code"]})
    problem = await answer.json()
    problem.pop("request_id")
    assert problem == {"type": "about:blank", "title": "没有找到", "status": 404, "detail": "没有找到，或查询码不正确。",
                       "code": "not_found"}  # fmt: skip


async def test_the_number_stays_typed_and_the_code_does_not(client: Client, keys: dict[str, str]) -> None:
    page = await viewed(client, keys | {"code": "000000"})
    assert page.inputs["case_no"] == keys["case_no"]
    assert page.inputs["code"] == ""


async def test_guessing_a_code_is_stopped_even_for_the_right_one(client: Client, keys: dict[str, str]) -> None:
    for _ in range(MAX_CODE_TRIES_CASE):
        assert (await viewed(client, keys | {"code": "000000"})).status == 404
    answer = await client.post("/status", data=keys)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0


async def test_the_way_to_the_end_shows_both_replies_and_asks_for_a_rating(
    client: Client, keys: dict[str, str], gateway: Gateway, city: City
) -> None:
    await close(gateway, city, int(keys["case_no"]))
    page = await viewed(client, keys)
    assert "已结案" in page.text
    assert "立案告知" in page.text
    assert "垃圾已清走，地面已冲洗" in page.text
    assert "/status/rating" in page.actions
    assert "/status/step" not in page.actions


ENDS = {
    "answer": ({"answer": "路灯由市政管理处维护，已转告"}, "已答复"),
    "redirect": ({"body": "供电公司", "other": "95598"}, "已转交其他部门"),
    "reject": ({"reason": "private", "way": "协商解决"}, "不予受理"),
}
EXPECTED = "还没有答复。立案和结案时会写在这里。"


async def test_a_reply_is_promised_only_while_one_will_come(client: Client, keys: dict[str, str]) -> None:
    assert EXPECTED in (await viewed(client, keys)).text


async def test_a_direct_answer_stands_on_the_page(client: Client, keys: dict[str, str], gateway: Gateway) -> None:
    await take(
        gateway, int(keys["case_no"]), "answer", make_actor(Role.OPERATOR), answer="路灯由市政管理处维护，已转告"
    )
    page = await viewed(client, keys)
    assert "路灯由市政管理处维护，已转告" in page.text
    assert EXPECTED not in page.text


@pytest.mark.parametrize("step", ["redirect", "reject"])
async def test_a_case_that_ended_without_a_reply_promises_none(
    client: Client, keys: dict[str, str], gateway: Gateway, step: str
) -> None:
    """The reply is held back by the operator, so nothing is written for the citizen yet."""
    fields, words = ENDS[step]
    await take(gateway, int(keys["case_no"]), step, make_actor(Role.OPERATOR), hold_reply=True, **fields)
    page = await viewed(client, keys)
    assert words in page.text
    assert EXPECTED not in page.text
    assert "这里没有书面答复" in page.text


async def test_the_api_shows_the_same(client: Client, keys: dict[str, str], gateway: Gateway, city: City) -> None:
    await close(gateway, city, int(keys["case_no"]))
    for query, headers in ((f"?code={keys['code']}", {}), ("", {"X-Query-Code": keys["code"]})):
        answer = await client.get(f"/api/v1/cases/{keys['case_no']}{query}", headers=headers)
        body = await answer.json()
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert set(body) == {
            "case_no",
            "state",
            "state_words",
            "subclass",
            "place",
            "received_at",
            "replies",
            "timeline",
        }
        assert (body["case_no"], body["state"], body["state_words"]) == (keys["case_no"], "archived", "已结案")
        assert body["received_at"] == "2026-11-20T04:00:00+00:00"
        assert [reply["kind"] for reply in body["replies"]] == ["filing", "closing"]
        assert [set(reply) for reply in body["replies"]] == [{"kind", "label", "text", "at"}] * 2
        assert body["timeline"][0] == {"at": "2026-11-20T04:00:00+00:00", "text": "收到您的反映"}


async def test_dissatisfied_once_opens_a_revisit_and_twice_is_refused(
    client: Client, keys: dict[str, str], gateway: Gateway, city: City, store: SqliteStore
) -> None:
    await close(gateway, city, int(keys["case_no"]))
    page = await page_of(await client.post("/status/rating", data=keys | {"rating": "2"}))
    assert page.status == 200
    assert "我们会安排回访" in page.text
    assert "不满意" in page.text
    again = await page_of(await client.post("/status/rating", data=keys | {"rating": "1"}))
    assert again.status == 422
    assert "您已经评价过" in again.text
    assert len(await store.read(lambda work: work.find(Task, kind="revisit"))) == 1


@pytest.mark.parametrize("rating", ["", "3", "满意"])
async def test_other_ratings_are_refused_with_the_case_still_shown(
    client: Client, keys: dict[str, str], gateway: Gateway, city: City, rating: str
) -> None:
    await close(gateway, city, int(keys["case_no"]))
    page = await page_of(await client.post("/status/rating", data=keys | {"rating": rating}))
    assert page.status == 422
    assert "已结案" in page.text


async def test_a_case_that_is_not_closed_cannot_be_rated(
    client: Client, keys: dict[str, str], store: SqliteStore
) -> None:
    page = await page_of(await client.post("/status/rating", data=keys | {"rating": "1"}))
    assert page.status == 422
    case = await store.read(lambda work: work.get(Case, int(keys["case_no"])))
    assert case is not None
    assert case.rating == 0


@pytest.mark.parametrize(("step", "words"), [
    ("urge", "已收到您的催办"), ("supplement", "已收到您的补充"), ("withdraw_complaint", "已收到您的撤诉")])  # fmt: skip
async def test_the_citizen_may_urge_add_and_withdraw(
    client: Client, keys: dict[str, str], store: SqliteStore, step: str, words: str
) -> None:
    page = await page_of(await client.post("/status/step", data=keys | {"step": step, "text": "夜里又堆了一些"}))
    assert page.status == 200
    assert words in page.text
    [remark] = await store.read(lambda work: work.find(Remark))
    assert remark.text == "夜里又堆了一些"


@pytest.mark.parametrize("step", ["close", "void", "accept", "", "rate"])
async def test_no_other_step_is_open_to_a_citizen(
    client: Client, keys: dict[str, str], store: SqliteStore, step: str
) -> None:
    page = await page_of(await client.post("/status/step", data=keys | {"step": step, "text": "x"}))
    assert page.status == 422
    case = await store.read(lambda work: work.get(Case, int(keys["case_no"])))
    assert case is not None
    assert (case.state, case.version) == (State.REPORTED, 1)


async def test_an_empty_supplement_is_refused_with_the_case_still_shown(client: Client, keys: dict[str, str]) -> None:
    page = await page_of(await client.post("/status/step", data=keys | {"step": "supplement", "text": " "}))
    assert page.status == 422
    assert "已收到，等待受理" in page.text


@pytest.mark.parametrize("path", ["/status/rating", "/status/step"])
async def test_steps_need_the_code_too(client: Client, keys: dict[str, str], store: SqliteStore, path: str) -> None:
    body = keys | {"code": "000000", "rating": "1", "step": "urge"}
    assert (await client.post(path, data=body)).status == 404
    case = await store.read(lambda work: work.get(Case, int(keys["case_no"])))
    assert case is not None
    assert case.version == 1


async def test_a_merged_case_shows_its_main_case_under_its_own_number(
    client: Client, keys: dict[str, str], gateway: Gateway
) -> None:
    other = await (await client.post("/api/v1/reports", json={"text": TEXT})).json()
    operator = make_actor(Role.OPERATOR)
    await take(gateway, int(other["case_no"]), "merge", operator, main_case=keys["case_no"], reason="同一处")
    await take(gateway, int(keys["case_no"]), "accept", operator)
    page = await viewed(client, {"case_no": other["case_no"], "code": other["query_code"]})
    assert page.words("number") == [other["case_no"]]
    assert "已受理，正在审核" in page.text
    assert keys["case_no"] not in page.words("number")


async def test_an_older_case_shows_its_year(client: Client, keys: dict[str, str], clock: FakeClock) -> None:
    clock.pass_time(days=60)
    assert "2026年11月20日 12:00" in (await viewed(client, keys)).text


async def test_nothing_of_the_reporter_is_on_the_status_page(client: Client) -> None:
    body = await (await client.post("/api/v1/reports", json={
        "text": "我叫王小明，门口垃圾没人管", "contact": {"name": "王小明", "phone": "19900000001"}})).json()  # fmt: skip
    page = await viewed(client, {"case_no": body["case_no"], "code": body["query_code"]})
    assert page.status == 200
    assert "王小明" not in page.source
    assert "19900000001" not in page.source
