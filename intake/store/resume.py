"""What a restored database needs before it is used: everything after the backup happened, and is not in it.

Numbers that were given out after the backup must not be given again: a citizen's old number and code would open
somebody else's case. And a message that waited then may have been sent since: an operator looks at it first.
"""

from datetime import timedelta, tzinfo

from intake.delivery import record_unknown
from intake.outbox import CLAIMED, WAITING
from intake.records import OutboxRow
from intake.store.blocks import LEASE, case_block_name
from intake.store.work import Work

ID_LEAP = 10_000_000
CASE_LEAP = 50_000
"""More than a metropolis takes in on its worst day, and still five digits on an ordinary one."""


def leap_ahead(work: Work, zone: tzinfo) -> None:
    """Pass over the numbers that may have been given out since: ids, and case numbers of today and tomorrow."""
    today = work.now.astimezone(zone).date()
    leaps = [("id", ID_LEAP)] + [(case_block_name(day), CASE_LEAP) for day in (today, today + timedelta(days=1))]
    work.wrote = True
    for name, size in leaps:
        work.connection.execute(LEASE, {"name": name, "size": size})


def doubt_unsent(work: Work) -> int:
    """Put every message that waited or was being sent before an operator, who decides; returns how many."""
    rows = [row for state in (WAITING, CLAIMED) for row in work.find(OutboxRow, state=state)]
    for row in rows:
        record_unknown(work, row)
    return len(rows)
