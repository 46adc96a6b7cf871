"""Units of work of the conversation: a contact's message in, what it does, what is answered; all in one commit.

`hear` is the whole way: known before? whose is it? what is wanted (dialogue_words.py), where does it belong
(matching.py), what follows (dialogue.py), doing it (conversation_acts.py), answering (conversation_answers.py). The same
provider id again changes nothing and is answered with nothing. Answers go through the outbox like replies.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from intake.codes import code_matches
from intake.conversation_acts import ACTS, CODE_WINDOW, Done, Ear, Message, Scene
from intake.conversation_answers import LISTED, answer, is_mute
from intake.dialogue import ASKING, Facts, Lacks, decide, question_for
from intake.dialogue_phone import phone_said
from intake.dialogue_record import Conversation
from intake.dialogue_words import Wanted
from intake.matching import Known, Saying, has_place, match
from intake.model import Case, Inbound, State
from intake.phone import parse_phone
from intake.ports import Work
from intake.records import Attachment, Contact, JournalEntry, Reporter
from intake.sounds import bind_sounds
from intake.workflow import ENDED

TALK_LASTS = timedelta(hours=24)
"""Silence ends the talk: an open question lapses, the report stays as it is."""
RATEABLE_FOR = timedelta(days=30)
OLD_AFTER = timedelta(days=3)
HEARD_WINDOW = timedelta(hours=1)
MOST_REPORTS = 30
KEEPING = frozenset({"report", "supplement", "place", "photos", "urge", "withdraw", "to_person"})
SAID = "said"
CLOSED = (State.CLOSED, State.ARCHIVED)
MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a message. `answered` when an automatic answer waits in the outbox."""

    case_no: int = 0
    act: str = "none"
    stage: str = "free"
    reason: str = ""
    answered: bool = False
    repeated: bool = False

    @property
    def keeps_photos(self) -> bool:
        """Whether the pictures that came with the message belong to a case now, or may when it is brought in."""
        return self.act == "kept" or (bool(self.case_no) and self.act in KEEPING and not self.repeated)


def hear(work: Work, message: Message, ear: Ear) -> Heard:
    """Take a message in once. Everything it causes is in this unit of work, or nothing is."""
    inbound = message.inbound
    # Takes the row of this contact's count, so that two gateways hearing him at once go one after the other.
    work.count_try(f"heard:{message.thread}", window=HEARD_WINDOW)
    if known := _seen(work, inbound):
        return Heard(known.case_no, repeated=True)
    talk, contact = _talk_of(work, message)
    contact = _with_phone(work, contact, phone_said(inbound))
    own = own_cases(work, message, contact)
    wanted = _wanted(ear, message)
    facts = _facts(work, message, ear, talk, own, wanted)
    turn = decide(talk.stage, wanted, facts)
    scene = Scene(work, ear, message, contact, talk, wanted, facts, turn)
    done = ACTS[turn.act](scene)
    question = _question(scene, done)
    after = _moved_on(scene, done, question)
    answered = not is_mute(scene, after) and answer(scene, done, question)
    _store(scene, done, after)
    heard = Heard(done.case_no, turn.act, after.stage, turn.reason, answered)
    if heard.keeps_photos:
        bind_sounds(work, inbound, done.case_no)
    return heard


def _seen(work: Work, inbound: Inbound) -> JournalEntry | None:
    found = work.find(JournalEntry, channel=inbound.channel, provider_id=inbound.provider_id, limit=1)
    return found[0] if found else None


def _talk_of(work: Work, message: Message) -> tuple[Conversation, Contact]:
    """Where the talk stands and whose it is; both new where nothing is known of the address. Locks the talk."""
    inbound = message.inbound
    held = work.get(Conversation, message.thread, lock=True)
    contact = work.get(Contact, held.contact_id) if held else None
    if contact is None or contact.address != inbound.address:
        contact = _contact_of(work, message)
    if held is None:
        held = Conversation(message.thread, inbound.channel, contact.contact_id, inbound.received_at)
        work.add(held)
    if inbound.received_at - held.updated_at > TALK_LASTS:
        return replace(held, stage="free", purpose="", choices=()), contact
    return held, contact


def _contact_of(work: Work, message: Message) -> Contact:
    """One contact for each address, so that an opt-out holds for all his cases; erased ones are never taken up again."""
    inbound = message.inbound
    for contact in work.find(Contact, channel=inbound.channel, address_hash=message.address_hash, order="-contact_id"):
        if contact.address == inbound.address:
            return contact
    contact = Contact(work.new_id(), inbound.channel, inbound.received_at, inbound.address, inbound.name, inbound.phone)
    work.add(contact)
    return contact


def _with_phone(work: Work, contact: Contact, phone: str) -> Contact:
    """The contact with the number he gave of himself; it opens further routes for replies to him."""
    if not phone or phone == contact.phone:
        return contact
    return work.change(contact, replace(contact, phone=phone))


def own_cases(work: Work, message: Message, contact: Contact) -> dict[int, tuple[Case, Reporter]]:
    """The sender's own cases, newest first: those of his address, and of his number however he had reported."""
    contacts = {contact.contact_id}
    if message.phone_hash:
        contacts.update(one.contact_id for one in work.find(Contact, phone_hash=message.phone_hash))
    reporters: list[Reporter] = []
    for number in contacts:
        reporters += work.find(Reporter, contact_id=number, order="-reporter_id", limit=MOST_REPORTS)
    found: dict[int, tuple[Case, Reporter]] = {}
    for reporter in sorted(reporters, key=lambda one: one.reporter_id, reverse=True)[:MOST_REPORTS]:
        case = work.get(Case, reporter.case_no) if reporter.left_at is None else None
        if case is not None:
            found.setdefault(case.case_no, (case, reporter))
    return found


def _wanted(ear: Ear, message: Message) -> Wanted:
    """What the text wants; a machine's number (106…, 95…) is never talked with."""
    phone = parse_phone(message.inbound.phone, area_code="") if message.inbound.phone else None
    if phone is not None and phone.kind == "service":
        return Wanted("automatic")
    if phone_said(message.inbound):
        return Wanted("phone")
    return ear.phrases.read(message.inbound.text)


def _is_open(case: Case) -> bool:
    return case.state not in ENDED and case.state is not State.CLOSED


def _facts(
    work: Work, message: Message, ear: Ear, talk: Conversation, own: dict[int, tuple[Case, Reporter]], wanted: Wanted
) -> Facts:
    inbound, now = message.inbound, message.inbound.received_at
    open_nos = tuple(number for number, (case, _) in own.items() if _is_open(case))
    lasting = now - talk.updated_at <= TALK_LASTS
    talk_no = talk.case_no if talk.case_no in open_nos and lasting else 0
    rateable = (number for number, (case, _) in own.items() if _may_rate(case, now))
    best = message.judged.prediction.best
    saying = Saying(inbound.text, now, inbound.place, best.subclass if best else None, talk_no, wanted.weak == "urging")
    return Facts(
        talk_no=talk_no,
        open_nos=open_nos,
        rateable_no=next(rateable, 0),
        named=_named(work, ear, wanted, own),
        choices=tuple(map(int, talk.choices)),
        purpose=talk.purpose,
        match=match(saying, (_known(case, reporter, talk) for case, reporter in own.values() if _matters(case))),
        has_point=inbound.place.lon is not None,
        has_place=has_place(inbound.place),
        has_matter=best is not None,
        photos=len(inbound.photos),
        photos_lost=message.photos_lost,
    )


def _may_rate(case: Case, now: datetime) -> bool:
    recent = case.closed_at is not None and now - case.closed_at <= RATEABLE_FOR
    return case.state in CLOSED and recent and not case.rating


def _matters(case: Case) -> bool:
    return _is_open(case) or case.state in CLOSED


def _known(case: Case, reporter: Reporter, talk: Conversation) -> Known:
    said_at = talk.updated_at if talk.case_no == case.case_no else reporter.joined_at
    closed_at = None if _is_open(case) else case.closed_at
    return Known(case.case_no, case.description, said_at, case.place, case.subclass, closed_at)


def _named(work: Work, ear: Ear, wanted: Wanted, own: dict[int, tuple[Case, Reporter]]) -> str:
    """How a number he wrote stands to him; a wrong code and a number that does not exist are told alike."""
    if not wanted.case_no:
        return "none"
    if wanted.case_no in own:
        return "own"
    if not wanted.code:
        return "unproved"
    if work.tries_so_far(f"case:{wanted.case_no}", window=CODE_WINDOW) >= MOST_TRIES:
        return "wrong"
    case = work.get(Case, wanted.case_no)
    matches = code_matches(wanted.code, wanted.case_no, case.code_epoch if case else 0, ear.code_key)
    return "proved" if matches and case is not None else "wrong"


def _question(scene: Scene, done: Done) -> str:
    """The one question to ask now about the report the message made or belongs to."""
    case = scene.work.get(Case, done.case_no) if scene.turn.ask and done.case_no else None
    if case is None or not _is_open(case):
        return ""
    asked = scene.talk.asked if scene.talk.case_no == case.case_no else ()
    lacks = Lacks(
        place=not has_place(case.place),
        photo=not scene.work.find(Attachment, case_no=case.case_no, limit=1),
        is_old=scene.message.inbound.received_at - case.received_at > OLD_AFTER and case.done_at is None,
        takes_photos=scene.message.takes_photos,
    )
    return question_for(lacks, asked, act=scene.turn.act)


def _moved_on(scene: Scene, done: Done, question: str) -> Conversation:
    """The talk after this message."""
    talk, turn = scene.talk, scene.turn
    number = done.case_no or talk.case_no
    asked = talk.asked if number == talk.case_no else ()
    stage = question or turn.stage
    choosing = turn.stage == "choice" and not question
    listed = (
        talk.choices if talk.stage == "choice" and not turn.purpose else tuple(map(str, scene.facts.open_nos[:LISTED]))
    )
    same = talk.last_digest == scene.message.digest
    return replace(
        talk, contact_id=scene.contact.contact_id, updated_at=scene.message.inbound.received_at, case_no=number,
        stage=stage if stage in (*ASKING, "choice") else "free", asked=(*asked, question) if question else asked,
        purpose=(turn.purpose or talk.purpose) if choosing else "", choices=listed if choosing else (),
        last_digest=scene.message.digest, repeats=talk.repeats + 1 if same else 0,
    )  # fmt: skip


def _store(scene: Scene, done: Done, after: Conversation) -> None:
    """The talk's new place, and the message in the journal where `receive` has not put it there.

    A message that made no report leaves no raw text: what matters of it stands in its case.
    """
    work, inbound = scene.work, scene.message.inbound
    held = work.get(Conversation, scene.message.thread)
    if held is not None:
        work.change(held, after)
    if not done.is_journalled:
        work.add(JournalEntry(work.new_id(), inbound.channel, inbound.provider_id, inbound.received_at, "", SAID,
                              done.case_no, reason=scene.turn.reason))  # fmt: skip
