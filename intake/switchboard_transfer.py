"""Transfers by operators: asked of the exchange, written down before the telephone rings and again with what came of it.

A number of the 应急通讯录 that is rung so counts as told of a danger (先通知后补单), with the true result.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from intake import transfer
from intake.call import Call, LineState, OperatorLine, Told
from intake.errors import BadInput, Refused, Unavailable
from intake.model import Actor
from intake.permission import demand
from intake.phone_profile import EmergencyContact
from intake.ports import Work
from intake.skill import WORDS
from intake.switchboard_parts import Parts
from intake.telephony import Telephony
from intake.transfer import Transfer

DANGER = frozenset({"service", "duty"})
"""Kinds of contact that are rung for nothing but danger."""
TOLD_AS: Mapping[str, str] = {"warm": "transferred", "blind": "transferred", "three_way": "three_way"}
ASKED: Mapping[str, Callable[[Telephony, int, str], Awaitable[None]]] = {
    "warm": lambda port, call_id, to: port.transfer(call_id, to, warm=True),
    "blind": lambda port, call_id, to: port.transfer(call_id, to, warm=False),
    "three_way": lambda port, call_id, to: port.three_way(call_id, to),
}


class Transfers:
    """What operators give on, and what comes back."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def to(self, call_id: int, target: str, actor: Actor, *, how: str) -> Call:
        """Ring another telephone for the citizen. Raises BadInput, and Unavailable or Refused when nothing was rung."""
        demand(actor, "use_phone")
        if how not in ASKED:
            raise BadInput("how", "请选择转接方式。")
        port = self._parts.exchange.required()
        attempt = Transfer(target, how, actor.user_id, self._parts.gateway.now())
        call = await self._parts.calls.change(call_id, lambda held: transfer.begun(held, attempt))
        try:
            await ASKED[how](port, call_id, target)
        except (Unavailable, Refused):
            await self.rang(call_id, "refused")
            raise
        return call

    async def to_skill(self, call_id: int, skill: str, actor: Actor) -> Call:
        """Have the citizen wait again, at his place, for a colleague who has a skill. Raises BadInput when nobody who has it
        is logged in, Unavailable or Refused when he could not be led there; then he stays with this operator."""
        demand(actor, "use_phone")
        port, attempt = self._parts.exchange.required(), Transfer(skill, transfer.SKILL, actor.user_id, self._parts.gateway.now())
        if (await self._parts.calls.get(call_id)).purpose != "in":
            raise BadInput("to", "只有打进来的电话可以转给方言、老年人、外语座席。")
        if not (await self.skills(actor)).get(skill):
            raise BadInput("to", "现在没有这种座席签入，请先记下诉求。")
        call = await self._parts.calls.change(call_id, lambda held: transfer.begun(held, attempt))
        try:
            await port.queue_again(call_id)
        except (Unavailable, Refused):
            await self.rang(call_id, "refused")
            raise
        return call

    async def skills(self, actor: Actor) -> dict[str, int]:
        """Skills a citizen can be given on for, with how many colleagues have each and are logged in."""
        lines = await self._parts.gateway.store.read(lambda work: work.find(OperatorLine))
        there = [line for line in lines if line.state is not LineState.OFFLINE and line.user_id != actor.user_id]
        counted = {skill: sum(skill in line.skills for line in there) for skill in WORDS}
        return {skill: count for skill, count in counted.items() if count}

    async def rang(self, call_id: int, result: str) -> Call:
        """What came of the telephone that was rung for the citizen, by an operator or by the flow (the duty)."""
        held = await self._parts.calls.get(call_id)
        attempt, now = transfer.open_transfer(held), self._parts.gateway.now()

        def also(work: Work, call: Call) -> None:
            contact = self._in_danger(attempt)
            if attempt is not None and contact is not None:
                result_told = TOLD_AS[attempt.how] if result == "answered" else "no_answer"
                work.add(Told(work.new_id(), call_id, contact.id, attempt.at, attempt.by, result=result_told))
            elif attempt is None:
                _correct(work, call, result)

        def change(call: Call) -> Call:
            return self._noted(transfer.ended(call, result), attempt, now)

        return await self._parts.calls.change(call_id, change, also=also)

    def _in_danger(self, attempt: Transfer | None) -> EmergencyContact | None:
        contacts = [one for one in self._parts.book.contacts() if one.kind in DANGER]
        return next((one for one in contacts if attempt and one.number == attempt.to), None)

    def _noted(self, call: Call, attempt: Transfer | None, now: datetime) -> Call:
        contact = self._in_danger(attempt)
        if contact is None:
            return call
        return replace(call, emergency_at=call.emergency_at or now, emergency_to=call.emergency_to or contact.id)


def _correct(work: Work, call: Call, result: str) -> None:
    """The flow wrote down that the duty was told before its telephone rang; here is whether somebody picked up."""
    for told in work.find(Told, call_id=call.call_id, order="-told_id", limit=1):
        if told.result == "told" and told.by == 0:
            work.change(told, replace(told, result="transferred" if result == "answered" else "no_answer"))
