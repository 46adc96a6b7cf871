"""Call-backs as units of work: owe one, settle it, claim it for an operator, write down what came of it."""

from dataclasses import replace
from datetime import datetime, tzinfo

from intake.call import Call, CallBack
from intake.call_spool import Owing
from intake.callback import after_attempt, after_claim, not_before
from intake.phone_profile import CallbackRules
from intake.ports import Work

DUE_LIMIT = 50


def open_callback(work: Work, number_hash: str) -> CallBack | None:
    """The call-back a number is owed, dialled at the moment or not."""
    found = work.find(CallBack, open_key=number_hash, limit=1) if number_hash else []
    return found[0] if found else None


def owe(work: Work, call: Call, owing: Owing, *, number_hash: str, rules: CallbackRules, zone: tzinfo) -> CallBack:
    """One call-back for each number: an earlier one keeps its place, and what he asks for himself counts more than what
    we owe him anyway."""
    held = open_callback(work, number_hash)
    if held is not None:
        asked = replace(held, reason="requested") if owing.reason == "requested" else held
        return work.change(held, asked)
    callback = CallBack(
        callback_id=work.new_id(), call_id=call.call_id, number=owing.number, line=call.line, reason=owing.reason,
        owed_at=work.now, place_at=owing.place_at, next_at=not_before(work.now, rules.quiet, zone),
    )  # fmt: skip
    work.add(callback)
    return callback


def settle(work: Work, number_hash: str, *, before: datetime) -> None:
    """He rang again and was served: what was owed before that is settled."""
    held = open_callback(work, number_hash)
    if held is not None and held.owed_at <= before:
        work.change(held, replace(held, state="settled", outcome="rang_again", closed_at=work.now, dialled_at=None))


def owed_callbacks(work: Work, *, limit: int = DUE_LIMIT) -> list[CallBack]:
    """Call-backs that are owed, the longest waiting first, due or not."""
    return work.find(CallBack, state="owed", order="place_at,callback_id", limit=limit)


def claim(work: Work, callback_id: int, operator_id: int) -> CallBack | None:
    """Take a call-back for an operator; None when somebody else has it or it is settled."""
    held = work.get(CallBack, callback_id, lock=True)
    if held is None or held.state != "owed":
        return None
    return work.change(held, replace(held, state="dialling", operator_id=operator_id, dialled_at=work.now))


def record_attempt(work: Work, callback_id: int, outcome: str, *, rules: CallbackRules, zone: tzinfo) -> CallBack | None:
    """Write down what came of an attempt; one that was settled meanwhile stays settled."""
    held = work.get(CallBack, callback_id, lock=True)
    if held is None or held.state != "dialling":
        return held
    return work.change(held, after_attempt(held, outcome, now=work.now, rules=rules, zone=zone))


def tidy(work: Work, rules: CallbackRules) -> int:
    """Take back claims of the dead and give up what is too old; returns how many changed."""
    changed = 0
    for state in ("dialling", "owed"):
        for held in work.find(CallBack, state=state, order="place_at,callback_id", limit=DUE_LIMIT):
            after = after_claim(held, now=work.now, rules=rules)
            if after is not held:
                work.change(held, after)
                changed += 1
    return changed


def cancel(work: Work, callback_id: int, *, by: int, outcome: str) -> CallBack | None:
    held = work.get(CallBack, callback_id, lock=True)
    if held is None or not held.is_open:
        return held
    return work.change(held, replace(held, state="cancelled", outcome=outcome, closed_at=work.now, closed_by=by))
