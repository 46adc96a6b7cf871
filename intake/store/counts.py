"""Kept counters: which ones a case stands in, so that no list ever needs count(*).

A counter's name is a path such as `state:reported` or `unit:drainage:state:handling`. Reading them is one look-up.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from intake.model import Case, State, Urgency
from intake.store.tables import TABLES, counters
from intake.workflow import LIVE


def counter_names(case: Case) -> list[str]:
    """Every counter the case adds one to."""
    return _names(case.state, case.channel, case.urgency, case.unit, case.operator_id)


def _names(state: State, channel: str, urgency: Urgency, unit: str, operator_id: int) -> list[str]:
    names = [f"state:{state.value}", f"channel:{channel}:state:{state.value}"]
    if state in LIVE:
        names.append(f"urgency:{urgency.value}")
    if unit:
        names.append(f"unit:{unit}:state:{state.value}")
    if operator_id:
        names.append(f"operator:{operator_id}:state:{state.value}")
    return names


def read_counts(connection: sa.Connection, prefix: str = "") -> dict[State, int]:
    """Cases in each state, all or below a prefix such as `unit:drainage:`. States without cases are 0."""
    names = [f"{prefix}state:{state.value}" for state in State]
    rows = connection.execute(sa.select(counters.c.name, counters.c.n).where(counters.c.name.in_(names)))
    found = {name.rsplit(":", 1)[1]: n for name, n in rows}
    return {state: found.get(state.value, 0) for state in State}


def recount(connection: sa.Connection, cases: Iterable[Case]) -> None:
    """Rebuild all counters from the cases; for `doctor` and after a restore."""
    totals: dict[str, int] = {}
    for case in cases:
        for name in counter_names(case):
            totals[name] = totals.get(name, 0) + 1
    connection.execute(sa.delete(counters))
    if totals:
        connection.execute(sa.insert(counters), [{"name": name, "n": n} for name, n in totals.items()])


def differing(connection: sa.Connection) -> list[str]:
    """Names of counters that are not what the cases say; for `doctor`. Counted by the database, so that a million cases
    need no million objects."""
    columns = TABLES[Case].table.c
    parts = (columns.state, columns.channel, columns.urgency, columns.unit, columns.operator_id)
    totals: dict[str, int] = {}
    for state, channel, urgency, unit, operator_id, n in connection.execute(
        sa.select(*parts, sa.func.count()).group_by(*parts)
    ):
        for name in _names(State(state), channel, Urgency(urgency), unit, operator_id):
            totals[name] = totals.get(name, 0) + n
    kept: dict[str, int] = {name: n for name, n in connection.execute(sa.select(counters)) if n}
    return sorted(name for name in totals.keys() | kept.keys() if totals.get(name) != kept.get(name))
