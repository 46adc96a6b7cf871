"""Pieces of long short messages: joined in any order, told apart from other messages, never lost when some never come."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms_part import part_of_header
from intake.admission import Admission
from intake.backlog import Backlog
from intake.dialogue_words import load_phrases
from intake.feed import Feed
from intake.gateway import Gateway
from intake.joining import GAP, MISSING, PATIENCE, Piece, groups, is_full, is_ready
from intake.listener import Listener
from intake.model import Case, Inbound, Part
from intake.pieces import KEPT_FOR, forget_pieces
from intake.profile import City
from intake.spool import Spool
from intake.text import sms_parts
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import NOON, PHONE
from tests.providers.story import PLACES, judge

LONG = "人民广场北门有一堆垃圾没人清理，" + "从上个月开始一直堆着，" * 9 + "𠀀请尽快处理。"


@pytest.fixture
def listener(either_store: AnyStore, city: City, clock: FakeClock, vault: Vault, tmp_path: Path) -> Listener:
    spool = Spool(tmp_path / "spool", vault)
    spool.open()
    rules = city.rules(offered=["sms"])
    gateway = Gateway(either_store, city, rules, judge, vault, clock, Feed(either_store), Admission(either_store, rules, spool, judge))
    return Listener(gateway, load_phrases(), lambda text: next((place for place in PLACES if place in text), None),
                    Backlog(tmp_path / "spool", vault))  # fmt: skip


def piece(text: str, number: int, total: int, *, ref: str = "07", name: str = "") -> Inbound:
    part = Part(ref, number, total) if total else Part()
    return Inbound("sms", name or f"{ref}-{number}", NOON, text, address=PHONE, phone=PHONE, part=part)


def octets(text: str) -> list[str]:
    """Cut as a phone without care does: at 67 units, through a pair too."""
    raw = text.encode("utf-16-be")
    return [raw[start : start + 134].decode("utf-16-be", "surrogatepass") for start in range(0, len(raw), 134)]


async def cases(store: AnyStore) -> list[Case]:
    return await store.read(lambda work: work.find(Case))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_pieces_in_any_order_and_repeated_are_one_report(listener: Listener, either_store: AnyStore, order: tuple[int, ...]) -> None:
    texts = octets(LONG)
    assert len(texts) == 2
    for number in (*order, *order):
        heard = await listener.hear(piece(texts[number], number + 1, 2))
    assert [case.description for case in await cases(either_store)] == [LONG]
    assert heard.act == "piece"
    assert [one.raw for one in await either_store.read(lambda work: work.find(Piece))] == ["", ""]


async def test_a_character_cut_in_two_is_whole_again(listener: Listener, either_store: AnyStore) -> None:
    text = "人民广场北门垃圾" + "多" * 58 + "😀很脏"
    texts = octets(text)
    assert texts[0][-1] == "\ud83d"
    for number, part in enumerate(texts, 1):
        await listener.hear(piece(part, number, len(texts)))
    assert [case.description for case in await cases(either_store)] == [text]


async def test_what_never_becomes_whole_is_taken_in_with_a_mark(listener: Listener, either_store: AnyStore, clock: FakeClock) -> None:
    await listener.hear(piece("人民广场北门有一堆", 1, 3))
    await listener.hear(piece("没人清理", 3, 3))
    assert await listener.join_pieces() == 0
    clock.pass_time(seconds=PATIENCE.total_seconds())
    assert await listener.join_pieces() == 1
    assert [case.description for case in await cases(either_store)] == [f"人民广场北门有一堆{MISSING}没人清理"]
    await listener.hear(piece("垃圾", 2, 3))
    clock.pass_time(seconds=PATIENCE.total_seconds())
    assert await listener.join_pieces() == 1
    assert len(await cases(either_store)) == 1


async def test_pieces_without_a_reference_are_known_by_length_and_time(
    listener: Listener, either_store: AnyStore, clock: FakeClock
) -> None:
    first, second, *_ = sms_parts(LONG)
    assert (await listener.hear(piece(first, 0, 0, name="a"))).act == "piece"
    clock.pass_time(seconds=3)
    assert (await listener.hear(piece(second, 0, 0, name="b"))).act == "report"
    assert [case.description for case in await cases(either_store)] == [LONG]


async def test_a_short_text_waits_for_nothing_and_a_full_one_only_seconds(
    listener: Listener, either_store: AnyStore, clock: FakeClock
) -> None:
    assert (await listener.hear(piece("人民广场北门垃圾", 0, 0, name="a"))).act == "report"
    whole = "中山路12号垃圾".ljust(67, "多")
    assert (await listener.hear(piece(whole, 0, 0, name="b"))).act == "piece"
    clock.pass_time(seconds=GAP.total_seconds() + 1)
    assert await listener.join_pieces() == 1
    assert whole in [case.description for case in await cases(either_store)]


async def test_a_reference_used_again_later_is_another_message(listener: Listener, either_store: AnyStore, clock: FakeClock) -> None:
    await listener.hear(piece("人民广场北门", 1, 2, name="a"))
    clock.pass_time(minutes=11)
    await listener.hear(piece("中山路12号有", 1, 2, name="b"))
    await listener.hear(piece("一堆垃圾", 2, 2, name="c"))
    told = [case.description for case in await cases(either_store)]
    assert told == [f"人民广场北门{MISSING}", "中山路12号有一堆垃圾"]


async def test_joined_pieces_are_dropped_after_some_days(listener: Listener, either_store: AnyStore, clock: FakeClock) -> None:
    for number, text in enumerate(octets(LONG), 1):
        await listener.hear(piece(text, number, 2))
    assert await either_store.write(forget_pieces) == 0
    clock.pass_time(seconds=(KEPT_FOR + timedelta(hours=1)).total_seconds())
    assert await either_store.write(forget_pieces) == 2


def _piece(number: int, total: int, ref: str, second: int) -> Piece:
    return Piece(number + 100 * second, "sms", f"{ref}{number}", "s", NOON + timedelta(seconds=second), "", 67, ref, number, total)


@given(st.permutations([_piece(number, total, ref, second) for ref, total, second in (("a", 3, 0), ("b", 5, 1)) for number in range(1, total + 1)]))
def test_two_messages_mixed_up_come_apart_again(shuffled: list[Piece]) -> None:
    found = sorted(groups(shuffled), key=len)
    assert [[one.number for one in group] for group in found] == [[1, 2, 3], [1, 2, 3, 4, 5]]
    assert all(is_ready(group, NOON) for group in found)


@given(st.binary(max_size=20))
def test_any_header_gives_a_piece_or_none(header: bytes) -> None:
    part = part_of_header(header)
    assert part is None or 1 <= part.number <= part.total


def test_headers_of_eight_and_sixteen_bits_are_read_behind_others() -> None:
    assert part_of_header(bytes.fromhex("050003a70301")) == Part("a7", 1, 3)
    assert part_of_header(bytes.fromhex("060804a7b80302")) == Part("a7b8", 2, 3)
    assert part_of_header(bytes.fromhex("0b05040b8423f00003a70303")) == Part("a7", 3, 3)
    assert part_of_header(b"") is None
    assert part_of_header(bytes.fromhex("050003a70304")) is None


def test_lengths_at_which_senders_cut_are_known() -> None:
    assert [is_full(text) for text in ("长" * 67, "长" * 70, "长" * 68, "a" * 153, "a" * 67)] == [True, True, False, True, False]
