"""From operators' choices to confirmed examples: who counts, what is hidden, and how little one person can spoil."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from classifier.corpus import Example
from classifier.learning import AGREED_SHARE, Confirmed, confirmed, examples_of, held_back, lessons
from intake.model import Actor, Case, Prediction, Role, Scored, State, Subclass
from intake.profile import City
from intake.receive import Judged, receive
from intake.records import HistoryEntry
from intake.usecases import Command, perform
from intake.wiring import AnyStore
from tests.make import NOON, make_actor, make_case, make_inbound

RUBBISH, LAMP = Subclass.parse("event:0102"), Subclass.parse("component:0118")
PROPOSED = Prediction(top=(Scored(RUBBISH, 0.93),), abstained=False, model_version="old")
OPERATOR = make_actor(Role.OPERATOR)


def line(case: Case, step: str, seq: int = 2, **changes: object) -> HistoryEntry:
    entry = HistoryEntry(
        case.case_no, seq, NOON + timedelta(minutes=seq), step, OPERATOR.user_id, Role.OPERATOR, "accepted", "filed", 1,
        refs={"subclass": str(case.subclass)},
    )  # fmt: skip
    return replace(entry, **changes)  # type: ignore[arg-type]


def filed(**changes: object) -> Case:
    return make_case(**{"state": State.FILED, "filed_at": NOON, "subclass": LAMP, "prediction": PROPOSED} | changes)


def decided(number: int, *, label: str = "event:0102", operator: int = 1, text: str = "") -> Confirmed:
    moment = NOON + timedelta(minutes=number)
    return Confirmed(number, text or f"第{number}条", label, operator, moment, "event:0102", PROPOSED)


async def test_a_filed_case_of_the_store_becomes_a_correction(store: AnyStore, city: City) -> None:
    inbound = make_inbound(text="南门路灯不亮，我姓王，电话19900000001")
    number = (await store.write(lambda work: receive(work, inbound, Judged(PROPOSED), city.rules()))).case_no
    condition = city.taxonomy.conditions(LAMP)[0]
    await _take(store, city, number, "accept", OPERATOR, subclass=str(RUBBISH))
    await _take(store, city, number, "file", make_actor(Role.SHIFT_LEADER), subclass=str(LAMP), condition=condition,
                waive_verify="clear_evidence")  # fmt: skip
    cases, lines = await store.read(lambda work: (work.find(Case), work.find(HistoryEntry)))
    (found,) = confirmed(cases, lines, key_of=str.upper)
    assert (found.label, found.proposed, found.is_correction) == (str(LAMP), str(RUBBISH), True)
    assert found.operator_id == make_actor(Role.SHIFT_LEADER).user_id
    assert "19900000001" not in found.text
    assert found.key == inbound.text.upper()
    assert found.prediction.model_version == "old"


async def _take(store: AnyStore, city: City, number: int, step: str, actor: Actor, **fields: object) -> None:
    await store.write(lambda work: perform(work, Command(number, step, actor, fields=fields), city.rules()))


def test_the_last_word_counts() -> None:
    case = filed()
    lines = [line(case, "reclassify", seq=7, actor_id=9), line(case, "file", seq=3), line(case, "urge", seq=8)]
    assert [each.operator_id for each in confirmed([case], lines)] == [9]


@pytest.mark.parametrize(
    "changes",
    [{"confidential": True}, {"state": State.VOID}, {"filed_at": None}, {"description": "  "}, {"subclass": None}],
)
def test_what_must_not_teach_does_not(changes: dict[str, object]) -> None:
    case = filed(**changes)
    assert confirmed([case], [line(case, "file")]) == []


@pytest.mark.parametrize("role", [Role.SYSTEM, Role.CITIZEN])
def test_only_people_who_work_here_teach(role: Role) -> None:
    case = filed()
    assert confirmed([case], [line(case, "file", actor_role=role)]) == []


def test_a_redirected_case_teaches_that_it_is_not_ours() -> None:
    case = filed(state=State.REDIRECTED, filed_at=None, prediction=replace(PROPOSED, redirect="12333", out_of_scope=True))
    (found,) = confirmed([case], [line(case, "redirect", refs={})])
    assert (found.label, found.proposed, found.is_correction) == ("none:12333", "none", False)


def test_the_number_an_operator_gave_is_what_is_learned() -> None:
    case = filed(state=State.REDIRECTED, filed_at=None, prediction=replace(PROPOSED, redirect="12333", out_of_scope=True))
    (found,) = confirmed([case], [line(case, "redirect", refs={"other": "12315"})])
    assert found.label == "none:12315"


async def test_a_redirection_keeps_a_short_number_in_history_and_no_telephone(store: AnyStore, city: City) -> None:
    kept = []
    for other in ("12333", "0000001234"):
        inbound = make_inbound(text=f"工厂拖欠工资，去过{other}")
        number = (await store.write(lambda work, inbound=inbound: receive(work, inbound, Judged(PROPOSED), city.rules()))).case_no
        await _take(store, city, number, "redirect", OPERATOR, body="人社局", other=other)
        lines = await store.read(lambda work, number=number: work.find(HistoryEntry, case_no=number))
        kept += [line.refs.get("other", "") for line in lines if line.step == "redirect"]
    assert kept == ["12333", ""]


def test_a_choice_where_the_model_abstained_is_a_correction() -> None:
    case = filed(prediction=Prediction(top=PROPOSED.top, abstained=True, model_version="old"))
    (found,) = confirmed([case], [line(case, "file")])
    assert found.proposed == ""
    assert found.is_correction


def test_agreement_weighs_less_than_correction() -> None:
    agreed, other = examples_of([decided(1), decided(2, label="component:0118")], weight=2.0)
    assert (agreed.weight, other.weight) == (2.0 * AGREED_SHARE, 2.0)


def test_one_operator_is_capped_and_his_flood_of_one_class_does_not_fill_the_cap() -> None:
    flood = [decided(number, label="event:0101", operator=7) for number in range(500)]
    careful = [decided(1000 + number, label="component:0118", operator=7) for number in range(3)]
    others = [decided(2000 + number, operator=8) for number in range(5)]
    kept = Counter(example.label for example in examples_of(flood + careful + others, cap=10))
    assert kept == {"event:0101": 7, "component:0118": 3, "event:0102": 5}


def test_a_text_said_twice_counts_once_with_the_later_word() -> None:
    twice = [decided(1, text="路灯不亮"), decided(2, text="路灯不亮", label="component:0118")]
    assert [example.label for example in examples_of(twice)] == ["component:0118"]


def test_texts_that_measure_are_never_learned() -> None:
    assert examples_of([decided(1, text="路灯不亮")], without=["路灯不亮"]) == ()


def test_the_newest_are_kept_for_measuring() -> None:
    found = [decided(number) for number in range(10)]
    older, newest = held_back(found)
    assert [each.case_no for each in newest] == [8, 9]
    taught = lessons(found)
    assert taught.until == older[-1].at.isoformat()
    assert {example.text for example in taught.learned}.isdisjoint(example.text for example in taught.newest)


def test_equal_moments_are_not_parted() -> None:
    found = [replace(decided(number), at=NOON) for number in range(10)]
    assert held_back(found) == (found, [])


def test_order_of_rows_does_not_matter() -> None:
    found = [decided(number, operator=number % 3, label=f"event:010{number % 4}") for number in range(60)]
    assert examples_of(found, cap=5) == examples_of(found[::-1], cap=5)
    assert all(isinstance(example, Example) for example in examples_of(found))
