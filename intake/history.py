"""The flow record of a case: one entry for each step, chained by digests so that a change or a gap can be seen.

Entries hold references only (ids, codes, counts), never personal words. The database refuses to change them
(store/triggers.py); `verify_chain` shows whether somebody did so all the same.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from intake.model import Actor, Case, State
from intake.records import HistoryEntry

_written = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def entry_digest(entry: HistoryEntry, previous: str) -> str:
    """SHA-256 over the previous digest and every field of the entry, in a fixed form."""
    fields = (
        previous, entry.case_no, entry.seq, entry.at.timestamp(), entry.step, entry.actor_id, entry.actor_role.value,
        entry.from_state, entry.to_state, entry.round, entry.unit, entry.refs,
    )  # fmt: skip
    return hashlib.sha256(_written(fields).encode()).hexdigest()


def append_entry(
    before: State | None, case: Case, *, step: str, actor: Actor, at: datetime, refs: Mapping[str, object]
) -> tuple[Case, HistoryEntry]:
    """Write down that `step` led from state `before` to `case.state`; returns the case with its new chain head."""
    entry = HistoryEntry(
        case_no=case.case_no,
        seq=case.history_length + 1,
        at=at,
        step=step,
        actor_id=actor.user_id,
        actor_role=actor.role,
        from_state=before.value if before else "",
        to_state=case.state.value,
        round=case.round,
        unit=case.unit,
        refs=refs,
    )
    entry = replace(entry, digest=entry_digest(entry, case.history_digest))
    return replace(case, history_length=entry.seq, history_digest=entry.digest), entry


def verify_chain(entries: Iterable[HistoryEntry], case: Case) -> str:
    """Empty when the chain is whole, otherwise what is wrong: `gap N`, `changed N` or `cut` (the end is missing)."""
    previous, seq = "", 0
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            return f"gap {seq}"
        if entry_digest(entry, previous) != entry.digest:
            return f"changed {seq}"
        previous = entry.digest
    return "" if (seq, previous) == (case.history_length, case.history_digest) else "cut"
