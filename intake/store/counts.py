"""Kept counters: which ones a record stands in, so that no list ever needs count(*).

A counter's name is a path such as `state:reported`, `unit:drainage:state:handling` or `task:revisit`. Cases, open tasks,
pending requests, open reply debts and call-backs owed are counted. Reading them is one look-up.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from intake.call import CallBack
from intake.model import Case, State, Urgency
from intake.records import Debt, Request, Task
from intake.store.tables import TABLES, counters
from intake.workflow import LIVE

LACKING = frozenset({State.REPORTED, State.ACCEPTED})
"""States in which a case may still lack its place or its class (待补)."""


def counter_names(record: object) -> list[str]:
    """Every counter a record adds one to; records of other kinds stand in none."""
    names = NAMES.get(type(record))
    return names(record) if names else []


def _of_case(case: Case) -> list[str]:
    lacks = case.subclass is None or not case.place.text
    return _names(case.state, case.channel, case.urgency, case.unit, case.operator_id, lacks=lacks)


def _names(state: State, channel: str, urgency: Urgency, unit: str, operator_id: int, *, lacks: bool) -> list[str]:
    names = [f"state:{state.value}", f"channel:{channel}:state:{state.value}"]
    if lacks and state in LACKING:
        names.append("lacking")
    if state in LIVE:
        names.append(f"urgency:{urgency.value}")
    if unit:
        names.append(f"unit:{unit}:state:{state.value}")
    if operator_id:
        names.append(f"operator:{operator_id}:state:{state.value}")
    return names


NAMES: dict[type, Callable[[Any], list[str]]] = {
    Case: _of_case,
    Task: lambda task: [f"task:{task.kind}"] if task.state == "open" else [],
    Request: lambda request: [f"request:{request.kind}"] if request.state == "pending" else [],
    Debt: lambda debt: [] if debt.end else ["debt"],
    CallBack: lambda owed: ["callback"] if owed.is_open else [],
}


def read_kept(connection: sa.Connection, names: Iterable[str]) -> dict[str, int]:
    """Kept counters by name; one that was never counted is 0."""
    wanted = list(names)
    rows = connection.execute(sa.select(counters.c.name, counters.c.n).where(counters.c.name.in_(wanted)))
    return dict.fromkeys(wanted, 0) | {row.name: row.n for row in rows}


def read_counts(connection: sa.Connection, prefix: str = "") -> dict[State, int]:
    """Cases in each state, all or below a prefix such as `unit:drainage:`. States without cases are 0."""
    names = [f"{prefix}state:{state.value}" for state in State]
    rows = connection.execute(sa.select(counters.c.name, counters.c.n).where(counters.c.name.in_(names)))
    found = {name.rsplit(":", 1)[1]: n for name, n in rows}
    return {state: found.get(state.value, 0) for state in State}


def recount(connection: sa.Connection, cases: Iterable[Case]) -> None:
    """Rebuild all counters from the cases given and from the other tables."""
    totals = Counter(name for case in cases for name in counter_names(case))
    _replace(connection, totals + _totals_beside(connection))


def recount_all(connection: sa.Connection) -> None:
    """Rebuild all counters from what is stored, counted by the database."""
    _replace(connection, _totals(connection))


def _replace(connection: sa.Connection, totals: Counter[str]) -> None:
    connection.execute(sa.delete(counters))
    if totals:
        connection.execute(sa.insert(counters), [{"name": name, "n": n} for name, n in totals.items()])


def differing(connection: sa.Connection) -> list[str]:
    """Names of counters that are not what the tables say; for `doctor`. Counted by the database, so that a million cases
    need no million objects."""
    totals = _totals(connection)
    kept: dict[str, int] = {name: n for name, n in connection.execute(sa.select(counters)) if n}
    return sorted(name for name in totals.keys() | kept.keys() if totals.get(name) != kept.get(name))


def _totals(connection: sa.Connection) -> Counter[str]:
    columns = TABLES[Case].table.c
    lacks = sa.or_(columns.subclass_code == "", columns.place_text == "")
    parts = (columns.state, columns.channel, columns.urgency, columns.unit, columns.operator_id)
    totals: Counter[str] = Counter()
    rows = connection.execute(sa.select(*parts, lacks, sa.func.count()).group_by(*parts, lacks))
    for state, channel, urgency, unit, operator_id, is_lacking, n in rows:
        for name in _names(State(state), channel, Urgency(urgency), unit, operator_id, lacks=bool(is_lacking)):
            totals[name] += n
    return totals + _totals_beside(connection)


def _totals_beside(connection: sa.Connection) -> Counter[str]:
    """What is counted of tasks, requests and debts."""
    tasks, requests, debts = (TABLES[kind].table.c for kind in (Task, Request, Debt))
    count = sa.func.count()
    totals: Counter[str] = Counter()
    for kind, n in connection.execute(sa.select(tasks.kind, count).where(tasks.state == "open").group_by(tasks.kind)):
        totals[f"task:{kind}"] = n
    pending = sa.select(requests.kind, count).where(requests.state == "pending").group_by(requests.kind)
    for kind, n in connection.execute(pending):
        totals[f"request:{kind}"] = n
    owed = TABLES[CallBack].table.c.state.in_(("owed", "dialling"))
    totals["callback"] = connection.execute(sa.select(count).where(owed)).scalar_one()
    totals["debt"] = connection.execute(sa.select(count).where(debts.end == "")).scalar_one()
    return totals
