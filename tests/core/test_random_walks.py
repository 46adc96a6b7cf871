"""Random walks through the steps a person is offered: whatever is done, the promises of the core hold."""

import random
from dataclasses import dataclass

import pytest

from intake.errors import Refused
from intake.gateway import Gateway
from intake.history import verify_chain
from intake.ledger import is_open
from intake.model import Actor, Case, Role, State
from intake.offers import Asked, Offer
from intake.profile import City
from intake.receive import receive
from intake.records import Debt, HistoryEntry, Reporter, User
from intake.usecases import Command, perform
from intake.vault import Vault
from intake.wiring import AnyStore
from intake.workflow import ENDED, Group
from tests.core.test_usecases import JUDGED
from tests.fakes import FakeClock
from tests.make import NOON, make_inbound

WALKS = 8
STEPS_EACH = 60
STAFF = (Role.OPERATOR, Role.SHIFT_LEADER, Role.DISPATCHER, Role.INSPECTOR, Role.UNIT, Role.AUDITOR)


@dataclass
class Walker:
    """Takes one offered step after another, with random people and random answers."""

    store: AnyStore
    gateway: Gateway
    clock: FakeClock
    dice: random.Random
    numbers: list[int]

    async def step(self) -> None:
        number = self.dice.choice(self.numbers)
        actor = self.actor()
        self.clock.pass_time(minutes=self.dice.randint(0, 600))
        try:
            file = await self.gateway.case_file(number, actor)
            if not file.offers:
                return
            offer = self.dice.choices(file.offers, [weight(offer) for offer in file.offers])[0]
            fields = self.filled(offer)
            await self.store.write(
                lambda work: perform(work, Command(number, offer.step.name, actor, file.case.version, fields), self.gateway.rules)
            )
        except Refused:
            return

    def actor(self) -> Actor:
        role = self.dice.choice(STAFF)
        number = 10 * STAFF.index(role) + self.dice.randint(1, 2)
        return Actor(number, f"{role.value}{number}", role, "*" if role is Role.UNIT else "")

    def filled(self, offer: Offer) -> dict[str, object]:
        return {asked.name: self.answer(asked) for asked in offer.fields if asked.required or self.dice.random() < 0.3}

    def answer(self, asked: Asked) -> object:
        if asked.choices:
            return self.dice.choice(asked.choices)[0]
        if asked.type == "moment":
            return f"2026-{self.dice.choice((11, 12))}-{self.dice.randint(10, 30)}T18:00"
        if asked.type == "case":
            return str(self.dice.choice(self.numbers))
        if asked.type == "bool":
            return self.dice.random() < 0.5
        return "现场情况说明"


SHORT_CUTS = {"answer", "redirect", "reject", "settle", "merge", "void", "rotate_code", "note"}


def weight(offer: Offer) -> int:
    """The long way round is walked most, so that rare states are reached."""
    if offer.step.name in SHORT_CUTS:
        return 1
    return 12 if offer.step.group is not Group.ACT else 3


@pytest.mark.parametrize("walk", range(WALKS))
async def test_random_walks_keep_every_promise(
    either_store: AnyStore, city: City, clock: FakeClock, vault: Vault, walk: int
) -> None:
    seed = random.SystemRandom().randint(0, 2**32)
    print(f"seed {seed}, walk {walk}")
    gateway = Gateway(either_store, city, city.rules(), lambda _: JUDGED, vault, clock, feed=None, admission=None)  # type: ignore[arg-type]
    await either_store.write(_add_staff)
    numbers = []
    for _ in range(3):
        received = await either_store.write(lambda work: receive(work, make_inbound(), JUDGED, city.rules()))
        numbers.append(received.case_no)
    walker = Walker(either_store, gateway, clock, random.Random(seed), numbers)
    lengths = dict.fromkeys(numbers, 0)
    for _ in range(STEPS_EACH):
        await walker.step()
        for number in numbers:
            lengths[number] = await check_promises(either_store, number, before=lengths[number])


def _add_staff(work: object) -> None:
    for place, role in enumerate(STAFF):
        for number in (1, 2):
            user_id = 10 * place + number
            work.add(User(user_id, f"{role.value}{user_id}", role.value, role, NOON))  # type: ignore[attr-defined]


async def check_promises(store: AnyStore, number: int, *, before: int) -> int:
    """History only grows and is whole; owed replies follow the table; an end is an end; one row is one debt."""
    case, lines, debts, reporters = await store.read(
        lambda work: (work.get(Case, number), work.find(HistoryEntry, case_no=number), work.find(Debt, case_no=number),
                      work.find(Reporter, case_no=number))
    )  # fmt: skip
    assert case is not None
    assert len(lines) >= before
    assert verify_chain(lines, case) == ""
    assert case.version == len(lines)
    assert (case.ended_at is not None) == (case.state in ENDED)
    here = {r.reporter_id for r in reporters if r.left_at is None}
    for state, kind in ((State.FILED, "filing"), (State.CLOSED, "closing"), (State.REJECTED, "refusal")):
        if case.state is state:
            told = {debt.reporter_id for debt in debts if debt.kind == kind and debt.round == case.round}
            assert here <= told, (state, kind)
    if case.state is State.ARCHIVED:
        assert not any(is_open(debt) for debt in debts)
    assert all(debt.ended_at is not None and (debt.end != "excused" or debt.excuse) for debt in debts if debt.end)
    return len(lines)
