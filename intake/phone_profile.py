"""What a city lays down for its telephone: hours of its numbers, notices, call-back rules, the emergency directory.

Read from city.toml and phone.toml of the profile; phone.toml is read again when it changes, so that a notice can be put
in force without a restart. Times of day are the city's.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import structlog

from intake.calendar import Why, WorkCalendar, read_spans
from intake.errors import Misconfigured
from intake.phone import parse_phone
from intake.profile import City

MAX_NOTICE_CHARS = 60
SOON = timedelta(hours=1)
SERVICES = {"110": "公安报警", "119": "消防救援", "120": "医疗急救", "122": "交通事故"}
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EmergencyContact:
    """One entry of the 应急通讯录. `kind`: service, duty, other or unit; `number` as it is dialled here."""

    id: str
    name: str
    number: str
    kind: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class TemporaryNotice:
    """临时公告: words said after the greeting from one moment to another, on some numbers or (none named) on all."""

    text: str
    from_at: datetime
    until_at: datetime
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quiet:
    """Local spans in which no citizen is rung; a span may go over midnight."""

    spans: tuple[tuple[time, time], ...] = ((time(21), time(8)),)

    def ends_after(self, local: datetime) -> datetime | None:
        """The local moment the quiet ends that `local` lies in; None when a citizen may be rung now."""
        for start, end in self.spans:
            clock = local.timetz().replace(tzinfo=None)
            inside = start <= clock < end if start < end else clock >= start or clock < end
            if inside:
                day = local.date() if clock < end else local.date() + timedelta(days=1)
                return datetime.combine(day, end, tzinfo=local.tzinfo)
        return None


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """Who is owed a call, how often and when he is rung. `share` is the part of calls taken under load that pays debts."""

    min_wait: timedelta = timedelta(seconds=5)
    attempts: int = 3
    gaps: tuple[timedelta, ...] = (timedelta(minutes=10), timedelta(minutes=60))
    quiet: Quiet = field(default_factory=Quiet)
    share: float = 0.25
    busy: timedelta = timedelta(minutes=10)
    keep: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class VoiceRules:
    """Automatic voice replies. Off unless the city switches them on."""

    enabled: bool = False
    attempts: int = 2
    gaps: tuple[timedelta, ...] = (timedelta(minutes=60),)
    quiet: Quiet = field(default_factory=lambda: Quiet(((time(20), time(9)),)))


@dataclass(frozen=True, slots=True)
class PhoneRules:
    """Everything of phone.toml."""

    notices: tuple[TemporaryNotice, ...] = ()
    callbacks: CallbackRules = field(default_factory=CallbackRules)
    voice: VoiceRules = field(default_factory=VoiceRules)
    mark_lasts: timedelta = timedelta(days=90)
    talk_s: int = 180
    wrap_up: timedelta = timedelta(seconds=30)
    contacts: tuple[EmergencyContact, ...] = ()


class PhoneBook:
    """The city's telephone rules, kept up to date with their file."""

    def __init__(self, city: City) -> None:
        self._city, self._path = city, city.folder / "phone.toml"
        self._hours = _hours_of(city)
        self._seen: int | None = None
        self._rules = PhoneRules()
        self.rules()

    def rules(self) -> PhoneRules:
        """The rules now. A file that went bad while we ran is told once and the last good one kept."""
        changed = self._path.stat().st_mtime_ns if self._path.is_file() else 0
        if changed == self._seen:
            return self._rules
        try:
            self._rules = load_phone_rules(self._path, self._city) if changed else PhoneRules(contacts=_directory((), self._city))
        except Misconfigured as error:
            if self._seen is None:
                raise
            log.error("phone.rules_not_read", reason=error.message)
        self._seen = changed
        return self._rules

    def contacts(self) -> tuple[EmergencyContact, ...]:
        return self.rules().contacts

    def contact(self, contact_id: str) -> EmergencyContact | None:
        return next((one for one in self.contacts() if one.id == contact_id), None)

    def duty(self) -> EmergencyContact | None:
        """Who is rung when a caller presses the emergency key outside hours."""
        return next((one for one in self.contacts() if one.kind == "duty"), None)

    def notice(self, line: str, at: datetime) -> str:
        """The notice in force on a number, as it is to be said; empty when there is none."""
        for one in self.rules().notices:
            if one.from_at <= at < one.until_at and (not one.lines or line in one.lines):
                return one.text
        return ""

    def notices(self, at: datetime) -> list[str]:
        """What is in force now, or will be within the hour, on any number."""
        return [one.text for one in self.rules().notices if one.from_at - SOON <= at < one.until_at]

    def greeting(self, line: str) -> str:
        return next((one.greeting for one in self._city.lines if one.number == line), "")

    def is_open(self, line: str, at: datetime) -> bool:
        """Whether people answer this number now; a number the profile does not know is answered all day."""
        hours = self._hours.get(line)
        local = at.astimezone(self._city.zone)
        if hours is None:
            return True
        minute = local.hour * 60 + local.minute
        works = hours.works_on(local.date()) in (Why.WORKED, Why.MAKEUP)
        return works and any(start <= minute < end for start, end in hours.spans)


def load_phone_rules(path: Path, city: City) -> PhoneRules:
    """Read phone.toml; raises Misconfigured with what is wrong."""
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
        return _rules(value, city)
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Misconfigured(f"话务规则 {path.name} 无法读取：{type(error).__name__} {error}") from error


def _rules(value: Mapping[str, Any], city: City) -> PhoneRules:
    back, voice, wait = value.get("callbacks", {}), value.get("voice_replies", {}), value.get("wait", {})
    usual, usual_voice = CallbackRules(), VoiceRules()
    return PhoneRules(
        notices=tuple(_notice(row) for row in value.get("notices", ())),
        callbacks=CallbackRules(
            min_wait=timedelta(seconds=back.get("min_wait_s", 5)),
            attempts=_at_least_one(back.get("attempts", usual.attempts)),
            gaps=_gaps(back, usual.gaps),
            quiet=_quiet(back, usual.quiet),
            share=_share(back.get("share", usual.share)),
            busy=timedelta(seconds=back.get("busy_s", 600)),
            keep=timedelta(days=back.get("keep_days", 3)),
        ),
        voice=VoiceRules(bool(voice.get("enabled", False)), _at_least_one(voice.get("attempts", usual_voice.attempts)),
                         _gaps(voice, usual_voice.gaps), _quiet(voice, usual_voice.quiet)),
        mark_lasts=timedelta(days=value.get("marks", {}).get("days", 90)),
        talk_s=_at_least_one(wait.get("talk_s", 180)),
        wrap_up=timedelta(seconds=wait.get("wrap_up_s", 30)),
        contacts=_directory(value.get("emergency", ()), city),
    )  # fmt: skip


def _notice(row: Mapping[str, Any]) -> TemporaryNotice:
    text = str(row["text"]).strip()
    if not 0 < len(text) <= MAX_NOTICE_CHARS or row["from"].tzinfo is None or row["until"] <= row["from"]:
        raise ValueError(f"notice: 1 to {MAX_NOTICE_CHARS} characters, from before until, both with an offset")
    return TemporaryNotice(text, row["from"], row["until"], tuple(row.get("lines", ())))


def _directory(rows: Sequence[Mapping[str, str]], city: City) -> tuple[EmergencyContact, ...]:
    """The contacts listed (or the four services), and behind them every unit with a duty phone."""
    listed = [EmergencyContact(row["id"], row["name"], _dialled(row["number"], city), row["kind"]) for row in rows]
    listed = listed or [EmergencyContact(number, name, number, "service") for number, name in SERVICES.items()]
    units = [EmergencyContact(f"unit:{unit.id}", unit.name, _dialled(unit.duty_phone, city), "unit", unit.id)
             for unit in city.units.values() if unit.duty_phone]  # fmt: skip
    return (*listed, *units)


def _dialled(number: str, city: City) -> str:
    phone = parse_phone(number, area_code=city.area_code)
    if phone is None:
        raise ValueError("emergency: a number that cannot be dialled")
    return phone.national


def _gaps(table: Mapping[str, Any], usual: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=minutes) for minutes in table["gap_min"]) if table.get("gap_min") else usual


def _quiet(table: Mapping[str, Any], usual: Quiet) -> Quiet:
    if "quiet" not in table:
        return usual
    return Quiet(tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in table["quiet"]))


def _at_least_one(number: int) -> int:
    if number < 1:
        raise ValueError("a number of at least 1")
    return int(number)


def _share(part: float) -> float:
    if not 0 < part < 1:
        raise ValueError("share lies between 0 and 1")
    return float(part)


def _hours_of(city: City) -> dict[str, WorkCalendar]:
    """The hours of each number, with the holidays of the city's calendars."""
    like = next(iter(city.calendars.values()))
    numbers = tomllib.loads((city.folder / "city.toml").read_text(encoding="utf-8"))["numbers"]
    return {
        row["number"]: replace(like, name=row["number"], spans=read_spans(row["hours"]), days=row["days"])
        for row in numbers if row.get("hours")
    }  # fmt: skip
