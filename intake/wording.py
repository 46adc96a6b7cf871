"""Reply wording: versioned templates of the city, filled with the facts of a case and kept short enough for one SMS.

Slots: {place} {subclass} {no} {result} {reason} {date} {body} {way} {other} {hotline}. A filled reply never holds a
worker's number or another citizen's data, because only these slots exist.
"""

import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from intake.errors import Misconfigured
from intake.text import SINGLE_UNITS, ucs2_units

SLOTS = frozenset({"place", "subclass", "no", "result", "reason", "date", "body", "way", "other", "hotline"})
SHORTEST_PLACE = 8
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Template:
    """One wording in force from `since`. Sent replies name `id` and `version`, so old ones stay in the file."""

    id: str
    kind: str
    version: str
    since: date
    text: str
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """All templates of a city and what is the same in every reply."""

    templates: tuple[Template, ...]
    signature: str
    hotline: str

    def template(self, id_: str, *, on: date) -> Template:
        """The highest version of a template in force on a day; raises Misconfigured when there is none."""
        fitting = [t for t in self.templates if t.id == id_ and t.since <= on]
        if not fitting:
            raise Misconfigured(f"模板缺失：{id_}")
        return max(fitting, key=lambda t: (t.since, int(t.version)))

    def fill(self, template: Template, slots: Mapping[str, str]) -> str:
        """Fill a template; a long place is shortened until the whole fits one SMS of 70 characters, if it can."""
        values = dict.fromkeys(SLOTS, "") | dict(slots) | {"hotline": self.hotline}
        text = template.text.format_map(values)
        excess = ucs2_units(text) - SINGLE_UNITS
        place = values["place"]
        if excess > 0 and len(place) > SHORTEST_PLACE:
            keep = max(SHORTEST_PLACE, len(place) - excess - 1)
            # The end of a Chinese place name is its most exact part: road and number stand last.
            text = template.text.format_map(values | {"place": ELLIPSIS + place[-keep:]})
        return text


def load_wording(path: Path, *, signature: str, hotline: str) -> Wording:
    """Read templates.toml; an unknown slot or a doubled version is refused by name."""
    with path.open("rb") as stream:
        rows = tomllib.load(stream).get("templates", [])
    templates = tuple(_template(row) for row in rows)
    _check(templates)
    return Wording(templates, signature, hotline)


def _template(row: Mapping[str, object]) -> Template:
    return Template(
        id=str(row["id"]),
        kind=str(row["kind"]),
        version=str(row["version"]),
        since=date.fromisoformat(str(row["since"])),
        text=str(row["text"]),
        channel=str(row.get("channel", "")),
    )


def _check(templates: Iterable[Template]) -> None:
    seen: set[tuple[str, str]] = set()
    for template in templates:
        named = {name for _, name, _, _ in string.Formatter().parse(template.text) if name}
        if unknown := named - SLOTS:
            raise Misconfigured(f"模板 {template.id} 有未知的栏位：{'、'.join(sorted(unknown))}")
        if (template.id, template.version) in seen:
            raise Misconfigured(f"模板 {template.id} 第 {template.version} 版重复。")
        seen.add((template.id, template.version))
