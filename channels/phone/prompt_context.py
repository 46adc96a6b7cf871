"""Between what a recording is heard: a synthesiser says a word alone as if it were a sentence, so it is said among others and
cut out of them.

Pure. What is joined from several recordings (numbers, dates, prompts with values in them) has its context here; everything
else is a whole sentence and needs none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from channels.phone.prompt_files import word_file
from ivr.prompts import Prompt, Prompts, Slot
from ivr.speech import Piece

NUMBER_REST_S = 0.2
"""Before a number that somebody writes down."""
STOPS = "。！？；：，、"


@dataclass(frozen=True, slots=True)
class Within:
    """What is said before and after, how fast, and the silence left behind it."""

    before: str = ""
    after: str = ""
    speed: float = 1.0
    tail_s: float = 0.0

    @property
    def words(self) -> str:
        """For the manifest: a changed context is a recording to be made anew."""
        return f"{self.before}｜{self.after}｜{self.speed}｜{self.tail_s}" if self != ALONE else ""


ALONE = Within()
DIGITS = Within("三五，", "，七八。", speed=0.85)
WORDS: tuple[tuple[str, Within], ...] = (
    (r"[零幺一二三四五六七八九]{1,2}", DIGITS),
    (r".+月", Within("三五，", "，七八。", speed=0.95)),
    (r".+日", Within("三五，", "，七八。", speed=0.95)),
    (r"约.+|半分钟|不到半分钟", Within("预计等候", "，谢谢。")),
    (r"的请按.+", Within("尾号零三", "，谢谢。")),
    (r"尾号", Within("十一月二十日", "，零三。")),
    (r"两|[二三四五六七八九]?十[一二三四五六七八九]?", Within("您前面还有", "位来电人。")),
)
"""Patterns of whole words and breaths, the first that fits, to where they are most often heard. Times of day are long enough
to be said alone."""
VALUES: Mapping[str, str] = {
    "number": "十五", "amount": "三", "digits": "，三五，七八", "day": "十一月二十日", "full_day": "十一月二十日", "clock": "下午三点",
    "moment": "十一月二十日下午三点", "duration": "约五分钟", "place": "人民路", "text": "暴露垃圾", "choices": "十一月二十日",
}  # fmt: skip
"""A value of each way of reading, for the phrases beside it. After a phrase, digits come with a rest."""


def contexts(prompts: Prompts, words: Iterable[str]) -> dict[str, Within]:
    """Name of a recording to its context, for those that have one."""
    found = {word_file(text): within for text in words if (within := _of_word(text)) != ALONE}
    for prompt in prompts.by_name.values():
        found |= _of_phrases(prompt)
    return found


def _of_word(text: str) -> Within:
    return next((within for pattern, within in WORDS if re.fullmatch(pattern, text)), ALONE)


def _of_phrases(prompt: Prompt) -> dict[str, Within]:
    found = {}
    for at, part in enumerate(prompt.parts):
        if not isinstance(part, Piece) or part.kind != "phrase":
            continue
        before = "" if part.text[0] in STOPS else _value(prompt, at - 1).strip(STOPS)
        after = "" if part.text[-1] in STOPS else _value(prompt, at + 1)
        rest_s = NUMBER_REST_S if after.startswith("，") else 0.0
        if before or after:
            found[part.name] = Within(before, f"{after}。" if after else "", tail_s=rest_s)
    return found


def _value(prompt: Prompt, at: int) -> str:
    slot = prompt.parts[at] if 0 <= at < len(prompt.parts) else None
    return VALUES.get(slot.kind, "") if isinstance(slot, Slot) else ""
