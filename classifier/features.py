"""What the model sees of a text: a list of feature strings, the same at training and when serving.

Words carry meaning; single characters and pairs survive wrong characters and words no dictionary knows. Cutting into
words stands in tokens.py, weighing in estimators.py.
"""

import re
from itertools import pairwise

from classifier.fold import SIMPLIFIED
from classifier.framing import BLANK, without_framing
from classifier.tokens import cut, cut_with_places

# A report says what is wrong in its first lines. Even the longest letters of the corpus stay under a quarter of this,
# and it bounds the time for a text of any length to a few milliseconds.
MAX_CHARS = 2000

# No Chinese character is one, so that a word of one character is another feature than the character.
WORD_MARK = "w"
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_WORD = re.compile(r"[a-z\u3400-\u4dbf\u4e00-\u9fff]")
# "不是路灯，是红绿灯": what the matter is not must not speak for its class. At most eight characters, up to the turn.
_DENIED = re.compile(r"(不是|并非|不止|不光)([\u4e00-\u9fff]{1,8}?)(?=[，,。 啊呀哈嘛呢是而]|$)")
# Numbers tell houses and dates apart, never classes. One character for one keeps positions in the text true.
_FULL_WIDTH = 0xFEE0
_FOLD = {code + shift: chr(code + 32) for code in range(ord("A"), ord("Z") + 1) for shift in (0, _FULL_WIDTH)}
_FOLD |= {code + shift: "0" for code in range(ord("0"), ord("9") + 1) for shift in (0, _FULL_WIDTH)}
_FOLD |= SIMPLIFIED


def features(text: str) -> list[str]:
    """Feature strings of the first MAX_CHARS characters, with repeats: words as `w井盖`, characters and their pairs."""
    folded = fold(text)
    found = [WORD_MARK + word for word in cut(folded) if _WORD.match(word)]
    for run in _HAN_RUN.findall(folded):
        found += run
        found += map("".join, pairwise(run))
    return found


def placed_features(text: str) -> list[tuple[str, int, int]]:
    """The same features, each with where it starts and ends in the text; slower, for explaining."""
    folded = fold(text)
    found = [(WORD_MARK + word, at, at + len(word)) for at, word in cut_with_places(folded) if _WORD.match(word)]
    for run in _HAN_RUN.finditer(folded):
        start, end = run.span()
        found += ((folded[at], at, at + 1) for at in range(start, end))
        found += ((folded[at : at + 2], at, at + 2) for at in range(start, end - 1))
    return found


def fold(text: str) -> str:
    """Lower case, half width, simplified, every digit 0, cut to MAX_CHARS; places are kept.

    What is denied and what stands around any complaint (framing.py) is blanked.
    """
    folded = without_framing(text[:MAX_CHARS].translate(_FOLD))
    return _DENIED.sub(_blanked, folded) if "不" in folded or "并非" in folded else folded


def han_count(text: str) -> int:
    """How many Chinese characters the part we look at holds; with fewer than two there is nothing to judge."""
    return sum(map(len, _HAN_RUN.findall(text[:MAX_CHARS])))


def _blanked(found: re.Match[str]) -> str:
    return found[1] + BLANK * len(found[2])
