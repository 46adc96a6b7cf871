"""Orders from above: in by the API, by hand and by file, handled as a case, and back to their source."""

import asyncio
import io
from datetime import timedelta

import pytest
from openpyxl import Workbook

from channels.web.order_file import read_file
from intake.errors import BadInput, NotSignedIn, Unavailable
from intake.gateway import Gateway
from intake.model import Case, Role
from intake.order import Order
from intake.order_sheet import MAX_ROWS, read_sheet
from intake.records import Contact, Debt, HistoryEntry, Reporter, Task
from intake.usecases import Command
from tests.channels.desk_people import PASSWORD, Client, Person, hire, walk
from tests.make import NOON, PHONE

ORDER = {"source_no": "YZ20261120-0001", "text": "人民广场北门一大堆垃圾三天没人清", "place": "人民广场北门", "phone": PHONE,
         "name": "张三丰", "finish_due_at": "2026-11-25T18:00:00+08:00"}  # fmt: skip


@pytest.fixture
async def source(gateway: Gateway) -> Person:
    return await hire(gateway, Role.SOURCE, unit="12345")


async def post(client: Client, person: Person, path: str = "/api/v1/orders", **body: object) -> tuple[int, dict[str, object]]:
    answer = await client.post(path, json=body, headers=person.bearer)
    return answer.status, await answer.json(content_type=None)


async def case_of(gateway: Gateway, number: object) -> Case:
    case = await gateway.store.read(lambda work: work.get(Case, int(str(number))))
    assert case is not None
    return case


async def do(gateway: Gateway, number: int, step: str, person: Person, **fields: object) -> Case:
    return await gateway.perform(Command(number, step, person.actor, fields=fields))


async def test_an_order_becomes_a_case_with_its_own_number_and_limits(
    gateway: Gateway, client: Client, source: Person
) -> None:
    status, told = await post(client, source, **ORDER)
    assert status == 201
    case = await case_of(gateway, told["case_no"])
    assert (case.channel, case.upstream_source, case.upstream_no) == ("upstream", "12345", ORDER["source_no"])
    assert case.upstream_due_at is not None
    assert case.upstream_due_at.isoformat() == "2026-11-25T10:00:00+00:00"
    assert case.upstream_sign_due_at == case.received_at + timedelta(hours=2)


async def test_the_same_order_again_is_the_same_case_and_another_text_is_refused(client: Client, source: Person) -> None:
    _, first = await post(client, source, **ORDER)
    status, second = await post(client, source, **ORDER)
    assert (status, second["case_no"], second["repeated"]) == (200, first["case_no"], True)
    status, refused = await post(client, source, **ORDER | {"text": "另一件完全不同的事情，路灯不亮"})
    assert (status, refused["field"]) == (422, "source_no")


async def test_a_source_speaks_of_its_own_orders_only(gateway: Gateway, client: Client, source: Person) -> None:
    await post(client, source, **ORDER)
    other = await hire(gateway, Role.SOURCE, unit="110", name="police")
    assert (await client.get(f"/api/v1/orders/110/{ORDER['source_no']}", headers=other.bearer)).status == 404
    assert (await client.get(f"/api/v1/orders/12345/{ORDER['source_no']}", headers=other.bearer)).status == 422
    assert (await client.get("/api/v1/queue", headers=source.bearer)).status == 403
    assert (await post(client, source, **ORDER | {"source": "110"}))[0] == 422


async def test_a_source_is_no_person_who_signs_in_at_the_desk(gateway: Gateway, source: Person) -> None:
    with pytest.raises(NotSignedIn):
        await gateway.sign_in(source.name, PASSWORD)
    operator = await hire(gateway, Role.OPERATOR)
    assert await gateway.sign_in(operator.name, PASSWORD)


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/api/v1/queue"), ("GET", "/api/v1/cases/{no}/full"), ("POST", "/api/v1/cases/{no}/moves"),
    ("POST", "/api/v1/cases/{no}/reveal"), ("GET", "/api/v1/ledger"), ("GET", "/api/v1/events"), ("GET", "/media/{token}"),
    ("GET", "/desk"), ("GET", "/desk/cases/{no}"), ("GET", "/desk/orders"), ("GET", "/desk/tasks"),
])  # fmt: skip
async def test_a_source_s_token_opens_nothing_but_its_orders(
    gateway: Gateway, client: Client, source: Person, method: str, path: str
) -> None:
    _, told = await post(client, source, **ORDER)
    path = path.format(no=told["case_no"], token="t" * 43)
    body = {"move": "urge", "version": 1, "reason": "想看看"} if method == "POST" else None
    answer = await client.request(method, path, json=body, headers=source.bearer, allow_redirects=False)
    assert answer.status == 403
    assert (await case_of(gateway, told["case_no"])).urge_count == 0


async def test_an_order_is_handled_answered_and_heard_of_by_its_source(
    gateway: Gateway, client: Client, source: Person
) -> None:
    _, told = await post(client, source, **ORDER)
    number = int(str(told["case_no"]))
    operator = await hire(gateway, Role.OPERATOR)
    await do(gateway, number, "sign_order", operator)
    await do(gateway, number, "contact_order", operator, call_result="reached")
    await walk(gateway, number, until="close")
    tasks = await gateway.store.read(lambda work: work.find(Task, case_no=number, state="open", kind="order_answer"))
    assert len(tasks) == 1

    await do(gateway, number, "answer_order", operator, text="垃圾已清走，已电话告知市民", call_result="reached")
    assert not await gateway.store.read(lambda work: work.find(Task, case_no=number, state="open", kind="order_answer"))
    answer = await client.get(f"/api/v1/orders/12345/{ORDER['source_no']}", headers=source.bearer)
    seen = await answer.json()
    assert seen["order_state"] == "answered"
    assert seen["result"] == "垃圾已清走，已电话告知市民"
    assert [news["kind"] for news in seen["news"]] == ["sign_order", "contact_order", "file", "answer_order"]
    page = await (await client.get("/api/v1/order-news", headers=source.bearer)).json()
    assert [news["kind"] for news in page["news"]] == ["sign_order", "contact_order", "file", "answer_order"]
    rest = await (await client.get("/api/v1/order-news", params={"after": page["next"]}, headers=source.bearer)).json()
    assert rest["news"] == []
    assert "张三丰" not in str(seen)


async def test_a_source_that_answers_the_citizen_itself_ends_our_debts(gateway: Gateway, client: Client) -> None:
    mayor = await hire(gateway, Role.SOURCE, unit="mayor")
    _, told = await post(client, mayor, **ORDER)
    number = int(str(told["case_no"]))
    await walk(gateway, number, until="close")
    debts = await gateway.store.read(lambda work: work.find(Debt, case_no=number))
    assert {debt.end for debt in debts} == {"upstream"}


async def test_where_we_answer_the_reply_goes_to_the_citizen(gateway: Gateway, client: Client, source: Person) -> None:
    _, told = await post(client, source, **ORDER)
    number = int(str(told["case_no"]))
    await walk(gateway, number, until="file")
    debts = await gateway.store.read(lambda work: work.find(Debt, case_no=number))
    tasks = await gateway.store.read(lambda work: work.find(Task, case_no=number, kind="call_reply", state="open"))
    assert [debt.end for debt in debts] == [""]
    assert len(tasks) == 1
    reporter = (await gateway.store.read(lambda work: work.find(Reporter, case_no=number)))[0]
    contact = await gateway.store.read(lambda work: work.get(Contact, reporter.contact_id))
    assert contact is not None
    assert contact.phone == PHONE


async def test_an_order_that_is_not_ours_goes_back_with_reason_and_basis(
    gateway: Gateway, client: Client, source: Person
) -> None:
    _, told = await post(client, source, **ORDER)
    number = int(str(told["case_no"]))
    operator = await hire(gateway, Role.OPERATOR)
    with pytest.raises(BadInput) as caught:
        await do(gateway, number, "return_order", operator, reason="属于交警职责")
    assert caught.value.field == "basis"
    case = await do(gateway, number, "return_order", operator, reason="属于交警职责", basis="派单目录第三条")
    assert (case.state.value, case.upstream_state, case.upstream_sign_due_at) == ("redirected", "returned", None)
    assert not await gateway.store.read(lambda work: work.find(Debt, case_no=number))
    page = await (await client.get("/api/v1/order-news", headers=source.bearer)).json()
    assert page["news"][0]["basis"] == "派单目录第三条"


async def test_an_extension_moves_the_sources_limit_only_when_it_says_so(
    gateway: Gateway, client: Client, source: Person
) -> None:
    _, told = await post(client, source, **ORDER)
    number = int(str(told["case_no"]))
    operator = await hire(gateway, Role.OPERATOR)
    await do(gateway, number, "extend_order", operator, reason="需更换设施", until="2026-11-30T18:00")
    before = (await case_of(gateway, number)).upstream_due_at
    path = f"/api/v1/orders/12345/{ORDER['source_no']}/words"
    assert (await post(client, source, path, kind="extension", granted=True))[0] == 422
    assert (await post(client, source, path, kind="extension", granted=False))[0] == 200
    assert (await case_of(gateway, number)).upstream_due_at == before
    until = "2026-11-30T18:00:00+08:00"
    assert (await post(client, source, path, kind="extension", granted=True, until=until))[0] == 200
    moved = (await case_of(gateway, number)).upstream_due_at
    assert moved is not None
    assert moved.isoformat() == "2026-11-30T10:00:00+00:00"


async def test_the_sources_satisfaction_is_kept_apart_from_ours(gateway: Gateway, client: Client, source: Person) -> None:
    _, told = await post(client, source, **ORDER)
    number = int(str(told["case_no"]))
    path = f"/api/v1/orders/12345/{ORDER['source_no']}/words"
    assert (await post(client, source, path, kind="rating", satisfaction="unsatisfied"))[0] == 409
    await walk(gateway, number, until="close")
    operator = await hire(gateway, Role.OPERATOR)
    await do(gateway, number, "answer_order", operator)
    assert (await post(client, source, path, kind="rating", satisfaction="unsatisfied"))[0] == 200
    order = (await gateway.store.read(lambda work: work.find(Order, case_no=number)))[0]
    assert order.satisfaction == "unsatisfied"
    assert (await case_of(gateway, number)).rating == 0


KEY = {"Idempotency-Key": "0123456789abcdef"}
URGE = {"kind": "urge", "text": "市民又来电催问"}


async def test_a_word_sent_again_under_its_key_counts_once(gateway: Gateway, client: Client, source: Person) -> None:
    _, told = await post(client, source, **ORDER)
    path = f"/api/v1/orders/12345/{ORDER['source_no']}/words"
    answers = await asyncio.gather(*(client.post(path, json=URGE, headers=source.bearer | KEY) for _ in range(10)))
    later = await client.post(path, json=dict(reversed(URGE.items())), headers=source.bearer | KEY)
    assert {answer.status for answer in (*answers, later)} == {200}
    assert len({await answer.text() for answer in (*answers, later)}) == 1
    case = await case_of(gateway, told["case_no"])
    assert (case.urge_count, case.version) == (1, 2)

    refused = await client.post(path, json=URGE | {"text": "再催"}, headers=source.bearer | KEY)
    assert (refused.status, (await refused.json(content_type=None))["code"]) == (422, "key_reused")
    assert (await post(client, source, path, **URGE))[0] == 200, "without a key each word counts"
    assert (await case_of(gateway, told["case_no"])).urge_count == 2


async def test_a_key_serves_each_order_by_itself(gateway: Gateway, client: Client, source: Person) -> None:
    for number in ("A-1", "A-2"):
        _, told = await post(client, source, **ORDER | {"source_no": number})
        answer = await client.post(f"/api/v1/orders/12345/{number}/words", json=URGE, headers=source.bearer | KEY)
        assert answer.status == 200
        assert (await case_of(gateway, told["case_no"])).urge_count == 1


async def test_a_word_that_was_refused_leaves_its_key_free(gateway: Gateway, client: Client, source: Person) -> None:
    """A source sends what it owes until it is taken: too early today, right tomorrow."""
    _, told = await post(client, source, **ORDER)
    path, number = f"/api/v1/orders/12345/{ORDER['source_no']}/words", int(str(told["case_no"]))
    rating = {"kind": "rating", "satisfaction": "satisfied"}
    assert (await client.post(path, json=rating, headers=source.bearer | KEY)).status == 409
    await walk(gateway, number, until="close")
    await do(gateway, number, "answer_order", await hire(gateway, Role.OPERATOR))
    for _ in range(2):
        assert (await client.post(path, json=rating, headers=source.bearer | KEY)).status == 200
    lines = await gateway.store.read(lambda work: work.find(HistoryEntry, case_no=number, step="order_rated"))
    assert len(lines) == 1


@pytest.mark.parametrize("key", ["short", "x" * 129])
async def test_a_word_under_a_key_of_the_wrong_form_is_refused(
    gateway: Gateway, client: Client, source: Person, key: str
) -> None:
    _, told = await post(client, source, **ORDER)
    path = f"/api/v1/orders/12345/{ORDER['source_no']}/words"
    answer = await client.post(path, json=URGE, headers=source.bearer | {"Idempotency-Key": key})
    assert (answer.status, (await answer.json(content_type=None))["field"]) == (422, "Idempotency-Key")
    assert (await case_of(gateway, told["case_no"])).urge_count == 0


async def test_an_ordinary_case_is_offered_no_step_of_orders(gateway: Gateway, client: Client) -> None:
    from tests.channels.desk_people import report

    number = await report(gateway)
    operator = await hire(gateway, Role.OPERATOR)
    file = await gateway.case_file(number, operator.actor)
    assert not [offer.step.name for offer in file.offers if "order" in offer.step.name]


def sheet_of(*lines: list[object]) -> bytes:
    book = Workbook()
    for line in lines:
        book.active.append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


HEAD = ["工单编号", "诉求内容", "事发地址", "联系电话", "办结截止时间", "备注"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
async def test_a_list_is_shown_before_anything_is_taken_in(
    gateway: Gateway, client: Client, encoding: str
) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    text = "\n".join([
        ",".join(map(str, HEAD)), "A-1,人民路井盖坏了很危险,人民路,,2026/11/25 18:00,急",
        "A-2,,人民路,,,", "A-3,中山路路灯全部不亮,中山路,,明天,", "A-1,同一个单号又来一次,人民路,,,",
    ])  # fmt: skip
    from aiohttp import FormData

    form = FormData({"csrf": operator.csrf, "source": "12345"})
    form.add_field("sheet", text.encode(encoding), filename="工单.csv", content_type="text/csv")
    answer = await client.post("/desk/orders/import", data=form, headers=operator.page)
    page = await answer.text()
    assert answer.status == 200
    assert "收下 1 件" in page
    assert "缺少诉求内容" in page
    assert "来源单号在表里出现了两次" in page
    assert not await gateway.store.read(lambda work: work.find(Order))

    other = await client.post("/desk/orders/import/take", data={"csrf": operator.csrf, "mark": "0" * 64}, headers=operator.page)
    assert other.status == 422, "in another window another list was looked at meanwhile"
    said_yes = {"csrf": operator.csrf, "mark": page.partition('name="mark" value="')[2].partition('"')[0]}
    answer = await client.post("/desk/orders/import/take", data=said_yes, headers=operator.page)
    assert "收到 1 件" in await answer.text()
    orders = await gateway.store.read(lambda work: work.find(Order))
    assert [order.number for order in orders] == ["A-1"]
    again = await client.post("/desk/orders/import/take", data=said_yes, headers=operator.page)
    assert again.status == 422


def test_an_excel_sheet_is_read_with_its_moments_and_numbers() -> None:
    body = sheet_of(["12345转办清单"], HEAD, [20261120001, "人民路井盖坏了", "人民路", 19900000001, NOON.replace(tzinfo=None), ""])
    cells = read_file("清单.xlsx", body)
    from zoneinfo import ZoneInfo

    sheet = read_sheet(cells, source="12345", zone=ZoneInfo("Asia/Shanghai"))
    (row,) = sheet.rows
    assert row.given is not None
    assert (row.line, row.given.number, row.given.phone) == (3, "20261120001", "19900000001")
    assert row.given.finish_due_at is not None
    assert sheet.ignored == ("备注",)


@pytest.mark.parametrize("body", [b"", b"\x00\x01\x02", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old"])
def test_a_file_that_is_no_list_is_refused_in_plain_words(body: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        read_file("x.xlsx", body)
    assert caught.value.field == "file"


def test_a_list_that_is_too_long_is_refused() -> None:
    from zoneinfo import ZoneInfo

    cells = [["来源单号", "诉求内容"], *[[f"N{number}", "路灯不亮"] for number in range(MAX_ROWS + 1)]]
    with pytest.raises(BadInput):
        read_sheet(cells, source="12345", zone=ZoneInfo("Asia/Shanghai"))


async def test_an_order_typed_by_hand_keeps_what_was_typed_when_refused(gateway: Gateway, client: Client) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    typed = {"csrf": operator.csrf, "source": "12345", "number": "坏 单号!", "text": "人民路井盖坏了很危险", "phone": ""}
    answer = await client.post("/desk/orders/new", data=typed, headers=operator.page)
    assert answer.status == 422
    assert "人民路井盖坏了很危险" in await answer.text()
    answer = await client.post("/desk/orders/new", data=typed | {"number": "B-7"}, headers=operator.page,
                               allow_redirects=False)  # fmt: skip
    assert answer.status == 303
    assert await gateway.store.read(lambda work: work.find(Order, number="B-7"))


async def answer_tasks(gateway: Gateway, number: int) -> int:
    return len(await gateway.store.read(lambda work: work.find(Task, case_no=number, kind="order_answer", state="open")))


async def three_orders(client: Client, source: Person) -> list[int]:
    texts = ("人民广场北门一大堆垃圾三天没人清", "人民广场北门垃圾成山", "人民广场北门垃圾没人管")
    taken = [await post(client, source, **ORDER | {"source_no": f"M-{n}", "text": text}) for n, text in enumerate(texts)]
    return [int(str(told["case_no"])) for _, told in taken]


async def test_an_order_merged_by_way_of_another_is_answered_when_the_last_case_is_over(
    gateway: Gateway, client: Client, source: Person
) -> None:
    first, second, main = await three_orders(client, source)
    operator = await hire(gateway, Role.OPERATOR)
    await do(gateway, first, "merge", operator, main_case=str(second), reason="同一处")
    await do(gateway, second, "merge", operator, main_case=str(main), reason="同一处")
    assert [await answer_tasks(gateway, number) for number in (first, second, main)] == [0, 0, 0]
    await walk(gateway, main, until="close")
    assert [await answer_tasks(gateway, number) for number in (first, second, main)] == [1, 1, 1]


async def test_an_order_answered_with_another_case_is_to_be_answered_anew_after_the_merge_is_undone(
    gateway: Gateway, client: Client, source: Person
) -> None:
    merged, _, main = await three_orders(client, source)
    operator = await hire(gateway, Role.OPERATOR)
    await do(gateway, merged, "merge", operator, main_case=str(main), reason="同一处")
    await walk(gateway, main, until="close")
    await do(gateway, merged, "answer_order", operator, text="已一并清走")
    case = await do(gateway, merged, "unmerge", operator, reason="不是同一处")
    assert (case.upstream_state, await answer_tasks(gateway, merged)) == ("signed", 0)
    page = await (await client.get("/api/v1/orders/12345/M-0", headers=source.bearer)).json()
    assert ([news["kind"] for news in page["news"]], page["answered_at"]) == (["answer_order", "unmerge"], None)


async def test_a_task_nobody_can_do_any_more_goes_when_the_merge_is_undone(
    gateway: Gateway, client: Client, source: Person
) -> None:
    merged, _, main = await three_orders(client, source)
    operator = await hire(gateway, Role.OPERATOR)
    await do(gateway, merged, "merge", operator, main_case=str(main), reason="同一处")
    await walk(gateway, main, until="close")
    assert await answer_tasks(gateway, merged) == 1
    await do(gateway, merged, "unmerge", operator, reason="不是同一处")
    assert await answer_tasks(gateway, merged) == 0


async def test_an_answer_about_an_extension_says_yes_or_no(gateway: Gateway, client: Client, source: Person) -> None:
    _, told = await post(client, source, **ORDER)
    path = f"/api/v1/orders/12345/{ORDER['source_no']}/words"
    status, refused = await post(client, source, path, kind="extension", until="2026-11-30T18:00:00+08:00")
    assert (status, refused["field"]) == (422, "granted")
    assert (await case_of(gateway, told["case_no"])).version == 1


async def test_an_order_that_came_while_the_database_was_away_keeps_its_number_and_limits(
    gateway: Gateway, client: Client, source: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_unit: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(gateway.store, "write", away)
        status, told = await post(client, source, **ORDER)
        assert status == 201
        assert (await post(client, source, **ORDER))[1]["case_no"] == told["case_no"]
    assert await gateway.admission.replay_waiting() == 1
    case = await case_of(gateway, told["case_no"])
    [order] = await gateway.store.read(lambda work: work.find(Order, case_no=case.case_no))
    assert (order.number, order.source, order.finish_due_at) == (ORDER["source_no"], "12345", case.upstream_due_at)
    assert (await post(client, source, **ORDER))[0] == 200
