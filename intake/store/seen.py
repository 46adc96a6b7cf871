"""Views of personal data in a span of time, with everything the access report needs to judge them."""

from datetime import datetime

import sqlalchemy as sa

from intake.access_report import Seen
from intake.call import Playback
from intake.model import Case
from intake.records import Remark, Reporter, User, View
from intake.store.mapping import to_micros
from intake.store.tables import TABLES
from intake.store.work import Work

VIEWS, PLAYBACKS = TABLES[View], TABLES[Playback]


def seen_between(work: Work, start: datetime, end: datetime) -> Seen:
    """Views from `start` until before `end`."""
    column = VIEWS.table.c
    statement = (
        sa.select(*(column[name] for name in VIEWS.columns))
        .where(column.at >= to_micros(start), column.at < to_micros(end))
        .order_by(column.at, column.view_id)
    )
    views: list[View] = [VIEWS.record_from(row, work.vault) for row in work.connection.execute(statement)]
    heard = _heard_between(work, start, end, views)
    numbers = sorted({view.case_no for view in views})
    cases = {number: case for number in numbers if (case := work.get(Case, number))}
    remarks = (work.get(Remark, view.reason_id) for view in views)
    reporters = (one for number in numbers for one in work.find(Reporter, case_no=number))
    return Seen(
        views=sorted([*views, *heard], key=lambda view: (view.at, view.view_id)),
        cases=cases,
        users={user.user_id: user for user in work.find(User)},
        reasons={remark.remark_id: remark.text for remark in remarks if remark} | {v.view_id: r for v, r in heard.items()},
        confidential={one.case_no for one in reporters if one.confidential},
    )


def _heard_between(work: Work, start: datetime, end: datetime, views: list[View]) -> dict[View, str]:
    """Recordings of calls without a case that were listened to, as views of case 0 with their reasons; those of a case have
    a view of their own, written at the same moment."""
    column = PLAYBACKS.table.c
    statement = (
        sa.select(*(column[name] for name in PLAYBACKS.columns))
        .where(column.at >= to_micros(start), column.at < to_micros(end))
        .order_by(column.at, column.playback_id)
    )
    played: list[Playback] = [PLAYBACKS.record_from(row, work.vault) for row in work.connection.execute(statement)]
    known = {(view.user_id, view.at) for view in views if view.what == "recording"}
    return {_as_view(one): one.reason for one in played if (one.user_id, one.at) not in known}


def _as_view(played: Playback) -> View:
    """A row without a recording says that a call was exported (traces.py). Its own number leads to its reason."""
    what = "recording" if played.recording_id else "export"
    return View(played.playback_id, 0, played.user_id, played.at, what, played.playback_id)
