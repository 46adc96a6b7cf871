"""What operators taught: filed cases become confirmed examples, masked, weighed, and capped for each operator.

Pure, from records to examples; reading the store is the commands' business. A case counts once a person filed, settled
or redirected it; confidential and voided ones never do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from classifier.corpus import NONE, Example
from intake.masking import mask_text
from intake.model import Case, Prediction, Role, State
from intake.records import HistoryEntry

CHOOSING = ("accept", "file", "settle", "reclassify", "redirect")
"""Steps in which a person says what a case is about."""
REGISTER = "confirmed"
SHORTEST_CHARS = 4
CAP = 200
WEIGHT = 1.0
# Clicking what is proposed takes no thought, so agreement teaches less than a correction does.
AGREED_SHARE = 0.3
NEWEST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One person's final word on a case. `label` as in the corpus; `proposed` is empty where the model abstained.

    `key` finds the text in the shadow record without holding it; `text` is masked.
    """

    case_no: int
    text: str
    label: str
    operator_id: int
    at: datetime
    proposed: str
    prediction: Prediction
    key: str = ""

    @property
    def is_correction(self) -> bool:
        """Whether the person said something else than was proposed, or something where nothing was."""
        return self.proposed != plain(self.label)


@dataclass(frozen=True, slots=True)
class Lessons:
    """Examples to learn beside the corpus, newer ones to measure on, and the moment that parts them (ISO form)."""

    learned: tuple[Example, ...] = ()
    newest: tuple[Example, ...] = ()
    until: str = ""


def confirmed(
    cases: Iterable[Case], lines: Iterable[HistoryEntry], *, key_of: Callable[[str], str] = lambda _: ""
) -> list[Confirmed]:
    """The cases a person decided, oldest decision first; `lines` may hold the history of all of them in any order."""
    last: dict[int, HistoryEntry] = {}
    for line in lines:
        known = last.get(line.case_no)
        if _chooses(line) and (known is None or line.seq > known.seq):
            last[line.case_no] = line
    found = [_confirmed(case, last[case.case_no], key_of) for case in cases if case.case_no in last and _teaches(case)]
    return sorted(found, key=lambda each: (each.at, each.case_no))


def held_back(found: Sequence[Confirmed], share: float = NEWEST_SHARE) -> tuple[list[Confirmed], list[Confirmed]]:
    """Those to learn from and the newest ones kept for measuring; equal moments stay together on the older side."""
    cut = len(found) - int(len(found) * share)
    while 0 < cut < len(found) and found[cut].at == found[cut - 1].at:
        cut += 1
    return list(found[:cut]), list(found[cut:])


def examples_of(
    found: Iterable[Confirmed], *, weight: float = WEIGHT, cap: int = CAP, without: Iterable[str] = ()
) -> tuple[Example, ...]:
    """Weighed examples, at most `cap` from one operator and each text once, in the order of their decisions.

    A text in `without` (the splits that measure) is left out. Where an operator has more than the cap, each of his
    classes is heard in turn, newest first, so that a day of one careless choice cannot fill it.
    """
    measured = set(without)
    newest = {each.text: each for each in sorted(found, key=_order) if each.text not in measured}
    kept = [each for group in _by_operator(newest.values()).values() for each in _in_turn(group)[:cap]]
    return tuple(
        Example(each.text, each.label, register=REGISTER, weight=weight * (1.0 if each.is_correction else AGREED_SHARE))
        for each in sorted(kept, key=_order)
    )


def lessons(
    found: Sequence[Confirmed], *, weight: float = WEIGHT, cap: int = CAP, without: Iterable[str] = ()
) -> Lessons:
    """What training makes of confirmed cases: the newest are kept for measuring, the others weighed and capped."""
    older, newest = held_back(found)
    until = older[-1].at.isoformat() if older else ""
    return Lessons(examples_of(older, weight=weight, cap=cap, without=without), measured_on(newest), until)


def measured_on(found: Iterable[Confirmed]) -> tuple[Example, ...]:
    """Confirmed cases as unweighed examples, for measuring."""
    return tuple(Example(each.text, each.label, register=REGISTER) for each in found)


def plain(label: str) -> str:
    """A label without its destination: `none:12333` and `none:` are both `none`."""
    return NONE if label.partition(":")[0] == NONE else label


def proposal(prediction: Prediction) -> str:
    """What was proposed to the operator: a class, `none`, or empty where the model abstained."""
    if prediction.out_of_scope:
        return NONE
    return str(prediction.best.subclass) if prediction.best else ""


def _order(each: Confirmed) -> tuple[datetime, int]:
    return each.at, each.case_no


def _by_operator(found: Iterable[Confirmed]) -> dict[int, list[Confirmed]]:
    groups: defaultdict[int, list[Confirmed]] = defaultdict(list)
    for each in found:
        groups[each.operator_id].append(each)
    return groups


def _in_turn(group: Iterable[Confirmed]) -> list[Confirmed]:
    """One of each label, newest first, then a second of each, and so on."""
    turn: defaultdict[str, int] = defaultdict(int)
    placed = []
    for each in sorted(group, key=_order, reverse=True):
        placed.append((turn[each.label], each))
        turn[each.label] += 1
    return [each for _, each in sorted(placed, key=lambda pair: pair[0])]


def _chooses(line: HistoryEntry) -> bool:
    """Whether a person named a class in this line; a redirection names none but says that it is another body's matter."""
    is_person = line.actor_role not in (Role.SYSTEM, Role.CITIZEN)
    return is_person and line.step in CHOOSING and ("subclass" in line.refs or line.step == "redirect")


def _teaches(case: Case) -> bool:
    if case.confidential or case.state is State.VOID or len(case.description.strip()) < SHORTEST_CHARS:
        return False
    is_decided = case.filed_at is not None or case.close_kind == "self_settled"
    return case.state is State.REDIRECTED or (is_decided and case.subclass is not None)


def _confirmed(case: Case, line: HistoryEntry, key_of: Callable[[str], str]) -> Confirmed:
    outside = case.state is State.REDIRECTED
    return Confirmed(
        case_no=case.case_no,
        text=mask_text(case.description),
        # The number the operator gave; where he named the body in words alone, what the model had offered.
        label=f"{NONE}:{line.refs.get('other') or case.prediction.redirect}" if outside else str(case.subclass),
        operator_id=line.actor_id,
        at=line.at,
        proposed=proposal(case.prediction),
        prediction=case.prediction,
        key=key_of(case.description),
    )
