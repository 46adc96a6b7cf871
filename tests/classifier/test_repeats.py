"""The index of likely repeats: what is offered, in which order, with which reasons, and that a person decides."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.repeats import LIMIT, POOL, RepeatIndex
from classifier.repeats_evidence import RepeatWhy
from classifier.repeats_matter import kindred
from classifier.repeats_report import Report
from intake.model import Place

START = datetime(2026, 5, 1, tzinfo=UTC)
LAMP, RUBBISH, STALL, SHOP = "component:0118", "event:0102", "event:0501", "event:0504"


def report(number: int, text: str, *, hours: float = 0.0, place: Place | None = None, kind: str = "") -> Report:
    at = START + timedelta(hours=hours)
    return Report(number, text, at, place or Place(), {kind: 1.0} if kind else {})


def filled(*reports: Report) -> RepeatIndex:
    index = RepeatIndex()
    for each in reports:
        index.add(each)
    return index


def found(index: RepeatIndex, asked: Report) -> list[int]:
    return [candidate.id for candidate in index.candidates(asked)]


def test_the_same_place_and_matter_in_other_words_comes_first() -> None:
    index = filled(
        report(1, "凤凰新村18栋楼下那个垃圾堆快一周没人拉了", kind=RUBBISH),
        report(2, "凤凰新村18栋楼下路灯不亮", kind=LAMP),
        report(3, "建设路与解放路口垃圾没人清", kind=RUBBISH),
    )
    assert found(index, report(9, "十八号楼跟前生活垃圾苍蝇满天飞，凤凰新村的", kind=RUBBISH))[0] == 1


def test_a_crossing_is_the_same_whichever_road_is_named_first() -> None:
    index = filled(
        report(1, "人民路与青年路路口井盖没了", kind=LAMP), report(2, "人民路与解放路交叉口井盖没了", kind=LAMP)
    )
    assert found(index, report(9, "解放路和人民路十字路口少了一个井盖", kind=LAMP)) == [2, 1]


@pytest.mark.parametrize(
    ("same", "other", "asked"),
    [
        ("水岸花园12栋一楼油烟", "水岸花园3栋一楼油烟", "水岸花园十二号楼一楼的油烟太大"),
        ("人民路118号门口占道", "人民路97号门口占道", "人民路118号又在门口占道了"),
        ("桃园小区北门积水", "桃园小区南门积水", "桃园小区的北门又积水了"),
        ("凤凰路“阿强烧烤”冒烟", "凤凰路“老王烧烤”冒烟", "凤凰路“阿强”店里冒烟"),
    ],
)
def test_another_number_gate_or_shop_speaks_against(same: str, other: str, asked: str) -> None:
    index = filled(report(1, same), report(2, other, hours=1))
    first, second = index.candidates(report(9, asked, hours=2))
    assert (first.id, second.id) == (1, 2)
    assert RepeatWhy.DIFFERS in second.reasons
    assert RepeatWhy.DIFFERS not in first.reasons


def test_points_close_together_count_and_points_far_apart_count_against() -> None:
    here, beside, away = (Place(lon=lon, lat=30.0) for lon in (114.0, 114.0003, 114.05))
    index = filled(report(1, "路灯不亮", place=away), report(2, "路灯不亮", place=beside), report(3, "路灯不亮"))
    near, unknown, far = index.candidates(report(9, "路灯不亮", place=here))
    assert [near.id, unknown.id, far.id] == [2, 3, 1]
    assert RepeatWhy.NEAR in near.reasons
    assert RepeatWhy.FAR in far.reasons
    assert near.score > unknown.score > far.score


def test_the_same_grid_counts_more_than_a_neighbouring_one() -> None:
    index = RepeatIndex(neighbours=lambda grid: frozenset({"g2"}) if grid == "g1" else frozenset())
    for number, grid in ((1, "g3"), (2, "g2"), (3, "g1")):
        index.add(report(number, "路灯不亮", place=Place(grid_code=grid)))
    assert found(index, report(9, "路灯不亮", place=Place(grid_code="g1"))) == [3, 2, 1]


def test_a_neighbouring_subclass_is_nearer_than_a_foreign_one() -> None:
    index = filled(report(1, "师院门口的事", kind=LAMP), report(2, "师院门口的事", kind=SHOP))
    assert found(index, report(9, "师院门口的事情", kind=STALL)) == [2, 1]
    assert kindred(STALL, STALL) > kindred(STALL, SHOP) > kindred("event:0501", "event:0511") > kindred(STALL, LAMP)


def test_of_equals_the_newest_comes_first() -> None:
    index = filled(report(1, "路灯不亮"), report(2, "路灯不亮", hours=1))
    assert found(index, report(9, "路灯不亮", hours=2)) == [2, 1]


def test_a_repeat_of_last_winter_is_still_found() -> None:
    index = filled(
        report(1, "锦绣华城三期西侧河水发臭", kind=RUBBISH), report(2, "雪海路路灯坏了", hours=5000, kind=RUBBISH)
    )
    assert found(index, report(9, "锦绣华城西边这条河臭了", hours=5001, kind=RUBBISH))[0] == 1


def test_what_a_report_says_it_is_not_does_not_count() -> None:
    index = filled(report(1, "凤凰新村空地上堆着生活垃圾"), report(2, "文昌路门口旧门窗"))
    assert found(index, report(9, "文昌路堆着旧门窗，跟凤凰新村空地那堆生活垃圾不是一回事"))[0] == 2


def test_five_are_offered_whatever_their_score_and_never_the_report_itself() -> None:
    index = filled(*(report(number, f"第{number}件事") for number in range(9)))
    answer = index.candidates(report(3, "第3件事"))
    assert len(answer) == LIMIT
    assert 3 not in [candidate.id for candidate in answer]
    assert index.candidates(report(3, "第3件事"), limit=2) == answer[:2]
    assert index.candidates(report(3, "第3件事"), limit=0) == ()


def test_a_closed_case_is_no_longer_offered_and_a_changed_one_is_offered_as_it_is_now() -> None:
    index = filled(report(1, "桃园路路灯不亮"), report(2, "滨河路水管爆了"))
    index.remove(1)
    index.remove(1)
    assert found(index, report(9, "桃园路路灯不亮")) == [2]
    index.add(report(2, "桃园路路灯不亮"))
    assert len(index) == 1
    assert index.candidates(report(9, "桃园路路灯不亮"))[0].score > 0.5


def test_a_full_index_finds_by_look_up_what_a_small_one_finds_by_comparing_all() -> None:
    index = filled(report(0, "凤凰新村18栋楼下垃圾", kind=RUBBISH))
    for number in range(1, POOL + 200):
        index.add(report(number, f"{chr(0x4E00 + number)}{chr(0x5E00 + number)}路{number}号路灯坏了", kind=LAMP))
    assert found(index, report(-1, "凤凰新村十八栋的垃圾没人管", kind=RUBBISH))[0] == 0
    index.remove(0)
    assert 0 not in found(index, report(-1, "凤凰新村十八栋的垃圾没人管", kind=RUBBISH))


def test_the_inner_view_tells_matters_of_one_subclass_apart() -> None:
    one, other = np.eye(2, dtype=np.float32)
    index = RepeatIndex()
    for number, sense in ((1, other), (2, one)):
        index.add(Report(number, "三中门口的摊子", START, Place(), {STALL: 1.0}, sense))
    assert found(index, Report(9, "三中门口的摊子", START, Place(), {STALL: 1.0}, one)) == [2, 1]


@given(st.lists(st.text(max_size=60), max_size=6), st.text(max_size=60))
def test_any_text_is_answered(texts: list[str], asked: str) -> None:
    index = filled(*(report(number, text) for number, text in enumerate(texts)))
    answer = index.candidates(report(-1, asked))
    assert len(answer) <= min(len(texts), LIMIT)
    assert all(0.0 <= candidate.score <= 1.0 for candidate in answer)


@pytest.mark.parametrize("text", ["", " \n", "！！！", "😀"])
def test_a_text_that_says_nothing_repeats_nothing(text: str) -> None:
    assert filled(report(1, "路灯不亮")).candidates(report(9, text)) == ()


@pytest.mark.parametrize("place", [Place(lon=float("nan"), lat=30.0), Place(lon=1e300, lat=-1e300), Place(lon=1.0)])
def test_a_point_that_is_none_does_no_harm(place: Place) -> None:
    index = filled(report(1, "路灯不亮", place=place))
    assert found(index, report(9, "路灯不亮", place=place)) == [1]
    index.remove(1)
    assert len(index) == 0
