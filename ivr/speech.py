"""How values are said in Mandarin: numbers, case numbers digit by digit with 幺, dates, times, durations, places.

Everything becomes pieces; a word of VOCABULARY has a recording of its own, anything else must be synthesised. Pure;
which prompt holds which value stands in prompts.py and in data/prompts/.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

DIGITS = "零一二三四五六七八九"
OPERATOR_DIGITS = "零幺二三四五六七八九"
"""Telephone and case numbers: 一 is said 幺, because yī and qī are mixed up on the line."""
PAUSE = "，"
LONGEST = 200
"""Characters of free text that are said at most; nobody listens to more."""
LONGEST_LETTER = 600
"""Of a text that is owed in full: more than the three short messages a reply may fill."""
LONGEST_BREATH = 60
"""Characters between two pauses of a letter: what is synthesised at once."""
BIGGEST = 99_999_999
MEASURES = frozenset("个位元米吨棵处次户层人公平天辆盏块箱")
"""A number before one of these is an amount; others of three and more digits are names (road G104, the year 2026)."""
UNITS = ("", "十", "百", "千")
HALVES = ((5, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
"""Until which hour a part of the day lasts."""
WORDS = (
    "十", "百", "千", "万", "两", "年", "月", "日", "点", "半", "分", "秒", "分钟", "小时", "天", "约", "不到", "半分钟", "个",
    "的请按", "尾号", "杠", "号", "转",
)  # fmt: skip
VOCABULARY = tuple(dict.fromkeys([*DIGITS, *OPERATOR_DIGITS, *WORDS, *(half for _, half in HALVES)]))
"""Every word that numbers, dates, times and durations are joined from."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of what is said. `kind`: phrase (`name` is its file), word (of VOCABULARY), pause, free, recording."""

    kind: str
    text: str
    name: str = ""


def say(kind: str, value: str) -> tuple[Piece, ...]:
    """The pieces of a value. A value that is not what its kind wants is said as it stands; nothing raises."""
    if not value:
        return ()
    longest = LONGEST_LETTER if kind == "letter" else LONGEST
    clean = "".join(char if char.isprintable() else " " for char in value[:longest]).strip()
    try:
        return tuple(KINDS[kind](clean))
    except (ValueError, OverflowError):
        return tuple(text(clean))


def text_of(pieces: Iterable[Piece]) -> str:
    """What is heard, as text; pauses as commas."""
    return "".join(piece.text for piece in pieces)


def words(text: str) -> list[Piece]:
    """A text of vocabulary words, cut at the longest word each time; raises ValueError for anything else."""
    pieces = []
    while text:
        found = next((word for word in _LONGEST_FIRST if text.startswith(word)), None)
        if found is None:
            raise ValueError(text)
        pieces.append(Piece("word", found))
        text = text[len(found) :]
    return pieces


def number(value: str) -> list[Piece]:
    """A count or a rank: 12 → 十二, 105 → 一百零五."""
    return words(cardinal(_whole(value)))


def amount(value: str) -> list[Piece]:
    """A number before a measure word: 2 is 两."""
    return words(before_measure(_whole(value)))


def digits(value: str) -> list[Piece]:
    """A case, telephone or other number, digit by digit in the groups a person would write down."""
    bare = re.sub(r"[\s\-+]", "", value)
    if not bare.isascii() or not bare.isdigit():
        raise ValueError(value)
    pieces: list[Piece] = []
    for group in groups(bare):
        pieces += ([Piece("pause", PAUSE)] if pieces else []) + words(_operator(group))
    return pieces


def groups(bare: str) -> list[str]:
    """Groups of digits: mobile numbers 3-4-4, landlines after the area code, case numbers after the date, else fours."""
    if len(bare) == 11 and bare[0] == "1":
        return [bare[:3], bare[3:7], bare[7:]]
    if bare[0] == "0" and len(bare) in (10, 11, 12):
        area = 3 if bare[1] in "12" else 4
        return [bare[:area], bare[area : area + 4], bare[area + 4 :]]
    if len(bare) in range(11, 15):
        return [bare[:6], bare[6:]]
    if len(bare) <= 5:
        return [bare]
    size = 3 if len(bare) % 3 == 0 else 4
    return [bare[start : start + size] for start in range(0, len(bare), size)]


def day(value: str) -> list[Piece]:
    """An ISO date or moment as month and day: 十一月二十日."""
    when = date.fromisoformat(value[:10])
    return words(f"{cardinal(when.month)}月{cardinal(when.day)}日")


def full_day(value: str) -> list[Piece]:
    """A date with its year, digit by digit: 二零二六年十一月二十日."""
    when = date.fromisoformat(value[:10])
    year = "".join(DIGITS[int(digit)] for digit in f"{when.year:04d}")
    return [*words(f"{year}年"), *day(value)]


def clock(value: str) -> list[Piece]:
    """The time of day of an ISO moment, as it stands there (give local time): 下午三点二十分."""
    when = datetime.fromisoformat(value)
    half = next(name for until, name in HALVES if when.hour < until)
    hour = when.hour - 12 if when.hour > 12 else when.hour
    minute = when.minute
    minutes = "" if minute == 0 else "半" if minute == 30 else f"{'零' if minute < 10 else ''}{cardinal(minute)}分"
    return words(f"{half}{before_measure(hour)}点{minutes}")


def moment(value: str) -> list[Piece]:
    return [*day(value), *clock(value)]


def duration(value: str) -> list[Piece]:
    """Seconds as a person would say them, rounded up to minutes: 95 → 约两分钟."""
    seconds = _whole(value)
    if seconds <= 30:
        return words("半分钟") if seconds > 15 else words("不到半分钟")
    hours, minutes = divmod(-(-seconds // 60), 60)
    if hours >= 48:
        return words(f"约{before_measure(hours // 24)}天")
    ending = f"{'零' if hours and minutes < 10 else ''}{_minutes(minutes, after_hours=bool(hours))}分钟" if minutes else ""
    return words(f"约{f'{before_measure(hours)}小时' if hours else ''}{ending}")


def place(value: str) -> list[Piece]:
    """A place: house numbers of three and more digits one by one, shorter ones as numbers, signs as words."""
    plain = re.sub(r"[()（）【】\[\]]", PAUSE, value).translate(_SIGNS)
    plain = re.sub(r"(?<=\d)[-—–~～](?=\d)", "杠", plain)
    return _mixed(re.sub(r"[-—–~～]+", "至", plain))


def text(value: str) -> list[Piece]:
    """Free text: numbers before a measure word as amounts, other long ones digit by digit."""
    return _mixed(value)


def letter(value: str) -> list[Piece]:
    """A longer text, in breaths that can be synthesised one by one."""
    pieces: list[Piece] = []
    for piece in _mixed(value.strip("，；。、：！？ ")):
        whole = piece.text
        parts = [whole[start : start + LONGEST_BREATH] for start in range(0, len(whole), LONGEST_BREATH)]
        for number, part in enumerate(parts):
            pieces += [*([Piece("pause", PAUSE)] if number else []), Piece(piece.kind, part, piece.name)]
    return pieces


def choices(value: str) -> list[Piece]:
    """Case numbers joined by ";", each told by its day and last four digits with the key that picks it."""
    pieces: list[Piece] = []
    for key, case_no in enumerate(value.split(";"), 1):
        found = re.fullmatch(r"(\d\d)(\d\d)(\d\d)\d+", case_no)
        if found is None:
            raise ValueError(value)
        when = day(f"20{found[1]}-{found[2]}-{found[3]}")
        ending = words(f"尾号{_operator(case_no[-4:])}的请按{cardinal(key)}")
        pieces += [*([Piece("pause", PAUSE)] if pieces else []), *when, *ending]
    return pieces


def recording(value: str) -> list[Piece]:
    """What the caller said himself; `name` is the reference it was kept under."""
    return [Piece("recording", "（录音）", value)]


KINDS: Mapping[str, Callable[[str], list[Piece]]] = {
    "number": number, "amount": amount, "digits": digits, "day": day, "full_day": full_day, "clock": clock,
    "moment": moment, "duration": duration, "place": place, "text": text, "letter": letter, "choices": choices,
    "recording": recording,
}  # fmt: skip
"""The kind after the colon of a slot, `{wait_s:duration}`, to how it is said."""


def cardinal(whole: int) -> str:
    """A whole number up to eight digits in words: 12 → 十二, 1005 → 一千零五, 20500 → 两万零五百."""
    if whole >= 10_000:
        high, low = divmod(whole, 10_000)
        rest = "" if not low else ("零" if low < 1000 or high % 10 == 0 else "") + _thousands(low)
        return f"{'两' if high == 2 else cardinal(high)}万{rest}"
    spoken = _thousands(whole) if whole else DIGITS[0]
    return spoken.removeprefix("一") if 10 <= whole < 20 else spoken


def before_measure(whole: int) -> str:
    return "两" if whole == 2 else cardinal(whole)


def _minutes(minutes: int, *, after_hours: bool) -> str:
    # 一小时零二分钟, but 两分钟.
    return cardinal(minutes) if after_hours else before_measure(minutes)


def _thousands(whole: int) -> str:
    said, gap = "", False
    for power in (3, 2, 1, 0):
        digit = whole // 10**power % 10
        if digit:
            said += ("零" if gap and said else "") + ("两" if (digit, power) == (2, 3) else DIGITS[digit]) + UNITS[power]
        gap = not digit
    return said


def _operator(bare: str) -> str:
    return "".join(OPERATOR_DIGITS[int(digit)] for digit in bare)


def _whole(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > BIGGEST:
        raise ValueError(value)
    return int(value)


def _mixed(value: str) -> list[Piece]:
    """Text with numbers in it."""
    pieces: list[Piece] = []
    for found in _RUNS.finditer(value):
        run = found[0]
        if found.lastgroup == "figure":
            measured = value[found.end() : found.end() + 1] in MEASURES
            pieces += words(_figure(run, measured=measured))
        else:
            pieces.append(Piece("pause", PAUSE) if found.lastgroup == "stop" else Piece("free", run))
    return pieces


def _figure(run: str, *, measured: bool) -> str:
    whole, _, decimals = run.partition(".")
    if decimals:
        return f"{cardinal(int(whole)) if len(whole) < 9 else _operator(whole)}点{''.join(DIGITS[int(d)] for d in decimals)}"
    if (measured or len(run) < 3) and run[0] != "0" and len(run) < 9:
        return before_measure(int(run)) if measured else cardinal(int(run))
    return _operator(run)


_SIGNS = str.maketrans({"#": "号", "/": "杠", "&": "和"} | {chr(0xFF10 + n): str(n) for n in range(10)})
_RUNS = re.compile(r"(?P<figure>[0-9]+(?:\.[0-9]+)?)|(?P<stop>[，,；;。、：: \u3000]+)|(?P<other>[^0-9，,；;。、：: \u3000]+)")
_LONGEST_FIRST = sorted(VOCABULARY, key=len, reverse=True)
