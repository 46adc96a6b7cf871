"""Reading the change feed: what was committed after a known id, in commit order."""

from datetime import timedelta

import sqlalchemy as sa

from intake.records import FeedEvent
from intake.store.mapping import EPOCH
from intake.store.tables import feed

PAGE = 500
AFTER = sa.select(feed).where(feed.c.feed_id > sa.bindparam("after")).order_by(feed.c.feed_id).limit(PAGE)


def events_after(connection: sa.Connection, after: int) -> list[FeedEvent]:
    """At most 500 events with a larger id."""
    return [
        FeedEvent(
            feed_id=row.feed_id, case_no=row.case_no, at=EPOCH + timedelta(microseconds=row.at), step=row.step,
            state=row.state, version=row.version, unit=row.unit, urgency=row.urgency, co_unit=row.co_unit,
        )
        for row in connection.execute(AFTER, {"after": after})
    ]  # fmt: skip


def last_event_id(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(feed.c.feed_id), 0))).scalar_one())


def trim(connection: sa.Connection, *, keep: int) -> int:
    """Drop events older than the last `keep`; listeners that were away longer read the queue anew."""
    return connection.execute(sa.delete(feed).where(feed.c.feed_id <= last_event_id(connection) - keep)).rowcount
