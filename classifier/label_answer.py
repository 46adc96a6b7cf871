"""What a person types when labelling, read into a label: a number of the list, a code, a name, or another body's number.

Pure; asking again when something cannot be read is the command's business.
"""

import re
from collections.abc import Sequence

from classifier.corpus import NONE
from classifier.evaluate import name_of
from intake.model import Subclass
from intake.taxonomy import ClassEntry, Taxonomy

_OUTSIDE = re.compile(r"(?:n|非城管)\s*(\d{0,12})", re.IGNORECASE)
MOST_SHOWN = 8


class Unread(ValueError):
    """What was typed names no class, or several; the message says so in Chinese."""


def read_label(typed: str, offered: Sequence[Subclass | None], taxonomy: Taxonomy) -> str:
    """A corpus label from what was typed; `offered` are the candidates behind 1, 2, …. Raises Unread."""
    typed = typed.strip()
    if typed.isdigit() and 1 <= int(typed) <= len(offered) and len(typed) == 1:
        chosen = name_of(offered[int(typed) - 1])
        return f"{NONE}:" if chosen == NONE else chosen
    if outside := _OUTSIDE.fullmatch(typed):
        return f"{NONE}:{outside[1]}"
    found = [entry for entry in taxonomy.entries.values() if not entry.retired_on and _is_meant(entry, typed)]
    exact = [entry for entry in found if entry.name == typed]
    if len(exact or found) == 1:
        return str((exact or found)[0].subclass)
    if not found:
        raise Unread(f"没有类别“{typed}”")
    names = "、".join(f"{entry.subclass} {entry.name}" for entry in found[:MOST_SHOWN])
    raise Unread(f"不止一个：{names}")


def _is_meant(entry: ClassEntry, typed: str) -> bool:
    """By `event:0101`, by the bare code, or by a part of the name."""
    return typed in (str(entry.subclass), entry.subclass.code) or (bool(typed) and typed in entry.name)
