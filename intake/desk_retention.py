"""Erasing what the desk and the channels keep beside cases, once it has served: drafts nobody finished, notes on how calls ended,
lists of orders never taken in, pieces of messages that could not be joined."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from intake.desk_record import CallSummary, Draft
from intake.joining import Piece
from intake.model import Case
from intake.order import SheetHeld
from intake.ports import Work
from intake.retention import Periods, has_served

SHEETS_KEPT = timedelta(days=7)
"""A list that was looked at and not taken in for a week was given up."""
KINDS = ("drafts", "summaries", "sheets", "pieces")


def before_of(kind: str, periods: Periods, now: datetime) -> datetime:
    """What is older has served: as old as the words of a case may get, lists a week."""
    return now - SHEETS_KEPT if kind == "sheets" else periods.ended_before("messages", now)


def _erase_draft(work: Work, draft_id: int, _periods: Periods) -> bool:
    draft = work.get(Draft, draft_id, lock=True)
    if draft is None:
        return False
    # That of a call stays as a row, because every call needs its summary.
    work.change(draft, replace(draft, caller="", typed="", version=draft.version + 1))
    return True


def _erase_summary(work: Work, summary_id: int, periods: Periods) -> bool:
    summary = work.get(CallSummary, summary_id, lock=True)
    case = work.get(Case, summary.case_no) if summary and summary.case_no else None
    if summary is None or (case is not None and not has_served(work, case, "messages", periods)):
        return False
    work.change(summary, replace(summary, note="", caller_key=""))
    return True


def _remove_sheet(work: Work, user_id: int, _periods: Periods) -> bool:
    return bool(work.remove(SheetHeld, user_id=user_id))


def _remove_piece(work: Work, piece_id: int, _periods: Periods) -> bool:
    return bool(work.remove(Piece, piece_id=piece_id))


ERASERS: dict[str, Callable[[Work, int, Periods], bool]] = {
    "drafts": _erase_draft, "summaries": _erase_summary, "sheets": _remove_sheet, "pieces": _remove_piece,
}  # fmt: skip
