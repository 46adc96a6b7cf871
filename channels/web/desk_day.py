"""今日我的: what one person did since midnight, as the figures above his queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from intake.model import Actor, Role

FIGURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("来电", ("calls",)),
    ("受理", ("accept", "answer", "redirect", "reject", "settle")),
    ("立案", ("file",)),
    ("派遣", ("dispatch",)),
    ("签收", ("take",)),
    ("反馈", ("feedback",)),
    ("核查", ("checked", "verified")),
    ("结案", ("close",)),
    ("催办", ("urge",)),
    ("补充", ("supplement",)),
    ("回复", ("send_reply", "told_by_phone")),
    ("回访", ("revisited",)),
)
"""Words on the screen and the steps that add up to them."""
ALWAYS: Mapping[Role, tuple[str, ...]] = {
    Role.OPERATOR: ("来电", "受理", "立案", "结案", "回复"),
    Role.SHIFT_LEADER: ("来电", "受理", "立案", "结案", "回复"),
    Role.DISPATCHER: ("派遣",),
    Role.UNIT: ("签收", "反馈"),
    Role.INSPECTOR: ("核查",),
}
"""Figures a post sees even when they are 0."""


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    count: int


def figures(done: Mapping[str, int], actor: Actor) -> tuple[Figure, ...]:
    """The figures of a person: those of his post, and others where he did something."""
    always = ALWAYS.get(actor.role, ())
    counted = (Figure(label, sum(done.get(step, 0) for step in steps)) for label, steps in FIGURES)
    return tuple(figure for figure in counted if figure.count or figure.label in always)


def midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the local day."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
