"""What is stored of a talk, so that a restart loses no place in it. What was said stands in the journal, sealed."""

from dataclasses import dataclass
from datetime import datetime

RATINGS = ("1 满意", "2 不满意")
"""What a closing reply may be answered with, where a channel has buttons; read like typed words (words.toml)."""
CHOICES = {"still": ("还在", "已解决"), "photo": ("没有照片",)}

@dataclass(frozen=True, slots=True)
class Conversation:
    """Where the talk with one contact of a text channel stands (dialogue.py). `thread` is the keyed hash of channel and
    address; `case_no` the report it is about; `asked` the questions already put about that report; `choices` the numbers
    he was told to choose from, for `purpose`; `repeats` how often the same words (`last_digest`) came one after another."""

    thread: str
    channel: str
    contact_id: int
    updated_at: datetime
    stage: str = "free"
    case_no: int = 0
    asked: tuple[str, ...] = ()
    purpose: str = ""
    choices: tuple[str, ...] = ()
    last_digest: str = ""
    repeats: int = 0


def choices_of(talk: Conversation) -> tuple[str, ...]:
    """What the open question may be answered with by a button: digits of a list, or the usual words."""
    if talk.stage == "choice":
        return tuple(str(digit) for digit in range(1, len(talk.choices) + 1))
    return CHOICES.get(talk.stage, ())
