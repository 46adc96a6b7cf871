"""先行联系 by a unit: the hotline rings the unit's own telephone and connects it with the citizen of its case.

Neither sees the other's number: both see the hotline's. Only the duty telephone of the profile is rung, only for an open case of
that unit, never for a confidential one; each attempt is a Call with its result, and stands in the log of who looked at whom.
"""

from collections.abc import Sequence

from intake.call import Call
from intake.callback import RINGABLE
from intake.caller import Caller, caller_of
from intake.errors import BadInput, NotAllowed, Refused, Unavailable
from intake.model import Actor, Case, State
from intake.permission import demand
from intake.person import log_access
from intake.ports import Work
from intake.switchboard_out import Outgoing
from intake.switchboard_parts import Parts
from intake.usecases import load_case

PURPOSE = "contact"
OPEN = frozenset({State.DISPATCHED, State.HANDLING, State.SUSPENDED})
"""States in which the case is the unit's to work on."""
MOST_SHOWN = 20


class Contacts:
    """What a unit may do with the telephone: nothing but this."""

    def __init__(self, parts: Parts, outgoing: Outgoing) -> None:
        self._parts, self._store, self._outgoing = parts, parts.gateway.store, outgoing

    async def place(self, actor: Actor, *, case_no: int, reason: str) -> Call:
        """Ring the unit, then the citizen. Raises BadInput or NotAllowed, Unavailable or Refused when nothing was rung."""
        demand(actor, "contact_citizen")
        port, call_id = self._parts.exchange.required(), self._store.next_id()

        def unit(work: Work) -> tuple[Call, str]:
            own, caller = self._both_ends(work, case_no, actor)
            if any(not one.is_over for one in self._of(work, case_no, actor)):
                raise BadInput("call", "正在为您接通这个反映人，请先接听。")
            log_access(work, case_no, actor, what="call", reason=reason)
            call = Call(call_id, PURPOSE, "", f"out:{call_id}", "", work.now, flow="", caller=caller.number,
                        caller_kind=caller.kind, operator_id=actor.user_id, case_no=case_no)  # fmt: skip
            work.add(call)
            return call, own

        call, own = await self._store.write(unit)
        self._parts.calls.recall(call)
        try:
            await port.call(own, self._parts.dialled(call.caller), call_id=call_id, kind=PURPOSE)
        except (Unavailable, Refused):
            await self._outgoing.not_placed(call)
            raise
        return call

    async def refusal(self, case_no: int, actor: Actor) -> str:
        """Why this person cannot be connected in this case; "" when he can. Raises NotFound for a case he may not see."""

        def question(work: Work) -> str:
            try:
                self._both_ends(work, case_no, actor)
            except (BadInput, NotAllowed) as error:
                return error.message
            return ""

        return await self._store.read(question)

    def _both_ends(self, work: Work, case_no: int, actor: Actor) -> tuple[str, Caller]:
        """The number of the unit and the citizen to be connected."""
        own = self._own_telephone(load_case(work, case_no, actor))
        contact = self._outgoing.whom(work, actor, case_no, PURPOSE)
        caller = caller_of(contact.phone, "", area_code=self._parts.gateway.city.area_code)
        if caller.kind not in RINGABLE:
            raise BadInput("phone", "反映人的号码无法拨打。")
        return own, caller

    def _own_telephone(self, case: Case) -> str:
        unit = self._parts.gateway.rules.units.get(case.unit)
        if case.state not in OPEN:
            raise BadInput("case_no", "案件不在办理中，不能再联系反映人。")
        if unit is None or not unit.duty_phone:
            raise BadInput("phone", "本单位没有登记值班电话，请与热线联系。")
        number = caller_of(unit.duty_phone, "", area_code=self._parts.gateway.city.area_code).number
        if not number:
            raise BadInput("phone", "本单位登记的值班电话无法拨打，请与热线联系。")
        return self._parts.dialled(number)

    async def of_case(self, case_no: int, actor: Actor) -> Sequence[Call]:
        """This person's attempts in a case, newest first. Raises NotFound for a case he may not see."""
        demand(actor, "contact_citizen")

        def question(work: Work) -> list[Call]:
            load_case(work, case_no, actor)
            return self._of(work, case_no, actor)

        return await self._store.read(question)

    def _of(self, work: Work, case_no: int, actor: Actor) -> list[Call]:
        found = work.find(Call, case_no=case_no, purpose=PURPOSE, order="-call_id", limit=MOST_SHOWN)
        return [one for one in found if one.operator_id == actor.user_id]

    async def end(self, call_id: int, actor: Actor, *, result: str, opinion: str = "") -> Call:
        """接通, 未接 or 拒访, written into the case."""
        demand(actor, "contact_citizen")
        call = await self._parts.calls.get(call_id)
        if call.purpose != PURPOSE or call.operator_id != actor.user_id:
            raise NotAllowed("只能登记自己的联系。")
        if result == "reached" and call.answered_at is None:
            raise BadInput("result", "反映人没有接听，不能登记为接通。")
        return await self._outgoing.end(call_id, actor, result=result, opinion=opinion)
