"""The table of the conversation: every stage and intent has an answer, every name in it exists, words are read rightly."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.conversation_acts import ACTS
from intake.conversation_split import split_matters
from intake.dialogue import ANY, QUESTIONS, TABLE, Facts, Lacks, decide, question_for
from intake.dialogue_words import Wanted, fold, load_phrases
from intake.matching import Match
from intake.text import ucs2_units

PHRASES = load_phrases()
INTENTS = sorted({intent.name for intent in PHRASES.intents if not intent.weak} | {"digit", "content", "blank", "phone"})
FACTS = [
    Facts(),
    Facts(talk_no=7, open_nos=(7,)),
    Facts(open_nos=(7, 8), choices=(7, 8), purpose="urge", match=Match("repeat", 7, "urging")),
    Facts(rateable_no=9, match=Match("closed", 9, "after_closing")),
    Facts(talk_no=7, open_nos=(7,), photos=1, has_point=True),
    Facts(open_nos=(7,), named="own", match=Match("join", 7, "same_talk")),
]


@pytest.mark.parametrize(("stage", "intent"), list(itertools.product(ANY, INTENTS)))
def test_every_stage_and_intent_is_answered_by_the_table(stage: str, intent: str) -> None:
    for facts in FACTS:
        turn = decide(stage, Wanted(intent, digit=1, case_no=7, rest="还有一处"), facts)
        assert turn.act in ACTS
        assert turn.stage in ANY
        assert set(turn.answers) <= PHRASES.answers.keys()


def test_every_row_of_the_table_names_known_things() -> None:
    for row in TABLE:
        assert row.turn.act in ACTS
        assert set(row.turn.answers) <= PHRASES.answers.keys()
        assert set(row.intents) <= {*INTENTS, *(intent.name for intent in PHRASES.intents)}


def test_questions_have_words_and_stages() -> None:
    assert {f"ask_{name}" for name in QUESTIONS} <= PHRASES.answers.keys()
    assert set(QUESTIONS) < set(ANY)


def test_no_automatic_answer_asks_more_than_one_thing() -> None:
    assert [name for name, text in PHRASES.answers.items() if text.count("？") > 1] == []


def test_single_answers_fit_one_short_message_with_the_signature() -> None:
    slots = {"no": "26112000001", "code": "123456", "hotline": "12319", "list": "", "words": "已受理，正在审核", "call": "119"}
    filled = {name: "【城管热线】" + text.format_map(slots) for name, text in PHRASES.answers.items()}
    assert {name: text for name, text in filled.items() if ucs2_units(text) > 70} == {}
    assert ucs2_units(filled["received"] + PHRASES.answers["ask_place"]) <= 70


READINGS = [
    ("你好", "greeting"), ("您好！！", "greeting"), ("在吗？", "greeting"), ("謝謝", "thanks"), ("ＴＤ", "stop"), ("退訂", "stop"),
    ("取消", "cancel"), ("转人工", "human"), ("满意", "good"), ("不满意", "bad"), ("催办", "urge"), ("查询进度", "status"),
    ("撤诉", "withdraw"), ("补充：还有一处", "supplement"), ("表扬城管队员", "praise"), ("建议增设路灯", "suggestion"),
    ("咨询户外广告怎么申请", "inquiry"), ("😀😀", "blank"), ("", "blank"), ("?", "help"), ("人民路井盖没了", "content"),
    ("人民路垃圾三天了还没人清理", "content"), ("26112000001", "status"), ("编号二六一一二零零零零零一", "status"),
    ("我们小区门口的人行道上有人取消了护栏", "content"), ("感谢政府，但是垃圾还没清", "content"),
    ("外面有人喂流浪狗，没人管", "content"), ("自动回复：正在开会", "automatic"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "intent"), READINGS)
def test_texts_are_read_for_what_they_want(text: str, intent: str) -> None:
    assert PHRASES.read(text).intent == intent


@pytest.mark.parametrize(("text", "digit"), [("1", 1), ("２", 2), ("一", 1), ("第二件", 2), ("选3", 3), ("1。", 1), ("两", 2)])
def test_choices_are_read_in_any_writing(text: str, digit: int) -> None:
    assert PHRASES.read(text).digit == digit


def test_number_and_code_are_read_in_any_order_and_writing() -> None:
    for text in ("查询 26112000001 123456", "查询２６１１２０００００１，１２３４５６", "查询二六一一二零零零零零一 一二三四五六",
                 "查询码123456编号26112000001"):  # fmt: skip
        wanted = PHRASES.read(text)
        assert (wanted.case_no, wanted.code) == (26112000001, "123456")


@given(st.text(max_size=200))
def test_any_text_at_all_is_read_and_decided(text: str) -> None:
    wanted = PHRASES.read(text)
    for stage, facts in itertools.product(ANY, FACTS):
        assert decide(stage, wanted, facts).act in ACTS


def test_no_word_stands_under_two_intents() -> None:
    seen: dict[str, str] = {}
    for intent in PHRASES.intents:
        for word in intent.whole:
            assert seen.setdefault(word, intent.name) == intent.name, word


def test_a_question_is_asked_once_and_only_one_at_a_time() -> None:
    lacks = Lacks(place=True, photo=True, is_old=False, takes_photos=True)
    assert question_for(lacks, (), act="report") == "place"
    assert question_for(lacks, ("place",), act="report") == "photo"
    assert question_for(lacks, ("place", "photo"), act="report") == ""
    assert question_for(Lacks(False, False, True, False), (), act="urge") == "still"


@pytest.mark.parametrize(("text", "count"), [
    ("人民路的路灯不亮", 0), ("1、人民路路灯不亮 2、中山路井盖破损", 2), ("一是人民路路灯不亮，二是中山路井盖破损", 2),
    ("人民路路灯不亮。另外，中山路井盖破损", 2), ("①人民路路灯不亮②中山路井盖破损③鼓楼街垃圾成堆", 3), ("3.5米高的广告牌要倒了", 0),
    ("1号楼门口2号楼后面都有垃圾", 0),
])  # fmt: skip
def test_enumerated_complaints_are_parted_and_others_are_not(text: str, count: int) -> None:
    assert len(split_matters(text)) == count


def test_folding_twice_changes_nothing() -> None:
    assert fold(fold("補 充：ＡＢＣ！")) == fold("補 充：ＡＢＣ！") == "补充abc"
