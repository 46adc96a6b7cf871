"""The telephone's tables. Numbers, names, positions and drafts of transcripts are sealed; numbers are found by hash.

An open call-back holds its number's hash in `open_key`, which is unique: a number is never owed two at once, whatever
several gateways do at the same time.
"""

from typing import Any

import sqlalchemy as sa

from intake.call import Call, CallBack, CallRecording, LineSpell, Mark, OperatorLine, Playback, Told
from intake.store.mapping import RecordTable
from intake.vault import Vault

NUMBER = "phone"
"""Hashed for the same purpose as a contact's telephone, so that a caller's cases and calls are found by one hash."""
UNDRAFTED = "kind = 'message' AND size > 0 AND transcribed_at IS NULL"
"""Messages that are here and have no draft of their words yet (sounds_due.py)."""


def number_hash(record: Call | CallBack | Mark, vault: Vault) -> str:
    return vault.lookup_hash(record.caller if isinstance(record, Call) else record.number, NUMBER)


def _open_key(owed: CallBack, vault: Vault) -> str:
    return number_hash(owed, vault) if owed.is_open else f"#{owed.callback_id}"


def phone_tables(metadata: sa.MetaData) -> tuple[RecordTable[Any], ...]:
    """The tables on the shared metadata; tables.py registers them."""
    numbered = {"number_hash": (sa.Text(), number_hash)}
    return (
        RecordTable(
            Call, "calls", metadata, key=["call_id"],
            sealed={"sealed": ("caller", "name", "note", "transfers", "giving"), "sealed_position": ("position",)},
            derived={**numbered, "live": (sa.Boolean(), lambda call, _: call.ended_at is None)},
            extra=[sa.UniqueConstraint("server", "leg_id"), sa.Index(None, "number_hash", "call_id"), sa.Index(None, "case_no"),
                   sa.Index(None, "ref"),
                   sa.Index("ix_calls_live", "call_id", sqlite_where=sa.text("live"), postgresql_where=sa.text("live")),
                   sa.Index("ix_calls_unended", "call_id", sqlite_where=sa.text("\"end\" = ''"),
                            postgresql_where=sa.text("\"end\" = ''")),
                   sa.Index("ix_calls_unsummed", "operator_id", "call_id", sqlite_where=sa.text("summary = ''"),
                            postgresql_where=sa.text("summary = ''"))],
        ),
        RecordTable(
            CallRecording, "recordings", metadata, key=["recording_id"], sealed={"sealed": ("transcript",)},
            extra=[sa.UniqueConstraint("token"), sa.UniqueConstraint("call_id", "name"), sa.Index(None, "case_no"),
                   sa.Index(None, "stored_at", "recording_id"),
                   sa.Index("ix_recordings_undrafted", "recording_id", sqlite_where=sa.text(UNDRAFTED),
                            postgresql_where=sa.text(UNDRAFTED))],
        ),
        RecordTable(
            CallBack, "callbacks", metadata, key=["callback_id"], sealed={"sealed": ("number",)},
            derived={**numbered, "open_key": (sa.Text(), _open_key)},
            extra=[sa.UniqueConstraint("open_key"), sa.Index(None, "state", "place_at", "callback_id"),
                   sa.Index(None, "number_hash")],
        ),
        RecordTable(OperatorLine, "operator_lines", metadata, key=["user_id"],
                    extra=[sa.Index(None, "extension"), sa.Index(None, "call_id")]),
        RecordTable(LineSpell, "line_spells", metadata, key=["spell_id"], extra=[sa.Index(None, "user_id", "from_at")]),
        RecordTable(
            Mark, "marks", metadata, key=["mark_id"], sealed={"sealed": ("number", "reason")}, derived=numbered,
            extra=[sa.Index(None, "number_hash")],
        ),
        RecordTable(Told, "told", metadata, key=["told_id"], extra=[sa.Index(None, "call_id"), sa.Index(None, "case_no")]),
        RecordTable(Playback, "playbacks", metadata, key=["playback_id"], extra=[sa.Index(None, "recording_id")]),
    )  # fmt: skip
