"""Nuisance marks (骚扰): made by a person on the evidence of a call, expiring by themselves, lifted by the shift leader.

A mark costs a number only the call-back it would be owed. It is answered as before, and nothing here stands in the way
of an emergency.
"""

from dataclasses import replace

from intake.call import Call, CallRecording, Mark
from intake.errors import BadInput, NotFound
from intake.model import Actor
from intake.nuisance import standing
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
        return await self._store.write(lambda work: lift_mark(work, mark_id, actor, reason=reason))

    async def of_call(self, call_id: int) -> list[Mark]:
        """The marks that stand against the number of a call now."""

        def question(work: Work) -> list[Mark]:
            call = work.get(Call, call_id)
            return standing(work, self._parts.number_hash(call.caller)) if call and call.caller else []

        return await self._store.read(question)


def marks_in_force(work: Work, *, limit: int) -> list[Mark]:
    """Marks on any number that neither expired nor were lifted: those waiting for the shift leader's word first."""
    found = work.find(Mark, lifted_at=None, order="-mark_id", limit=limit)
    return sorted((one for one in found if one.expires_at > work.now), key=lambda one: one.confirmed_at is not None)


def confirm_mark(work: Work, mark_id: int, actor: Actor) -> Mark:
    """The shift leader lets a mark stand; twice is once."""
    mark = _mark_in_force(work, mark_id, actor)
    if mark.confirmed_at is not None:
        return mark
    return work.change(mark, replace(mark, confirmed_by=actor.user_id, confirmed_at=work.now))


def lift_mark(work: Work, mark_id: int, actor: Actor, *, reason: str) -> Mark:
    """The shift leader takes a mark back, for a reason."""
    mark = _mark_in_force(work, mark_id, actor)
    if not reason.strip():
        raise BadInput("reason", "请写明解除理由。")
    words = f"{mark.reason}；解除：{reason.strip()[:200]}"
    return work.change(mark, replace(mark, lifted_by=actor.user_id, lifted_at=work.now, reason=words))


def _mark_in_force(work: Work, mark_id: int, actor: Actor) -> Mark:
    demand(actor, "lead_phone")
    mark = work.get(Mark, mark_id, lock=True)
    if mark is None or mark.lifted_at is not None or mark.expires_at <= work.now:
        raise NotFound("没有这个标记。")
    return mark
