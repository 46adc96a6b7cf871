"""The reply a step will owe, drafted before the step is taken, so that a person reads and mends it first.

Pure but for reading the main case of a merge. The wording is the city's (intake.wording); sending is intake.replies'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from intake.codes import parse_case_no
from intake.model import Case, Subclass
from intake.ports import Work
from intake.replies import draft_for
from intake.rules import Rules
from intake.text import SINGLE_UNITS, ucs2_units
from intake.usecases import told_slots
from intake.wording import SLOTS
from intake.workflow import Step


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be sent. `complete` is False while fields of the step it needs are empty; they show as 〔name〕."""

    text: str
    complete: bool
    units: int

    @property
    def fits_one_sms(self) -> bool:
        return self.units <= SINGLE_UNITS


def draft_of(work: Work, rules: Rules, *, case: Case, step: Step, typed: Mapping[str, str]) -> Draft | None:
    """The draft for a step with what is typed so far; None for a step that owes no reply."""
    if not step.owes:
        return None
    given = {name: value for name, value in typed.items() if value.strip()}
    if step.name != "merge":
        return _drafted(
            work, rules, case=as_it_would_be(case, given), step=step, given=given, template=step.owes[0].value
        )
    number = parse_case_no(given.get("main_case", ""))
    main = work.get(Case, number) if number else None
    return _drafted(work, rules, case=main or case, step=step, given=given if main else {}, template="merged")


def as_it_would_be(case: Case, given: Mapping[str, str]) -> Case:
    """The case with the class, place and result that are typed, as far as they can be read."""
    place = replace(case.place, text=given["place"]) if "place" in given else case.place
    return replace(case, subclass=_subclass(given, case), place=place, result=given.get("result", case.result))


def _subclass(given: Mapping[str, str], case: Case) -> Subclass | None:
    try:
        return Subclass.parse(given["subclass"]) if "subclass" in given else case.subclass
    except ValueError:
        return case.subclass


def _drafted(work: Work, rules: Rules, *, case: Case, step: Step, given: Mapping[str, str], template: str) -> Draft:
    gaps = {f.name: f"〔{f.label}〕" for f in step.fields if f.name in SLOTS and not _has(case, f.name, given=given)}
    if step.name == "merge" and "main_case" not in given:
        gaps |= {"no": "〔并入编号〕"}
    _, text = draft_for(work, rules, case, template, told_slots(step, given) | gaps)
    complete = not any(gap in text for gap in gaps.values())
    return Draft(text, complete, ucs2_units(text))


def _has(case: Case, name: str, *, given: Mapping[str, str]) -> bool:
    """Whether a slot is filled, by what is typed or by the case itself."""
    held = {"result": case.result, "place": case.place.text, "subclass": case.subclass}
    return name in given or bool(held.get(name))
