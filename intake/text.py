"""Normal forms of what people write, and the cutting of replies into short messages.

Everything that enters from outside passes `normalise` or `clean_report` once, at the border. Masking stands in
masking.py, telephone numbers in phone.py, and the splitting of text into words in classifier/tokens.py.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import ClassVar

from intake.errors import BadInput

# 140 octets hold 70 UCS-2 units; a joined message gives 6 octets of each part to the header
# `05 00 03 ref total n` (3GPP TS 23.040, 9.2.3.24.1), which leaves 67.
SINGLE_UNITS = 70
PART_UNITS = 67

# Full-width forms that Chinese typesetting uses on purpose. NFKC would turn them into ASCII and spoil the text.
_CHINESE_PUNCTUATION = frozenset("！（），：；？～｛｝＂＇［］｜")
_ZWJ = "\u200d"
_EMOJI = "\u203c-\u3299\U0001f000-\U0001faff"


class TextRefused(BadInput, ValueError):
    """A text that cannot be taken as a report. `reason` is a stable code; `message` tells the sender what to do."""

    reason: ClassVar[str] = "refused"

    def __init__(self, message: str) -> None:
        super().__init__("text", message)


class EmptyText(TextRefused):
    reason = "empty"

    def __init__(self) -> None:
        super().__init__("内容是空的，请写明什么地方出了什么问题。")


class NoContent(TextRefused):
    reason = "no_content"

    def __init__(self) -> None:
        super().__init__("只有符号或表情，看不出是什么问题，请用文字说明。")


class TextTooLong(TextRefused):
    """`length` and `max_chars` count characters of the normal form."""

    reason = "too_long"

    def __init__(self, *, length: int, max_chars: int) -> None:
        super().__init__(f"内容有{length}个字，最多{max_chars}个字，请删减后再提交。")
        self.length = length
        self.max_chars = max_chars


def _compatibility_table() -> dict[int, str]:
    """NFKC for the blocks where it helps: full and half width, squared units, radicals, styled letters and digits.

    Circled numbers, fractions, superscripts and the ellipsis are left out: NFKC would turn ①号 into 1号 but also
    "1½小时" into "11⁄2小时", and "①路灯②井盖" into "1路灯2井盖".
    """
    blocks = ((0x2E80, 0x2FD6), (0x3300, 0x3400), (0xFF01, 0xFFEF), (0x1D400, 0x1D800))
    letters = (chr(code) for first, last in blocks for code in range(first, last))
    return {ord(char): unicodedata.normalize("NFKC", char) for char in letters if char not in _CHINESE_PUNCTUATION}


_COMPATIBLE = _compatibility_table()
# Joining is left to one rule below: between two emoji the joiner carries meaning, elsewhere it only hides words.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\n]+")
_AROUND_BREAK = re.compile(" ?\n ?")
_STRAY_JOINER = re.compile(f"(?<![{_EMOJI}\ufe0f]){_ZWJ}|{_ZWJ}(?![{_EMOJI}])")
_CONTENT = re.compile(r"[^\W_]")
_CONTENT_RUN = re.compile(r"[^\W_]+")


def normalise(text: str) -> str:
    """The normal form of any text, safe to store, compare and show; applying it twice changes nothing.

    Letters and digits become half width while Chinese punctuation stays; invisible and control characters and halves
    of surrogate pairs go; line ends become LF, at most one blank line stands between paragraphs, blanks are single.
    """
    if not text.isascii():
        text = _SURROGATE_PAIR.sub(lambda pair: _joined_pair(pair.group()), text)
    text = _INVISIBLE.sub("", _LINE_BREAK.sub("\n", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_COMPATIBLE))
        text = _STRAY_JOINER.sub("", text)
    text = _AROUND_BREAK.sub("\n", _BLANKS.sub(" ", text))
    return re.sub("\n{3,}", "\n\n", text).strip()


def _joined_pair(pair: str) -> str:
    """One character for a pair that some senders escape as two halves (JSON of old gateways)."""
    return pair.encode("utf-16", "surrogatepass").decode("utf-16")


def has_content(text: str) -> bool:
    """True when there is at least one letter, ideograph or digit; punctuation and emoji alone say nothing."""
    return _CONTENT.search(text) is not None


def clean_report(text: str, *, max_chars: int) -> str:
    """The normal form of a report. Raises EmptyText, NoContent or TextTooLong, all of them TextRefused."""
    cleaned = normalise(text)
    if not cleaned:
        raise EmptyText
    if not has_content(cleaned):
        raise NoContent
    if len(cleaned) > max_chars:
        raise TextTooLong(length=len(cleaned), max_chars=max_chars)
    return cleaned


def bigrams(text: str) -> tuple[str, ...]:
    """Neighbouring character pairs in order, lower case; a run of one character gives itself.

    Pairs do not reach across punctuation or blanks. Needs no dictionary, so any language and any typo can be compared.
    """
    pairs: list[str] = []
    for found in _CONTENT_RUN.finditer(text.lower()):
        run = found.group()
        pairs.extend((run[i : i + 2] for i in range(len(run) - 1)) if len(run) > 1 else (run,))
    return tuple(pairs)


def ucs2_units(text: str) -> int:
    """Length in UCS-2 units, as SMS counts it: characters beyond U+FFFF count two."""
    return len(text) + sum(char > "\uffff" for char in text)


def sms_parts(text: str) -> list[str]:
    """Cut a text into short messages: one of at most 70 UCS-2 units, else parts of at most 67. Joined, they are the text.

    A visible character (accent marks, skin tones, joined emoji, flags) is cut only when it alone is longer than a
    part, and a surrogate pair never. An empty text has no parts.
    """
    if ucs2_units(text) <= SINGLE_UNITS:
        return [text] if text else []
    parts: list[str] = []
    current, used = "", 0
    for piece in _pieces(text):
        units = ucs2_units(piece)
        if used + units > PART_UNITS:
            parts.append(current)
            current, used = "", 0
        current, used = current + piece, used + units
    return [*parts, current]


def _pieces(text: str) -> Iterator[str]:
    """Visible characters; one too long for a whole part falls into its code points."""
    for cluster in _clusters(text):
        if ucs2_units(cluster) <= PART_UNITS:
            yield cluster
        else:
            yield from cluster


def _clusters(text: str) -> Iterator[str]:
    """Grapheme clusters by the rules of UAX #29 that matter in messages: extending marks, joined emoji, flags, CRLF."""
    cluster = ""
    for char in text:
        if cluster and not _continues(cluster, char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def _continues(cluster: str, char: str) -> bool:
    """Whether the next character belongs to the visible character before it."""
    if char < "\u0300":
        return cluster == "\r" and char == "\n"
    if _is_flag_letter(char):
        return len(cluster) == 1 and _is_flag_letter(cluster)
    extends = char == _ZWJ or "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f"
    return extends or cluster[-1] == _ZWJ or unicodedata.category(char) in {"Mn", "Mc", "Me"}


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
