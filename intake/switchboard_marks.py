"""Nuisance marks (骚扰): made by a person on the evidence of a call, expiring by themselves, lifted by the shift leader.

A mark costs a number only the call-back it would be owed. It is answered as before, and nothing here stands in the way
of an emergency.
"""

from dataclasses import replace

from intake.call import Call, CallRecording, Mark
from intake.errors import BadInput, NotFound
from intake.model import Actor
from intake.permission import demand
from intake.ports import Work
from intake.switchboard_parts import Parts


class Marks:
    """Marks on numbers."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._store = parts, parts.gateway.store

    async def add(self, call_id: int, actor: Actor, *, reason: str) -> Mark:
        """Mark the number of a call. Raises BadInput without evidence, reason or number."""
        demand(actor, "use_phone")
        if len(reason.strip()) < 2:
            raise BadInput("reason", "请写明标记理由。")
        lasts = self._parts.book.rules().mark_lasts

        def unit(work: Work) -> Mark:
            call = work.get(Call, call_id)
            if call is None or not call.caller:
                raise BadInput("call", "没有来电号码，不能标记。")
            heard = call.answered_at is not None or work.find(CallRecording, call_id=call_id, limit=1)
            if not heard:
                raise BadInput("call", "没有接听或录音，不能作为依据。")
            mark = Mark(work.new_id(), call.caller, call_id, reason.strip()[:200], actor.user_id, work.now, work.now + lasts)
            work.add(mark)
            return mark

        return await self._store.write(unit)

    async def lift(self, mark_id: int, actor: Actor, *, reason: str) -> Mark:
        """Take a mark back."""
        demand(actor, "lead_phone")

        def unit(work: Work) -> Mark:
            mark = work.get(Mark, mark_id, lock=True)
            if mark is None or mark.lifted_at is not None:
                raise NotFound("没有这个标记。")
            words = f"{mark.reason}；解除：{reason.strip()[:200]}"
            return work.change(mark, replace(mark, lifted_by=actor.user_id, lifted_at=work.now, reason=words))

        return await self._store.write(unit)

    async def of_call(self, call_id: int) -> list[Mark]:
        """The marks that stand against the number of a call now."""

        def question(work: Work) -> list[Mark]:
            call = work.get(Call, call_id)
            return standing(work, self._parts.number_hash(call.caller)) if call and call.caller else []

        return await self._store.read(question)


def standing(work: Work, number_hash: str) -> list[Mark]:
    """Marks that have neither expired nor been lifted."""
    found = work.find(Mark, number_hash=number_hash) if number_hash else []
    return [mark for mark in found if mark.lifted_at is None and mark.expires_at > work.now]
