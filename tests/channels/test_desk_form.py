"""Forms and drafts of steps, apart from any page."""

import pytest

from channels.web.desk_form import (
    Trouble,
    class_choices,
    fields_of,
    form_view,
    opening_step,
    wants_other_conditions,
)
from channels.web.desk_reply import Draft, draft_of
from intake.effects import Facts
from intake.fields import Reading
from intake.model import Case, Place, Role, State, Subclass
from intake.offers import Offer, offers
from intake.profile import City
from intake.workflow import STEPS
from tests.make import NOON, make_actor, make_case

CASE = make_case(
    state=State.ACCEPTED, subclass=Subclass.parse("event:0102"), place=Place("人民路"), description="有垃圾"
)
GIVEN = {
    "reason": "属于私人纠纷",
    "way": "协商",
    "body": "供电公司",
    "other": "95598",
    "result": "已清走",
    "main_case": "x",
}


class StoreOfOneCase:
    """What drafting asks of a unit of work: the moment, and the main case of a merge."""

    now = NOON

    def __init__(self, case: Case) -> None:
        self.case = case

    def get(self, _kind: type, case_no: int) -> Case | None:
        return self.case if case_no == self.case.case_no else None


def offered(city: City, case: Case = CASE, role: Role = Role.OPERATOR) -> dict[str, Offer]:
    found = offers(case, make_actor(role), Facts(), Reading(case, city.rules()))
    return {offer.step.name: offer for offer in found}


def drafted(city: City, step: str, case: Case = CASE, **typed: str) -> Draft | None:
    return draft_of(StoreOfOneCase(case), city.rules(), case=case, step=STEPS[step], typed=typed)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [step.name for step in STEPS.values() if step.owes and step.name != "merge"])
def test_every_reply_is_whole_once_the_steps_fields_are_given(city: City, step: str) -> None:
    fields = {field.name for field in STEPS[step].fields}
    draft = drafted(city, step, **{name: value for name, value in GIVEN.items() if name in fields})
    assert draft is not None
    assert draft.complete
    assert "〔" not in draft.text
    assert draft.text.startswith("【")


@pytest.mark.parametrize(
    ("step", "gap"), [("reject", "〔建议途径〕"), ("redirect", "〔承办单位〕"), ("settle", "〔处理结果（告知市民）〕")]
)
def test_what_is_missing_shows_as_a_gap(city: City, step: str, gap: str) -> None:
    draft = drafted(city, step)
    assert draft is not None
    assert not draft.complete
    assert gap in draft.text


def test_a_step_without_a_reply_has_no_draft(city: City) -> None:
    assert drafted(city, "verify") is None


def test_a_merge_tells_the_number_of_the_main_case(city: City) -> None:
    gap, draft = drafted(city, "merge"), drafted(city, "merge", main_case=str(CASE.case_no))
    assert gap is not None
    assert draft is not None
    assert "〔并入编号〕" in gap.text
    assert (str(CASE.case_no) in draft.text, draft.complete) == (True, True)


def test_a_typed_class_and_place_go_into_the_draft(city: City) -> None:
    draft = drafted(city, "file", subclass="event:0101", place="东门")
    assert draft is not None
    assert "东门私搭乱建" in draft.text


def test_every_class_in_use_stands_once_under_a_heading_of_its_own(city: City) -> None:
    groups = class_choices(city.taxonomy)
    values = [value for group in groups for value, _ in group.items]
    assert sorted(values) == sorted(str(entry.subclass) for entry in city.taxonomy.in_use)
    labels = [group.label for group in groups]
    assert len(set(labels)) == len(labels)


def test_conditions_follow_the_class_that_is_typed(city: City) -> None:
    form = form_view(offered(city)["file"], CASE, rules=city.rules(), typed={"subclass": "event:0101"}, draft=None)
    condition = next(field for field in form.fields if field.name == "condition")
    assert [value for value, _ in condition.groups[0].items] == list(
        city.taxonomy.conditions(Subclass.parse("event:0101"))
    )
    assert (condition.value, condition.required, form.shown_class) == ("", True, "event:0101")


@pytest.mark.parametrize(
    ("typed", "again"),
    [({"subclass": "event:0102"}, False), ({"subclass": "event:0101", "condition": "公共场所成堆垃圾"}, True),
     ({"subclass": "event:0101", "condition": "已建成"}, False), ({"subclass": "nonsense"}, False), ({}, False)],
)  # fmt: skip
def test_when_a_condition_must_be_chosen_again(city: City, typed: dict[str, str], again: bool) -> None:
    offer = offered(city)["file"]
    assert wants_other_conditions(offer, typed, shown_class="event:0102", taxonomy=city.taxonomy) is again


def test_blanks_and_what_was_not_touched_are_left_out(city: City) -> None:
    typed = {
        "description": "有垃圾\r\n",
        "reply_text": "草稿",
        "opinion": " ",
        "condition": "x",
        "csrf": "y",
        "version": "1",
    }
    assert fields_of(offered(city)["file"], CASE, typed=typed, shown_draft="草稿") == {"condition": "x"}
    changed = fields_of(offered(city)["file"], CASE, typed=typed | {"reply_text": "改过"}, shown_draft="草稿")
    assert changed == {"condition": "x", "reply_text": "改过"}


def test_an_error_stands_at_its_field_only(city: City) -> None:
    form = form_view(
        offered(city)["file"], CASE, rules=city.rules(), typed={}, draft=None, trouble=Trouble("不行", "place")
    )
    assert {field.name: field.error for field in form.fields if field.error} == {"place": "不行"}


def test_the_wanted_step_opens_if_it_is_offered_and_else_the_usual_one(city: City) -> None:
    found = tuple(offered(city).values())
    assert opening_step(found, "note") == "note"
    assert opening_step(found, "dispatch") == "file"
    assert opening_step((), "note") == ""
