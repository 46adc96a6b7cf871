"""Who sees what of a case: one table of posts, and the bounds of a confidential case (hotline rules, "Privacy").

Pure. desk_view.py builds the view by it; page and JSON are made from that one view, so neither shows more.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from intake.model import Actor, Case, Role
from intake.permission import ALLOWED, CENTRE, STAFF
from intake.records import Attachment, HistoryEntry, Remark, Reporter

SEES: dict[str, frozenset[Role]] = {
    "whole_words": CENTRE,
    "reporters": CENTRE | {Role.UNIT, Role.AUDITOR},
    "suggestion": STAFF - {Role.UNIT},
    "ledger": ALLOWED["see_ledger"],
    "tasks": ALLOWED["see_tasks"],
    "evidence_place": ALLOWED["see_evidence_place"],
}
TOLD_TO_UNIT = frozenset({
    "dispatch", "withdraw", "rework", "resume", "decide_return", "decide_extension", "decide_suspension",
})  # fmt: skip
"""Steps whose words the centre writes for the unit to read; the only ones a unit reads in a confidential case."""
OFFICE_STEPS = frozenset({
    "send_reply", "told_by_phone", "excuse_reply", "rotate_code", "revisited", "rate", "transfer", "acknowledge",
})  # fmt: skip
"""Steps between the centre and the citizen; who may not see the ledger does not see them either."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one person sees of one case. `redacted`: only the text written for him, nothing that leads to the reporter."""

    whole_words: bool
    redacted: bool
    reporters: bool
    suggestion: bool
    ledger: bool
    tasks: bool
    evidence_place: bool
    reveal: bool


def sight_of(case: Case, actor: Actor, *, reporters: Iterable[Reporter] = ()) -> Sight:
    """The table's answer for a post, narrowed for a unit in a confidential case."""
    sees = {name: actor.role in roles for name, roles in SEES.items()}
    redacted = case.confidential and actor.role is Role.UNIT
    if redacted:
        sees["reporters"] = False
    hidden = case.confidential or any(r.confidential for r in reporters if r.left_at is None)
    reveal = actor.role in ALLOWED["reveal_contact"] and (not hidden or actor.role is Role.SHIFT_LEADER)
    return Sight(redacted=redacted, reveal=reveal, **sees)


def sees_reporter(sight: Sight, actor: Actor, *, reporter: Reporter) -> bool:
    """A confidential reporter does not exist for a unit, even where his report was joined to an open case."""
    return sight.reporters and reporter.left_at is None and not (reporter.confidential and actor.role is Role.UNIT)


def sees_photo(sight: Sight, photo: Attachment) -> bool:
    """The reporter's own pictures may show who and where he is. A recording is no picture and is not shown as one."""
    return photo.mime.startswith("image/") and not (sight.redacted and photo.usage == "report")


def sees_line(sight: Sight, line: HistoryEntry) -> bool:
    return sight.ledger or line.step not in OFFICE_STEPS


def sees_remark(sight: Sight, actor: Actor, *, remark: Remark, line: HistoryEntry) -> bool:
    """In a confidential case a unit reads its own words and those meant for it; in others all, masked."""
    if not sight.redacted or (actor.unit and remark.unit == actor.unit):
        return True
    return line.step in TOLD_TO_UNIT and remark.actor_role is not Role.CITIZEN
