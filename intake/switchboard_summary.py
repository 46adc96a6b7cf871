"""来电小结 by the operator, who was told of a danger, and what the desk is shown of a caller."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from intake.call import SUMMARIES, Call, CallBack, Mark, Told
from intake.callback_work import open_callback
from intake.errors import BadInput, NotAllowed, NotFound
from intake.model import Actor, Case, Role
from intake.nuisance import standing
from intake.permission import demand
from intake.phone_profile import EmergencyContact
from intake.ports import Work
from intake.switchboard_acts import cases_of
from intake.switchboard_audio import bind_recordings
from intake.switchboard_parts import Parts
from intake.usecases import Command, load_case, perform
from intake.workflow import STEPS

EARLIER = 10
TOLD_RESULTS = {"told": "已通知", "no_answer": "无人接听", "transferred": "已转接", "three_way": "三方通话"}


@dataclass(frozen=True, slots=True)
class CallerView:
    """What is known of a caller when his call rings: for the screen pop. `call` holds his number; the page masks it."""

    call: Call
    earlier: Sequence[Call]
    cases: Sequence[Case]
    marks: Sequence[Mark]
    owed: CallBack | None


class Summaries:
    """What people write down of calls."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._store = parts, parts.gateway.store

    async def recent(self, number: str, *, limit: int = EARLIER) -> list[Call]:
        hashed = self._parts.number_hash(number)
        if not hashed:
            return []
        return await self._store.read(lambda work: work.find(Call, number_hash=hashed, order="-call_id", limit=limit))

    async def caller_view(self, call_id: int, actor: Actor) -> CallerView:
        """The call with what came before it. Raises NotAllowed for posts that answer no calls."""
        demand(actor, "use_phone")

        def question(work: Work) -> CallerView:
            call = stored_call(work, call_id)
            hashed = self._parts.number_hash(call.caller)
            if not hashed:
                return CallerView(call, (), (), (), None)
            earlier = [one for one in work.find(Call, number_hash=hashed, order="-call_id", limit=EARLIER + 1)
                       if one.call_id != call_id]  # fmt: skip
            cases = (work.get(Case, number) for number in cases_of(work, hashed))
            return CallerView(call, earlier[:EARLIER], [case for case in cases if case is not None],
                              standing(work, hashed), open_callback(work, hashed))  # fmt: skip

        return await self._store.read(question)

    async def unsummed(self, user_id: int) -> list[Call]:
        """Talks of this operator that still need their 来电小结, oldest first."""

        def question(work: Work) -> list[Call]:
            return [one for one in work.find(Call, operator_id=user_id, summary="", order="call_id") if one.was_served]

        return await self._store.read(question)

    async def sum_up(self, call_id: int, actor: Actor, *, summary: str, case_no: int = 0, note: str = "") -> Call:
        """来电小结: how the call ended, and its case. Binds recordings, and takes who was told into the case's record."""
        demand(actor, "use_phone")
        if summary not in SUMMARIES:
            raise BadInput("summary", "请选择来电小结。")
        if summary == "new_case" and not case_no:
            raise BadInput("case_no", "新诉求须有受理编号。")

        def unit(work: Work) -> Call:
            held = stored_call(work, call_id, lock=True)
            if held.operator_id not in (0, actor.user_id) and actor.role is not Role.SHIFT_LEADER:
                raise NotAllowed("只能小结自己接听的来电。")
            if case_no:
                load_case(work, case_no, actor)
            number = case_no or held.case_no
            after = work.change(held, replace(held, summary=summary, summed_by=actor.user_id, case_no=number,
                                              note=note.strip()[:1000] or held.note))  # fmt: skip
            if number:
                bind_recordings(work, after)
                self._told_in_case(work, after, actor)
            return after

        return await self._store.write(unit)

    async def emergency(self, call_id: int, target: str, actor: Actor, *, person: str = "", result: str = "told") -> Told:
        """先通知: somebody of the 应急通讯录 was told by telephone, written down before any filing. Raises BadInput for an
        unknown target; returns the row, whose number the desk dials by `book.contact(target).number`."""
        demand(actor, "use_phone")
        contact = self._parts.book.contact(target)
        if contact is None or result not in TOLD_RESULTS:
            raise BadInput("target", "请从应急通讯录选择。")
        now = self._parts.gateway.now()

        def unit(work: Work) -> Told:
            call = stored_call(work, call_id, lock=True)
            told = Told(work.new_id(), call_id, target, now, actor.user_id, person.strip()[:40], result)
            work.add(told)
            after = work.change(call, replace(call, emergency_at=call.emergency_at or now,
                                              emergency_to=call.emergency_to or target))
            if after.case_no:
                self._told_in_case(work, after, actor)
            return told

        return await self._store.write(unit)

    async def told_of(self, call_id: int) -> list[Told]:
        return await self._store.read(lambda work: work.find(Told, call_id=call_id, order="told_id"))

    def _told_in_case(self, work: Work, call: Call, actor: Actor) -> None:
        """后补单: each that was told becomes a step of the case, with the moment it truly happened in its words."""
        for told in work.find(Told, call_id=call.call_id, case_no=0, order="told_id"):
            case = work.get(Case, call.case_no)
            contact = self._parts.book.contact(told.target)
            if case is None or contact is None:
                continue
            perform(work, _step(case, told, contact, actor, when=self._clock(told)), self._parts.gateway.rules)
            work.change(told, replace(told, case_no=call.case_no))

    def _clock(self, told: Told) -> str:
        local = told.at.astimezone(self._parts.gateway.city.zone)
        return f"{local.month}月{local.day}日 {local:%H:%M}"


def _step(case: Case, told: Told, contact: EmergencyContact, actor: Actor, *, when: str) -> Command:
    """先通知 for a unit while the case is open; a note for 110 and its like, which are no units of ours."""
    words = f"{when} {contact.name}：{TOLD_RESULTS.get(told.result, told.result)}"
    if contact.unit and case.state in STEPS["alert"].sources:
        fields: dict[str, object] = {"unit": contact.unit, "person": told.person or "值班人员", "opinion": words}
        return Command(case.case_no, "alert", actor, fields=fields)
    person = f"，接听人{told.person}" if told.person else ""
    return Command(case.case_no, "note", actor, fields={"text": f"先通知后补单：{words}{person}"})


def stored_call(work: Work, call_id: int, *, lock: bool = False) -> Call:
    """The call of a number; raises NotFound."""
    found = work.get(Call, call_id, lock=lock)
    if found is None:
        raise NotFound("没有这个电话。")
    return found

