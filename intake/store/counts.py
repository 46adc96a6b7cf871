"""Kept counters: which ones a case stands in, so that no list ever needs count(*).

A counter's name is a path such as `state:reported` or `unit:drainage:state:handling`. Reading them is one look-up.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from intake.model import Case, State
from intake.store.tables import counters
from intake.workflow import LIVE


def counter_names(case: Case) -> list[str]:
    """Every counter the case adds one to."""
    state = case.state.value
    names = [f"state:{state}", f"channel:{case.channel}:state:{state}"]
    if case.state in LIVE:
        names.append(f"urgency:{case.urgency.value}")
    if case.unit:
        names.append(f"unit:{case.unit}:state:{state}")
    if case.operator_id:
        names.append(f"operator:{case.operator_id}:state:{state}")
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
