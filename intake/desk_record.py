"""What the desk keeps for its people: saved views, drafts of calls, how calls ended, notices.

Stored beside the records of records.py, in tables of store/tables_desk.py. What a caller said or is called stands sealed;
who called is kept as a keyed hash (`caller_key`), by which he is found again but cannot be read.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SavedView:
    """A queue somebody wants to come back to. `query` is the query string of the queue's page."""

    saved_id: int
    user_id: int
    name: str
    query: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A call being written down (草稿箱). `typed` is a JSON object of the form's fields, sealed; it is emptied at the end.

    `version` grows with each save, so that two windows on one draft do not overwrite each other. `case_no` is the case it
    became. A draft without `call_id` was opened by hand; `late` ones copy an emergency paper form (补录).
    """

    draft_id: int
    user_id: int
    created_at: datetime
    updated_at: datetime
    version: int = 1
    call_id: int = 0
    late: bool = False
    case_no: int = 0
    ended_at: datetime | None = None
    outcome: str = ""
    caller: str = ""
    typed: str = ""


@dataclass(frozen=True, slots=True)
class CallSummary:
    """来电小结: how a call ended (call_end.OUTCOMES). `article` names the knowledge article that answered it."""

    summary_id: int
    draft_id: int
    user_id: int
    at: datetime
    outcome: str
    call_id: int = 0
    case_no: int = 0
    article: str = ""
    caller_key: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """临时公告: words for everybody who answers calls from an area, while it holds. An empty `area` is the whole city."""

    notice_id: int
    area: str
    text: str
    from_at: datetime
    until_at: datetime
    made_by: int
    ended_at: datetime | None = None
