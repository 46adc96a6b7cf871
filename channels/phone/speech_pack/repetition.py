"""Guards against what Whisper invents: a phrase said over and over, and the closing lines of films. Pure."""

import re
from collections.abc import Sequence

MOST_TIMES = 3
"""People do repeat a word three times; a model that has lost the thread goes on."""
LONGEST_PHRASE = 24
INVENTED = re.compile(
    "请不吝点赞.*?栏目|(?:中文)?字幕(?:由|志愿者|提供|组).{0,20}|优优独播剧场.{0,12}|(?:谢谢|感谢)(?:大家)?(?:的)?(?:观看|收看)"
    "|(?:点赞|订阅|转发|打赏|小铃铛)[，、 ]?(?:点赞|订阅|转发|打赏|小铃铛).{0,12}"
)
"""What stands at the end of the films that the model learned from, and comes out of noise and silence."""
_REPEATED = re.compile(rf"(.{{1,{LONGEST_PHRASE}}}?)\1{{{MOST_TIMES},}}")


def is_going_round(tokens: Sequence[int]) -> bool:
    """Whether the end of a token sequence is one phrase four times in a row, or one token eight times."""
    if len(tokens) >= 8 and len(set(tokens[-8:])) == 1:
        return True
    for size in range(2, LONGEST_PHRASE + 1):
        tail = tokens[-size * (MOST_TIMES + 1) :]
        if len(tail) == size * (MOST_TIMES + 1) and all(tail[at] == tail[at % size] for at in range(len(tail))):
            return True
    return False


def without_repeats(text: str) -> tuple[str, bool]:
    """The text with each endless phrase said once and invented lines left out, and whether anything was changed.

    Figures keep theirs: 八八八八八 is a telephone number.
    """
    kept = _REPEATED.sub(lambda found: found[0] if _is_number(found[1]) else found[1], text)
    kept = INVENTED.sub("", kept).strip(" ，、")
    return kept, kept != text.strip(" ，、")


def _is_number(phrase: str) -> bool:
    return len(phrase) == 1 and phrase in "0123456789零幺一二三四五六七八九"
