"""A database with many cases, quickly and honestly: cases the product made (seed_template.py), multiplied row by row.

Every clone has its own number, ids, times, text, place, search words, contact (sealed anew) and history chain (digests
computed anew), so that every command of the product, `history verify` and `doctor` among them, finds it whole. Timers
that would have fired meanwhile count as fired. Writing is bulk and not durable while it lasts; the database is ordinary
afterwards.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_type_hints

from bench.report_text import Made, made
from bench.seed_template import BASE, MADE_UP_PHONE, Template
from intake.codes import case_no
from intake.history import entry_digest
from intake.model import Role
from intake.records import Contact, HistoryEntry
from intake.store.mapping import from_micros, to_micros
from intake.store.tables import TABLES
from intake.vault import Vault

LIVE_SHARE = 0.03
DAYS, LIVE_DAYS = 365, 2
TEXTS = 20_000
OWN_IDS = frozenset({
    "contact_id", "entry_id", "reporter_id", "remark_id", "request_id", "debt_id", "reply_id", "outbox_id", "task_id", "timer_id",
    "report_id", "reason_id", "decision_id",
})  # fmt: skip
REFS_WITH_IDS = ("entry", "debt", "remarks")
BY_NAME = {mapped.name: mapped for mapped in TABLES.values()}
Words = Callable[[str], Any]
Rows = dict[str, list[list[Any]]]
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Plan:
    """What changes in a table's rows from clone to clone: the places of moments and ids."""

    columns: tuple[str, ...]
    moments: tuple[int, ...]
    ids: tuple[int, ...]
    at: Mapping[str, int]

    def row(self, stored: Mapping[str, Any]) -> list[Any]:
        return [stored[column] for column in self.columns]


def plan_of(name: str) -> Plan:
    mapped = BY_NAME[name]
    columns = tuple(column.name for column in mapped.table.columns)
    hints = get_type_hints(mapped.record)
    moments = {field for field, hint in hints.items() if hint in (datetime, datetime | None)} | {"sort_at"}
    return Plan(
        columns,
        tuple(i for i, column in enumerate(columns) if column in moments),
        tuple(i for i, column in enumerate(columns) if column in OWN_IDS),
        {column: i for i, column in enumerate(columns)},
    )


@dataclass(frozen=True, slots=True)
class Stencil:
    """A template with its rows as lists in the order of the columns, and the references of its history read."""

    case_no: int
    rows: Mapping[str, list[list[Any]]]
    refs: tuple[dict[str, Any], ...]


class Cloner:
    """Makes the rows of the n-th case. `words` cuts text for the search index."""

    def __init__(self, ended: list[Template], live: list[Template], *, cases: int, now: datetime, vault: Vault, words: Words,
                 seed: int) -> None:  # fmt: skip
        self._now, self._vault, self._dice = now, vault, random.Random(seed)
        self._cases, self._live_from = cases, cases - max(1, round(cases * LIVE_SHARE))
        self.plans = {name: plan_of(name) for name in BY_NAME}
        self._ended, self._live = [self._stencil(one) for one in ended], [self._stencil(one) for one in live]
        self.id_step = 1 + max(self._ids())
        pool = [made(self._dice) for _ in range(min(cases, TEXTS))]
        self._texts = [(one, frozenset(words(f"{one.text}\n{one.place}"))) for one in pool]
        self._day_counts: dict[date, int] = {}

    def _stencil(self, template: Template) -> Stencil:
        rows = {name: [self.plans[name].row(row) for row in found] for name, found in template.rows.items()}
        return Stencil(template.case.case_no, rows, tuple(json.loads(row["refs"]) for row in template.rows["history"]))

    def _ids(self) -> Iterator[int]:
        for stencil in (*self._ended, *self._live):
            for name, rows in stencil.rows.items():
                yield from (row[i] for row in rows for i in self.plans[name].ids)

    def case(self, number: int) -> tuple[Rows, tuple[int, str]]:
        """Rows by table, and the search index's entry, of case `number` (0-based, oldest first)."""
        is_live = number >= self._live_from
        stencil = self._dice.choice(self._live if is_live else self._ended)
        at = self._received_at(number, is_live=is_live)
        day = at.date()
        self._day_counts[day] = self._day_counts.get(day, 0) + 1
        new_no = case_no(day, self._day_counts[day])
        text, tokens = self._dice.choice(self._texts)
        shift = _Shift(stencil.case_no, new_no, (number + 1) * self.id_step, (to_micros(at) or 0) - (to_micros(BASE) or 0))
        rows: Rows = {name: self._moved(name, found, shift) for name, found in stencil.rows.items()}
        self._relink(rows, stencil.refs, shift)
        self._reword(rows, text, shift)
        return rows, (new_no, " ".join(sorted({*tokens, str(new_no)})))

    def _received_at(self, number: int, *, is_live: bool) -> datetime:
        """Evenly over the year before yesterday; what is in work came in the last days."""
        if is_live:
            share = (number - self._live_from) / (self._cases - self._live_from)
            return self._now - timedelta(days=1 + LIVE_DAYS * (1 - share))
        return self._now - timedelta(days=1 + LIVE_DAYS + DAYS * (1 - number / self._live_from))

    def _moved(self, name: str, found: list[list[Any]], shift: "_Shift") -> list[list[Any]]:
        """Rows with the clone's own number, ids and times."""
        plan = self.plans[name]
        number_at = plan.at.get("case_no")
        moved = []
        for row in found:
            new = row.copy()
            for i in plan.moments:
                if new[i] is not None:
                    new[i] += shift.micros
            for i in plan.ids:
                if new[i]:
                    new[i] += shift.ids
            if number_at is not None:
                new[number_at] = shift.new_no
            moved.append(new)
        return moved

    def _relink(self, rows: Rows, refs: tuple[dict[str, Any], ...], shift: "_Shift") -> None:
        """The history chain: references to the clone's own ids, digests computed anew."""
        at, previous = self.plans["history"].at, ""
        for row, told in zip(rows["history"], refs, strict=True):
            own = {name: _plus(value, shift.ids) if name in REFS_WITH_IDS else value for name, value in told.items()}
            previous = entry_digest(_entry(row, at, own), previous)
            row[at["digest"]] = previous
            if not own.keys().isdisjoint(REFS_WITH_IDS):
                row[at["refs"]] = _dump(own)
        rows["cases"][0][self.plans["cases"].at["history_digest"]] = previous

    def _reword(self, rows: Rows, text: Made, shift: "_Shift") -> None:
        """Its own text and place, a journal key, replies that name its number, timers of the past, a contact."""
        at = self.plans["cases"].at
        rows["cases"][0][at["description"]], rows["cases"][0][at["place_text"]] = text.text, text.place
        for row in rows["journal"]:
            row[self.plans["journal"].at["provider_id"]] = f"own:{shift.new_no}"
        at = self.plans["replies"].at
        for row in rows.get("replies", ()):
            for part in (at["draft"], at["text"]):
                row[part] = row[part].replace(str(shift.old_no), str(shift.new_no))
        at, now = self.plans["timers"].at, to_micros(self._now) or 0
        for row in rows.get("timers", ()):
            if row[at["due_at"]] < now:
                row[at["fired_at"]] = row[at["due_at"]]
        if "contacts" in rows:
            rows["contacts"] = [self._contact(row) for row in rows["contacts"]]

    def _contact(self, row: list[Any]) -> list[Any]:
        """A number of its own from the range no carrier has been given, sealed and hashed as the product does."""
        plan = self.plans["contacts"]
        phone = f"{MADE_UP_PHONE[:-4]}{self._dice.randrange(10_000):04}"
        created_at = from_micros(row[plan.at["created_at"]])
        assert created_at is not None
        contact = Contact(row[plan.at["contact_id"]], row[plan.at["channel"]], created_at, address=phone, phone=phone)
        return plan.row(TABLES[Contact].row(contact, self._vault))

    def groups(self, size: int) -> Iterator[tuple[int, Rows, list[tuple[int, str]]]]:
        """All cases, `size` at a time, rows gathered by table in the order of the tables (parents first)."""
        order = ("contacts", *(name for name in BY_NAME if name != "contacts"))
        for start in range(0, self._cases, size):
            gathered: Rows = {name: [] for name in order}
            search = []
            for number in range(start, min(start + size, self._cases)):
                rows, entry = self.case(number)
                for name, found in rows.items():
                    gathered[name] += found
                search.append(entry)
            yield len(search), {name: found for name, found in gathered.items() if found}, search


@dataclass(frozen=True, slots=True)
class _Shift:
    """From a template to one of its clones."""

    old_no: int
    new_no: int
    ids: int
    micros: int


def _plus(value: Any, ids: int) -> Any:
    return [one + ids for one in value] if isinstance(value, list) else value and value + ids


def _entry(row: list[Any], at: Mapping[str, int], refs: Mapping[str, object]) -> HistoryEntry:
    return HistoryEntry(
        row[at["case_no"]], row[at["seq"]], _moment(row[at["at"]]), row[at["step"]], row[at["actor_id"]],
        Role(row[at["actor_role"]]), row[at["from_state"]], row[at["to_state"]], row[at["round"]], row[at["unit"]], refs,
    )  # fmt: skip


def _moment(micros: int) -> datetime:
    found = from_micros(micros)
    assert found is not None
    return found


def utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
