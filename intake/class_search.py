"""Finding a class while typing: by code, name, pinyin initials or the words citizens use. Pure, over a city's classes."""

from collections.abc import Iterable
from dataclasses import dataclass

from intake.hint import Hint
from intake.pinyin import initials
from intake.taxonomy import ClassEntry, Taxonomy
from intake.text import normalise

MOST = 8
FEWEST_LETTERS = 2


@dataclass(frozen=True, slots=True)
class ClassFound:
    """A class that fits what was typed; `why` says by what, in words."""

    entry: ClassEntry
    why: str


def search_classes(taxonomy: Taxonomy, typed: str, *, limit: int = MOST) -> tuple[ClassFound, ...]:
    """The classes in use that fit, best first; the order is by how they fit, then that of the table."""
    wanted = normalise(typed).strip().lower().replace(" ", "")
    if not wanted:
        return ()
    scored = ((fit, entry) for entry in taxonomy.in_use if (fit := _fit(entry, wanted)))
    best = sorted(scored, key=lambda one: one[0][0])
    return tuple(ClassFound(entry, why) for (_, why), entry in best[:limit])


def _fit(entry: ClassEntry, wanted: str) -> tuple[int, str] | None:
    """How well (lower is better) and by what; None where it does not fit."""
    if wanted.isascii():
        return _fit_letters(entry, wanted)
    if entry.name == wanted:
        return 0, "名称"
    if entry.name.startswith(wanted):
        return 1, "名称"
    if wanted in entry.name:
        return 2, "名称"
    term = next((term for term in entry.terms if wanted in term or term in wanted), "")
    if term:
        return 3, f"市民说法“{term}”"
    return (4, "大类") if wanted in entry.major else None


def _fit_letters(entry: ClassEntry, wanted: str) -> tuple[int, str] | None:
    code = entry.subclass.code.lower()
    if code.startswith(wanted):
        return (0 if code == wanted else 1), "代码"
    if len(wanted) < FEWEST_LETTERS or not wanted.isalpha():
        return None
    name = initials(entry.name)
    if name.startswith(wanted):
        return (0 if name == wanted else 1), "拼音首字母"
    if wanted in name:
        return 2, "拼音首字母"
    term = next((term for term in entry.terms if initials(term).startswith(wanted)), "")
    return (3, f"市民说法“{term}”首字母") if term else None


def hints_by_words(taxonomy: Taxonomy, text: str, *, most: int = 3) -> tuple[Hint, ...]:
    """Classes whose names or citizens' words stand in a text: what is proposed where there is no model."""
    found = [(entry, words) for entry in taxonomy.in_use if (words := _words_in(text, (entry.name, *entry.terms)))]
    best = sorted(found, key=lambda one: -max(map(len, one[1])))
    return tuple(Hint(entry.subclass, 0.0, words[:3]) for entry, words in best[:most])


def _words_in(text: str, words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if len(word) > 1 and word in text)
