"""Erasing what is personal in calls that have served: number, name, note, what was keyed, sound and its words.

A call with a case keeps everything as long as the case does; one without is as old as its end.
"""

from dataclasses import replace

from intake.call import Call, CallBack, CallRecording, Mark, forgotten
from intake.model import Case
from intake.ports import Work
from intake.retention import Erased, Periods, has_served


def erase_call(work: Work, call_id: int, periods: Periods) -> Erased:
    """Erase a call; nothing of one whose case has not served. `files` are recordings to be deleted after the commit."""
    call = work.get(Call, call_id, lock=True)
    if call is None or not _may_go(work, call, periods):
        return Erased(0)
    sounds = [one for one in work.find(CallRecording, call_id=call_id) if one.erased_at is None]
    for sound in sounds:
        work.change(sound, forgotten(sound, work.now))
    work.change(call, replace(call, caller="", name="", note="", position=""))
    for owed in work.find(CallBack, call_id=call_id):
        work.change(owed, replace(owed, number=""))
    for mark in work.find(Mark, call_id=call_id):
        work.change(mark, replace(mark, number="", reason=""))
    return Erased(call.case_no, {"calls": 1}, tuple(sound.token for sound in sounds))


def _may_go(work: Work, call: Call, periods: Periods) -> bool:
    """Not while somebody is owed a call back on account of it, or a mark it is the evidence for is in force."""
    if any(owed.is_open for owed in work.find(CallBack, call_id=call.call_id)):
        return False
    if any(mark.expires_at >= work.now for mark in work.find(Mark, call_id=call.call_id)):
        return False
    case = work.get(Case, call.case_no) if call.case_no else None
    return case is None or all(has_served(work, case, kind, periods) for kind in ("contacts", "recordings"))
