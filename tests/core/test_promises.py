"""Promises that are easily broken where two things meet: merges of merges, replies under way, requests left behind."""

import asyncio
from dataclasses import replace

import pytest

from intake import delivery, signin
from intake.errors import BadInput, IllegalMove
from intake.feed import Feed
from intake.gateway import Gateway
from intake.model import Case, DeliveryReport, Receipt, ReplyKind, Role, State
from intake.profile import City
from intake.queue import QueueFilter
from intake.receive import receive
from intake.records import Debt, OutboxRow, Reply, Request, Task, User
from intake.rules import Rules
from intake.status import Status
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.core.test_courier import courier, only
from tests.core.test_usecases import DISPATCHER, JUDGED, LEADER, OPERATOR, carried_to, reported, take, unit_of
from tests.fakes import FakeClock, FakeSms
from tests.make import NOON, PHONE, make_actor, make_inbound


@pytest.fixture
def rules(city: City) -> Rules:
    return city.rules(offered=["sms"])


async def status(store: AnyStore, city: City, vault: Vault, clock: FakeClock, number: int) -> Status:
    gateway = Gateway(store, city, city.rules(), lambda _: JUDGED, vault, clock, Feed(store), admission=None)  # type: ignore[arg-type]
    return await store.read(lambda work: gateway._status(work, number))


async def with_phone(store: AnyStore, rules: Rules) -> int:
    inbound = make_inbound(phone=PHONE, wants_reply=True)
    return (await store.write(lambda work: receive(work, inbound, JUDGED, rules))).case_no


async def test_a_reply_told_by_phone_is_not_sent_as_well(either_store: AnyStore, city: City, rules: Rules) -> None:
    number = await with_phone(either_store, rules)
    walk = replace_rules(city, rules)
    await take(either_store, walk, number, "reject", OPERATOR, reason="private", way="与邻居协商")
    debt = await only(either_store, Debt)
    await take(either_store, walk, number, "told_by_phone", OPERATOR, debt=debt.debt_id, call_result="reached")
    sms = FakeSms()
    assert await courier(either_store, rules, sms).send_due() == 0
    assert sms.sent == []
    assert (await only(either_store, OutboxRow)).outcome == "withdrawn"


def replace_rules(city: City, rules: Rules) -> City:
    """The demo city with these rules, for helpers that ask a city for them."""

    class WithRules:
        def rules(self) -> Rules:
            return rules

        taxonomy = city.taxonomy

    return WithRules()  # type: ignore[return-value]


async def test_a_merged_citizen_gets_one_message_and_not_two(either_store: AnyStore, city: City, rules: Rules) -> None:
    walk = replace_rules(city, rules)
    main, number = await with_phone(either_store, rules), await with_phone(either_store, rules)
    await carried_to(either_store, walk, number, state=State.FILED)
    await take(either_store, walk, number, "merge", OPERATOR, main_case=str(main), reason="同一处")
    sms = FakeSms()
    await courier(either_store, rules, sms).send_due()
    assert len(sms.sent) == 1
    assert str(main) in sms.sent[0].parts[0]


async def test_a_second_refusal_after_a_review_is_owed_again(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city, phone=PHONE, wants_reply=True)
    await take(either_store, city, number, "reject", OPERATOR, reason="private", way="与邻居协商")
    await take(either_store, city, number, "review", LEADER, reason="重新看过")
    await take(either_store, city, number, "reject", OPERATOR, reason="court", way="等待判决")
    debts = await either_store.read(lambda work: work.find(Debt, case_no=number))
    assert sorted((debt.round, debt.end) for debt in debts) == [(1, "excused"), (2, "")]


async def test_each_reporter_of_a_chain_of_merges_reads_his_own_replies_only(
    either_store: AnyStore, city: City, vault: Vault, clock: FakeClock
) -> None:
    first, second, third = [await reported(either_store, city) for _ in range(3)]
    await take(either_store, city, first, "merge", OPERATOR, main_case=str(second), reason="同一处")
    await take(either_store, city, second, "merge", OPERATOR, main_case=str(third), reason="同一处")
    await carried_to(either_store, city, third, state=State.ARCHIVED)
    for number in (first, second, third):
        seen = await status(either_store, city, vault, clock, number)
        assert seen.case_no == number
        assert [reply.kind for reply in seen.replies].count("closing") == 1, number
        assert seen.state is State.ARCHIVED


async def test_a_joined_citizen_is_told_of_his_own_place(either_store: AnyStore, city: City, vault: Vault, clock: FakeClock) -> None:
    main = await reported(either_store, city, place=replace(make_inbound().place, text="幸福里3栋2单元501室李四家门口"))
    number = await reported(either_store, city)
    await take(either_store, city, number, "merge", OPERATOR, main_case=str(main), reason="同一处")
    await take(either_store, city, main, "urge", make_actor(Role.CITIZEN))
    seen = await status(either_store, city, vault, clock, number)
    assert "501" not in repr(seen)
    assert seen.place == "人民广场北门"
    assert "收到催办" not in [words for _, words in seen.timeline]


async def test_a_merge_into_a_merged_case_is_undone_from_the_end(either_store: AnyStore, city: City) -> None:
    first, second, third = [await reported(either_store, city) for _ in range(3)]
    await take(either_store, city, first, "merge", OPERATOR, main_case=str(second), reason="同一处")
    await take(either_store, city, second, "merge", OPERATOR, main_case=str(third), reason="同一处")
    with pytest.raises(IllegalMove):
        await take(either_store, city, first, "unmerge", OPERATOR, reason="不是")
    await take(either_store, city, second, "unmerge", OPERATOR, reason="不是")
    await take(either_store, city, first, "unmerge", OPERATOR, reason="不是")
    debts = await either_store.read(lambda work: work.find(Debt, end=""))
    assert debts == []


async def test_undoing_a_merge_archives_a_main_case_that_owed_nothing_else(either_store: AnyStore, city: City, rules: Rules) -> None:
    main = await reported(either_store, city)
    number = await reported(either_store, city, phone=PHONE, wants_reply=True)
    await take(either_store, city, number, "merge", OPERATOR, main_case=str(main), reason="同一处")
    case = await carried_to(either_store, city, main, state=State.CLOSED)
    assert case.state is State.CLOSED
    await take(either_store, city, number, "unmerge", OPERATOR, reason="不是同一处")
    after = await either_store.read(lambda work: work.get(Case, main))
    assert after is not None
    assert after.state is State.ARCHIVED


async def test_a_direct_answer_stands_on_the_status_page(either_store: AnyStore, city: City, vault: Vault, clock: FakeClock) -> None:
    number = await reported(either_store, city)
    await take(either_store, city, number, "answer", OPERATOR, answer="大件垃圾可拨打环卫电话预约清运。")
    seen = await status(either_store, city, vault, clock, number)
    assert [(reply.kind, reply.text) for reply in seen.replies] == [("answer", "大件垃圾可拨打环卫电话预约清运。")]


async def test_what_colleagues_write_to_each_other_is_never_told(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    await carried_to(either_store, city, number, state=State.HANDLING)
    unit = await unit_of(either_store, number)
    await take(either_store, city, number, "ask_extension", unit, reason="内部原因甲", until="2026-12-20T18:00")
    await take(either_store, city, number, "decide_extension", DISPATCHER, decision="grant", reason="内部意见乙")
    replies = await either_store.read(lambda work: work.find(Reply, case_no=number))
    texts = " ".join(reply.text for reply in replies)
    assert "情况较为复杂" in texts
    assert "内部" not in texts


async def test_a_request_left_behind_by_a_withdrawal_lapses(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    await carried_to(either_store, city, number, state=State.DISPATCHED)
    await take(either_store, city, number, "ask_return", await unit_of(either_store, number), reason="不归我管", basis="权属")
    await take(either_store, city, number, "withdraw", DISPATCHER, reason="派错")
    assert (await only(either_store, Request)).state == "lapsed"
    with pytest.raises(IllegalMove):
        await take(either_store, city, number, "decide_return", DISPATCHER, decision="grant", reason="同意")


async def test_an_alarm_can_be_acknowledged_after_the_case_has_ended(either_store: AnyStore, city: City) -> None:
    judged = replace(JUDGED, danger_words=("煤气味",))
    received = await either_store.write(lambda work: receive(work, make_inbound(), judged, city.rules()))
    await take(either_store, city, received.case_no, "reject", OPERATOR, reason="not_found", way="如再闻到请拨打119")
    await take(either_store, city, received.case_no, "acknowledge", LEADER)
    tasks = await either_store.read(lambda work: work.find(Task, kind="emergency"))
    assert [task.state for task in tasks] == ["done"]


async def test_an_excuse_must_be_true(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city, phone=PHONE, wants_reply=True)
    await take(either_store, city, number, "reject", OPERATOR, reason="private", way="与邻居协商")
    debt = (await only(either_store, Debt)).debt_id
    for excuse in ("no_contact", "every_route_failed"):
        with pytest.raises(BadInput):
            await take(either_store, city, number, "excuse_reply", OPERATOR, debt=debt, excuse=excuse)
    await take(either_store, city, number, "told_by_phone", OPERATOR, debt=debt, call_result="unreached")
    await take(either_store, city, number, "excuse_reply", OPERATOR, debt=debt, excuse="every_route_failed")
    assert (await only(either_store, Debt)).end == "excused"


async def test_a_message_whose_outcome_could_not_be_written_down_is_found_again(
    either_store: AnyStore, city: City, rules: Rules, clock: FakeClock
) -> None:
    number = await with_phone(either_store, rules)
    await take(either_store, replace_rules(city, rules), number, "reject", OPERATOR, reason="private", way="与邻居协商")
    sender = courier(either_store, rules, FakeSms())
    await either_store.write(lambda work: delivery.claim(work, owner="gw/one", limit=5))
    assert await sender.settle_orphans() == 0
    clock.pass_time(minutes=3)
    assert await sender.settle_orphans() == 1
    tasks = await either_store.read(lambda work: work.find(Task, state="open"))
    assert [task.kind for task in tasks] == ["unknown_fate"]


async def test_a_receipt_that_overtakes_our_own_note_settles_the_debt(
    either_store: AnyStore, city: City, rules: Rules, clock: FakeClock
) -> None:
    number = await with_phone(either_store, rules)
    await take(either_store, replace_rules(city, rules), number, "reject", OPERATOR, reason="private", way="与邻居协商")
    claimed = await either_store.write(lambda work: delivery.claim(work, owner="gw/one", limit=5))
    report = DeliveryReport("sms", "SM77", "delivered", clock())
    assert await either_store.write(lambda work: delivery.record_delivery(work, report, rules)) is False
    await either_store.write(lambda work: delivery.record_sent(work, claimed[0].row, Receipt("SM77")))
    assert (await only(either_store, Debt)).end == "delivered"


async def test_a_lock_is_never_shortened_by_failures_already_under_way(either_store: AnyStore, clock: FakeClock) -> None:
    await either_store.write(lambda work: work.add(User(1, "op", "op", Role.OPERATOR, NOON)))
    for _ in range(8):
        await either_store.write(lambda work: signin.count_failure(work, 1))
    user = await either_store.read(lambda work: work.get(User, 1))
    assert user is not None
    assert user.locked_until_at == clock() + signin.LOCK


@pytest.mark.parametrize(("piece", "confidential", "found"), [
    ("19900000001", False, False), ("人民广场", False, True), ("人民广场", True, False), ("垃圾", False, False),
])  # fmt: skip
async def test_who_reads_masked_words_searches_place_and_number_only(
    either_store: AnyStore, city: City, piece: str, confidential: bool, found: bool
) -> None:
    number = await reported(either_store, city, text="垃圾没人清，请打19900000001找我", confidential=confidential)
    for words, expected in ((piece, found), (str(number), True)):
        page = await either_store.read(lambda work, w=words: work.queue(QueueFilter(text=w, searches="masked")))  # type: ignore[misc]
        assert bool(page.cases) == expected


async def test_two_opposite_merges_at_once_leave_one_main_case(either_store: AnyStore, city: City) -> None:
    one, other = await reported(either_store, city), await reported(either_store, city)
    outcomes = await asyncio.gather(
        take(either_store, city, one, "merge", OPERATOR, main_case=str(other), reason="同一处"),
        take(either_store, city, other, "merge", OPERATOR, main_case=str(one), reason="同一处"),
        reported(either_store, city),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, BadInput) for outcome in outcomes) == 1
    cases = await either_store.read(lambda work: work.find(Case))
    assert sorted(case.state.value for case in cases) == ["merged", "reported", "reported"]


async def test_a_message_of_unknown_fate_may_be_sent_again_by_a_person(
    either_store: AnyStore, city: City, rules: Rules, clock: FakeClock
) -> None:
    walk = replace_rules(city, rules)
    number = await with_phone(either_store, rules)
    await take(either_store, walk, number, "reject", OPERATOR, reason="private", way="与邻居协商")
    claimed = await either_store.write(lambda work: delivery.claim(work, owner="gw/dead", limit=5))
    await either_store.write(lambda work: delivery.record_unknown(work, claimed[0].row))
    debt = await only(either_store, Debt)
    assert debt.kind is ReplyKind.REFUSAL
    await take(either_store, walk, number, "send_reply", OPERATOR, debt=debt.debt_id, text="您的问题属于私人纠纷，建议与邻居协商。")
    sms = FakeSms()
    await courier(either_store, rules, sms).send_due()
    assert len(sms.sent) == 1
    assert await either_store.read(lambda work: work.find(Task, state="open")) == []


async def test_a_command_beside_the_gateway_uses_no_case_numbers_up(either_store: AnyStore, city: City) -> None:
    first = await reported(either_store, city)
    await either_store.close()
    beside = type(either_store)(getattr(either_store, "path", None) or either_store.url, replace_blocks(either_store))  # type: ignore[arg-type, union-attr]
    await beside.open()
    await beside.write(lambda work: work.add(User(work.new_id(), "x", "x", Role.AUDITOR, NOON)))
    await beside.close()
    again = type(either_store)(getattr(either_store, "path", None) or either_store.url, replace_blocks(either_store, numbers=True))  # type: ignore[arg-type, union-attr]
    await again.open()
    assert await reported(again, city) == first + 1
    await again.close()


def replace_blocks(store: AnyStore, *, numbers: bool = False) -> object:
    from intake.store.blocks import Blocks

    blocks = Blocks()
    blocks.numbers_cases = numbers
    return replace(store.setting, blocks=blocks)


