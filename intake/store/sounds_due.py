"""Recordings of which something is still to be done, oldest first. What never will be (given up, erased, talks that nobody
transcribes) is passed over by the database: read here and set aside, enough of it would keep every new one waiting.
"""

from typing import Literal

import sqlalchemy as sa

from intake.call import CallRecording
from intake.store.mapping import RecordTable
from intake.store.tables import TABLES
from intake.store.tables_phone import UNDRAFTED
from intake.vault import Vault

Due = Literal["fetch", "draft"]
SOUNDS: RecordTable[CallRecording] = TABLES[CallRecording]
C = SOUNDS.table.c
WHOLE = sa.select(*(C[name] for name in SOUNDS.columns)).order_by(C.recording_id).limit(sa.bindparam("most"))
STATEMENTS: dict[Due, sa.Select[tuple[object, ...]]] = {
    "fetch": WHOLE.where(C.stored_at.is_(None), C.erased_at.is_(None), C.ref != "", C.attempts < sa.bindparam("attempts")),
    # The condition of the partial index, written out: behind parameters it would not be seen.
    "draft": WHOLE.where(sa.text(UNDRAFTED)),
}


def recordings_due(connection: sa.Connection, vault: Vault, due: Due, *, most: int, attempts: int) -> list[CallRecording]:
    """Those to be fetched from the exchange in fewer than `attempts`, or messages whose words are to be drafted."""
    rows = connection.execute(STATEMENTS[due], {"most": most, "attempts": attempts} if due == "fetch" else {"most": most})
    return [SOUNDS.record_from(row, vault) for row in rows]
