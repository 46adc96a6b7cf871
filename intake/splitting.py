"""Parting one report into several cases (拆单): a person says how; each part becomes a case with the same reporters.

The report keeps its first part and, as a remark, the words as they came. Where it would be parted is proposed in
conversation_split.py. A part can be put back by merging it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from intake import case_link
from intake.errors import BadInput, IllegalMove, NotAllowed
from intake.history import append_entry
from intake.model import Actor, Case, Inbound, Place, State
from intake.ports import Work
from intake.receive import Judged, Talking, receive
from intake.records import Attachment, Contact, Remark, Reporter, Task
from intake.replies import close_task, event_of
from intake.rules import Rules
from intake.usecases import load_case, refuse_stale
from intake.workflow import HALL

MOST_PARTS = 6
SPLITTABLE = frozenset({State.REPORTED, State.ACCEPTED, State.VERIFYING, State.FILED})
"""Before a unit has it: what a unit was told is not taken back from under it."""
SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Part:
    """One matter of a report, with where it is, what the classifier makes of it alone, and the photos that show it (tokens)."""

    text: str
    place: Place
    judged: Judged = field(default_factory=Judged)
    photos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parting:
    """Which case is parted into what, by whom, looked at in which version. The first part stays with the case."""

    case_no: int
    actor: Actor
    version: int
    parts: Sequence[Part]


def may_split(case: Case, actor: Actor) -> bool:
    return actor.role in HALL and case.state in SPLITTABLE


def split_case(work: Work, parting: Parting, rules: Rules) -> tuple[int, ...]:
    """Part a case; returns the numbers of the new ones. Raises Refused, and then nothing has changed."""
    case = load_case(work, parting.case_no, parting.actor, lock=True)
    _refuse(case, parting)
    refuse_stale(work, case, parting.version)
    first, *others = parting.parts
    reporters = [one for one in work.find(Reporter, case_no=case.case_no) if one.left_at is None]
    numbers = tuple(_own_case(work, case, part, reporters, rules, place=n) for n, part in enumerate(others, start=2))
    for number, part in zip(numbers, others, strict=True):
        _hand_over(work, part.photos, case, number)
        case_link.link(work, case.case_no, number, kind=case_link.SPLIT, by=parting.actor.user_id)
    _keep_first(work, case, first, parting.actor, numbers)
    return numbers


def _refuse(case: Case, parting: Parting) -> None:
    if parting.actor.role not in HALL:
        raise NotAllowed
    if case.state not in SPLITTABLE:
        raise IllegalMove(SPLIT, case.state, "案件已派遣或已结束，不能拆单，请另立新件。")
    if not 1 < len(parting.parts) <= MOST_PARTS:
        raise BadInput("parts", f"拆单至少 2 件，最多 {MOST_PARTS} 件。")
    if any(not part.text.strip() for part in parting.parts):
        raise BadInput("parts", "每一件都要写明内容。")


def _own_case(work: Work, case: Case, part: Part, reporters: Sequence[Reporter], rules: Rules, *, place: int) -> int:
    """A part as a report of its own, told by the same people on the same day."""
    lead = reporters[0] if reporters else None
    contact = work.get(Contact, lead.contact_id) if lead and lead.contact_id else None
    inbound = Inbound(
        channel=case.channel, provider_id=f"split:{case.case_no}:{case.version}:{place}", received_at=case.received_at,
        text=part.text.strip(), place=part.place, address=contact.address if contact else "",
        phone=contact.phone if contact else "", anonymous=contact is None,
        confidential=case.confidential or bool(lead and lead.confidential),
        wants_reply=bool(lead and lead.wants_reply), request_type=case.request_type,
        reply_by=lead.reply_by if lead else "",
    )  # fmt: skip
    number = receive(work, inbound, part.judged, rules, talking=Talking(contact, SPLIT)).case_no
    for other in reporters[1:]:
        work.add(replace(other, reporter_id=work.new_id(), case_no=number, joined_from=None))
    return number


def _hand_over(work: Work, photos: Sequence[str], case: Case, number: int) -> None:
    """A photo goes to the case whose matter it shows, so that the unit which handles it sees it."""
    for token in photos:
        photo = work.get(Attachment, token, lock=True)
        if photo is None or photo.case_no != case.case_no:
            raise BadInput("parts", "照片已不在本件，请刷新页面后重试。")
        work.change(photo, replace(photo, case_no=number))


def _keep_first(work: Work, case: Case, part: Part, actor: Actor, numbers: tuple[int, ...]) -> None:
    whole = Remark(work.new_id(), case.case_no, work.now, "whole", case.description, actor.user_id, actor.role, actor.unit)
    after = replace(case, description=part.text.strip(), place=part.place, version=case.version + 1, updated_at=work.now)
    refs: dict[str, object] = {"cases": list(numbers), "remarks": [whole.remark_id]}
    after, line = append_entry(case.state, after, step=SPLIT, actor=actor, at=work.now, refs=refs)
    work.add(whole, line)
    work.change(case, after)
    work.tell(event_of(after, SPLIT, work))
    for task in work.find(Task, case_no=case.case_no, kind="message", state="open"):
        close_task(work, task, actor, outcome=SPLIT)
