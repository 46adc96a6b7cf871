"""Call-backs: who is owed one, when he is rung, whose turn it is, and that neither queue can starve the other."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from intake.call import CallBack
from intake.callback import (
    Leaving,
    Line,
    after_attempt,
    after_claim,
    credit_after,
    next_callback,
    not_before,
    reason_owed,
)
from intake.phone_profile import CallbackRules, Quiet
from tests.make import NOON
from tests.phones import CALLER_E164

RULES = CallbackRules()
ZONE = ZoneInfo("Asia/Shanghai")
WAITED = Leaving(asked=False, abandoned=True, waited=timedelta(seconds=30), ringable=True, marked=False)


def owed(number: int = 1, **changes: object) -> CallBack:
    at = NOON - timedelta(minutes=number)
    return replace(CallBack(number, number, CALLER_E164, "12319", "abandoned", at, at, at), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "abandoned"),
        ({"waited": timedelta(seconds=5)}, "abandoned"),
        ({"waited": timedelta(seconds=4.9)}, ""),
        ({"abandoned": False}, ""),
        ({"abandoned": False, "asked": True}, "unserved"),
        ({"reported": True}, ""),
        ({"reported": True, "asked": True}, "unserved"),
        ({"ringable": False}, ""),
        ({"marked": True}, ""),
        ({"marked": True, "asked": True}, ""),
        ({"marked": True, "emergency": True}, "abandoned"),
    ],
)
def test_who_is_owed_a_call(changes: dict[str, object], reason: str) -> None:
    assert reason_owed(replace(WAITED, **changes), RULES) == reason  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "state", "attempts", "minutes"),
    [("talked", "done", 0, None), ("no_answer", "owed", 1, 10), ("busy", "owed", 1, 10), ("postponed", "owed", 0, 2),
     ("not_confirmed", "owed", 0, 2), ("cannot_dial", "owed", 0, 2), ("refused", "given_up", 0, None)],
)  # fmt: skip
def test_what_becomes_of_an_attempt(outcome: str, state: str, attempts: int, minutes: int | None) -> None:
    after = after_attempt(owed(state="dialling"), outcome, now=NOON, rules=RULES, zone=ZONE)
    assert (after.state, after.attempts, after.outcome) == (state, attempts, outcome)
    assert minutes is None or after.next_at == NOON + timedelta(minutes=minutes)


def test_after_the_third_unanswered_ring_it_is_given_up() -> None:
    one = owed(state="dialling")
    for _ in range(3):
        one = after_attempt(replace(one, state="dialling"), "no_answer", now=NOON, rules=RULES, zone=ZONE)
    assert (one.state, one.attempts, one.is_open) == ("given_up", 3, False)


def test_claims_of_the_dead_are_owed_again_and_old_debts_given_up() -> None:
    claimed = owed(state="dialling", dialled_at=NOON)
    assert after_claim(claimed, now=NOON + timedelta(minutes=9), rules=RULES) is claimed
    assert after_claim(claimed, now=NOON + timedelta(minutes=10), rules=RULES).state == "owed"
    assert after_claim(owed(), now=NOON + timedelta(days=3), rules=RULES).state == "given_up"


@pytest.mark.parametrize(
    ("local", "ends"),
    [("20:59", None), ("21:00", "08:00"), ("23:59", "08:00"), ("00:00", "08:00"), ("07:59", "08:00"), ("08:00", None)],
)
def test_nobody_is_rung_at_night(local: str, ends: str | None) -> None:
    at = datetime.combine(NOON.date(), time.fromisoformat(local), tzinfo=ZONE).astimezone(UTC)
    allowed = not_before(at, Quiet(), ZONE)
    assert (allowed == at) == (ends is None)
    assert ends is None or (f"{allowed.astimezone(ZONE):%H:%M}" == ends and timedelta(0) < allowed - at <= timedelta(hours=11))


def test_with_nobody_waiting_the_longest_owed_is_rung() -> None:
    assert next_callback([owed(1), owed(9), owed(5)], Line(NOON, ())) == owed(9)
    assert next_callback([owed(1, next_at=NOON + timedelta(seconds=1))], Line(NOON, ())) is None
    assert next_callback([owed(1, state="dialling")], Line(NOON, ())) is None


def test_while_citizens_wait_a_call_back_needs_the_older_place_and_its_share() -> None:
    waiting = [NOON - timedelta(minutes=5)]
    assert next_callback([owed(9)], Line(NOON, waiting, credit=1.0)) == owed(9)
    assert next_callback([owed(9)], Line(NOON, waiting, credit=0.75)) is None
    assert next_callback([owed(1)], Line(NOON, waiting, credit=1.0)) is None


def test_the_share_is_saved_up_and_never_hoarded() -> None:
    credit = 0.0
    for _ in range(100):
        credit = credit_after(credit, RULES, paid=False)
    assert credit == 1.0
    assert credit_after(credit, RULES, paid=True) == 0.0


@dataclass
class Simulation:
    """Operators, citizens who queue and lose patience, and call-backs, minute by minute by the rules above."""

    seed: int
    share: float
    operators: int = 4
    hours: float = 9.0
    load: float = 1.15
    talk_s: float = 180.0
    patience_s: float = 240.0
    waits: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    paid_under_load: int = 0
    taken: int = 0
    left_owed: int = 0
    longest_unpaid_run: int = 0

    def run(self) -> "Simulation":
        draw, rules = random.Random(self.seed), replace(RULES, share=self.share)
        waiting: list[tuple[float, float]] = []
        debts: list[tuple[float, CallBack]] = []
        credit, run, free, busy = 0.0, 0, self.operators, list[float]()
        for now, arrives in self._moments(draw, busy):
            while busy and busy[0] <= now:
                heapq.heappop(busy)
                free += 1
            if arrives:
                waiting.append((now, now + draw.expovariate(1 / self.patience_s)))
            for place, gone in [one for one in waiting if one[1] <= now]:
                waiting.remove((place, gone))
                debts.append((now, owed(len(debts) + 1, place_at=_at(place), owed_at=_at(gone), next_at=_at(gone))))
            while free and (waiting or debts):
                line = Line(_at(now), [_at(place) for place, _ in waiting], credit)
                chosen = next_callback([one for _, one in debts], line)
                if chosen is None and not waiting:
                    break
                free -= 1
                heapq.heappush(busy, now + draw.expovariate(1 / self.talk_s))
                if chosen is not None:
                    self._pay(chosen, debts, now)
                    self.paid_under_load += bool(waiting)
                    credit, run = credit_after(credit, rules, paid=True) if waiting else credit, 0
                else:
                    place, _ = waiting.pop(0)
                    self.waits.append(now - place)
                    self.taken += 1
                    older = any(one.place_at < _at(place) and one.next_at <= _at(now) for _, one in debts)
                    credit, run = credit_after(credit, rules, paid=False), run + 1 if older else 0
                    self.longest_unpaid_run = max(self.longest_unpaid_run, run)
        self.left_owed = len(debts)
        return self

    def _moments(self, draw: random.Random, busy: list[float]) -> Iterator[tuple[float, bool]]:
        """Arrivals, and in the second half of the time nothing but the work running dry."""
        rate, arrival = self.load * self.operators / self.talk_s, 0.0
        for tick in range(int(self.hours * 3600 / 5)):
            now, arrives = tick * 5.0, False
            if arrival <= now < self.hours * 3600 / 2:
                arrival += draw.expovariate(rate)
                arrives = True
            yield now, arrives

    def _pay(self, chosen: CallBack, debts: list[tuple[float, CallBack]], now: float) -> None:
        at = next(index for index, (_, one) in enumerate(debts) if one is chosen)
        self.delays.append(now - debts.pop(at)[0])


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("load", [0.7, 1.0, 1.15, 1.4])
def test_neither_queue_starves_the_other(seed: int, load: float) -> None:
    print("seed", seed, "load", load)
    fair = Simulation(seed, share=RULES.share, load=load).run()
    selfish = Simulation(seed, share=1e-9, load=load).run()
    assert fair.left_owed == 0, "every call-back was paid"
    # Under load call-backs take their share and no more: at most one in 1/share + 1 calls.
    assert fair.paid_under_load <= RULES.share * fair.taken + 1
    # And while an older call-back is due, at most 1/share calls go by before it is paid.
    assert fair.longest_unpaid_run <= round(1 / RULES.share)
    # Those who wait pay little for it: their mean wait grows by less than a talk.
    mean = sum(fair.waits) / len(fair.waits)
    assert mean <= sum(selfish.waits) / len(selfish.waits) + 180
    if load > 1.1:
        assert selfish.longest_unpaid_run > 20, "without the rule call-backs starve while citizens wait"


