"""Automatic answers: their words, when none is given, and their place in the outbox.

An answer is one message, however many things it says. It owes nothing: no debt hangs on it, a failure is not rung after.
"""

from datetime import timedelta

from intake.codes import query_code
from intake.conversation_acts import Done, Scene
from intake.dialogue_record import Conversation
from intake.model import Case
from intake.nuisance import standing
from intake.outbox import WAITING
from intake.records import OutboxRow
from intake.status import CITIZEN_WORDS

HOUR = timedelta(hours=1)
MOST_ANSWERS = 12
"""Automatic messages to one contact in an hour; beyond it messages are still taken in, without a word."""
MOST_REPEATS = 2
"""The same words a third time in a row come from a machine or a slip of the thumb."""
SIGNED = frozenset({"sms"})
"""Channels on which carriers want the signature 【…】 at the head of every message."""
ALWAYS = ("stop", "start")
LISTED = 5


def is_mute(scene: Scene, after: Conversation) -> bool:
    """Whether nothing may be said now: he left or opted out, a loop is likely, or he is marked and in no danger."""
    if not scene.message.inbound.answerable:
        return True
    if scene.turn.act in ALWAYS:
        # One confirmation and no more, else two machines would confirm to each other for ever.
        return after.repeats > 0
    if scene.contact.opted_out_at is not None or after.repeats >= MOST_REPEATS:
        return True
    return not scene.message.judged.danger_words and bool(standing(scene.work, scene.message.mark_hash))


def answer(scene: Scene, done: Done, question: str) -> bool:
    """Put the answer into the outbox; False when there is nothing to say or the hour's cap is reached."""
    names = [*scene.turn.answers, *done.more]
    if scene.message.photos_lost and "photo_lost" not in names:
        names.append("photo_lost")
    if question:
        names.append(f"ask_{question}")
    if not names:
        return False
    work, inbound = scene.work, scene.message.inbound
    if work.count_try(f"answers:{scene.message.thread}", window=HOUR) > MOST_ANSWERS:
        return False
    words = "".join(_worded(scene, done, name) for name in names)
    signature = scene.ear.rules.wording.signature if inbound.channel in SIGNED else ""
    work.add(OutboxRow(work.new_id(), 0, 0, done.case_no, scene.contact.contact_id, inbound.channel, WAITING, work.now,
                       work.now, words=signature + words))  # fmt: skip
    return True


def _worded(scene: Scene, done: Done, name: str) -> str:
    case = scene.work.get(Case, done.case_no) if done.case_no else None
    slots = {
        "no": str(done.case_no or ""),
        "code": query_code(done.case_no, case.code_epoch if case else 0, scene.ear.code_key) if done.case_no else "",
        "hotline": scene.ear.rules.wording.hotline,
        "call": "、".join(scene.message.judged.calls),
        "words": CITIZEN_WORDS[case.state] if case else "",
        "list": _listed(scene) if name.startswith("choose_") else "",
    }
    return scene.ear.phrases.answers[name].format_map(slots)


def _listed(scene: Scene) -> str:
    """His open cases by digit: number and class, nothing of what he wrote."""
    taxonomy = scene.ear.rules.taxonomy
    lines = []
    for digit, number in enumerate(scene.facts.open_nos[:LISTED], 1):
        case = scene.work.get(Case, number)
        lines.append(f"{digit}.编号{number}{taxonomy.name(case.subclass) if case else ''}")
    return "；".join(lines)
