"""What a call flow is told at its start: who calls, what is in force, and whether the citizen is asked for his rating.

The rating after a talk (满意 or 不满意) is about how the hotline spoke with him, so it is asked once a call, after talks with the
centre: calls that come in, landline replies, revisits and call-backs. 先行联系 is the unit's talk, a call between operators is
nobody's; and a machine never speaks in a call about a confidential case.
"""

import asyncio
from datetime import datetime

from intake.call import Call, CallBack, LineState, OperatorLine
from intake.errors import Unavailable
from intake.model import Case
from intake.ports import Work
from intake.skill import QUEUE, queue_for, skill_of
from intake.switchboard_parts import Parts
from intake.transfer import skill_wanted
from intake.voice_reply import words_of

RATED = frozenset({"in", "reply", "revisit", "callback"})
"""Purposes of a call after which the citizen is asked."""
NOT_ASKED = "not_asked"
LAST_CALLS = 10
LOOK_S = 0.5
"""A caller hears nothing meanwhile; what is not known by then is taken the careful way."""


class Facts:
    """Reads them for one call."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._store = parts, parts.gateway.store

    async def of(self, call: Call) -> dict[str, str]:
        """The facts by name, as the flows declare them."""
        now = self._parts.gateway.now()
        if call.purpose == "voice":
            words = await self._store.read(lambda work: words_of(work, call))
            return {"answered_by": "person", "case_no": str(call.case_no), "reply": words}
        if call.purpose == "callback":
            return {"phone": self._parts.dialled(call.caller), "owed_s": str(await self._owed_s(call, now)),
                    "rating": await self._rating(call)}  # fmt: skip
        if call.purpose != "in":
            return {"rating": await self._rating(call)}
        return {"number": call.line, "caller": self._parts.dialled(call.caller),
                "notice": self._parts.book.notice(call.line, now), "rating": str(call.rating or ""),
                "closed": await self._closed(call.line, now)}  # fmt: skip

    async def _rating(self, call: Call) -> str:
        """Filled when he is not to be asked (again)."""
        if call.rating or call.purpose not in RATED:
            return str(call.rating or NOT_ASKED)
        case = None
        if call.case_no:
            try:
                async with asyncio.timeout(LOOK_S):
                    case = await self._store.read(lambda work: work.get(Case, call.case_no))
            except (Unavailable, TimeoutError):
                return NOT_ASKED
        return NOT_ASKED if case is not None and case.confidential else ""

    async def _closed(self, line: str, now: datetime) -> str:
        """Filled outside the hours of a number, unless somebody has logged in all the same."""
        if self._parts.book.is_open(line, now):
            return ""
        try:
            async with asyncio.timeout(LOOK_S):
                return "" if await self._store.read(_is_staffed) else "yes"
        except (Unavailable, TimeoutError):  # the hours are known without the database
            return "yes"

    async def _owed_s(self, call: Call, now: datetime) -> int:
        owed = await self._store.read(lambda work: work.get(CallBack, call.callback_id))
        return round((now - owed.owed_at).total_seconds()) if owed else 0


    async def queue_of(self, call: Call) -> str:
        """The queue this caller is to wait in; everybody's when that cannot be looked up in time."""
        hashed = self._parts.number_hash(call.caller)
        try:
            async with asyncio.timeout(LOOK_S):
                return await self._store.read(lambda work: steered(work, call, hashed))
        except (Unavailable, TimeoutError):
            return QUEUE


def steered(work: Work, call: Call, hashed: str) -> str:
    """Where a caller belongs: with those who have the skill he needs (an operator said so, or he was last served by one of
    them), while one of them is there."""
    seats = [line.skills for line in work.find(OperatorLine) if line.state is not LineState.OFFLINE]
    if not any(seats):
        return QUEUE
    skill = skill_wanted(call)
    if not skill and hashed:
        last = work.find(Call, number_hash=hashed, order="-call_id", limit=LAST_CALLS)
        skill = next((skill_of(one.queue) for one in last if one.was_served and skill_of(one.queue)), "")
    return queue_for(skill, seats)


def _is_staffed(work: Work) -> bool:
    return any(line.state is not LineState.OFFLINE for line in work.find(OperatorLine))
