"""Units of work of the desk: drafts, ends of calls, what is known of a caller, notices, the knowledge base, class search."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from intake.call_end import Ending, check_new, end_call
from intake.caller_past import caller_key, caller_past
from intake.class_search import hints_by_words, search_classes
from intake.desk_record import CallSummary, Draft
from intake.drafts import drop_draft, open_draft, open_drafts, save_draft, typed_of
from intake.errors import BadInput, Misconfigured, NotAllowed, NotFound, StaleVersion
from intake.knowledge import load_knowledge
from intake.model import Case, Place, Role, Subclass
from intake.notices import end_notice, fits, notices_now, put_notice
from intake.outlook import outlook
from intake.profile import City
from intake.receive import Judged, receive
from intake.records import Contact, Reporter
from intake.store.sqlite import SqliteStore
from intake.vault import Vault
from tests.make import NOON, PHONE, make_actor, make_inbound

ONE, TWO = make_actor(user_id=11), make_actor(user_id=12, name="two")


async def test_a_draft_is_kept_sealed_and_only_its_person_sees_it(store: SqliteStore) -> None:
    draft = await store.write(lambda work: open_draft(work, ONE, caller=PHONE))
    await store.write(lambda work: save_draft(work, ONE, draft.draft_id, typed={"what": "井盖丢了"}, version=1))
    held = (await store.read(lambda work: open_drafts(work, ONE)))[0]
    assert (typed_of(held), held.caller, held.version) == ({"what": "井盖丢了"}, PHONE, 2)
    assert await store.read(lambda work: open_drafts(work, TWO)) == []
    with pytest.raises(NotFound):
        await store.write(lambda work: drop_draft(work, TWO, draft.draft_id))
    stored = await store.read(lambda work: work.connection.exec_driver_sql("SELECT * FROM drafts").all())
    assert "井盖" not in str(stored)
    assert PHONE[-8:] not in str(stored)


async def test_the_second_window_cannot_wipe_out_the_first(store: SqliteStore) -> None:
    draft = await store.write(lambda work: open_draft(work, ONE))
    await store.write(lambda work: save_draft(work, ONE, draft.draft_id, typed={"what": "一"}, version=1))
    with pytest.raises(StaleVersion):
        await store.write(lambda work: save_draft(work, ONE, draft.draft_id, typed={"what": "二"}, version=1))
    again = await store.write(lambda work: save_draft(work, ONE, draft.draft_id, typed={"what": "一"}, version=1))
    assert again.version == 2


async def test_one_call_has_one_draft_of_each_person(store: SqliteStore) -> None:
    first = await store.write(lambda work: open_draft(work, ONE, call_id=5, caller=PHONE))
    second = await store.write(lambda work: open_draft(work, ONE, call_id=5, caller=PHONE))
    other = await store.write(lambda work: open_draft(work, TWO, call_id=5, caller=PHONE))
    assert first.draft_id == second.draft_id != other.draft_id
    with pytest.raises(BadInput):
        await store.write(lambda work: drop_draft(work, ONE, first.draft_id))


async def reported(store: SqliteStore, city: City, **changes: object) -> int:
    rules = city.rules()
    inbound = make_inbound(phone=PHONE, wants_reply=True, **changes)
    return (await store.write(lambda work: receive(work, inbound, Judged(), rules))).case_no


async def test_ending_a_call_empties_its_draft_and_twice_is_once(store: SqliteStore, city: City, vault: Vault) -> None:
    number = await reported(store, city)
    draft = await store.write(lambda work: open_draft(work, ONE, caller=PHONE))
    ending = Ending("urge", number, caller_key=caller_key(vault, PHONE))
    for _ in range(2):
        done = await store.write(lambda work: end_call(work, city.rules(), ONE, draft.draft_id, ending))
    assert (done.outcome, done.case_no, done.typed, done.caller) == ("urge", number, "", "")
    held = await store.read(lambda work: (work.get(Case, number), work.find(CallSummary), work.find(Draft)))
    assert held[0] is not None
    assert held[0].urge_count == 1
    assert len(held[1]) == 1


@pytest.mark.parametrize(("outcome", "field"), [("", "outcome"), ("urge", "about"), ("dissatisfied", "about"), ("nothing", "outcome")])
async def test_an_end_says_what_it_lacks_and_changes_nothing(store: SqliteStore, city: City, outcome: str, field: str) -> None:
    draft = await store.write(lambda work: open_draft(work, ONE))
    with pytest.raises(BadInput) as refused:
        await store.write(lambda work: end_call(work, city.rules(), ONE, draft.draft_id, Ending(outcome)))
    assert refused.value.field == field
    assert await store.read(lambda work: work.find(CallSummary)) == []


async def test_a_caller_sees_only_what_is_his_and_nothing_confidential(store: SqliteStore, city: City, vault: Vault) -> None:
    open_one = await reported(store, city, text="路灯不亮", place=Place(text="人民广场北门"))
    await reported(store, city, confidential=True)
    await store.write(lambda work: receive(work, make_inbound(phone="+8619900000002"), Judged(), city.rules()))
    past = await store.read(lambda work: caller_past(work, vault, PHONE))
    assert [one.case.case_no for one in past.cases] == [open_one]
    assert past.hidden == 1
    assert past.places[0].text == "人民广场北门"
    assert await store.read(lambda work: caller_past(work, vault, "")) == replace(past, cases=(), places=(), hidden=0)


async def test_a_reporter_who_left_a_merge_is_not_shown_its_case(store: SqliteStore, city: City, vault: Vault) -> None:
    number = await reported(store, city)
    part = (await store.read(lambda work: work.find(Reporter, case_no=number)))[0]
    await store.write(lambda work: work.change(part, replace(part, left_at=NOON)))
    assert (await store.read(lambda work: caller_past(work, vault, PHONE))).cases == ()
    assert len(await store.read(lambda work: work.find(Contact))) == 1


async def test_a_notice_is_the_shift_leaders_and_ends(store: SqliteStore) -> None:
    leader = make_actor(Role.SHIFT_LEADER)
    with pytest.raises(NotAllowed):
        await store.write(lambda work: put_notice(work, ONE, area="", text="停水", until_at=NOON + timedelta(hours=2)))
    with pytest.raises(BadInput):
        await store.write(lambda work: put_notice(work, leader, area="", text="停水", until_at=NOON))
    put = await store.write(lambda work: put_notice(work, leader, area="鼓楼街道", text="抢修停水", until_at=NOON + timedelta(hours=2)))
    assert [one.text for one in await store.read(notices_now)] == ["抢修停水"]
    assert [fits(put, Place(street=name)) for name in ("鼓楼街道", "学府街道")] == [True, False]
    await store.write(lambda work: end_notice(work, leader, put.notice_id))
    assert await store.read(notices_now) == []


def test_the_knowledge_base_answers_what_citizens_ask(city: City) -> None:
    knowledge = load_knowledge(city.folder)
    asked = {"半夜施工吵得睡不着": "night_noise", "我家停电了": "power_cut", "装修垃圾怎么扔": "garbage_sort", "工资被拖欠": "wages"}
    assert {words: knowledge.search(words)[0].id for words in asked} == asked
    assert knowledge.search("") == ()
    assert {phrase.kind for phrase in knowledge.phrases} >= {"wording", "calm"}
    assert len({one.id for one in knowledge.articles}) == len(knowledge.articles)


def test_a_city_adds_to_the_knowledge_base_and_faults_are_named(tmp_path: Path) -> None:
    own = '[[articles]]\nid = "duty"\ntitle = "本市受理范围"\nanswer = "本市另有规定。"\n'
    (tmp_path / "knowledge.toml").write_text(own, encoding="utf-8")
    found = load_knowledge(tmp_path).article("duty")
    assert found is not None
    assert found.title == "本市受理范围"
    (tmp_path / "knowledge.toml").write_text('[[phrases]]\nkind = "x"\ntitle = "a"\ntext = "b"\n', encoding="utf-8")
    with pytest.raises(Misconfigured):
        load_knowledge(tmp_path)


@pytest.mark.parametrize(("typed", "wanted", "why"), [
    ("bllj", "event:0102", "拼音首字母"), ("0102", "event:0102", "代码"), ("暴露", "event:0102", "名称"),
    ("违停", "event:0505", "市民说法"),
])  # fmt: skip
def test_a_class_is_found_by_initials_code_name_and_citizens_words(city: City, typed: str, wanted: str, why: str) -> None:
    found = search_classes(city.taxonomy, typed)
    assert str(found[0].entry.subclass) == wanted
    assert why in found[0].why
    assert search_classes(city.taxonomy, "   ") == ()


def test_without_a_model_the_citizens_words_propose(city: City) -> None:
    hint = hints_by_words(city.taxonomy, "路边一堆垃圾没人管")[0]
    assert str(hint.subclass) == "event:0102"
    assert all(word in "路边一堆垃圾没人管" for word in hint.words)


def test_choosing_a_class_tells_conditions_limits_unit_and_due(city: City) -> None:
    subclass = Subclass.parse("component:0101")
    place = city.locate(Place(text="鼓楼广场"))
    plain = outlook(city.rules(), subclass, condition="", place=place, now=NOON)
    assert (plain.condition, plain.due) == ("", None)
    chosen = outlook(city.rules(), subclass, condition=plain.conditions[0], place=place, now=NOON)
    assert chosen.limits
    assert chosen.due is not None
    assert chosen.due.due_at > NOON
    assert "自来水" in chosen.unit_name


def test_what_cannot_be_filed_is_refused_before_anything_is_taken_in(city: City) -> None:
    rules = city.rules()
    for typed, field in (({}, "what"), ({"what": "a", "subclass": "x"}, "subclass"),
                         ({"what": "a", "waive_verify": "night"}, "subclass"),
                         ({"what": "a", "subclass": "component:0101", "waive_verify": "night"}, "condition")):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            check_new(rules, typed)
        assert refused.value.field == field
