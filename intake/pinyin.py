"""How Chinese characters are pronounced: initials for typing, rough syllables for comparing. The only importer of pypinyin,
whose tables are read when first needed.
"""

from functools import lru_cache

MIXED_STARTS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
MIXED_ENDS = (("ing", "in"), ("eng", "en"), ("ang", "an"))
"""Pairs that many speakers and every telephone mix up."""


@lru_cache(maxsize=4096)
def initials(text: str) -> str:
    """Pinyin initials in lower case, Latin letters and digits kept, everything else left out: 人民路 gives rml."""
    from pypinyin import Style, lazy_pinyin

    letters = "".join(lazy_pinyin(text, style=Style.FIRST_LETTER)).lower()
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())


def rough_sounds(text: str) -> tuple[str, ...]:
    """One syllable for each character, without tone and without what is mixed up; anything else stands for itself."""
    return tuple(map(_rough, text))


def is_chinese(text: str) -> bool:
    return all("\u4e00" <= char <= "\u9fff" for char in text)


@lru_cache(maxsize=8192)
def _rough(char: str) -> str:
    if not is_chinese(char):
        return char
    from pypinyin import lazy_pinyin

    syllable: str = lazy_pinyin(char)[0]
    for written, said in MIXED_STARTS:
        if syllable.startswith(written):
            syllable = said + syllable.removeprefix(written)
            break
    for written, said in MIXED_ENDS:
        if syllable.endswith(written):
            return syllable.removesuffix(written) + said
    return syllable
