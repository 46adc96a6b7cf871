"""Places found in what people write, on a small gazetteer made here."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.gazetteer import MOST_CHARS, WHY_WORDS, Gazetteer, GazetteerError, PlaceMatch, PlaceWhy

HEADER = "id,name,kind,aliases,initials,lon,lat,grid_code,community,street,district,address"
ROWS = """
r1,滨江路,road,,bjl,120.01,30.01,g1,县前社区,鼓楼街道,泽城区,泽城区滨江路
r2,江南大道,road,,jndd,120.02,30.02,g2,县前社区,鼓楼街道,泽城区,泽城区江南大道
r3,人民路,road,,rml,120.03,30.03,g3,县前社区,鼓楼街道,泽城区,泽城区人民路
r4,永和路,road,,yhl,120.04,30.04,g3,县前社区,鼓楼街道,泽城区,泽城区永和路
r5,和平路,road,,hpl,120.05,30.05,g3,县前社区,鼓楼街道,泽城区,泽城区和平路
x1,滨江路与江南大道交叉口,crossing,,bjljnddjck,120.015,30.015,g4,县前社区,鼓楼街道,泽城区,
x2,永和路与和平路交叉口,crossing,永和路和平路十字,,120.045,30.045,g5,县前社区,鼓楼街道,泽城区,
x3,站前街与广场路交叉口,crossing,,,120.06,30.06,g6,县前社区,鼓楼街道,泽城区,
e1,幸福里小区,estate,幸福里,xflxq,120.07,30.07,g7,县前社区,鼓楼街道,泽城区,泽城区人民路88号
e2,阳光花园,estate,,yghy,120.08,30.08,g8,县前社区,鼓楼街道,泽城区,
e3,阳光花园,estate,,yghy,120.18,30.18,g9,科创社区,科创街道,云东区,
s1,人民路市中心小学,school,,rmlszx,120.09,30.09,g3,县前社区,鼓楼街道,泽城区,
l1,市民中心,government,行政中心|ＡＢ座,smzx,120.10,30.10,g3,县前社区,鼓楼街道,泽城区,
"""


def load(folder: Path, rows: str) -> Gazetteer:
    path = folder / "gazetteer.csv"
    path.write_text(HEADER + "\n" + rows.strip() + "\n", "utf-8")
    return Gazetteer.load(path)


@pytest.fixture(scope="module")
def gazetteer(tmp_path_factory: pytest.TempPathFactory) -> Gazetteer:
    return load(tmp_path_factory.mktemp("gazetteer"), ROWS)


def best(gazetteer: Gazetteer, text: str) -> tuple[str, PlaceWhy, str]:
    """Row, reason and words of the best match."""
    match = gazetteer.find(text)[0]
    return match.row.id, match.why, text[match.start : match.end]


@pytest.mark.parametrize(
    ("text", "row_id", "why", "words"),
    [
        ("幸福里小区门前的路坑坑洼洼", "e1", PlaceWhy.DIRECTION, "幸福里小区门前"),
        ("我住幸福里，楼道灯坏了", "e1", PlaceWhy.ALIAS, "幸福里"),
        ("反映幸福里小区垃圾成堆", "e1", PlaceWhy.NAME, "幸福里小区"),
        ("幸福里小区3栋楼下垃圾", "e1", PlaceWhy.BUILDING, "幸福里小区3栋"),
        ("幸福里十二号楼", "e1", PlaceWhy.BUILDING, "幸福里十二号楼"),
        ("人民路88号有垃圾", "e1", PlaceWhy.ADDRESS, "人民路88号"),
        ("人民路16号前面", "r3", PlaceWhy.ADDRESS, "人民路16号"),
        ("市民中心对面有人摆摊", "l1", PlaceWhy.DIRECTION, "市民中心对面"),
        ("行政中心东北角路灯不亮", "l1", PlaceWhy.DIRECTION, "行政中心东北角"),
        ("市民中心往东100米", "l1", PlaceWhy.DIRECTION, "市民中心往东100米"),
        ("在ＡＢ座北门", "l1", PlaceWhy.DIRECTION, "ＡＢ座北门"),
        ("人民路市中心小学旁边", "s1", PlaceWhy.DIRECTION, "人民路市中心小学旁边"),
        ("滨江路与江南大道交叉口", "x1", PlaceWhy.NAME, "滨江路与江南大道交叉口"),
        ("江南大道和滨江路路口积水", "x1", PlaceWhy.CROSSING, "江南大道和滨江路路口"),
        ("滨江路×江南大道", "x1", PlaceWhy.CROSSING, "滨江路×江南大道"),
        ("滨江路X江南大道", "x1", PlaceWhy.CROSSING, "滨江路X江南大道"),
        ("和平路跟永和路的十字路口", "x2", PlaceWhy.CROSSING, "和平路跟永和路的十字路口"),
        ("广场路与站前街路口", "x3", PlaceWhy.CROSSING, "广场路与站前街路口"),
        ("rmlszx", "s1", PlaceWhy.INITIALS, "rmlszx"),
        ("RMLSZX 门口", "s1", PlaceWhy.INITIALS, "RMLSZX"),
        ("smz", "l1", PlaceWhy.INITIALS, "smz"),
        ("幸福理小区垃圾没人收", "e1", PlaceWhy.SIMILAR, "幸福理小区"),
        ("人门路市中心小学门口", "s1", PlaceWhy.SIMILAR, "路市中心小学"),
    ],
)
def test_places_are_found_however_they_are_named(
    gazetteer: Gazetteer, text: str, row_id: str, why: PlaceWhy, words: str
) -> None:
    assert best(gazetteer, text) == (row_id, why, words)


def test_a_crossing_not_listed_gives_both_roads_with_doubt(gazetteer: Gazetteer) -> None:
    found = gazetteer.find("人民路与滨江路交叉口")
    assert {match.row.id for match in found} == {"r1", "r3"}
    assert all(match.why == PlaceWhy.CROSSING and match.score < 0.7 for match in found)


def test_two_roads_named_side_by_side_are_no_crossing_unless_one_is_listed(gazetteer: Gazetteer) -> None:
    assert {match.why for match in gazetteer.find("人民路和滨江路都没人扫")} == {PlaceWhy.NAME}
    assert gazetteer.find("江南大道和滨江路都没人扫")[0].row.id == "x1"


def test_a_road_name_inside_another_place_is_doubtful(gazetteer: Gazetteer) -> None:
    named, inside = gazetteer.find("人民路没人扫")[0], gazetteer.find("人民路医院后面没人扫")[0]
    assert (named.row.id, inside.row.id) == ("r3", "r3")
    assert inside.score < 0.6 < named.score


def test_equal_names_are_settled_by_the_district_or_by_what_is_near(gazetteer: Gazetteer) -> None:
    undecided = gazetteer.find("阳光花园垃圾")
    assert [match.row.id for match in undecided] == ["e2", "e3"]
    assert undecided[0].score == undecided[1].score
    assert gazetteer.find("云东区阳光花园垃圾")[0].row.id == "e3"
    assert gazetteer.find("阳光花园垃圾", near=(120.181, 30.18))[0].row.id == "e3"


def test_the_limit_holds_and_each_place_comes_once(gazetteer: Gazetteer) -> None:
    text = "幸福里小区、市民中心、人民路、滨江路、幸福里"
    found = gazetteer.find(text, limit=3)
    assert len(found) == 3
    ids = [match.row.id for match in gazetteer.find(text, limit=50)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("text", ["", "井盖坏了没人管", "我家wifi坏了", "？？？", "a", "路"])
def test_text_without_a_place_gives_nothing(gazetteer: Gazetteer, text: str) -> None:
    assert gazetteer.find(text) == []


def test_words_beyond_the_limit_are_not_read(gazetteer: Gazetteer) -> None:
    assert gazetteer.find("，" * MOST_CHARS + "幸福里小区") == []


@given(st.text(alphabet="滨江路与和江南大道×幸福里小区3栋号楼对面rmlszx阳光花园 ，", max_size=60))
def test_any_text_gives_matches_within_it_best_first(gazetteer: Gazetteer, text: str) -> None:
    found: list[PlaceMatch] = gazetteer.find(text, near=(120.0, 30.0))
    assert all(0 <= match.start < match.end <= len(text) and 0.0 <= match.score <= 1.0 for match in found)
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)


def test_every_reason_has_words_for_the_screen() -> None:
    assert set(WHY_WORDS) == set(PlaceWhy)


def test_row_fields_are_read_from_their_columns(gazetteer: Gazetteer) -> None:
    row = gazetteer.rows[-1]
    assert (row.id, row.kind, row.aliases, row.initials) == ("l1", "government", ("行政中心", "ＡＢ座"), "smzx")
    assert (row.lon, row.lat, row.grid_code, row.district) == (120.10, 30.10, "g3", "泽城区")


@pytest.mark.parametrize(
    "rows",
    [
        "r1,滨江路,road,,bjl,east,30.01,g1,a,b,c,d",
        "r1,滨江路,road,,bjl,200,30.01,g1,a,b,c,d",
        ",滨江路,road,,bjl,120,30.01,g1,a,b,c,d",
        "r1,,road,,bjl,120,30.01,g1,a,b,c,d",
        "r1,滨江路",
    ],
)
def test_rows_that_cannot_be_used_are_refused_with_their_line(tmp_path: Path, rows: str) -> None:
    with pytest.raises(GazetteerError, match="line 2"):
        load(tmp_path, rows)


def test_an_empty_gazetteer_finds_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "").find("滨江路与江南大道交叉口") == []
