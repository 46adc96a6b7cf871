"""Writing brought to one form."""

from hypothesis import given
from hypothesis import strategies as st

from classifier.features import features, placed_features
from classifier.fold import SIMPLIFIED, TABLE_FILE, legible


@given(st.text())
def test_every_character_keeps_its_place(text: str) -> None:
    assert len(legible(text)) == len(text)


def test_traditional_and_full_width_writing_is_read_like_simplified() -> None:
    assert legible("寶業路１２號　ＫＴＶ") == "宝业路12号 ktv"
    assert features("電箱門打開，好危險") == features("电箱门打开，好危险")


def test_the_table_has_pairs_and_none_leads_to_another() -> None:
    lines = TABLE_FILE.read_text(encoding="utf-8").splitlines()
    pairs = [pair for line in lines for pair in line.partition("#")[0].split()]
    assert {len(pair) for pair in pairs} == {2}
    assert len({pair[0] for pair in pairs}) == len(pairs)
    assert not {ord(simple) for simple in SIMPLIFIED.values()} & SIMPLIFIED.keys()


@given(st.text() | st.text(alphabet="路燈不亮井蓋ab12，😀 是而", max_size=80))
def test_placed_features_are_the_features_where_they_stand(text: str) -> None:
    placed = placed_features(text)
    assert sorted(feature for feature, _, _ in placed) == sorted(features(text))
    assert all(0 <= start < end <= len(text) for _, start, end in placed)
