"""A city profile: a folder of data that makes this gateway one city's. Read once at the start, refused by name if wrong.

What every file holds stands in data/cities/demo/README.md. Users are only names here; passwords are set on the machine.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from intake.calendar import WorkCalendar, load_calendars
from intake.errors import Misconfigured
from intake.gazetteer import Gazetteer
from intake.limits import LimitTable
from intake.model import Case, Place, Role
from intake.order import Source
from intake.order_source import load_sources
from intake.places import Areas, Outside
from intake.routing import RoutingRule, load_rules, matter_of, route
from intake.rules import Assignment, Rules, Unit
from intake.taxonomy import Taxonomy, load_taxonomy
from intake.wording import Wording, load_wording

CITIES = Path(__file__).resolve().parent.parent / "data" / "cities"
OUTSIDE_TOLERANCE_M = 200.0
"""A point this far outside the last grid is still ours: phones err, and rivers are drawn narrow."""
SURE_MATCH = 0.9


@dataclass(frozen=True, slots=True)
class Line:
    """One of the city's telephone numbers, with what is spoken first, and what outside its hours ("": the same)."""

    number: str
    name: str
    greeting: str
    closed_greeting: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A user the profile names; made at the first start without a password."""

    name: str
    display_name: str
    role: Role
    unit: str = ""


@dataclass(frozen=True, repr=False)
class City:
    """Everything local, ready for use."""

    folder: Path
    name: str
    title: str
    zone: ZoneInfo
    lines: tuple[Line, ...]
    units: Mapping[str, Unit]
    accounts: tuple[Account, ...]
    taxonomy: Taxonomy
    calendars: Mapping[str, WorkCalendar]
    limits: LimitTable
    routing: tuple[RoutingRule, ...]
    wording: Wording
    reopen_days: int
    area_code: str
    sources: Mapping[str, Source] = field(default_factory=dict)
    rework_goes_on: bool = False

    @cached_property
    def areas(self) -> Areas:
        return Areas.load(self.folder)

    @cached_property
    def gazetteer(self) -> Gazetteer:
        return Gazetteer.load(self.folder / "gazetteer.csv")

    def warm(self) -> None:
        """Read areas and gazetteer now, so that the first citizen does not wait for them."""
        self.locate(Place(text=self.name, lon=0.0, lat=0.0))
        self.gazetteer.find(self.name)

    def route(self, case: Case, at: datetime) -> Assignment:
        """The assignment by the first rule that fits; kept, because a city has few different matters in use."""
        local = at.astimezone(self.zone)
        hour = (local.hour, local.minute) if self._hours_matter else None
        key = (case.subclass, case.place.grid_code, case.condition, case.urgency, hour)
        found = self._routes.get(key)
        if found is None:
            found = self._routes[key] = route(self.routing, matter_of(case, local))
        return found

    @cached_property
    def _routes(self) -> dict[object, Assignment]:
        return {}

    @cached_property
    def _hours_matter(self) -> bool:
        return any(rule.hours for rule in self.routing)

    def locate(self, place: Place) -> Place:
        """Fill the areas of a place, from its point, or else from a name in its text that only one spot bears."""
        if place.lon is not None and place.lat is not None:
            return self._from_point(place, place.lon, place.lat)
        matches = self.gazetteer.find(place.text, limit=2) if place.text else []
        sure = [m for m in matches if m.score >= SURE_MATCH]
        if len(sure) != 1:
            return place
        row = sure[0].row
        return replace(place, grid_code=row.grid_code, community=row.community, street=row.street, district=row.district)

    def is_outside(self, place: Place) -> bool:
        """True for a point clearly outside the city."""
        if place.lon is None or place.lat is None:
            return False
        found = self.areas.locate(place.lon, place.lat)
        return isinstance(found, Outside) and found.distance_m > OUTSIDE_TOLERANCE_M

    def doubt_about(self, place: Place) -> str:
        """What a person should look at in the point of a place: it lies on a border, or in no grid; empty for any other."""
        if place.lon is None or place.lat is None:
            return ""
        found = self.areas.locate(place.lon, place.lat)
        if isinstance(found, Outside):
            return f"定位不在任何网格内，离最近的网格 {found.nearest_grid_code} 约 {found.distance_m:.0f} 米，请核对。"
        if not found.on_border:
            return ""
        others = "、".join(code for code in found.candidates if code != found.grid_code)
        return f"定位在网格交界处，也可能属于 {others}，请核对。" if others else "定位在本市边界上，请核对。"

    def _from_point(self, place: Place, lon: float, lat: float) -> Place:
        found = self.areas.locate(lon, lat)
        if isinstance(found, Outside):
            return place
        return replace(place, grid_code=found.grid_code, community=found.community, street=found.street,
                       district=found.district)  # fmt: skip

    def rules(self, *, offered: Iterable[str] = ()) -> Rules:
        """What the pure steps of a case need of this city; `offered` are the channels that can send."""
        return Rules(
            taxonomy=self.taxonomy,
            units=self.units,
            zone=self.zone,
            due=self.limits.due,
            route=self.route,
            locate=self.locate,
            wording=self.wording,
            offered=frozenset(offered),
            reopen_days=self.reopen_days,
            rework_goes_on=self.rework_goes_on,
        )


REWORK = {"fresh": False, "left": True}
"""`[limits] rework`: whether what is done again goes on with what was left of the limit."""


def load_city(folder: Path) -> City:
    """Read a profile folder; raises Misconfigured naming the file and what is wrong with it."""
    try:
        return _load(folder)
    except (OSError, KeyError, ValueError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"城市资料 {folder.name} 无法读取：{type(error).__name__} {error}") from error


def _load(folder: Path) -> City:
    city = _toml(folder / "city.toml")
    units = {row["id"]: _unit(row) for row in _toml(folder / "units.toml")["units"]}
    taxonomy = load_taxonomy(optional_on=city["city"].get("optional_classes"), sources=city["limits"]["sources"])
    calendars = load_calendars(folder / "calendars.toml", folder / "holidays.csv", tz=city["city"]["timezone"])
    replies = city["replies"]
    return City(
        folder=folder,
        name=city["city"]["name"],
        title=city["bodies"]["web_title"],
        zone=ZoneInfo(city["city"]["timezone"]),
        lines=tuple(Line(row["number"], row["name"], row["greeting"], row.get("closed_greeting", "")) for row in city["numbers"]),
        units=units,
        accounts=tuple(_account(row) for row in _toml(folder / "users.toml")["users"]),
        taxonomy=taxonomy,
        calendars=calendars,
        limits=LimitTable(taxonomy, calendars, units, ZoneInfo(city["city"]["timezone"])),
        routing=load_rules(folder / "routing.toml", units),
        wording=load_wording(folder / "templates.toml", signature=replies["signature"], hotline=replies["hotline"]),
        reopen_days=city["reopening"]["within_days"],
        area_code=city["city"].get("area_code", ""),
        sources=load_sources(folder),
        rework_goes_on=REWORK[city["limits"].get("rework", "fresh")],
    )


def _toml(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        return tomllib.load(stream)


def _unit(row: Mapping[str, str]) -> Unit:
    return Unit(id=row["id"], name=row["name"], calendar=row["calendar"], duty_phone=row["duty_phone"],
                area=row["area"], parent=row["parent"], code=row["code"])  # fmt: skip


def _account(row: Mapping[str, str]) -> Account:
    return Account(row["name"], row["display_name"], Role(row["role"]), row.get("unit", ""))
