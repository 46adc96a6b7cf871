"""Telephones of the operators' room and the queues that ring them, as a city's profile lists them (telephones.toml).

Which operator sits before which telephone is not here but in the operators' lines, because it changes by the hour.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intake.errors import Misconfigured

NAME = "telephones.toml"
NUMBER = re.compile(r"[1-9]\d{2,5}")
"""An internal number: too short for the public network, long enough not to be a key of a menu."""
QUEUE = re.compile(r"[a-z][a-z0-9-]{1,39}")
UNSAFE = re.compile(r'[\x00-\x1f";\[\]\\<>]')
"""Characters that would mean something in a configuration file of Asterisk."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One telephone: its internal number, and the name its calls show."""

    number: str
    name: str
    is_leader: bool = False


@dataclass(frozen=True, slots=True)
class Telephones:
    """All of one city's; the first queue is the one every operator belongs to."""

    extensions: tuple[Extension, ...]
    queues: tuple[str, ...]

    @property
    def leaders(self) -> tuple[Extension, ...]:
        return tuple(extension for extension in self.extensions if extension.is_leader)


def load_telephones(folder: Path) -> Telephones:
    """Read the profile's telephones; raises Misconfigured with what is wrong."""
    try:
        with (folder / NAME).open("rb") as stream:
            document = tomllib.load(stream)
        found = Telephones(tuple(map(_extension, document["extensions"])), tuple(map(_queue, document["queues"])))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise Misconfigured(f"城市资料 {folder.name}/{NAME} 无法读取：{type(error).__name__} {error}") from error
    numbers = [extension.number for extension in found.extensions]
    if not numbers or not found.queues or len(set(numbers)) != len(numbers):
        raise Misconfigured(f"城市资料 {folder.name}/{NAME}：至少一部分机、一个队列，且分机号码不得重复")
    return found


def _extension(row: Mapping[str, Any]) -> Extension:
    number, name = str(row["number"]), str(row["name"])
    if not NUMBER.fullmatch(number):
        raise ValueError(f"extension {number!r}")
    if not name or len(name) > 40 or UNSAFE.search(name):
        raise ValueError(f"name of extension {number}")
    return Extension(number, name, bool(row.get("leader", False)))


def _queue(name: object) -> str:
    if not isinstance(name, str) or not QUEUE.fullmatch(name):
        raise ValueError(f"queue {name!r}")
    return name
