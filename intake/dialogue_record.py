"""What is stored of a talk, so that a restart loses no place in it. What was said stands in the journal, sealed."""

from dataclasses import dataclass
from datetime import datetime


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
