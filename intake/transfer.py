"""Giving a citizen to another telephone: who was rung, and what came of it. Pure; units of work stand in switchboard_transfer.

Each attempt stands in the call, sealed with its number. `Call.giving` tells whether nobody has the citizen meanwhile: then
he has not been served, whoever talked with him before.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from intake.call import Call
from intake.skill import WORDS as SKILL_WORDS
from intake.skill import skill_of

HOWS: dict[str, str] = {"warm": "转接", "blind": "直接转接", "three_way": "三方通话", "skill": "转座席"}
RESULTS: dict[str, str] = {"": "正在呼叫", "answered": "接通", "busy": "忙线", "no_answer": "无人接听", "refused": "未能接通",
                           "given_up": "来电人先挂机"}  # fmt: skip
RINGING, SKILL = "ringing", "skill"
CORRECTED = ("refused", "busy")
"""Asterisk may say first that a telephone was not reached, and a moment later that it was busy."""
MOST = 20
"""Attempts kept of one call; nobody is sent round more often."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One attempt. `to` as it was dialled, or the skill he is to wait for; `how` one of HOWS, `by` the operator, `result` one
    of RESULTS."""

    to: str
    how: str
    by: int
    at: datetime
    result: str = ""

    @property
    def words(self) -> str:
        """As the operator reads it: 转接 110：忙线."""
        came = "正在等候" if self.how == SKILL and not self.result else RESULTS[self.result]
        return f"{HOWS[self.how]} {SKILL_WORDS.get(self.to, self.to)}：{came}"


def transfers_of(call: Call) -> tuple[Transfer, ...]:
    """The attempts of a call, oldest first."""
    rows = json.loads(call.transfers) if call.transfers else []
    return tuple(Transfer(**row | {"at": datetime.fromisoformat(row["at"])}) for row in rows)


def open_transfer(call: Call) -> Transfer | None:
    """The attempt whose telephone is being rung."""
    last = transfers_of(call)[-1:]
    return last[0] if last and not last[0].result else None


def skill_wanted(call: Call) -> str:
    """The skill an operator found that this caller needs, or the one of the queue he waits in; "" for none."""
    attempt = open_transfer(call)
    return attempt.to if attempt and attempt.how == SKILL else skill_of(call.queue)


def queued(call: Call, queue: str) -> Call:
    """He waits in a queue. For one who was given to a skill that is everybody's only when nobody who has it is left."""
    attempt = open_transfer(call)
    in_vain = attempt is not None and attempt.how == SKILL and skill_of(queue) != attempt.to
    return replace(ended(call, "no_answer") if in_vain else call, queue=queue)


def begun(call: Call, transfer: Transfer) -> Call:
    """The call with one attempt more; one that was still open has been given up for it."""
    return _with(ended(call, "given_up"), (*transfers_of(ended(call, "given_up")), transfer)[-MOST:])


def ended(call: Call, result: str) -> Call:
    """What came of the open attempt. Whoever was given away and not taken is nobody's until somebody answers."""
    kept = transfers_of(call)
    if not kept or (kept[-1].result and (kept[-1].result, result) != CORRECTED):
        return call
    giving = "" if result == "answered" or not call.giving else result
    return _with(replace(call, giving=giving), (*kept[:-1], replace(kept[-1], result=result)))


def let_go(call: Call) -> Call:
    """The operator has left: while the other telephone rings, nobody has the citizen."""
    return replace(call, giving=RINGING) if open_transfer(call) else call


def taken(call: Call) -> Call:
    """Somebody talks with the citizen: the one who was rung, or whoever took him back."""
    return replace(ended(call, "answered"), giving="")


def _with(call: Call, transfers: tuple[Transfer, ...]) -> Call:
    rows = [asdict(one) | {"at": one.at.isoformat()} for one in transfers]
    return replace(call, transfers=json.dumps(rows, ensure_ascii=False) if rows else "")
