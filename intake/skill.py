"""Skills of operators (方言 dialect, 老年人 elder, language) and the queue: who can serve a caller, and what he is told. Pure.

Every operator answers the general queue, and besides it the queue of each skill he logged in with; so a caller who needs a
skill waits for fewer operators, and shares those with everybody before him.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

QUEUE = "hotline"
WORDS: dict[str, str] = {"dialect": "方言", "elder": "老年人", "language": "外语"}
"""Skills there may be; those with a queue in the city's telephones.toml exist."""
Skills = Collection[str]
"""What one operator can do."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """`position` counts from 1 those who wait for the same operators; `wait_s` seconds until it is this caller's turn."""

    position: int
    wait_s: int


def skill_of(queue: str) -> str:
    """The skill a queue is for; "" for everybody's."""
    return queue.removeprefix(QUEUE).removeprefix("-")


def queue_for(skill: str, seats: Sequence[Skills]) -> str:
    """The queue a caller joins: his skill's while somebody who has it is there, else everybody's."""
    return f"{QUEUE}-{skill}" if skill and able(skill, seats) else QUEUE


def able(skill: str, seats: Sequence[Skills]) -> frozenset[int]:
    """Which operators (by index) can serve a caller who needs a skill, or none."""
    return frozenset(index for index, skills in enumerate(seats) if not skill or skill in skills)


def outlook(skill: str, *, before: Sequence[str], seats: Sequence[Skills], talk_s: int) -> Outlook | None:
    """What a caller has before him; None when nobody can serve him. `before` are the skills needed by those with earlier
    places, `talk_s` how long a talk takes.

    One of n operators becomes free every talk_s / n seconds. A caller before him whom others can serve as well comes to
    his operators only so often as they are among those who can.
    """
    mine = able(skill, seats)
    if not mine:
        return None
    theirs = [able(one, seats) for one in before]
    rivals = [who for who in theirs if who & mine]
    turns = 1 + sum(Fraction(len(who & mine), len(who)) for who in rivals)
    return Outlook(1 + len(rivals), ceil(turns * talk_s / len(mine)))
