"""Where a report says the matter is. All examples are made up for these tests; none stands in data/corpus/."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.address import anchors
from classifier.address_table import RELATION
from classifier.corpus import read_split
from classifier.fold import legible
from classifier.place_score import place_scores
from classifier.places import PlaceFound, find_place
from intake.gazetteer import Gazetteer, GazetteerRow
from intake.taxonomy import load_taxonomy

# Measured 0.84 on the dev split; how far labels agree among themselves bounds it.
LEAST_OVERLAP = 0.81

SPANS = (
    ("市民来电反映：岳麓区望月湖街道银盆南路与杜鹃路交叉口往北80米，路灯不亮", "岳麓区望月湖街道银盆南路与杜鹃路交叉口往北80米"),
    ("我家住在江汉区唐家墩路99号锦绣家园3栋，楼下烧烤摊太吵", "江汉区唐家墩路99号锦绣家园3栋"),
    ("井盖没了 枫林三路", "枫林三路"),
    ("喂你好我在解放西路那个人民医院对面有个坑", "解放西路那个人民医院对面"),
    ("鼓楼区湖东路小学门口，放学时小贩占道", "鼓楼区湖东路小学门口"),
    ("河南焦作那边有人焚烧秸秆", "河南焦作那边"),
    ("反映天心区书院路道路破损", "天心区书院路"),
    ("垃圾没人收，地点：翠竹新村二期", "翠竹新村二期"),
    ("請看看 寶源路１８號 電箱冇關", "寶源路１８號"),
    ("地铁2号线长港路站B口共享单车乱停", "地铁2号线长港路站B口"),
    ("沿江高速与绕城高速连接处护栏缺失", "沿江高速与绕城高速"),
    ("城南镇杏花村3组水沟堵了", "城南镇杏花村3组"),
    ("白云区同和街道榕树头路18号对面有人违建", "白云区同和街道榕树头路18号对面"),
    ("张杨路500号华润时代广场后门有人乞讨", "张杨路500号华润时代广场后门"),
    ("拱墅区湖墅南路、文晖路口施工围挡占道", "拱墅区湖墅南路、文晖路口"),
    ("木料占道 就工地门口 东站路", "东站路"),
    ("来电人称住武昌区徐家棚某小区18楼，楼上整夜拖椅子", "武昌区徐家棚某小区18楼"),
    ("来电人称消防卷帘下面停车，紫云府，物业放任", "紫云府"),
    ("铜山区珠江路地铁C口积水", "铜山区珠江路地铁C口"),
    ("井盖没了 二环南立交", "二环南立交"),
)

NOWHERE = ("路灯不亮", "井盖丢了没人管", "公司拖欠工资三个月", "道路破损严重", "楼道里堆满杂物", "车道上有个坑", "家里停水了", "")


@pytest.mark.parametrize(("text", "wanted"), SPANS)
def test_the_span_that_says_where_is_found(text: str, wanted: str) -> None:
    found = find_place(text)
    assert found is not None
    shared = len(set(range(found.start, found.end)) & set(range(text.index(wanted), text.index(wanted) + len(wanted))))
    assert shared / max(len(wanted), len(found.text)) >= 0.7


@pytest.mark.parametrize("text", NOWHERE)
def test_words_that_end_like_names_are_no_places(text: str) -> None:
    assert find_place(text) is None


def test_the_parts_of_a_place_are_told() -> None:
    found = find_place("长沙市岳麓区望月湖街道银盆南路１２号望月小区5栋旁边有积水")
    assert found is not None
    assert found.parts == {
        "district": "岳麓区", "street": "望月湖街道", "road": "银盆南路", "number": "12号", "community": "望月小区",
        "building": "5栋", "relation": "旁边",
    }  # fmt: skip


def test_two_roads_are_a_crossing() -> None:
    found = find_place("银盆南路和杜鹃路路口往东50米有坑")
    assert found is not None
    assert found.parts["crossing"] == "银盆南路与杜鹃路"
    assert found.parts["relation"] == "往东50米"


def test_the_body_that_was_called_is_not_the_place() -> None:
    found = find_place("望月湖街道办事处说不归他们管，枫林三路的树倒了")
    assert found is not None
    assert found.text == "枫林三路"


def test_a_name_of_two_districts_gives_no_grid() -> None:
    rows = [row("1", "和平巷", "001"), row("2", "和平巷", "002"), row("3", "银杏里", "003")]
    gazetteer = Gazetteer(rows)
    assert grid(find_place("和平巷的路灯不亮", gazetteer)) == ""
    assert grid(find_place("银杏里的路灯不亮", gazetteer)) == "003"


def test_places_marked_in_the_dev_split_are_found() -> None:
    def span(text: str) -> tuple[int, int] | None:
        found = find_place(text)
        return (found.start, found.end) if found else None

    scores = place_scores(span, read_split("dev", load_taxonomy()))
    assert scores["place_overlap"] >= LEAST_OVERLAP


def row(key: str, name: str, grid_code: str) -> GazetteerRow:
    return GazetteerRow(
        id=key, name=name, kind="road", aliases=(), initials="", lon=113.0, lat=28.0, grid_code=grid_code,
        community="", street="", district="", address="",
    )  # fmt: skip


def grid(found: PlaceFound | None) -> str | None:
    return found.grid if found else None


@given(st.text() | st.text(alphabet="人民路与街区市12号栋村口对面的，。 在（）某一家那个\n", max_size=120))
def test_any_text_gives_a_span_of_itself_or_none(text: str) -> None:
    found = find_place(text)
    assert found is None or text[found.start : found.end] == found.text != ""
    assert found is None or all(found.parts.values())


@given(st.text(alphabet="人民路与街区市12号栋村口里道站对面的，", max_size=60))
def test_parts_of_addresses_lie_inside_the_text_in_order(text: str) -> None:
    found = anchors(legible(text))
    assert all(0 <= anchor.start < anchor.end <= len(text) for anchor in found)
    assert found == sorted(found, key=lambda anchor: (anchor.start, -anchor.end))


@pytest.mark.parametrize("piece", ["路", "人民路", "市", "与", "号", "1", "的", "某", "区街道", "（", "a"])
def test_a_huge_text_is_read(piece: str) -> None:
    find_place(piece * (100_000 // len(piece)))


def test_no_expression_of_relations_can_run_over_any_length() -> None:
    assert "*" not in RELATION.pattern
    assert "+" not in RELATION.pattern
