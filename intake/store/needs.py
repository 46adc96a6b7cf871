"""Conditions on a case beside its own columns: what is open about it, and whose telephone number it came from."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from intake.model import Case
from intake.records import Contact, Debt, Reporter, Request, Task
from intake.store.counts import LACKING
from intake.store.tables import TABLES
from intake.vault import Vault

CASES = TABLES[Case].table.c
TAIL_DIGITS = 4


def conditions(needs: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """Cases that have at least one of the open things named (intake.queue.QueueFilter.needs)."""
    found = [_need(name) for name in needs]
    return [sa.or_(*found)] if found else []


def _need(name: str) -> sa.ColumnElement[bool]:
    of, _, kind = name.partition(":")
    if of == "lacking":
        lacks = sa.or_(CASES.subclass_code == "", CASES.place_text == "")
        return sa.and_(CASES.state.in_(sorted(state.value for state in LACKING)), lacks)
    return CASES.case_no.in_(_numbers(of, kind))


def _numbers(of: str, kind: str) -> sa.Select[Any]:
    columns = TABLES[{"task": Task, "request": Request, "debt": Debt}[of]].table.c
    wanted = sa.select(columns.case_no)
    if of == "debt":
        return wanted.where(columns.end == "")
    return wanted.where(columns.state == ("open" if of == "task" else "pending"), columns.kind == kind)


def by_phone(vault: Vault, *, whole: str, tail: str) -> sa.ColumnElement[bool]:
    """Cases somebody reported from a number, told whole (normal form) or by its last four digits."""
    contacts, reporters = TABLES[Contact].table.c, TABLES[Reporter].table.c
    if whole:
        hit = contacts.phone_hash == vault.lookup_hash(whole, "phone")
    else:
        hit = contacts.tail_hash == vault.lookup_hash(tail, "phone tail")
    persons = sa.select(contacts.contact_id).where(hit)
    # Who is hidden in a confidential case must not be found by his number either.
    shown = sa.select(reporters.case_no).where(reporters.contact_id.in_(persons), reporters.confidential.is_(sa.false()))
    return CASES.case_no.in_(shown)
