"""When handling is due: the limit of class and condition, counted on the responsible unit's own calendar.

Where there is danger two clocks run (make safe in natural hours, repair in working hours); the due time of the case is
the repair's, the earlier one is shown beside it. Counting itself is calendar.py's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from intake.calendar import WorkCalendar, due
from intake.calendar_explain import Basis, DueTime
from intake.model import Case
from intake.rules import Due, Unit
from intake.taxonomy import Limit, Taxonomy


@dataclass(frozen=True, slots=True)
class DueClock:
    """One running limit of a case and the way to its end."""

    limit: Limit
    time: DueTime


@dataclass(frozen=True, slots=True)
class LimitTable:
    """The limits of a city: its class table, which source it puts first, its calendars and units."""

    taxonomy: Taxonomy
    sources: Sequence[str]
    calendars: Mapping[str, WorkCalendar]
    units: Mapping[str, Unit]

    def clocks(self, case: Case, start_at: datetime) -> tuple[DueClock, ...]:
        """Every clock of the case's condition, started at `start_at`; empty without a class."""
        if case.subclass is None:
            return ()
        subclass = case.subclass
        conditions = (case.condition, *self.taxonomy.conditions(subclass))
        rows = next((found for c in conditions if (found := self._rows(case, c))), ())
        calendar = self._calendar(case)
        return tuple(
            DueClock(row, due(start_at, round(row.limit_hours * 60), basis=_basis(row), calendar=calendar)) for row in rows
        )

    def due(self, case: Case, start_at: datetime) -> Due | None:
        """The last of the clocks: when the whole matter must be solved."""
        clocks = self.clocks(case, start_at)
        if not clocks:
            return None
        last = max(clocks, key=lambda clock: clock.time.due_at)
        return Due(last.time.due_at, last.time.provisional)

    def _rows(self, case: Case, condition: str) -> tuple[Limit, ...]:
        assert case.subclass is not None
        return self.taxonomy.limits_for(case.subclass, condition, sources=self.sources) if condition else ()

    def _calendar(self, case: Case) -> WorkCalendar:
        unit = self.units.get(case.unit)
        default = self.taxonomy.entries[case.subclass].unit_calendar if case.subclass else "office"
        return self.calendars.get(unit.calendar if unit else default) or self.calendars["office"]


def _basis(row: Limit) -> Basis:
    return "natural" if row.limit_basis == "natural" else "working"
