"""One unit of work's view of the store: records in and out, changes told to the feed, counters kept.

New rows are held back and written table by table when the group ends (one statement for many reports), or before anything is
read. `change` writes at once and refuses a stale version. Runs inside a synchronous function of a Connection.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from intake.call import Call, CallBack, CallRecording, Waits
from intake.errors import StaleVersion
from intake.model import Case, Place, State
from intake.queue import PAGE, QueueFilter, QueuePage
from intake.records import Debt, FeedEvent, OutboxRow, Session, Timer
from intake.store import claims, counts, day, debts, feeds, phone_queue, queue, search, sounds_due, spot, tables, tries
from intake.store.blocks import Blocks
from intake.store.counts import counter_names
from intake.store.mapping import to_micros
from intake.store.sounds_due import Due
from intake.store.statements import ForEach, Wanted
from intake.store.tables import TABLES
from intake.vault import Vault

T = TypeVar("T")
FEED_LOCK = 0x12319
"""Advisory lock on PostgreSQL: feed ids are given out between it and the commit, so they follow commit order."""
ADD_COUNT = ForEach(sa.text(
    "INSERT INTO counters (name, n) VALUES (:name, :n) ON CONFLICT (name) DO UPDATE SET n = counters.n + excluded.n"
))  # fmt: skip
ADD_FEED = ForEach(sa.insert(tables.feed).values({c.name: sa.bindparam(c.name) for c in tables.feed.c if c.name != "feed_id"}))
PLACES = {kind: place for place, kind in enumerate(TABLES)}
"""Parents stand before what refers to them."""


class Work:
    """Handed to each unit of work. `now` is one moment for the whole group."""

    def __init__(self, connection: sa.Connection, *, vault: Vault, blocks: Blocks, now: datetime,
                 words: Callable[[str], Sequence[str]]) -> None:  # fmt: skip
        self.connection, self.vault, self.now = connection, vault, now
        self.wrote = False
        self._blocks, self._words = blocks, words
        self._rows: dict[type, list[tuple[Any, ...]]] = {}
        self._search: list[dict[str, Any]] = []
        self._feed: list[FeedEvent] = []
        self._counts: Counter[str] = Counter()
        self._after: list[Callable[[], None]] = []

    # Identities, from blocks leased ahead (blocks.py)

    def new_id(self) -> int:
        """A number unique over all records of all gateways."""
        return self._blocks.take("id")

    def new_case_no(self, day: date) -> int:
        """The next 受理编号 of `day` (local date of the city)."""
        return self._blocks.take_case_no(day)

    # Writing

    def add(self, *records: Any) -> None:
        """Hold new records back for the group's end."""
        for record in records:
            self._rows.setdefault(type(record), []).append(TABLES[type(record)].values(record, self.vault))
            self._counts.update(counter_names(record))
            if isinstance(record, Case):
                self._search.append(search.row(record, self._words))

    def change(self, before: T, after: T) -> T:
        """Write the columns that differ; a Case only if its stored version is still that of `before`."""
        self.flush_rows()
        table = TABLES[type(after)]
        changed = table.changes(before, after, self.vault)
        if not changed:
            return after
        self.wrote = True
        where = {"version": before.version} if isinstance(before, Case) else {}
        if table.update(self.connection, before, changed, where=where) != 1:
            raise StaleVersion(current_version=getattr(after, "version", 0))
        self._counts.subtract(counter_names(before))
        self._counts.update(counter_names(after))
        if isinstance(before, Case) and isinstance(after, Case) and search.text_of(before) != search.text_of(after):
            search.replace(self.connection, search.row(after, self._words))
        return after

    def remove(self, kind: type, /, **where: Any) -> int:
        """Delete rows that may be deleted (sessions, tries). History refuses it in the database itself."""
        self.flush_rows()
        self.wrote = True
        table = TABLES[kind].table
        return self.connection.execute(sa.delete(table).where(*_conditions(table, where))).rowcount

    def tell(self, event: FeedEvent) -> None:
        """Put a change into the feed; listeners hear it after the commit."""
        self._feed.append(event)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run something harmless once this group is durable (wake the outbox, for one)."""
        self._after.append(action)

    # Reading

    def get(self, kind: type[T], *key: Any, lock: bool = False) -> T | None:
        """One record by its key. `lock` keeps others from changing it until the commit (PostgreSQL)."""
        where = dict(zip(TABLES[kind].key, key, strict=True))
        found = self._select(kind, where, lock=lock)
        return found[0] if found else None

    def find(self, kind: type[T], /, *, order: str = "", limit: int = 0, after: tuple[str, int] | None = None,
             **where: Any) -> list[T]:  # fmt: skip
        """Records whose columns equal `where`, by default in key order; `order` may start with - for descending. `after`
        names a column and the value it must exceed."""
        return self._select(kind, where, order=order, limit=limit, after=after)

    def _select(self, kind: type[T], where: Mapping[str, Any], *, order: str = "", limit: int = 0, lock: bool = False,
                after: tuple[str, int] | None = None) -> list[T]:  # fmt: skip
        self.flush_rows()
        table = TABLES[kind]
        wanted = Wanted(tuple(name for name, value in where.items() if value is not None),
                        tuple(name for name, value in where.items() if value is None),
                        after[0] if after else "", order, limit, lock)  # fmt: skip
        values = {f"w_{name}": to_micros(v) if isinstance(v, datetime) else v for name, v in where.items()}
        if after:
            values["after"] = after[1]
        rows = table.statements.select(self.connection.dialect, wanted).run(self.connection, values)
        return [table.record_from(row, self.vault) for row in rows]

    # Questions with a statement of their own

    def queue(self, wanted: QueueFilter, *, after: str = "", limit: int = PAGE) -> QueuePage:
        """One page of the queue (queue.py)."""
        return queue.queue_page(self.connection, self.vault, wanted, after=after, limit=limit)

    def counts(self, prefix: str = "") -> dict[State, int]:
        """Kept counters of cases in each state, all or below a prefix such as `unit:drainage:` (counts.py)."""
        return counts.read_counts(self.connection, prefix)

    def kept(self, names: Sequence[str]) -> dict[str, int]:
        """Kept counters by name (counts.py)."""
        return counts.read_kept(self.connection, names)

    def done_by(self, user_id: int, since: datetime) -> dict[str, int]:
        """Steps a person took since a moment, by name, and `calls` that ended (day.py)."""
        self.flush_rows()
        return day.done_by(self.connection, user_id, since)

    def live_calls(self) -> list[Call]:
        """Calls without an end, of all gateways (phone_queue.py)."""
        self.flush_rows()
        return phone_queue.live_calls(self.connection, self.vault)

    def callbacks_due(self, *, most: int) -> list[CallBack]:
        self.flush_rows()
        return phone_queue.callbacks_due(self.connection, self.vault, now=self.now, most=most)

    def recordings_due(self, due: Due, *, most: int, attempts: int = 0) -> list[CallRecording]:
        """Recordings to be fetched or drafted (sounds_due.py)."""
        self.flush_rows()
        return sounds_due.recordings_due(self.connection, self.vault, due, most=most, attempts=attempts)

    def callers_waiting(self, *, since: datetime) -> list[Waits]:
        """Citizens who wait for an operator, whose call began after a moment, in the order of their places (phone_queue.py)."""
        self.flush_rows()
        return phone_queue.callers_waiting(self.connection, self.vault, since=since)

    def last_talks_s(self, *, most: int) -> list[float]:
        """Seconds of the talks among the last calls (phone_queue.py)."""
        self.flush_rows()
        return phone_queue.last_talks_s(self.connection, most=most)

    def cases_near(self, place: Place, *, since: datetime) -> list[Case]:
        """Cases around a spot since a moment, newest first (spot.py)."""
        self.flush_rows()
        return spot.cases_near(self.connection, self.vault, place, since=since)

    def cases_before(self, case: Case, *, states: Collection[State], limit: int) -> list[Case]:
        """Cases of the same class and grid that came before, newest first (spot.py)."""
        self.flush_rows()
        return spot.cases_before(self.connection, self.vault, case, states=states, limit=limit)

    def events_after(self, after: int) -> list[FeedEvent]:
        """The next page of the feed (feeds.py)."""
        return feeds.events_after(self.connection, after)

    def last_event_id(self) -> int:
        return feeds.last_event_id(self.connection)

    def open_debts(self, **options: Any) -> list[Debt]:
        """Open reply debts, by number or by due time, a page at a time (debts.py)."""
        self.flush_rows()
        return debts.open_debts(self.connection, self.vault, **options)

    def due_messages(self, *, limit: int) -> list[OutboxRow]:
        """Outgoing messages whose time has come, locked for this gateway (claims.py)."""
        self.flush_rows()
        return claims.due_rows(self.connection, self.vault, limit=limit, now=self.now)

    def hurry_messages(self, channel: str, *, outcomes: Sequence[str]) -> int:
        """Messages put off for one of these reasons are due now (claims.py)."""
        self.flush_rows()
        self.wrote = True
        return claims.hurry(self.connection, channel, outcomes=outcomes, now=self.now)

    def due_timers(self, *, limit: int) -> list[Timer]:
        """Timers whose time has come, locked for this gateway (claims.py)."""
        self.flush_rows()
        return claims.due_timers(self.connection, self.vault, limit=limit, now=self.now)

    def messages_in(self, state: str, *, before: datetime, column: str) -> list[OutboxRow]:
        """Outgoing messages of a state whose moment `column` lies before a time."""
        self.flush_rows()
        return claims.rows_in(self.connection, self.vault, state, before=before, column=column)

    def count_try(self, name: str, *, window: timedelta) -> int:
        """Count one more try and return how many the window holds (tries.py)."""
        self.wrote = True
        return tries.count_try(self.connection, name, now=self.now, window=window)

    def tries_so_far(self, name: str, *, window: timedelta) -> int:
        return tries.tries_so_far(self.connection, name, now=self.now, window=window)

    def sweep(self, *, feed_keep: int, tries_before: datetime) -> None:
        """Drop what has served: old feed events, expired sessions, old counted tries."""
        self.flush_rows()
        self.wrote = True
        feeds.trim(self.connection, keep=feed_keep)
        tries.forget_tries(self.connection, before=tries_before)
        sessions = TABLES[Session].table
        self.connection.execute(sa.delete(sessions).where(sessions.c.expires_at < to_micros(self.now)))

    # The group's end

    def flush_rows(self) -> None:
        """Write what is held back, parents first."""
        for kind in sorted(self._rows, key=PLACES.__getitem__):
            if rows := self._rows[kind]:
                self.wrote = True
                self.connection.exec_driver_sql(TABLES[kind].insert_statement(self.connection.dialect), rows)
        self._rows.clear()
        if self._search:
            search.insert(self.connection, self._search)
            self._search.clear()

    def finish(self) -> None:
        """Everything of the group: rows, counters, and last the feed under its lock."""
        self.flush_rows()
        counts = [{"name": name, "n": n} for name, n in sorted(self._counts.items()) if n]
        if counts:
            self.wrote = True
            ADD_COUNT.run(self.connection, counts)
        if self._feed:
            self.wrote = True
            self._flush_feed()

    def _flush_feed(self) -> None:
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(FEED_LOCK)))
        rows = [
            {"case_no": e.case_no, "at": to_micros(e.at), "step": e.step, "state": e.state, "version": e.version,
             "unit": e.unit, "urgency": e.urgency, "co_unit": e.co_unit}
            for e in self._feed
        ]  # fmt: skip
        ADD_FEED.run(self.connection, rows)
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.select(sa.func.pg_notify("intake_feed", "")))
        self._feed.clear()

    def run_after_commit(self) -> None:
        for action in self._after:
            action()

    def mark(self) -> "Mark":
        """Where a unit begins, so that it alone can be taken back as long as nothing was written."""
        return Mark({kind: len(rows) for kind, rows in self._rows.items()}, len(self._search), len(self._feed),
                    Counter(self._counts), len(self._after))  # fmt: skip

    def rewind(self, mark: "Mark") -> None:
        for kind, rows in self._rows.items():
            del rows[mark.rows.get(kind, 0) :]
        del self._search[mark.search :]
        del self._feed[mark.feed :]
        del self._after[mark.after :]
        self._counts = mark.counts


class Mark:
    """A point in a group's held-back rows."""

    __slots__ = ("after", "counts", "feed", "rows", "search")

    def __init__(self, rows: dict[type, int], search: int, feed: int, counts: Counter[str], after: int) -> None:
        self.rows, self.search, self.feed, self.counts, self.after = rows, search, feed, counts, after


def _conditions(table: sa.Table, where: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == (to_micros(v) if isinstance(v, datetime) else v) for name, v in where.items()]  # None: IS NULL
