"""Names that sound like what was written: for drafts of speech, where 滨江路 comes out as 冰江路.

What is found is a suggestion: what was heard stays beside it, and a person decides. How characters sound is pinyin.py's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from intake.pinyin import is_chinese, rough_sounds

SHORTEST = 3
"""Characters of a name that is looked for: two syllables sound like something everywhere."""
LONGEST = 12


@dataclass(frozen=True, slots=True)
class Echo:
    """`text[start:end]` sounds like `name`."""

    start: int
    end: int
    name: str


class Echoes:
    """The names of a city by their sound."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name for name in names if SHORTEST <= len(name) <= LONGEST and is_chinese(name))
        self._by_sound: dict[tuple[str, ...], list[str]] = {}
        for name in sorted(self._names):
            self._by_sound.setdefault(rough_sounds(name), []).append(name)

    def mended(self, text: str) -> str:
        """The text with listed names in place of what sounds like them: 滨江路（听作“冰江路”）."""
        out, at = "", 0
        for echo in self.find(text):
            out += f"{text[at : echo.start]}{echo.name}（听作“{text[echo.start : echo.end]}”）"
            at = echo.end
        return out + text[at:]

    def find(self, text: str) -> Iterator[Echo]:
        """Longest first, without overlaps; a listed name that stands there as it is stays, and of several names that
        sound alike none is preferred."""
        heard = rough_sounds(text)
        at = 0
        while at <= len(text) - SHORTEST:
            most = min(LONGEST, len(text) - at)
            length = next((n for n in range(most, SHORTEST - 1, -1) if heard[at : at + n] in self._by_sound), 0)
            span = text[at : at + length]
            if length and span not in self._names:
                names = self._by_sound[heard[at : at + length]]
                if len(names) == 1:
                    yield Echo(at, at + length, names[0])
            at += length or 1
