"""When gateways were there to be delivered to: a row for each run, its last moment kept up to date.

Messages that a provider offered while no gateway ran, for longer than he tries again, may be lost without a trace where
he keeps no list. Nobody can bring them back; that they may exist is shown by these gaps (reconcile.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from intake.ports import Work

SEEN_EVERY = timedelta(minutes=1)
KEPT_FOR = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Run:
    """One start of one gateway, and when it was last known to run."""

    run_id: str
    gateway: str
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which no gateway ran."""

    start_at: datetime
    end_at: datetime

    @property
    def length(self) -> timedelta:
        return self.end_at - self.start_at


def note_running(work: Work, run_id: str, gateway: str) -> None:
    """This run is there now."""
    held = work.get(Run, run_id)
    if held is None:
        work.add(Run(run_id, gateway, work.now, work.now))
    elif work.now - held.seen_at >= SEEN_EVERY:
        work.change(held, replace(held, seen_at=work.now))


def gaps(runs: Iterable[Run], *, since: datetime, longer_than: timedelta) -> list[Gap]:
    """Stretches after `since` without any gateway, longest tries of a provider taken off; pure. What lies before the
    first run is no gap: nobody was told of us then."""
    found: list[Gap] = []
    covered: datetime | None = None
    for run in sorted(runs, key=lambda one: one.started_at):
        if covered is not None and run.started_at - covered > longer_than + SEEN_EVERY and run.started_at > since:
            found.append(Gap(max(covered, since), run.started_at))
        covered = run.seen_at if covered is None else max(covered, run.seen_at)
    return found
