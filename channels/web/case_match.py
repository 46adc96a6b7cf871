"""Cases beside the one on the page: likely repeats compared line by line, those merged into it, earlier ones come back.

Pure but for asking the index. What is compared is what the reader may see of both anyway.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.web.case_beside import Beside
from channels.web.desk_row import CaseRow, case_row, words_for
from intake.gateway import Gateway
from intake.likely import Likely
from intake.model import Actor, Case, State
from intake.ports import Work
from intake.records import Attachment, Reporter
from intake.workflow import HALL, LIVE

COMPARED = LIVE - {State.CLOSED}


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of a comparison: what this case says, what the other says."""

    label: str
    ours: str
    theirs: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A likely repeat. `photos` are tokens of its pictures; `merges_here` when this case is the older one of the two."""

    row: CaseRow
    percent: int
    reasons: tuple[str, ...]
    pairs: tuple[Pair, ...]
    photos: tuple[str, ...]
    reporters: int
    merges_here: bool


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another case in one line. `linked` when a person said that the two belong together."""

    case_no: str
    state_words: str
    subclass: str
    closed_at: datetime | None
    result: str
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Other:
    """What is read of a likely repeat."""

    case: Case
    reporters: int
    photos: tuple[str, ...]


async def matches_of(gateway: Gateway, case: Case, actor: Actor) -> tuple[Match, ...]:
    """The likeliest repeats among the open cases, for those who may merge."""
    if actor.role not in HALL or case.state not in COMPARED:
        return ()
    likely = await gateway.repeats.likely(case)
    if not likely:
        return ()
    others = await gateway.store.read(lambda work: _read(work, [one.case_no for one in likely]))
    return tuple(
        match_of(case, others[one.case_no], one, actor=actor, gateway=gateway) for one in likely if one.case_no in others
    )


def _read(work: Work, numbers: Sequence[int]) -> dict[int, Other]:
    """Others that are still open; the index may be a moment behind."""
    found = {}
    for number in numbers:
        case = work.get(Case, number)
        if case is None or case.state not in COMPARED:
            continue
        reporters = [one for one in work.find(Reporter, case_no=number) if one.left_at is None]
        photos = tuple(one.token for one in work.find(Attachment, case_no=number) if one.mime.startswith("image/"))
        found[number] = Other(case, len(reporters), photos)
    return found


def match_of(case: Case, other: Other, likely: Likely, *, actor: Actor, gateway: Gateway) -> Match:
    ours, theirs = (case_row(one, actor, rules=gateway.rules, now=gateway.now()) for one in (case, other.case))
    told = _compared(case, ours, actor), _compared(other.case, theirs, actor)
    pairs = tuple(Pair(label, mine, told[1][label], mine != told[1][label]) for label, mine in told[0].items())
    return Match(
        row=theirs,
        percent=round(likely.score * 100),
        reasons=likely.reasons,
        pairs=pairs,
        photos=other.photos[:4],
        reporters=other.reporters,
        merges_here=case.received_at < other.case.received_at,
    )


def _compared(case: Case, row: CaseRow, actor: Actor) -> Mapping[str, str]:
    return {
        "内容": words_for(case.description, actor),
        "位置": row.place,
        "网格": " ".join(part for part in (row.community, row.grid_code) if part),
        "类别": row.subclass,
        "单位": row.unit_name,
        "来源": row.channel_words,
    }


def earlier_of(beside: Beside, actor: Actor, gateway: Gateway) -> tuple[Neighbour, ...]:
    """Cases closed here before, linked or not yet."""
    linked = {one.case_no for one in beside.links}
    return tuple(_neighbour(one, actor, gateway, linked=one.case_no in linked) for one in beside.earlier)


def joined_of(beside: Beside, actor: Actor, gateway: Gateway) -> tuple[Neighbour, ...]:
    """Cases merged into this one."""
    return tuple(_neighbour(one, actor, gateway, linked=True) for one in beside.joined if one.state is State.MERGED)


def _neighbour(case: Case, actor: Actor, gateway: Gateway, *, linked: bool) -> Neighbour:
    row = case_row(case, actor, rules=gateway.rules, now=gateway.now())
    return Neighbour(row.case_no, row.state_words, row.subclass, case.closed_at, words_for(case.result, actor), linked)
