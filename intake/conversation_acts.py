"""What a message does to cases: one small function for each act of dialogue.py, found in the table ACTS.

Acts of citizens go through usecases.perform like those from the status page. Deciding stands in dialogue.py, wording in
conversation_answers.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from intake.alarms import keep_timers
from intake.conversation_split import split_matters
from intake.dialogue import Facts, Turn
from intake.dialogue_record import Conversation
from intake.dialogue_words import Phrases, Wanted
from intake.history import append_entry
from intake.matching import has_place
from intake.model import CITIZEN, Case, Inbound, Place, Role, State
from intake.ports import Work
from intake.receive import Judged, Talking, attachment_of, receive
from intake.records import Contact, Remark, Task
from intake.replies import event_of
from intake.rules import Rules
from intake.usecases import Command, perform, rate
from intake.workflow import STEPS

DESCRIPTION_CHARS = 2000
REMARK_CHARS = 1000
PLACE_CHARS = 60
CODE_WINDOW = timedelta(minutes=15)
"""Tries of a case's query code are counted over so long, together with those on the status page (gateway.py)."""
BEFORE_DISPATCH = (State.REPORTED, State.ACCEPTED, State.VERIFYING)


@dataclass(frozen=True, slots=True)
class Ear:
    """What hearing needs besides the message. `code_key` makes and checks query codes."""

    rules: Rules
    phrases: Phrases
    code_key: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready for its unit of work: located, judged, its address hashed. `takes_photos`: the channel carries
    pictures; `photos_lost` could not be fetched; `digest` tells equal words; by `mark_hash` nuisance marks are found."""

    inbound: Inbound
    judged: Judged
    thread: str
    address_hash: str
    phone_hash: str = ""
    mark_hash: str = ""
    digest: str = ""
    takes_photos: bool = False
    photos_lost: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """One message being dealt with."""

    work: Work
    ear: Ear
    message: Message
    contact: Contact
    talk: Conversation
    wanted: Wanted
    facts: Facts
    turn: Turn

    @property
    def text(self) -> str:
        return self.message.inbound.text


@dataclass(frozen=True, slots=True)
class Done:
    """What an act did. `more` are answers it adds."""

    case_no: int = 0
    is_journalled: bool = False
    more: tuple[str, ...] = ()


def _nothing(scene: Scene) -> Done:
    return Done(scene.turn.case_no)


def _report(scene: Scene) -> Done:
    """A new report; what does not fit a description is kept as what was added to it."""
    work, rules, inbound = scene.work, scene.ear.rules, scene.message.inbound
    kind = scene.ear.phrases.request_types.get(scene.wanted.intent, "")
    text = inbound.text or ("（只有照片）" if inbound.photos else "（只有位置）")
    taken = replace(inbound, text=text[:DESCRIPTION_CHARS], wants_reply=True, request_type=kind)
    talking = Talking(scene.contact, scene.turn.reason)
    received = receive(work, taken, scene.message.judged, rules, talking=talking)
    case = work.get(Case, received.case_no)
    more: tuple[str, ...] = ("danger",) if scene.message.judged.calls else ()
    if case is not None and len(text) > DESCRIPTION_CHARS:
        case = write_down(work, case, texts=_pieces(text[DESCRIPTION_CHARS:]))
    parts = split_matters(text)
    if case is not None and parts:
        # Several complaints in one message: proposed here, parted by a person.
        proposal = "建议拆单：" + "".join(f"{number}. {part}；" for number, part in enumerate(parts, 1))
        write_down(work, case, texts=_pieces(proposal))
        work.add(Task(work.new_id(), "message", case.case_no, work.now, Role.OPERATOR))
        more = (*more, "split")
    return Done(received.case_no, is_journalled=True, more=more)


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(text[start : start + REMARK_CHARS] for start in range(0, len(text), REMARK_CHARS))


def _supplement(scene: Scene) -> Done:
    return _added(scene, scene.wanted.rest or scene.text)


def _added(scene: Scene, text: str, **changes: object) -> Done:
    """More about a case; one that has ended takes no more, so a person reads it."""
    case = scene.work.get(Case, scene.turn.case_no, lock=True)
    if case is None:
        return Done()
    case = write_down(scene.work, case, texts=_pieces(text), **changes)
    _attach(scene, case)
    if case.state not in STEPS["supplement"].sources:
        _ask_person(scene, case)
    return Done(case.case_no)


def write_down(work: Work, case: Case, *, texts: tuple[str, ...], **changes: object) -> Case:
    """What a citizen added, in his own words, with what it changes in the case; allowed in every state."""
    remarks = [Remark(work.new_id(), case.case_no, work.now, "text", text, 0, Role.CITIZEN) for text in texts if text]
    changed = replace(case, version=case.version + 1, updated_at=work.now, **changes)  # type: ignore[arg-type]
    refs = {"remarks": [remark.remark_id for remark in remarks]} if remarks else {}
    after, line = append_entry(case.state, changed, step="supplement", actor=CITIZEN, at=work.now, refs=refs)
    work.add(line, *remarks)
    work.change(case, after)
    keep_timers(work, case, after)
    work.tell(event_of(after, "supplement", work))
    return after


def _attach(scene: Scene, case: Case) -> None:
    inbound = scene.message.inbound
    scene.work.add(
        *(attachment_of(photo, case.case_no, usage="report", at=inbound.received_at) for photo in inbound.photos)
    )


def _place(scene: Scene) -> Done:
    """Where it is: fills a report that has no place yet, and proposes its unit anew; later it is a supplement."""
    case = scene.work.get(Case, scene.turn.case_no, lock=True)
    if case is None:
        return Done()
    rules, given = scene.ear.rules, scene.message.inbound.place
    words = scene.text if len(scene.text) <= PLACE_CHARS else given.text
    if has_place(case.place) or case.state not in BEFORE_DISPATCH:
        return _added(scene, f"位置：{words or '（位置消息）'}")
    place = rules.locate(given if given.lon is not None else Place(text=words or scene.text[:PLACE_CHARS]))
    assigned = rules.route(replace(case, place=place), scene.work.now)
    changes = {"place": place, "unit": assigned.unit, "co_unit": assigned.co_unit, "routing_rule": assigned.rule}
    return _added(scene, scene.text, **changes)


def _photos(scene: Scene) -> Done:
    return _added(scene, "")


def _step(name: str, *, words: bool = True) -> Callable[[Scene], Done]:
    """An act of the citizen as the status page offers it; where the state forbids it, a person reads what he wrote."""

    def act(scene: Scene) -> Done:
        number = scene.turn.case_no
        case = scene.work.get(Case, number, lock=True)
        if case is None or case.state not in STEPS[name].sources:
            return _to_person(scene)
        fields = {"opinion": scene.text[:REMARK_CHARS]} if words and scene.text else {}
        case = perform(scene.work, Command(number, name, CITIZEN, fields=fields), scene.ear.rules)
        _attach(scene, case)
        return Done(number)

    return act


def _to_person(scene: Scene) -> Done:
    """Anything else about a case goes to a person: his words with the case and a task."""
    done = _added(scene, scene.text)
    case = scene.work.get(Case, done.case_no) if done.case_no else None
    if case is not None:
        _ask_person(scene, case)
    return done


def _ask_person(scene: Scene, case: Case) -> None:
    """One open task is enough, however often he writes; after the end it is a revisit (待回访)."""
    kind = "revisit" if case.state in (State.CLOSED, State.ARCHIVED) else "message"
    if not any(task.kind == kind for task in scene.work.find(Task, case_no=case.case_no, state="open")):
        scene.work.add(Task(scene.work.new_id(), kind, case.case_no, scene.work.now, Role.OPERATOR))


def _person(scene: Scene) -> Done:
    case = scene.work.get(Case, scene.turn.case_no)
    if case is not None:
        _ask_person(scene, case)
    return Done(scene.turn.case_no)


def _rate(*, satisfied: bool) -> Callable[[Scene], Done]:
    def act(scene: Scene) -> Done:
        rate(scene.work, scene.turn.case_no, satisfied=satisfied)
        return Done(scene.turn.case_no)

    return act


def _wrong_code(scene: Scene) -> Done:
    scene.work.count_try(f"case:{scene.wanted.case_no}", window=CODE_WINDOW)
    return Done()


def _stop(scene: Scene) -> Done:
    if scene.contact.opted_out_at is None:
        scene.work.change(scene.contact, replace(scene.contact, opted_out_at=scene.work.now))
    return Done()


def _start(scene: Scene) -> Done:
    if scene.contact.opted_out_at is not None:
        scene.work.change(scene.contact, replace(scene.contact, opted_out_at=None))
    return Done()


ACTS: dict[str, Callable[[Scene], Done]] = {
    "none": _nothing, "status": _nothing, "report": _report, "supplement": _supplement, "place": _place,
    "photos": _photos, "urge": _step("urge"), "withdraw": _step("withdraw_complaint"), "person": _person,
    "to_person": _to_person, "good": _rate(satisfied=True), "bad": _rate(satisfied=False), "wrong_code": _wrong_code,
    "stop": _stop, "start": _start,
}  # fmt: skip
