"""When handling is due: the limit of class and condition, counted on the responsible unit's own calendar.

Where there is danger two clocks run (make safe in natural hours, repair in working hours); the due time of the case is
the repair's, the earlier one is shown beside it. Counting itself is calendar.py's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from intake.calendar import Basis, DueTime, Pause, WorkCalendar, due, explain
from intake.model import Case
from intake.rules import Due, Unit
from intake.taxonomy import Limit, Taxonomy


@dataclass(frozen=True, slots=True)
class DueClock:
    """One running limit of a case and the way to its end."""

    limit: Limit
    time: DueTime


@dataclass(frozen=True, slots=True)
class ClockExplained:
    """One limit of a case as people read it."""

    title: str
    condition: str
    due_at: datetime
    lines: tuple[str, ...]


CLOCK_WORDS = {"disposal": "处置时限", "make_safe": "先期排险时限", "repair": "修复时限"}


def pauses_of(case: Case, *, until: datetime) -> tuple[Pause, ...]:
    """The case's pauses as the calendar takes them; one that still lasts is counted up to `until` at least."""
    found = []
    for text in case.pauses:
        start, _, end = text.partition("/")
        start_at = datetime.fromisoformat(start)
        end_at = datetime.fromisoformat(end) if end else max(until, start_at)
        if end_at > start_at:
            found.append(Pause(start_at, end_at, "暂停计时"))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class LimitTable:
    """The limits of a city: its class table, its calendars and units."""

    taxonomy: Taxonomy
    calendars: Mapping[str, WorkCalendar]
    units: Mapping[str, Unit]
    zone: tzinfo

    def clocks(self, case: Case, start_at: datetime) -> tuple[DueClock, ...]:
        """Every clock of the case's condition, from the case's own start or else projected from `start_at`."""
        if case.subclass is None:
            return ()
        conditions = (case.condition, *self.taxonomy.conditions(case.subclass))
        rows = next((found for c in conditions if (found := self._rows(case, c))), ())
        calendar = self._calendar(case)
        start_at = case.clock_at or start_at
        pauses = pauses_of(case, until=start_at)
        return tuple(
            DueClock(row, due(start_at, round(row.limit_hours * 60), basis=_basis(row), calendar=calendar, pauses=pauses))
            for row in rows
        )

    def due(self, case: Case, start_at: datetime) -> Due | None:
        """The last of the clocks, or the granted extension when that is later: when the whole matter must be solved."""
        clocks = self.clocks(case, start_at)
        if not clocks:
            return None
        last = max(clocks, key=lambda clock: clock.time.due_at)
        safe = next((clock.time.due_at for clock in clocks if clock.limit.clock == "make_safe"), None)
        due_at = max(last.time.due_at, case.extended_until_at or last.time.due_at)
        return Due(due_at, last.time.provisional, safe)

    def explain(self, case: Case, now: datetime) -> tuple[ClockExplained, ...]:
        """How each due time of a case came about, in plain Chinese lines (the case page shows them).

        Before filing only an upstream order's own deadline stands; the unit's limits follow from class and condition.
        """
        found = [
            ClockExplained(CLOCK_WORDS[clock.limit.clock], clock.limit.condition, clock.time.due_at, tuple(explain(clock.time)))
            for clock in (self.clocks(case, now) if case.filed_at else ())
        ]
        if case.extended_until_at:
            words = f"经同意延期至{case.extended_until_at.astimezone(self.zone):%m月%d日 %H:%M}。"
            found.append(ClockExplained("延期", case.condition, case.extended_until_at, (words,)))
        if case.upstream_due_at:
            found.append(self._upstream(case, case.upstream_due_at))
        return tuple(found)

    def _upstream(self, case: Case, due_at: datetime) -> ClockExplained:
        when = due_at.astimezone(self.zone)
        lines = [f"上级工单{case.upstream_no}要求{when:%Y年%m月%d日 %H:%M}前办结，不因挂账、退单或延期而改变。"]
        if case.due_at:
            lines.append(f"{'早' if due_at <= case.due_at else '晚'}于责任单位的时限，先到者先预警。")
        return ClockExplained("上级工单时限", case.condition, due_at, tuple(lines))

    def _rows(self, case: Case, condition: str) -> tuple[Limit, ...]:
        assert case.subclass is not None
        return self.taxonomy.limits_for(case.subclass, condition) if condition else ()

    def _calendar(self, case: Case) -> WorkCalendar:
        unit = self.units.get(case.unit)
        default = self.taxonomy.entries[case.subclass].unit_calendar if case.subclass else "office"
        return self.calendars.get(unit.calendar if unit else default) or self.calendars["office"]


def _basis(row: Limit) -> Basis:
    return "natural" if row.limit_basis == "natural" else "working"
