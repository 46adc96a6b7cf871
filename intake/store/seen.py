"""Views of personal data in a span of time, with everything the access report needs to judge them."""

from datetime import datetime

import sqlalchemy as sa

from intake.access_report import Seen
from intake.model import Case
from intake.records import Remark, Reporter, User, View
from intake.store.mapping import to_micros
from intake.store.tables import TABLES
from intake.store.work import Work

VIEWS = TABLES[View]


def seen_between(work: Work, start: datetime, end: datetime) -> Seen:
    """Views from `start` until before `end`."""
    column = VIEWS.table.c
    statement = (
        sa.select(*(column[name] for name in VIEWS.columns))
        .where(column.at >= to_micros(start), column.at < to_micros(end))
        .order_by(column.at, column.view_id)
    )
    views: list[View] = [VIEWS.record_from(row, work.vault) for row in work.connection.execute(statement)]
    numbers = sorted({view.case_no for view in views})
    cases = {number: case for number in numbers if (case := work.get(Case, number))}
    remarks = (work.get(Remark, view.reason_id) for view in views)
    reporters = (one for number in numbers for one in work.find(Reporter, case_no=number))
    return Seen(
        views=views,
        cases=cases,
        users={user.user_id: user for user in work.find(User)},
        reasons={remark.remark_id: remark.text for remark in remarks if remark},
        confidential={one.case_no for one in reporters if one.confidential},
    )
