"""The staff API: what it refuses, whom it shows what, paging, and that every answer is what its type says."""

import json
from collections.abc import Mapping

import pytest

from channels.web.api_staff_view import FullCase, LedgerPage, MoveTaken, QueuePage, Revealed
from intake.gateway import Gateway
from intake.model import Case, Place, Role
from intake.permission import STAFF
from intake.records import Remark, View
from intake.usecases import Command
from tests.channels.desk_people import Client, Person, hire, report, walk


async def get(client: Client, person: Person, path: str, **query: str) -> dict[str, object]:
    answer = await client.get(path, params=query, headers=person.bearer)
    assert answer.status == 200, await answer.text()
    found = await answer.json()
    assert isinstance(found, dict)
    return found


async def refused(
    client: Client, person: Person, method: str, path: str, **sent: object
) -> tuple[int, dict[str, object]]:
    answer = await client.request(method, path, headers=person.bearer, **sent)  # type: ignore[arg-type]
    assert answer.content_type == "application/problem+json"
    return answer.status, await answer.json(content_type="application/problem+json")


async def move(client: Client, person: Person, number: int, **body: object) -> tuple[int, dict[str, object]]:
    answer = await client.post(f"/api/v1/cases/{number}/moves", json=body, headers=person.bearer)
    return answer.status, await answer.json(content_type=None)


async def test_every_answer_is_what_its_type_says(gateway: Gateway, client: Client) -> None:
    leader = await hire(gateway, Role.SHIFT_LEADER)
    number = await report(gateway, text="路口有煤气味，垃圾也没人清理")
    await walk(gateway, number, until="checked")
    answers = {
        QueuePage: await client.get("/api/v1/queue", headers=leader.bearer),
        FullCase: await client.get(f"/api/v1/cases/{number}/full", headers=leader.bearer),
        LedgerPage: await client.get("/api/v1/ledger", headers=leader.bearer),
        Revealed: await client.post(
            f"/api/v1/cases/{number}/reveal", json={"reason": "电话核实位置"}, headers=leader.bearer
        ),
    }
    full = await answers[FullCase].json()
    answers[MoveTaken] = await client.post(
        f"/api/v1/cases/{number}/moves", headers=leader.bearer,
        json={"move": "close", "version": full["version"]},
    )  # fmt: skip
    for kind, answer in answers.items():
        assert answer.status == 200, await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        kind.model_validate_json(await answer.read())


async def test_a_step_answers_with_the_case_after_it_and_what_comes_next(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    status, told = await move(client, operator, number, move="accept", version=1)
    assert (status, told["case_no"], told["state"], told["version"], told["state_words"]) == (
        200, str(number), "accepted", 2, "待立案",
    )  # fmt: skip
    moves = told["moves"]
    assert isinstance(moves, list)
    assert "file" in [one["move"] for one in moves]


async def test_a_stale_version_is_told_what_changed(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    await move(client, operator, number, move="accept", version=1)
    status, told = await move(client, operator, number, move="note", version=1, text="看过了")
    assert (status, told["code"], told["current_version"]) == (409, "stale_version", 2)
    changes = told["changes"]
    assert isinstance(changes, list)
    assert [change["step"] for change in changes] == ["accept"]
    status, told = await move(client, operator, number, move="note", version=99, text="看过了")
    assert (status, told["current_version"], told["changes"]) == (409, 2, [])


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [({"move": "accept"}, 422, "version"), ({"version": 1}, 422, "move"), ({"move": "accept", "version": "1"}, 422, "version"),
     ({"move": "accept", "version": True}, 422, "version"), ({"move": "accept", "version": 1, "colour": "red"}, 422, "colour"),
     ({"move": "accept", "version": 1, "subclass": "event:9"}, 422, "subclass"),
     ({"move": "accept", "version": 1, "urgency": "soon"}, 422, "urgency"),
     ({"move": "accept", "version": 1, "place": {"text": "路口", "lon": "x", "lat": 1}}, 422, "lon"),
     ({"move": "note", "version": 1}, 422, "text"), ({"move": "note", "version": 1, "text": 7}, 422, "text"),
     ({"move": "merge", "version": 1, "main_case": "12", "reason": "同一处"}, 422, "main_case"),
     ([], 422, "body"), ({"move": "close", "version": 1}, 409, None), ({"move": "fly", "version": 1}, 422, "move"),
     ({"move": "dispatch", "version": 1}, 403, None)],
)  # fmt: skip
async def test_what_cannot_be_taken_is_named(
    gateway: Gateway, client: Client, body: object, status: int, field: str | None
) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    answered, told = await refused(client, operator, "POST", f"/api/v1/cases/{number}/moves", json=body)
    assert (answered, told.get("field")) == (status, field)
    assert "red" not in str(told)
    case = await gateway.store.read(lambda work: work.get(Case, number))
    assert case is not None
    assert case.version == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [({"data": b"move=accept"}, 415), ({"data": b"{", "json_type": True}, 400), ({"data": b'{"version":NaN}', "json_type": True}, 422),
     ({"data": b"\xff", "json_type": True}, 400), ({"data": b" " * 300_000, "json_type": True}, 413)],
)  # fmt: skip
async def test_bodies_that_cannot_be_read(
    gateway: Gateway, client: Client, sent: Mapping[str, object], status: int
) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    headers = operator.bearer | ({"Content-Type": "application/json"} if "json_type" in sent else {})
    answer = await client.post(f"/api/v1/cases/{number}/moves", data=sent["data"], headers=headers)
    assert answer.status == status


async def test_a_number_nobody_has_and_no_number_at_all_are_not_found(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    for number in ("26112099999", "12", "x"):
        status, told = await refused(client, operator, "GET", f"/api/v1/cases/{number}/full")
        assert (status, told["code"]) == (404, "not_found")


# Units


async def test_a_unit_sees_its_own_dispatched_cases_and_no_others(gateway: Gateway, client: Client) -> None:
    proposed, dispatched, settled = [await report(gateway) for _ in range(3)]
    case = await walk(gateway, dispatched, until="dispatch")
    operator = await hire(gateway, Role.OPERATOR)
    await gateway.perform(Command(settled, "settle", operator.actor, fields={"result": "当场清走"}))
    mine = await hire(gateway, Role.UNIT, unit=case.unit)
    other = await hire(gateway, Role.UNIT, unit="lighting")

    listed = await get(client, mine, "/api/v1/queue")
    found = await get(client, mine, "/api/v1/queue", text="人民广场")
    assert listed["cases"] == found["cases"]
    assert [row["case_no"] for row in listed["cases"]] == [str(dispatched)]  # type: ignore[attr-defined]
    assert (await get(client, other, "/api/v1/queue"))["cases"] == []
    assert set(listed["counts"]) & {"reported", "accepted", "filed"} == set()  # type: ignore[call-overload]
    for number, person in ((proposed, mine), (settled, mine), (dispatched, other)):
        status, _ = await refused(client, person, "GET", f"/api/v1/cases/{number}/full")
        assert status == 404
        status, _ = await refused(
            client, person, "POST", f"/api/v1/cases/{number}/moves", json={"move": "take", "version": 1}
        )
        assert status == 404


@pytest.mark.parametrize("confidential", [True, False])
async def test_words_that_are_masked_for_a_post_cannot_be_guessed_by_searching(
    gateway: Gateway, client: Client, confidential: bool
) -> None:
    number = await report(
        gateway, text="楼上王五家把垃圾堆在楼道", confidential=confidential, place=Place(text="幸福里3栋")
    )
    case = await walk(gateway, number, until="take", forwarded_text="楼道堆放垃圾")
    for role in sorted(STAFF):
        person = await hire(gateway, role, unit=case.unit if role is Role.UNIT else "")
        reads_all = role in (Role.OPERATOR, Role.SHIFT_LEADER, Role.AUDITOR)
        for words, found in (("王五", reads_all), ("楼上", reads_all), ("幸福里", reads_all or not confidential),
                             (str(number), True)):  # fmt: skip
            listed = await get(client, person, "/api/v1/queue", text=words)
            assert bool(listed["cases"]) == found, (role, words)


async def test_the_key_of_the_next_page_does_not_betray_a_hidden_case(gateway: Gateway, client: Client) -> None:
    hidden = await report(gateway, text="停车场老板与人勾结，垃圾成堆", confidential=True)
    unit = (await walk(gateway, hidden, until="dispatch", forwarded_text="停车场收费")).unit
    shown = [str((await walk(gateway, await report(gateway, place=Place(text="停车场口")), until="dispatch", unit=unit)).case_no)
             for _ in range(2)]  # fmt: skip
    person = await hire(gateway, Role.UNIT, unit=unit)
    after, seen = "", []
    for _ in shown:
        listed = await get(client, person, "/api/v1/queue", text="停车场", limit="1", after=after)
        after = str(listed["next"] or "")
        seen += [row["case_no"] for row in listed["cases"]]  # type: ignore[attr-defined]
        assert str(hidden) not in after
    assert (seen, after) == (shown, "")


# Queue


async def test_paging_gives_every_case_once_in_order(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    numbers = {str(await report(gateway)) for _ in range(7)}
    seen: list[str] = []
    after = ""
    while True:
        page = await get(client, operator, "/api/v1/queue", limit="3", after=after)
        seen += [row["case_no"] for row in page["cases"]]  # type: ignore[attr-defined]
        after = str(page["next"] or "")
        if not after:
            break
    assert sorted(seen) == sorted(numbers)
    assert seen == sorted(seen)


async def test_the_filters_of_the_queue(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    rubbish = await report(gateway)
    gas = await report(gateway, text="闻到煤气味", channel="sms", place=Place(text="东门"))
    handled = await walk(gateway, await report(gateway), until="take")
    await gateway.perform(Command(rubbish, "accept", operator.actor))
    wanted = {
        (("state", "accepted"),): {rubbish},
        (("state", "accepted,handling"),): {rubbish, handled.case_no},
        (("channel", "sms"),): {gas},
        (("subclass", "event:0102"),): {rubbish, handled.case_no},
        (("unit", handled.unit), ("state", "handling")): {handled.case_no},
        (("urgent", "1"),): {gas},
        (("mine", "true"),): {rubbish},
        (("text", "煤气"),): {gas},
        (("district", "没有这个区"),): set(),
        (("overdue", "1"),): set(),
    }
    for query, numbers in wanted.items():
        page = await get(client, operator, "/api/v1/queue", **dict(query))
        assert {int(row["case_no"]) for row in page["cases"]} == numbers, query  # type: ignore[attr-defined]


async def test_overdue_shows_cases_whose_limit_still_runs(gateway: Gateway, client: Client, clock: object) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    late = await walk(gateway, await report(gateway), until="take")
    await walk(gateway, await report(gateway), until="feedback")
    await report(gateway)
    clock.pass_time(days=30)  # type: ignore[attr-defined]
    operator = await hire(gateway, Role.OPERATOR, name="later")
    page = await get(client, operator, "/api/v1/queue", overdue="1")
    assert [row["case_no"] for row in page["cases"]] == [str(late.case_no)]  # type: ignore[attr-defined]
    assert (await get(client, operator, "/api/v1/queue", overdue="1", state="closed"))["cases"] == []


BAD_FILTERS = (
    ({"state": "lost"}, "state"), ({"colour": "red"}, "colour"), ({"urgent": "maybe"}, "urgent"), ({"limit": "0"}, "limit"), ({"limit": ""}, "limit"),
    ({"limit": "101"}, "limit"), ({"subclass": "0102"}, "subclass"), ({"text": "长" * 400}, "text"),
    ({"text": "\0"}, "text"), ({"district": "\x07"}, "district"), ({"case\nno": "1"}, "caseno"),
    *(({"after": key}, "after") for key in ("x", "1-2", "a-b-c", "0-99999999999999999999999-1", "-1-2-3", "0--1-1")),
)  # fmt: skip


async def test_a_filter_that_cannot_be_taken_is_named(
    gateway: Gateway, client: Client, subtests: pytest.Subtests
) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    for query, field in BAD_FILTERS:
        with subtests.test(field, query=query):
            status, told = await refused(client, operator, "GET", "/api/v1/queue", params=query)
            page = await client.get("/desk", params=query, headers=operator.browser)
            assert (status, told["field"], page.status) == (422, field, 422)


async def test_the_counts_are_those_of_the_viewer(gateway: Gateway, client: Client) -> None:
    operator, other = await hire(gateway, Role.OPERATOR), await hire(gateway, Role.OPERATOR, name="other")
    numbers = [await report(gateway) for _ in range(3)]
    await gateway.perform(Command(numbers[0], "accept", operator.actor))
    everything = (await get(client, operator, "/api/v1/queue"))["counts"]
    assert isinstance(everything, dict)
    assert (everything["reported"], everything["accepted"]) == (2, 1)
    assert (await get(client, operator, "/api/v1/queue", mine="1"))["counts"]["accepted"] == 1  # type: ignore[index]
    assert (await get(client, other, "/api/v1/queue", mine="1"))["counts"]["accepted"] == 0  # type: ignore[index]


# Ledger and reveal


async def test_the_ledger_pages_by_number_and_filters(gateway: Gateway, client: Client, clock: object) -> None:
    auditor = await hire(gateway, Role.AUDITOR)
    numbers = [await report(gateway) for _ in range(3)]
    for number in numbers:
        await walk(gateway, number, until="file")
    first = await get(client, auditor, "/api/v1/ledger", limit="2")
    second = await get(client, auditor, "/api/v1/ledger", limit="2", after=str(first["next"]))
    debts = [*first["debts"], *second["debts"]]  # type: ignore[misc]
    assert sorted(int(debt["case_no"]) for debt in debts) == sorted(numbers)
    assert [debt["debt_id"] for debt in debts] == sorted(debt["debt_id"] for debt in debts)
    assert second["next"] is None
    assert {(debt["kind"], debt["state"], debt["route"]) for debt in debts} == {("filing", "to_call", "call")}
    one = await get(client, auditor, "/api/v1/ledger", case_no=str(numbers[1]))
    assert [debt["case_no"] for debt in one["debts"]] == [str(numbers[1])]  # type: ignore[attr-defined]
    assert (await get(client, auditor, "/api/v1/ledger", overdue="1"))["debts"] == []
    clock.pass_time(hours=25)  # type: ignore[attr-defined]
    auditor = await hire(gateway, Role.AUDITOR, name="later")
    assert len((await get(client, auditor, "/api/v1/ledger", overdue="1"))["debts"]) == 3  # type: ignore[arg-type]
    status, told = await refused(client, auditor, "GET", "/api/v1/ledger", params={"open": "0"})
    assert (status, told["field"]) == (422, "open")


async def test_ended_debts_of_a_case_stay_in_its_ledger(gateway: Gateway, client: Client) -> None:
    auditor = await hire(gateway, Role.AUDITOR)
    number = await report(gateway, phone="", wants_reply=False)
    await walk(gateway, number, until="file")
    page = await get(client, auditor, "/api/v1/ledger", case_no=str(number))
    assert [(debt["state"], debt["is_open"]) for debt in page["debts"]] == [("published", False)]  # type: ignore[attr-defined]
    assert (await get(client, auditor, "/api/v1/ledger", case_no=str(number), open="1"))["debts"] == []


async def test_revealing_a_contact_is_written_down_with_its_reason(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    path = f"/api/v1/cases/{number}/reveal"
    status, told = await refused(client, operator, "POST", path, json={"reason": " "})
    assert (status, told["field"]) == (422, "reason")
    answer = await client.post(path, json={"reason": "电话核实位置"}, headers=operator.bearer)
    assert (await answer.json())["contacts"] == [{"name": "张三丰", "phone": "+8619900000001", "address": ""}]
    views = await gateway.store.read(lambda work: work.find(View, case_no=number))
    assert [view.user_id for view in views] == [operator.actor.user_id]
    reason = await gateway.store.read(lambda work: work.get(Remark, views[0].reason_id))
    assert reason is not None
    assert reason.text == "电话核实位置"


async def test_a_field_whose_name_cannot_be_shown_is_refused_all_the_same(gateway: Gateway, client: Client) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    answer = await client.post(
        f"/api/v1/cases/{number}/moves", data='{"move":"accept","version":1,"\\ud800":1}',
        headers=operator.bearer | {"Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status == 422


@pytest.mark.parametrize("reason", ["\0", "\ud800\ud800", "x"])
async def test_a_reason_of_nothing_legible_is_no_reason(gateway: Gateway, client: Client, reason: str) -> None:
    operator, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    answer = await client.post(f"/api/v1/cases/{number}/reveal", data=json.dumps({"reason": reason}),
                               headers=operator.bearer | {"Content-Type": "application/json"})  # fmt: skip
    assert answer.status == 422
    assert await gateway.store.read(lambda work: work.find(View, case_no=number)) == []


async def test_a_confidential_contact_opens_to_the_shift_leader_alone(gateway: Gateway, client: Client) -> None:
    number = await report(gateway, confidential=True)
    case = await walk(gateway, number, until="dispatch", forwarded_text="一堆垃圾")
    people = [await hire(gateway, Role.OPERATOR), await hire(gateway, Role.UNIT, unit=case.unit)]
    leader = await hire(gateway, Role.SHIFT_LEADER)
    path, body = f"/api/v1/cases/{number}/reveal", {"reason": "核实紧急情况"}
    for person in people:
        status, _ = await refused(client, person, "POST", path, json=body)
        assert status == 403
    assert (await client.post(path, json=body, headers=leader.bearer)).status == 200
    assert len(await gateway.store.read(lambda work: work.find(View, case_no=number))) == 1


async def test_the_document_names_the_staff_routes(client: Client) -> None:
    document = await (await client.get("/api/openapi.json")).json()
    for path in ("/api/v1/queue", "/api/v1/cases/{case_no}/full", "/api/v1/cases/{case_no}/moves", "/api/v1/ledger",
                 "/api/v1/events", "/api/v1/cases/{case_no}/reveal"):  # fmt: skip
        assert path in document["paths"]
