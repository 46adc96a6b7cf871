"""What a city lays down and the steps of a case must know: classes, units, due times, days for reopening.

Built once from the city profile by the wiring. A value, so that every decision stays a pure function of its arguments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from intake.model import Case, Place
from intake.taxonomy import Taxonomy
from intake.wording import Wording


@dataclass(frozen=True, slots=True)
class Due:
    """When handling must be done. `provisional` when the holidays of that year are not loaded yet; `safe_due_at` is
    when a danger must be made safe, where the class has that clock too."""

    due_at: datetime
    provisional: bool = False
    safe_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """责任单位. `calendar` names one of the profile's calendars; `duty_phone` is for the centre only."""

    id: str
    name: str
    calendar: str = "office"
    duty_phone: str = ""
    area: str = ""
    parent: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The unit a rule names for a class and place, and the name of the rule that fired."""

    unit: str
    rule: str
    co_unit: str = ""


class Located(Protocol):
    """Turns a given place into one with coordinates in our system and its areas filled."""

    def __call__(self, place: Place) -> Place: ...


@dataclass(frozen=True, slots=True, repr=False)
class Rules:
    """Everything local that steps.py and usecases.py decide by. `offered` are the channel kinds that can send. Rework has a
    fresh limit, or with `rework_goes_on` what was left when the unit fed back."""

    taxonomy: Taxonomy
    units: Mapping[str, Unit]
    zone: tzinfo
    due: Callable[[Case, datetime], Due | None]
    route: Callable[[Case, datetime], Assignment]
    locate: Located
    wording: Wording
    offered: frozenset[str] = frozenset()
    reopen_days: int = 30
    rework_goes_on: bool = False
    progress_replies: bool = True
    reply_due: timedelta = timedelta(hours=24)
    mark_lasts: timedelta = timedelta(days=90)
