"""The queue page: filtered, ordered by urgency and what falls due first, paged by key so that depth costs nothing."""

from typing import Any

import sqlalchemy as sa

from intake.errors import BadInput
from intake.model import State
from intake.queue import PAGE, PAGE_MAX, QueueFilter, QueuePage
from intake.store import needs, search
from intake.store.mapping import to_micros
from intake.store.tables import cases
from intake.timers import RUNNING
from intake.vault import Vault
from intake.workflow import LIVE


def queue_page(
    connection: sa.Connection, vault: Vault, wanted: QueueFilter, *, after: str = "", limit: int = PAGE
) -> QueuePage:
    """Live cases (or those in `states`), most urgent and earliest due first."""
    limit = max(1, min(limit, PAGE_MAX))
    column = cases.table.c
    statement = sa.select(*(column[name] for name in cases.columns), column.rank, column.sort_at)
    statement = statement.where(*_conditions(wanted, connection.dialect.name, vault))
    if after:
        key = sa.tuple_(*(sa.literal(value, sa.BigInteger()) for value in _key_from(after)))
        statement = statement.where(sa.tuple_(column.rank, column.sort_at, column.case_no) > key)
    statement = statement.order_by(column.rank, column.sort_at, column.case_no).limit(limit + 1)
    rows = connection.execute(statement).all()
    found = tuple(cases.record_from(row[:-2], vault) for row in rows[:limit])
    following = ""
    if len(rows) > limit:
        last = rows[limit - 1]
        following = f"{last.rank}-{last.sort_at}-{last.case_no}"
    return QueuePage(found, following)


def _conditions(wanted: QueueFilter, dialect: str, vault: Vault) -> list[sa.ColumnElement[bool]]:
    column = cases.table.c
    found: list[Any] = [_states_condition(wanted)]
    equal = {"channel": wanted.channel, "unit": wanted.unit, "district": wanted.district, "operator_id": wanted.operator_id}
    found += [column[name] == value for name, value in equal.items() if value]
    if wanted.subclass:
        found += [column.kind == wanted.subclass.kind.value, column.subclass_code == wanted.subclass.code]
    if wanted.urgent:
        found.append(column.rank < 2)
    if wanted.overdue_at:
        running = column.state.in_(sorted(state.value for state in RUNNING))
        found += [running, column.due_at < to_micros(wanted.overdue_at)]
    if wanted.visible_unit:
        found.append(sa.or_(column.unit == wanted.visible_unit, column.co_unit == wanted.visible_unit))
        found.append(column.dispatched_at.is_not(None))
    found += needs.conditions(wanted.needs)
    if wanted.text:
        found.append(_text_condition(wanted, dialect, vault))
    return found


def _text_condition(wanted: QueueFilter, dialect: str, vault: Vault) -> sa.ColumnElement[bool]:
    """The words; for those who may search everything also a telephone number or its last four digits."""
    masked = wanted.searches == "masked"
    words = sa.and_(sa.true(), *search.conditions(wanted.text, dialect, masked=masked))
    digits = wanted.text.strip()
    is_tail = len(digits) == needs.TAIL_DIGITS and digits.isascii() and digits.isdigit()
    if masked or not (is_tail or wanted.phone):
        return words
    return sa.or_(words, needs.by_phone(vault, whole=wanted.phone, tail=digits))


def _states_condition(wanted: QueueFilter) -> sa.ColumnElement[bool]:
    """A search without a state looks at ended cases too; a plain queue shows what is live."""
    states = set(wanted.states or (State if wanted.text or wanted.needs else LIVE))
    if wanted.visible_states is not None:
        states &= wanted.visible_states
    if states == LIVE:
        return cases.table.c.live.is_(sa.true())
    return cases.table.c.state.in_(sorted(state.value for state in states))


def _key_from(after: str) -> tuple[int, int, int]:
    try:
        rank, sort_at, case_no = (int(part) for part in after.split("-") if len(part) <= 18)
    except ValueError:
        raise BadInput("after", "翻页位置不正确，请从第一页开始。") from None
    return rank, sort_at, case_no
