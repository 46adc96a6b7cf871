"""Calls by operators to citizens: landline replies, 回访 and 先行联系, with attempts and results; the number stays hidden.

Each attempt is a Call of its own. Its result ends the matter it was made for by the ordinary steps of the case, so the
ledger is paid by the same rules as from the desk.
"""

from dataclasses import replace

from intake.call import PURPOSES, RESULTS, Call, LineState, OperatorLine
from intake.callback import RINGABLE
from intake.caller import caller_of
from intake.errors import BadInput, NotAllowed, NotFound, Refused, Unavailable
from intake.model import Actor, Case, Role
from intake.permission import may
from intake.person import log_access
from intake.ports import Work
from intake.records import Contact, Debt, Reporter
from intake.switchboard_lines import own_line, set_line
from intake.switchboard_parts import Parts
from intake.usecases import Command, load_case, perform

TO_CITIZENS = ("reply", "revisit", "contact")
REVISIT_OF = {"unreached": "unreached", "declined": "declined"}


class Outgoing:
    """Click to call, and what came of it."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._store = parts, parts.gateway.store

    async def place(self, actor: Actor, *, case_no: int, purpose: str, reason: str, debt_id: int = 0,
                    reporter_id: int = 0) -> Call:  # fmt: skip
        """Ring the operator, then the citizen. Raises BadInput, NotAllowed, or Unavailable when nothing was rung."""
        if purpose not in TO_CITIZENS:
            raise BadInput("purpose", "请选择通话事由。")
        port = self._parts.exchange.required()
        call_id = self._parts.gateway.store.next_id()

        def unit(work: Work) -> tuple[Call, OperatorLine]:
            contact = self.whom(work, actor, case_no, purpose, debt_id=debt_id, reporter_id=reporter_id)
            caller = caller_of(contact.phone, "", area_code=self._parts.gateway.city.area_code)
            if caller.kind not in RINGABLE:
                raise BadInput("phone", "反映人的号码无法拨打。")
            line = own_line(work, actor)
            log_access(work, case_no, actor, what="call", reason=reason)
            call = Call(call_id, purpose, "", f"out:{call_id}", "", work.now, flow="", caller=caller.number,
                        caller_kind=caller.kind, extension=line.extension, operator_id=actor.user_id, case_no=case_no,
                        debt_id=debt_id)  # fmt: skip
            work.add(call)
            set_line(work, line, LineState.TALKING, call_id=call_id)
            return call, line

        call, line = await self._store.write(unit)
        self._parts.calls.recall(call)
        try:
            await port.call(line.extension, self._parts.dialled(call.caller), call_id=call_id, kind=purpose)
        except (Unavailable, Refused):
            await self.not_placed(call, line)
            raise
        return call

    def whom(self, work: Work, actor: Actor, case_no: int, purpose: str, *, debt_id: int = 0,
             reporter_id: int = 0) -> Contact:  # fmt: skip
        """The reporter to be rung; raises unless this person may ring him for this purpose."""
        case = load_case(work, case_no, actor)
        debt = work.get(Debt, debt_id) if debt_id else None
        if purpose == "reply" and (debt is None or debt.case_no != case_no or debt.end):
            raise BadInput("debt", "没有这条待答复事项。")
        wanted = debt.reporter_id if debt else reporter_id
        reporters = [r for r in work.find(Reporter, case_no=case_no) if r.left_at is None and wanted in (0, r.reporter_id)]
        _refuse_stranger(case, reporters, actor, purpose)
        for reporter in reporters:
            contact = work.get(Contact, reporter.contact_id) if reporter.contact_id else None
            if contact is not None and contact.phone:
                return contact
        raise BadInput("phone", "反映人没有留下电话。")

    async def not_placed(self, call: Call, line: OperatorLine | None = None) -> None:
        """Nothing was rung: the attempt is kept, the line as it was before."""

        def unit(work: Work, held: Call) -> None:
            current = work.get(OperatorLine, line.user_id, lock=True) if line else None
            if line is not None and current is not None and current.call_id == call.call_id:
                set_line(work, current, line.state, reason=line.reason)

        now = self._parts.gateway.now()
        await self._parts.calls.change(
            call.call_id, lambda c: replace(c, ended_at=now, end="not_placed", summary="out", result="unreached"), also=unit
        )
        self._parts.calls.forget(call.call_id)

    async def end(self, call_id: int, actor: Actor, *, result: str, opinion: str = "", revisit_result: str = "") -> Call:
        """Write down 接通, 未接 or 拒访, and take the step of the case that follows from it."""
        if result not in RESULTS:
            raise BadInput("result", "请选择通话结果。")

        def unit(work: Work) -> Call:
            call = work.get(Call, call_id, lock=True)
            if call is None or call.purpose not in TO_CITIZENS:
                raise NotFound("没有这次外呼。")
            if call.operator_id != actor.user_id and actor.role is not Role.SHIFT_LEADER:
                raise NotAllowed("只能登记自己拨打的电话。")
            if call.end == "ended":
                raise BadInput("result", "这次通话已经登记过结果。")
            step, fields = _step_of(call, result, opinion.strip(), revisit_result)
            perform(work, Command(call.case_no, step, actor, fields=fields), self._parts.gateway.rules)
            return work.change(call, replace(call, result=result, summary="out", summed_by=actor.user_id, end="ended",
                                             note=opinion.strip()[:1000], ended_at=call.ended_at or work.now))  # fmt: skip

        call = await self._store.write(unit)
        self._parts.calls.forget(call_id)
        return call


def _refuse_stranger(case: Case, reporters: list[Reporter], actor: Actor, purpose: str) -> None:
    """The centre rings anybody it owes a word; a unit may contact the citizen of its own case, never a confidential one."""
    if may(actor, "use_phone"):
        return
    secret = case.confidential or any(r.confidential for r in reporters)
    if actor.role is Role.UNIT and secret:
        raise NotAllowed("反映人要求保密，不能由责任单位联系，请与热线联系。")
    if actor.role is not Role.UNIT or purpose != "contact":
        raise NotAllowed("您的岗位不能拨打这个反映人。")


def _step_of(call: Call, result: str, opinion: str, revisit_result: str) -> tuple[str, dict[str, object]]:
    if call.purpose == "reply":
        return "told_by_phone", {"debt": str(call.debt_id), "call_result": result}
    if call.purpose == "revisit":
        told: dict[str, object] = {"revisit_result": REVISIT_OF.get(result, revisit_result)}
        return "revisited", told | ({"opinion": opinion} if opinion else {})
    words = f"{PURPOSES[call.purpose]}：{RESULTS[result]}" + (f"。{opinion}" if opinion else "")
    return "note", {"text": words}
