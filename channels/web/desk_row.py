"""A case as one line of the queue, with the words and flags that every staff page and answer shows of it.

Pure. Nothing personal is in a line, so every post may read it; what else of a case who may see stands in desk_view.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from intake import timers
from intake.masking import mask_text
from intake.model import Actor, Case, State, Urgency
from intake.permission import CENTRE
from intake.rules import Rules
from intake.workflow import ENDED, STATE_WORDS, WITH_UNIT

URGENCY_WORDS = {Urgency.EMERGENCY: "特急", Urgency.URGENT: "紧急", Urgency.ROUTINE: "一般"}
CHANNEL_WORDS = {
    "web": "网页", "phone": "电话", "sms": "短信", "wechat": "微信", "telegram": "Telegram", "upstream": "上级工单",
    "inspector": "巡查",
}  # fmt: skip
UNIT_STATES = WITH_UNIT | {State.CLOSED, State.ARCHIVED}
"""States in which a unit may have a case at all; before dispatching it is only proposed."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of the queue. `flags` are the words 督办, 超期, 保密 and the like; `version` is what a step must name."""

    case_no: str
    version: int
    state: State
    state_words: str
    urgency: Urgency
    urgency_words: str
    flags: tuple[str, ...]
    overdue: bool
    kind: str
    subclass_code: str
    subclass: str
    place: str
    district: str
    street: str
    community: str
    grid_code: str
    channel: str
    channel_words: str
    unit: str
    unit_name: str
    received_at: datetime
    due_at: datetime | None
    due_provisional: bool


def case_row(case: Case, actor: Actor, *, rules: Rules, now: datetime) -> CaseRow:
    """The line of a case; a place is masked for those who need not know whose door it is."""
    unit = rules.units.get(case.unit)
    return CaseRow(
        case_no=str(case.case_no),
        version=case.version,
        state=case.state,
        state_words=STATE_WORDS[case.state],
        urgency=case.urgency,
        urgency_words=URGENCY_WORDS[case.urgency],
        flags=flags_of(case, now=now),
        overdue=is_overdue(case, now=now),
        kind=case.subclass.kind.value if case.subclass else "",
        subclass_code=case.subclass.code if case.subclass else "",
        subclass=rules.taxonomy.name(case.subclass),
        place=words_for(case.place.text, actor) or case.place.community or case.place.street,
        district=case.place.district,
        street=case.place.street,
        community=case.place.community,
        grid_code=case.place.grid_code,
        channel=case.channel,
        channel_words=CHANNEL_WORDS.get(case.channel, case.channel),
        unit=case.unit,
        unit_name=unit.name if unit else case.unit,
        received_at=case.received_at,
        due_at=case.due_at,
        due_provisional=case.due_provisional,
    )


def words_for(text: str, actor: Actor) -> str:
    """Free words as this person reads them: whole for the centre that works on them, masked for everybody else."""
    return text if actor.role in CENTRE else mask_text(text)


def is_overdue(case: Case, *, now: datetime) -> bool:
    """超期: past the limit with the unit, or handled too late and closed meanwhile."""
    if case.state in (State.CLOSED, State.ARCHIVED):
        return case.due_at is not None and case.done_at is not None and case.done_at > case.due_at
    return timers.is_overdue(case, now)


def flags_of(case: Case, *, now: datetime) -> tuple[str, ...]:
    """Flags are words beside the state (docs/process.md §4), the gravest first."""
    table: Mapping[str, bool] = {
        "警情未知悉": bool(case.danger_words) and case.acknowledged_at is None and case.state not in ENDED,
        "超期": is_overdue(case, now=now),
        "督办": case.supervised,
        "保密": case.confidential,
        f"催办{case.urge_count}次": case.urge_count > 0,
        f"返工{case.rework_count}次": case.rework_count > 0,
        f"退单{case.return_count}次": case.return_count > 0,
        f"第{case.round}轮": case.round > 1,
        "不满意": case.rating == 2,
    }
    return tuple(words for words, is_set in table.items() if is_set)
