"""The parts that answers of the staff API are made of: a row, a move with its fields, a line of history, a debt.

Each type stands beside the function that makes it from the desk's view. A view whose fields are the answer's (a debt, a
request, a reporter) is its own type: pydantic reads dataclasses, orjson writes them.
"""

from dataclasses import asdict
from datetime import datetime

from channels.web.desk_debt import DebtView
from channels.web.desk_row import CaseRow
from channels.web.desk_timeline import Line
from channels.web.desk_view import PhotoView
from channels.web.json_body import Body, Field
from intake.offers import Asked, Offer


class Row(Body):
    """One line of the queue. `flags` are words such as 督办, 超期, 保密."""

    case_no: str
    version: int
    state: str
    state_words: str
    urgency: str
    urgency_words: str
    flags: list[str]
    overdue: bool
    kind: str = Field(description="event 事件 或 component 部件；未分类时为空")
    subclass_code: str
    subclass: str
    place: str
    district: str
    street: str
    community: str
    grid_code: str
    channel: str
    channel_words: str
    unit: str
    unit_name: str
    received_at: datetime
    due_at: datetime | None
    due_provisional: bool


class Choice(Body):
    value: str
    label: str


class MoveField(Body):
    """A field a step asks for. `value` is what the case answers when it is left out."""

    name: str
    label: str
    type: str = Field(
        description="text, longtext, subclass, condition, standard, place, unit, user, moment, case, bool, debt, choice"
    )
    required: bool
    choices: list[Choice] | None = None
    value: str | None = None
    max_chars: int


class Move(Body):
    """A step that may be taken now."""

    move: str
    label: str
    group: str = Field(description="move, request, decision, act")
    fields: list[MoveField]


class Photo(Body):
    """A picture; where and when it was taken is null for posts that need not know."""

    token: str
    url: str
    usage: str
    usage_words: str
    width: int
    height: int
    added_at: datetime
    taken_at: datetime | None
    lon: float | None
    lat: float | None


class Detail(Body):
    label: str
    words: str


class SaidWords(Body):
    kind: str
    label: str
    text: str


class HistoryLine(Body):
    seq: int
    at: datetime
    step: str
    label: str
    actor: str
    role: str
    role_words: str
    unit: str
    from_words: str
    to_words: str
    to_state: str
    round: int
    details: list[Detail]
    remarks: list[SaidWords]


def row_told(row: CaseRow) -> dict[str, object]:
    return asdict(row)


def move_told(offer: Offer) -> dict[str, object]:
    return {
        "move": offer.step.name,
        "label": offer.step.label,
        "group": offer.step.group.value,
        "fields": [_field(asked) for asked in offer.fields],
    }


def _field(asked: Asked) -> dict[str, object]:
    told: dict[str, object] = {"name": asked.name, "label": asked.label, "type": asked.type, "required": asked.required}
    if asked.choices:
        told["choices"] = [{"value": value, "label": label} for value, label in asked.choices]
    if asked.value:
        told["value"] = asked.value
    return told | {"max_chars": asked.max_chars}


def photo_told(photo: PhotoView) -> dict[str, object]:
    return asdict(photo) | {"url": f"/media/{photo.token}"}


def line_told(line: Line) -> dict[str, object]:
    details = [{"label": label, "words": words} for label, words in line.details]
    return asdict(line) | {"details": details}


def debt_told(debt: DebtView) -> dict[str, object]:
    return asdict(debt)
