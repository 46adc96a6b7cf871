"""Call-backs: who is owed one, when he may be rung, whose turn it is, and what becomes of an attempt. Pure.

Source: missed calls are rung back (国办函〔2025〕66号); the rules of one city stand in phone_profile.py. Fairness: while
citizens wait in the queue, a call-back is dialled only if it has waited longer than each of them, and for at most a set
share of the calls the operators take, so that neither side can starve the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from intake.call import Call, CallBack
from intake.phone_profile import CallbackRules, Quiet

ENDS_SETTLED = frozenset({"served", "message_left", "callback_requested", "status_told", "rated", "answered", "talked"})
"""Ends of a flow after which the caller has what he rang for; leaving the queue by them is no abandoning."""
RINGABLE = frozenset({"mobile", "landline"})
"""Kinds of number (phone.py) that a person answers and that cost nothing out of the ordinary."""
REASON_WORDS = {"abandoned": "排队中挂机", "requested": "预约回电", "unserved": "未能接通", "lost": "系统故障期间来电"}
FAULT_GAP = timedelta(minutes=2)
"""After an attempt that never reached the citizen's telephone."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A call at its end, as far as owing is concerned. `asked`: the flow itself says that a person owes a call."""

    asked: bool
    abandoned: bool
    waited: timedelta
    ringable: bool
    marked: bool
    emergency: bool = False
    reported: bool = False


def reason_owed(leaving: Leaving, rules: CallbackRules) -> str:
    """Why a call-back is owed, empty when none is. A mark for nuisance never stops a call that asked for help in danger."""
    if not leaving.ringable or (leaving.marked and not leaving.emergency):
        return ""
    if leaving.asked:
        return "unserved"
    if leaving.abandoned and not leaving.reported and leaving.waited >= rules.min_wait:
        return "abandoned"
    return ""


def leaving_of(call: Call, *, end: str, asked: bool, at: datetime, marked: bool, reported: bool) -> Leaving:
    """What is known of a call whose flow ended as `end`."""
    return Leaving(
        asked=asked and not call.was_served,
        abandoned=call.queued_at is not None and not call.was_served and end not in ENDS_SETTLED,
        waited=at - call.queued_at if call.queued_at else timedelta(0),
        ringable=call.caller_kind in RINGABLE,
        marked=marked,
        emergency=call.emergency_at is not None,
        reported=reported,
    )


@dataclass(frozen=True, slots=True)
class Line:
    """The two queues at one moment: places of citizens who wait, oldest first, and `credit`, the part of a call that the
    call-backs have saved up (0..1)."""

    now: datetime
    waiting: Sequence[datetime]
    credit: float = 0.0


def next_callback(owed: Iterable[CallBack], line: Line) -> CallBack | None:
    """Whom the operator who is free now should ring, None when he should take the queue."""
    due = [one for one in owed if one.state == "owed" and one.next_at <= line.now]
    if not due:
        return None
    oldest = min(due, key=lambda one: (one.place_at, one.callback_id))
    if not line.waiting:
        return oldest
    return oldest if oldest.place_at < line.waiting[0] and line.credit >= 1 else None


def credit_after(credit: float, rules: CallbackRules, *, paid: bool) -> float:
    """The credit after an operator took a call (it grows by the share) or paid a call-back. Capped, so that call-backs
    never come in bursts after a quiet hour."""
    return max(0.0, credit - 1) if paid else min(1.0, credit + rules.share)


def after_attempt(owed: CallBack, outcome: str, *, now: datetime, rules: CallbackRules, zone: tzinfo) -> CallBack:
    """The debt after an attempt. Outcomes are the ends of the flow `callback`; only a ring the citizen could hear counts."""
    if outcome == "talked":
        return _closed(owed, "done", outcome, now)
    if outcome == "refused":
        return _closed(owed, "given_up", outcome, now)
    rang = outcome in ("no_answer", "busy")
    attempts = owed.attempts + rang
    if attempts >= rules.attempts:
        return _closed(replace(owed, attempts=attempts), "given_up", outcome, now)
    gap = rules.gaps[min(attempts, len(rules.gaps)) - 1] if rang else FAULT_GAP
    return replace(owed, state="owed", attempts=attempts, operator_id=0, dialled_at=None, outcome=outcome,
                   next_at=not_before(now + gap, rules.quiet, zone))  # fmt: skip


def after_claim(owed: CallBack, *, now: datetime, rules: CallbackRules) -> CallBack:
    """A debt whose dialling nobody ended (the gateway died) is owed again; one that is too old is given up."""
    if owed.state == "dialling" and owed.dialled_at is not None and now - owed.dialled_at >= rules.busy:
        return replace(owed, state="owed", operator_id=0, dialled_at=None, outcome="orphaned")
    if owed.state == "owed" and now - owed.owed_at >= rules.keep:
        return _closed(owed, "given_up", "too_old", now)
    return owed


def not_before(at: datetime, quiet: Quiet, zone: tzinfo) -> datetime:
    """The first moment from `at` on in which a citizen may be rung."""
    end = quiet.ends_after(at.astimezone(zone))
    return at if end is None else end.astimezone(at.tzinfo)


def _closed(owed: CallBack, state: str, outcome: str, now: datetime) -> CallBack:
    return replace(owed, state=state, outcome=outcome, closed_at=now, dialled_at=None)
