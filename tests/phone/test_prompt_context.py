"""What is joined is recorded in its context: which, and that the worker is asked for it so."""

from pathlib import Path

import pytest

from channels.phone.prompt_context import ALONE, DIGITS, NUMBER_REST_S, Within, contexts
from channels.phone.prompt_files import read_manifest, word_file
from channels.phone.prompt_plan import JOINED, planned
from channels.phone.rendering import described, render
from ivr import speech
from ivr.breath import breaths
from ivr.prompts import load_prompts, read_prompts
from tests.phone.test_prompt_files import EVERYTHING, heard

ZH = load_prompts()["zh"]
CONTEXTS = contexts(ZH, JOINED)


@pytest.mark.parametrize(("number", "said"), [
    ("26112000007", ["二六", "幺幺", "二零", "，", "零零", "零零", "七"]),
    ("19900001234", ["幺九", "九", "，", "零零", "零零", "，", "幺二", "三四"]),
    ("12319", ["幺二", "三幺", "九"]),
])  # fmt: skip
def test_numbers_are_said_in_pairs(number: str, said: list[str]) -> None:
    assert heard(EVERYTHING.joined(speech.digits(number))) == said


def test_every_pair_of_digits_and_every_digit_is_said_among_others() -> None:
    pairs = [first + second for first in speech.OPERATOR_DIGITS for second in speech.OPERATOR_DIGITS]
    assert set(pairs) <= set(breaths())
    assert all(CONTEXTS[word_file(text)] == DIGITS for text in (*pairs, *speech.OPERATOR_DIGITS))


def test_a_phrase_is_said_with_the_value_beside_it() -> None:
    prompts = read_prompts('[prompts]\nx = "前面还有{n:amount}位，号码{no:digits}，好。"\nwhole = "再见。"\n', file="zh.toml")
    assert contexts(prompts, ()) == {
        "x-1": Within("", "三。"), "x-2": Within("三", "，三五，七八。", tail_s=NUMBER_REST_S),
    }  # fmt: skip


@pytest.mark.parametrize("text", ["十一月", "二十日", "约两分钟", "不到半分钟", "的请按一", "十六", "两", "尾号"])
def test_parts_of_dates_and_counts_have_their_neighbours(text: str) -> None:
    assert CONTEXTS[word_file(text)] != ALONE


def test_whole_sentences_and_classes_have_no_context() -> None:
    assert not {"goodbye", "recording_notice", word_file("暴露垃圾")} & CONTEXTS.keys()
    assert set(CONTEXTS) <= set(planned(ZH))


class Worker:
    """Keeps what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, float]] = []

    async def __call__(self, text: str, speed: float, *, before: str = "", after: str = "") -> bytes:
        self.asked.append((before, text, after, speed))
        return b"\x55" * 800


async def test_a_recording_is_made_in_its_context_and_anew_when_that_changes(tmp_path: Path) -> None:
    worker, plan, among = Worker(), {"piece/1": "二六", "hello": "您好。"}, {"piece/1": Within("三五，", "，七。", 0.85, tail_s=0.1)}

    async def made(within: dict[str, Within]) -> list[str]:
        return await render(plan, tmp_path, say=worker, voice="v", within=within)

    assert await made(among) == ["piece/1", "hello"]
    assert worker.asked == [("三五，", "二六", "，七。", 0.85), ("", "您好。", "", 1.0)]
    assert read_manifest(tmp_path)["piece/1"].seconds == pytest.approx(0.2)
    assert await made(among) == []
    assert await made({"piece/1": Within("三五，", "。")}) == ["piece/1"]
    assert await made({}) == ["piece/1"]


async def test_a_persons_recording_has_no_context_and_is_left_alone(tmp_path: Path) -> None:
    plan = {"piece/1": "二六"}
    await render(plan, tmp_path, say=Worker(), voice="recorded")
    assert await render(plan, tmp_path, say=Worker(), voice="v", within={"piece/1": DIGITS}) == []


def test_a_manifest_written_before_there_were_contexts_is_read() -> None:
    assert described(b"\x55" * 80, text="好", voice="v").within == ""
