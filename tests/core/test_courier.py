"""Replies on their way: sent, put off, given up, confirmed late, unknown after a crash. None is forgotten or doubled."""

import asyncio
from dataclasses import replace
from typing import TypeVar

import pytest

from intake import delivery, outbox
from intake.courier import Courier, outbound_of
from intake.errors import SendError
from intake.ledger import is_open
from intake.model import Actor, Case, DeliveryReport, Outbound, Receipt
from intake.ports import Sends
from intake.profile import City
from intake.receive import receive
from intake.records import Contact, Debt, DeliveryRow, OutboxRow, Task
from intake.rules import Rules
from intake.store.work import Work
from intake.usecases import Command, perform
from intake.wiring import AnyStore
from tests.core.test_usecases import JUDGED, OPERATOR
from tests.fakes import FakeClock, FakeSms
from tests.make import PHONE, make_inbound

T = TypeVar("T")


@pytest.fixture
def rules(city: City) -> Rules:
    return city.rules(offered=["sms"])


@pytest.fixture
def sms() -> FakeSms:
    return FakeSms()


def courier(store: AnyStore, rules: Rules, sms: FakeSms, *, run_id: str = "one") -> Courier:
    channels: dict[str, Sends] = {"sms": sms}
    return Courier(store, rules, channels, name="gw", run_id=run_id)


async def refused_case(store: AnyStore, rules: Rules) -> int:
    """A case that ends with one reply owed, to a reporter who left his number."""
    inbound = make_inbound(phone=PHONE, wants_reply=True)
    received = await store.write(lambda work: receive(work, inbound, JUDGED, rules))
    fields = {"reason": "private", "way": "与邻居协商"}
    await step(store, rules, received.case_no, "reject", OPERATOR, **fields)
    return received.case_no


async def step(store: AnyStore, rules: Rules, number: int, name: str, actor: Actor, **fields: object) -> Case:
    return await store.write(lambda work: perform(work, Command(number, name, actor, fields=fields), rules))


async def only(store: AnyStore, kind: type[T], **where: object) -> T:
    found = await store.read(lambda work: work.find(kind, **where))
    assert len(found) == 1, found
    return found[0]


async def open_tasks(store: AnyStore) -> list[str]:
    return sorted(task.kind for task in await store.read(lambda work: work.find(Task, state="open")))


async def test_a_reply_is_sent_once_and_its_debt_ends_with_the_receipt(either_store: AnyStore, rules: Rules, sms: FakeSms) -> None:
    number = await refused_case(either_store, rules)
    assert await courier(either_store, rules, sms).send_due() == 1
    assert await courier(either_store, rules, sms).send_due() == 0
    assert [(len(sent.parts), sent.address) for sent in sms.sent] == [(1, PHONE)]
    assert is_open(await only(either_store, Debt))

    report = DeliveryReport("sms", "SM1", "delivered", either_store.setting.clock())
    await either_store.write(lambda work: delivery.record_delivery(work, report, rules))
    assert (await only(either_store, Debt, case_no=number)).end == "delivered"


async def test_a_throttled_message_waits_as_long_as_the_provider_says(
    either_store: AnyStore, rules: Rules, sms: FakeSms, clock: FakeClock
) -> None:
    await refused_case(either_store, rules)
    sms.failures = [SendError("throttled", retry_after_s=120)]
    sender = courier(either_store, rules, sms)
    await sender.send_due()
    clock.pass_time(seconds=119)
    assert await sender.send_due() == 0
    clock.pass_time(seconds=1)
    assert await sender.send_due() == 1
    assert len(sms.sent) == 1


async def test_a_refused_message_becomes_a_call_by_an_operator(either_store: AnyStore, rules: Rules, sms: FakeSms) -> None:
    await refused_case(either_store, rules)
    sms.failures = [SendError("bad_address")]
    await courier(either_store, rules, sms).send_due()
    assert (await only(either_store, OutboxRow)).state == outbox.FAILED
    assert await open_tasks(either_store) == ["call_reply"]
    assert is_open(await only(either_store, Debt))


async def test_retrying_ends_and_the_next_route_is_taken(
    either_store: AnyStore, rules: Rules, sms: FakeSms, clock: FakeClock
) -> None:
    await refused_case(either_store, rules)
    sms.failures = [SendError("unavailable") for _ in range(len(outbox.DELAYS) + 1)]
    sender = courier(either_store, rules, sms)
    for _ in range(len(outbox.DELAYS) + 1):
        assert await sender.send_due() == 1
        clock.pass_time(days=1)
    assert await sender.send_due() == 0
    assert await open_tasks(either_store) == ["call_reply"]


async def test_who_opted_out_is_not_written_to_again(either_store: AnyStore, rules: Rules, sms: FakeSms) -> None:
    await refused_case(either_store, rules)
    sms.failures = [SendError("opted_out")]
    await courier(either_store, rules, sms).send_due()
    assert (await only(either_store, Contact)).opted_out_at is not None
    assert await open_tasks(either_store) == ["call_reply"]


async def test_no_receipt_for_72_hours_takes_the_next_route(
    either_store: AnyStore, rules: Rules, sms: FakeSms, clock: FakeClock
) -> None:
    await refused_case(either_store, rules)
    await courier(either_store, rules, sms).send_due()
    clock.pass_time(hours=71, minutes=59)
    await either_store.write(lambda work: delivery.give_up_waiting(work, rules))
    assert await open_tasks(either_store) == []
    clock.pass_time(minutes=2)
    await either_store.write(lambda work: delivery.give_up_waiting(work, rules))
    assert await open_tasks(either_store) == ["call_reply"]


async def test_a_receipt_that_comes_after_giving_up_still_settles_the_debt(
    either_store: AnyStore, rules: Rules, sms: FakeSms, clock: FakeClock
) -> None:
    await refused_case(either_store, rules)
    await courier(either_store, rules, sms).send_due()
    clock.pass_time(hours=73)
    await either_store.write(lambda work: delivery.give_up_waiting(work, rules))
    report = DeliveryReport("sms", "SM1", "delivered", clock())
    await either_store.write(lambda work: delivery.record_delivery(work, report, rules))
    assert (await only(either_store, Debt)).end == "delivered"
    assert await open_tasks(either_store) == []


async def test_contradictory_receipts_are_all_kept_and_end_a_debt_once(
    either_store: AnyStore, rules: Rules, sms: FakeSms, clock: FakeClock
) -> None:
    await refused_case(either_store, rules)
    await courier(either_store, rules, sms).send_due()
    for outcome in ("delivered", "failed", "delivered"):
        report = DeliveryReport("sms", "SM1", outcome, clock())
        await either_store.write(lambda work, r=report: delivery.record_delivery(work, r, rules))
    assert len(await either_store.read(lambda work: work.find(DeliveryRow))) == 3
    assert (await only(either_store, Debt)).end == "delivered"
    assert await open_tasks(either_store) == []


async def claimed_and_died(store: AnyStore, rules: Rules, sms: FakeSms, *, went_out: bool) -> None:
    """The gateway claims a message and dies before it can write down what became of it."""
    await refused_case(store, rules)
    claimed = await store.write(lambda work: delivery.claim(work, owner="gw/dead", limit=5))
    if went_out:
        await sms.send(outbound_of(claimed[0]))


async def test_an_unknown_fate_is_put_before_an_operator_and_never_sent_again(
    either_store: AnyStore, rules: Rules, sms: FakeSms, clock: FakeClock
) -> None:
    await claimed_and_died(either_store, rules, sms, went_out=True)
    sender = courier(either_store, rules, sms, run_id="two")
    assert await sender.settle_orphans() == 1
    clock.pass_time(days=2)
    assert await sender.send_due() == 0
    assert len(sms.sent) == 1
    assert await open_tasks(either_store) == ["unknown_fate"]


async def test_an_unknown_fate_is_looked_up_where_the_provider_keeps_a_list(
    either_store: AnyStore, rules: Rules, clock: FakeClock
) -> None:
    sms = FakeSms(can_look_up=True)
    await claimed_and_died(either_store, rules, sms, went_out=True)
    await courier(either_store, rules, sms, run_id="two").settle_orphans()
    row = await only(either_store, OutboxRow)
    assert (row.state, row.provider_id) == (outbox.SENT, "SM1")
    assert await open_tasks(either_store) == []


async def test_a_claim_of_another_living_gateway_is_left_alone(
    either_store: AnyStore, rules: Rules, sms: FakeSms, clock: FakeClock
) -> None:
    await refused_case(either_store, rules)
    await either_store.write(lambda work: delivery.claim(work, owner="other/run", limit=5))
    clock.pass_time(seconds=30)
    assert await courier(either_store, rules, sms).settle_orphans() == 0
    clock.pass_time(minutes=3)
    assert await courier(either_store, rules, sms).settle_orphans() == 1


async def test_a_fault_of_an_adapter_is_an_unknown_fate(either_store: AnyStore, rules: Rules, sms: FakeSms) -> None:
    await refused_case(either_store, rules)
    sms.failures = [KeyError("an adapter's own mistake")]
    await courier(either_store, rules, sms).send_due()
    assert await open_tasks(either_store) == ["unknown_fate"]


async def test_whose_contact_was_erased_meanwhile_is_answered_on_the_status_page(either_store: AnyStore, rules: Rules, sms: FakeSms) -> None:
    await refused_case(either_store, rules)

    def erase(work: Work) -> None:
        contact = work.find(Contact)[0]
        work.change(contact, replace(contact, phone="", name="", address=""))

    await either_store.write(erase)
    await courier(either_store, rules, sms).send_due()
    assert sms.sent == []
    assert (await only(either_store, Debt)).end == "published"


async def test_a_stop_finishes_what_is_being_sent(either_store: AnyStore, rules: Rules, sms: FakeSms) -> None:
    await refused_case(either_store, rules)
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(FakeSms):
        async def send(self, outbound: Outbound) -> Receipt:
            begun.set()
            await go_on.wait()
            return await super().send(outbound)

    slow = Slow()
    running = asyncio.create_task(courier(either_store, rules, slow).run())
    await begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [row.state for row in await either_store.read(lambda work: work.find(OutboxRow))] == [outbox.SENT]
    assert await open_tasks(either_store) == []
    assert await courier(either_store, rules, slow, run_id="two").settle_orphans() == 0
