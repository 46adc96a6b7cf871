"""Who calls, as far as his number tells: his cases with the last words he was told, the places he spoke of, his calls.

Read in one unit of work, by the keyed hash of the number. Cases in which he asked for secrecy are only counted: the number
alone must not open them, since anybody may hold the telephone; with 受理编号 and 查询码 he is served all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from intake.desk_record import CallSummary
from intake.model import Case, Place
from intake.ports import Work
from intake.records import Contact, Debt, Reply, Reporter
from intake.vault import Vault
from intake.workflow import ENDED

MOST_ENDED, MOST_OPEN, MOST_PLACES = 3, 5, 5


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case of the caller. `told` are the exact words of the last reply that was sent, empty when there was none."""

    case: Case
    is_open: bool
    told: str = ""
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallerPast:
    """Open cases first, then the last three that ended. `hidden` counts cases kept confidential."""

    cases: tuple[PastCase, ...] = ()
    places: tuple[Place, ...] = ()
    hidden: int = 0
    calls: tuple[CallSummary, ...] = ()

    @property
    def open_cases(self) -> tuple[PastCase, ...]:
        return tuple(one for one in self.cases if one.is_open)


def caller_key(vault: Vault, number: str) -> str:
    """Under which a caller's earlier calls are found; empty for a withheld number."""
    return vault.lookup_hash(number, "phone")


def caller_past(work: Work, vault: Vault, number: str) -> CallerPast:
    """Everything an operator sees of a caller before he says a word; empty for a withheld number."""
    if not number:
        return CallerPast()
    contacts = work.find(Contact, phone_hash=vault.lookup_hash(number, "phone"))
    parts = [part for contact in contacts for part in work.find(Reporter, contact_id=contact.contact_id)]
    shown, hidden = _cases(work, parts)
    ordered = sorted(shown, key=lambda case: case.received_at, reverse=True)
    open_ones = [case for case in ordered if case.state not in ENDED][:MOST_OPEN]
    ended = [case for case in ordered if case.state in ENDED][:MOST_ENDED]
    mine = {part.reporter_id for part in parts}
    calls = work.find(CallSummary, caller_key=caller_key(vault, number), order="-at", limit=MOST_ENDED)
    return CallerPast(
        cases=tuple(_past(work, case, mine) for case in (*open_ones, *ended)),
        places=_places(ordered),
        hidden=hidden,
        calls=tuple(calls),
    )


def _cases(work: Work, parts: Iterable[Reporter]) -> tuple[list[Case], int]:
    shown: dict[int, Case] = {}
    hidden: set[int] = set()
    for part in parts:
        case = work.get(Case, part.case_no)
        if case is None or part.left_at is not None:
            continue
        if part.confidential or case.confidential:
            hidden.add(case.case_no)
        else:
            shown[case.case_no] = case
    return list(shown.values()), len(hidden)


def _past(work: Work, case: Case, mine: set[int]) -> PastCase:
    """The words told to him in this case; what other reporters were told is theirs."""
    own = {debt.debt_id for debt in work.find(Debt, case_no=case.case_no) if debt.reporter_id in mine}
    replies = (one for one in work.find(Reply, case_no=case.case_no) if one.debt_id in own and one.text)
    sent = sorted((one.sent_at, one.text) for one in replies if one.sent_at is not None)
    is_open = case.state not in ENDED
    return PastCase(case, is_open, told=sent[-1][1], told_at=sent[-1][0]) if sent else PastCase(case, is_open)


def _places(cases: Iterable[Case]) -> tuple[Place, ...]:
    """Places he spoke of, the latest first, each once."""
    found = {case.place.text: case.place for case in cases if case.place.text}
    return tuple(found.values())[:MOST_PLACES]
