"""Open case or new one: the reasons, one by one, and what must never happen whatever is written."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.matching import REASON_WORDS, RULES, Known, Match, Saying, compare_places, likeness, match
from intake.model import Place, Subclass
from tests.make import NOON

RUBBISH, COVER = Subclass.parse("event:0102"), Subclass.parse("component:0101")
GATE = Place(text="人民广场北门")


def known(number: int = 1, text: str = "人民广场北门有一堆垃圾没人清理", *, ago: timedelta, **more: object) -> Known:
    parts: dict[str, object] = {"place": GATE, "subclass": RUBBISH} | more
    return Known(number, text, NOON - ago, **parts)  # type: ignore[arg-type]


def saying(text: str, **more: object) -> Saying:
    return Saying(text, NOON, **more)  # type: ignore[arg-type]


MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CASES = [
    ("nothing known", saying("井盖不见了"), [], Match("new", 0, "no_report")),
    ("more of the story", saying("臭味很大，已经三天了", talk_no=1), [known(ago=MINUTE)], Match("join", 1, "same_talk")),
    ("another matter in one go", saying("中山路12号井盖不见了", place=Place(text="中山路12号"), subclass=COVER, talk_no=1),
     [known(ago=MINUTE)], Match("new", 0, "another_matter")),
    ("asked again with other words", saying("北门那堆东西还在臭", place=GATE, subclass=RUBBISH), [known(ago=DAY)],
     Match("repeat", 1, "same_place_and_matter")),
    ("the very same words", saying("有一堆垃圾没人清理"), [known(ago=DAY, place=Place())], Match("repeat", 1, "same_words")),
    ("why does nobody come", saying("怎么还没人来处理呢", urging=True), [known(ago=DAY)], Match("repeat", 1, "urging")),
    ("points back", saying("就是那个路口"), [known(ago=timedelta(hours=3))], Match("join", 1, "points_back")),
    ("points back too late", saying("就是那个路口"), [known(ago=3 * DAY)], Match("new", 0, "another_matter")),
    ("after closing", saying("根本没弄干净"), [known(ago=2 * DAY, closed_at=NOON - DAY)], Match("closed", 1, "after_closing")),
    ("long after closing", saying("根本没弄干净"), [known(ago=20 * DAY, closed_at=NOON - 9 * DAY)], Match("new", 0, "another_matter")),
    ("the neighbour's shop", saying("中山路14号有一堆垃圾没人清理", place=Place(text="中山路14号"), subclass=RUBBISH),
     [known(ago=DAY, text="中山路12号有一堆垃圾没人清理", place=Place(text="中山路12号"))], Match("new", 0, "another_matter")),
    ("the later of two", saying("怎么还没人来", urging=True), [known(1, ago=2 * DAY), known(2, ago=DAY)], Match("repeat", 2, "urging")),
]  # fmt: skip


@pytest.mark.parametrize(("said", "reports", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_message_goes_where_it_belongs_with_its_reason(said: Saying, reports: list[Known], expected: Match) -> None:
    assert match(said, reports) == expected


def test_every_reason_has_words_for_the_operator() -> None:
    assert {reason for _, reason, _ in RULES} <= REASON_WORDS.keys()


def test_the_order_of_reports_does_not_matter() -> None:
    reports = [known(number, ago=number * DAY) for number in range(1, 6)]
    said = saying("怎么还没人来", urging=True)
    assert match(said, reports) == match(said, reversed(reports))


@pytest.mark.parametrize(("one", "other", "expected"), [
    (Place(lon=102.3384, lat=40.3275), Place(lon=102.3390, lat=40.3275), "same"),
    (Place(lon=102.3384, lat=40.3275), Place(lon=102.3484, lat=40.3275), "other"),
    (Place(lon=102.3384, lat=40.3275), Place(lon=102.3404, lat=40.3275), "unknown"),
    (Place(text="中山路12号"), Place(text="云泽市中山路12号门口"), "same"),
    (Place(text="中山路12号"), Place(text="中山路14号"), "other"),
    (Place(text="中山路"), Place(), "unknown"),
])  # fmt: skip
def test_places_are_compared_by_point_or_by_name_and_number(one: Place, other: Place, expected: str) -> None:
    assert compare_places(one, other) == compare_places(other, one) == expected


@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_symmetric_and_within_bounds(one: str, other: str) -> None:
    assert 0.0 <= likeness(one, other) <= 1.0
    assert likeness(one, other) == likeness(other, one)


@given(st.text(max_size=80), st.booleans(), st.integers(0, 3))
def test_any_text_gets_a_decision_about_a_report_of_the_sender(text: str, urging: bool, talk_no: int) -> None:
    reports = [known(1, ago=MINUTE), known(2, ago=DAY, closed_at=NOON)]
    found = match(saying(text, urging=urging, talk_no=talk_no), reports)
    assert (found.decision == "new") == (found.case_no == 0)
    assert found.case_no in (0, 1, 2)
