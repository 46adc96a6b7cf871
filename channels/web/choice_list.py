"""The options of a select as markup, made once: the two hundred classes of a city are the same on every page, and writing
them out each time was a third of what the queue page costs."""

from functools import lru_cache
from typing import Protocol

from markupsafe import Markup, escape


class Group(Protocol):
    """Choices under one heading, each a value and its words; the heading may be empty."""

    @property
    def label(self) -> str: ...
    @property
    def items(self) -> tuple[tuple[str, str], ...]: ...


def options(groups: tuple[Group, ...], chosen: str) -> Markup:
    """Every choice under its heading, `chosen` selected where it is among them."""
    whole = _written(tuple((group.label, group.items) for group in groups))
    if not chosen:
        return whole
    # The first only: a value stands once in a list, and a second one would not be selected by browsers either.
    opening = f'<option value="{escape(chosen)}">'
    return Markup(str(whole).replace(opening, f"{opening[:-1]} selected>", 1))  # noqa: S704  escaped above


@lru_cache(maxsize=32)
def _written(groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]) -> Markup:
    lines = []
    for label, items in groups:
        found = "".join(f'<option value="{escape(value)}">{escape(words)}</option>\n' for value, words in items)
        lines.append(f'<optgroup label="{escape(label)}">{found}</optgroup>\n' if label else found)
    return Markup("".join(lines))  # noqa: S704  every part is escaped
