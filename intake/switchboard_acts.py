"""The answers to what a call flow asks the outside (ivr/acts.py): one function for each act, in a table.

An answer is (result, values). What goes wrong in any way is `failed`, for which every flow knows a way on; nothing here
lets a caller stand in silence.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from intake import callback_work
from intake.call import Call, LineState, OperatorLine, Told, Waits
from intake.call_spool import Owing
from intake.callback import RINGABLE, not_before
from intake.caller import caller_of
from intake.codes import parse_case_no
from intake.errors import NotFound, Refused, TooMany
from intake.model import Case, State
from intake.nuisance import standing
from intake.phone_profile import EmergencyContact
from intake.ports import Work
from intake.records import Contact, Reporter
from intake.skill import able, outlook, skill_of
from intake.switchboard_facts import steered
from intake.switchboard_lines import EXTENSION
from intake.switchboard_parts import Parts
from intake.switchboard_report import Reports
from intake.voice_reply import answer_by_key

Values = Mapping[str, str]
Answer = tuple[str, Values]
FAILED: Answer = ("failed", {})
MAX_CASES = 8
RECENT_CALLS = 50
STALE = timedelta(hours=2)
"""A call without an end that began so long ago was lost by a gateway that died; it waits in no queue."""
CITIZEN_RINGS_S = 45.0
HIDDEN = frozenset({State.VOID})
log = structlog.get_logger()


class Acts:
    """Answers for the calls of one gateway."""

    def __init__(self, parts: Parts, reports: Reports) -> None:
        self._parts, self._reports = parts, reports
        self._store, self._gateway = parts.gateway.store, parts.gateway
        self._table: Mapping[str, Callable[[Call, Values], Awaitable[Answer]]] = {
            "queue_position": self._queue_position,
            "cases_of_caller": self._cases_of_caller,
            "pick_case": self._pick_case,
            "case_status": self._case_status,
            "save_message": self._save_message,
            "request_callback": self._request_callback,
            "save_rating": self._save_rating,
            "save_answer": self._save_answer,
            "emergency": self._emergency,
            "transfer": self._transfer,
            "dial_citizen": self._dial_citizen,
        }

    async def answer(self, call_id: int, act: str, values: Values) -> Answer:
        """The answer to an act; never raises."""
        try:
            return await self._table[act](await self._parts.calls.get(call_id), values)
        except Exception as error:
            # The engine's own way out of any fault is `failed`; a caller must not fall into silence for it.
            log.error("phone.act_failed", act=act, call_id=call_id, error=type(error).__name__)
            return FAILED

    async def _queue_position(self, call: Call, values: Values) -> Answer:
        now = self._gateway.now()
        hashed, usual_s = self._parts.number_hash(call.caller), self._parts.book.rules().talk_s
        lines = await self._store.read(lambda work: work.find(OperatorLine))
        staffed = [line for line in lines if line.state is not LineState.OFFLINE]
        if not staffed:
            return ("nobody" if self._parts.book.is_open(call.line, now) else "closed"), {}
        waiting, talks_s, queue = await self._store.read(
            lambda work: (waiting_now(work), work.last_talks_s(most=RECENT_CALLS), steered(work, call, hashed))
        )
        place, seats = call.queued_at or now, [line.skills for line in staffed]
        before = [skill_of(one.queue) for one in waiting if one.call_id != call.call_id and one.queued_at < place]
        skill = skill_of(queue)
        told = outlook(skill, before=before, seats=seats, talk_s=mean_talk_s(talks_s, usual_s))
        if told is None:
            return "nobody", {}
        if told.position == 1 and any(staffed[one].state is LineState.READY for one in able(skill, seats)):
            return "free", {}
        return "waiting", {"position": str(told.position), "wait_s": str(told.wait_s)}

    async def _cases_of_caller(self, call: Call, values: Values) -> Answer:
        if not call.caller:
            return "none", {}
        hashed = self._parts.number_hash(call.caller)
        numbers = await self._store.read(lambda work: cases_of(work, hashed))
        return ("some", {"cases": ";".join(map(str, numbers))}) if numbers else ("none", {})

    async def _pick_case(self, call: Call, values: Values) -> Answer:
        cases = values["cases"].split(";")[:MAX_CASES]
        choice = int(values["choice"]) if values["choice"].isascii() and values["choice"].isdigit() else 0
        return ("picked", {"case_no": cases[choice - 1]}) if 1 <= choice <= len(cases) else ("unknown", {})

    async def _case_status(self, call: Call, values: Values) -> Answer:
        """The same view as on the web page, under the same limits; a withheld number is limited by its call."""
        address = f"phone:{call.caller}" if call.caller else f"call:{call.call_id}"
        try:
            status = await self._gateway.status(parse_case_no(values["case_no"]), values["code"], address=address)
        except TooMany:
            return "locked", {}
        except NotFound:
            return "wrong", {}
        received = status.received_at.astimezone(self._gateway.city.zone).replace(tzinfo=None)
        return "found", {"received_at": received.isoformat(timespec="seconds"), "place": status.place,
                         "subclass": status.subclass, "words": status.words}  # fmt: skip

    async def _save_message(self, call: Call, values: Values) -> Answer:
        case_no = await self._reports.save(call.call_id, refs=(values["recording"],))
        return "saved", {"case_no": str(case_no)}

    async def _request_callback(self, call: Call, values: Values) -> Answer:
        wanted = caller_of(values["number"], "", area_code=self._gateway.city.area_code)
        if wanted.kind not in RINGABLE:
            return "refused", {}
        hashed = self._parts.number_hash(wanted.number)
        held = await self._held(hashed)
        if held == "marked" and call.emergency_at is None:
            return "refused", {}
        owing = Owing(wanted.number, "requested", call.queued_at or self._gateway.now())
        await self._parts.calls.change(call.call_id, lambda c: replace(c, summary=c.summary or "callback"), owing=(owing,))
        return ("already" if held == "owed" else "kept"), {}

    async def _held(self, hashed: str) -> str:
        """owed, marked or nothing; nothing too while the database cannot be asked, because a call-back may always be kept."""

        def question(work: Work) -> str:
            if standing(work, hashed):
                return "marked"
            return "owed" if callback_work.open_callback(work, hashed) else ""

        try:
            return await self._store.read(question)
        except Exception as error:
            log.warning("phone.callback_unchecked", error=type(error).__name__)
            return ""

    async def _save_rating(self, call: Call, values: Values) -> Answer:
        rating = {"1": 1, "2": 2}[values["rating"]]
        held = await self._parts.calls.get(call.call_id)
        if held.rating:
            return "already", {}
        await self._parts.calls.change(call.call_id, lambda c: c if c.rating else replace(c, rating=rating))
        return "saved", {}

    async def _save_answer(self, call: Call, values: Values) -> Answer:
        satisfied = {"1": True, "2": False}[values["answer"]]
        await self._parts.calls.change(
            call.call_id, lambda c: replace(c, result="reached", rating=1 if satisfied else 2),
            also=lambda work, c: answer_by_key(work, c, self._gateway.rules, satisfied=satisfied),
        )  # fmt: skip
        return "saved", {}

    async def _emergency(self, call: Call, values: Values) -> Answer:
        """The duty is told before anything else is written; whatever fails, the number to dial is given."""
        duty = self._parts.book.duty()
        if duty is None:
            return "nobody", {}
        try:
            await self._note_told(call, duty)
        except Refused:
            raise
        except Exception as error:
            log.error("phone.told_not_written", call_id=call.call_id, error=type(error).__name__)
        return "duty", {"target": duty.number}

    async def _transfer(self, call: Call, values: Values) -> Answer:
        target = values["target"]
        contact = self._parts.book.contact(target)
        if contact is not None:
            await self._note_told(call, contact)
            return "ready", {"target": contact.number}
        return ("ready", {"target": target}) if EXTENSION.fullmatch(target) else ("refused", {})

    async def _note_told(self, call: Call, contact: EmergencyContact) -> None:
        now = self._gateway.now()

        def told(work: Work, held: Call) -> None:
            for known in work.find(Told, call_id=held.call_id):
                if known.target == contact.id and known.at == now:
                    return
            work.add(Told(work.new_id(), held.call_id, contact.id, now, held.operator_id, case_no=held.case_no))

        def in_danger(held: Call) -> Call:
            return replace(held, emergency_at=held.emergency_at or now, emergency_to=held.emergency_to or contact.id)

        await self._parts.calls.change(call.call_id, in_danger, also=told)

    async def _dial_citizen(self, call: Call, values: Values) -> Answer:
        """Only the number that is owed, and only when a citizen may be rung."""
        rules, now = self._parts.book.rules().callbacks, self._gateway.now()
        if call.purpose != "callback" or not_before(now, rules.quiet, self._gateway.city.zone) > now:
            return "refused", {}
        number = self._parts.dialled(call.caller)
        port = self._parts.exchange.required()
        result = await port.dial_citizen(call.call_id, number, timeout_s=CITIZEN_RINGS_S)
        return result, {"target": number}


def waiting_now(work: Work) -> list[Waits]:
    """Citizens who wait for an operator now, in the order of their places."""
    return work.callers_waiting(since=work.now - STALE)


def mean_talk_s(talks_s: Sequence[float], usual: int) -> int:
    """How long operators talked lately; the city's figure until ten talks are known."""
    return max(1, round(sum(talks_s) / len(talks_s))) if len(talks_s) >= 10 else usual


def cases_of(work: Work, hashed: str) -> list[int]:
    """A caller's cases, newest first. Confidential ones are not named to whoever shows that number."""
    contacts = {one.contact_id for one in work.find(Contact, phone_hash=hashed)}
    parts = [part for contact_id in contacts for part in work.find(Reporter, contact_id=contact_id) if part.left_at is None]
    numbers = sorted({part.joined_from or part.case_no for part in parts if not part.confidential}, reverse=True)
    found = (work.get(Case, number) for number in numbers)
    open_to_name = (case for case in found if case is not None and not case.confidential and case.state not in HIDDEN)
    return [case.case_no for _, case in zip(range(MAX_CASES), open_to_name, strict=False)]
