"""What is kept of a person beside his contacts and cases: calls with their recordings, call-backs, marks, what operators wrote
down while he talked, lists of orders that name him. Found by his number, told to him, erased (person.py).

A mark in force stays until it expires (retention): it protects the people who answer, and its period is short.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from intake.call import OWN_ENDS, PURPOSES, SUMMARIES, Call, CallBack, CallRecording, Mark, Playback, forgotten
from intake.desk_record import CallSummary, Draft
from intake.errors import Refused
from intake.joining import Piece
from intake.model import Actor
from intake.order import SheetHeld
from intake.pieces import unpacked
from intake.ports import Work
from intake.records import Attachment
from intake.retention import Erased
from intake.vault import Vault


@dataclass(frozen=True, slots=True)
class Traces:
    """What was found of one number."""

    calls: tuple[Call, ...] = ()
    recordings: tuple[CallRecording, ...] = ()
    callbacks: tuple[CallBack, ...] = ()
    marks: tuple[Mark, ...] = ()
    summaries: tuple[CallSummary, ...] = ()
    drafts: tuple[Draft, ...] = ()
    sheets: tuple[SheetHeld, ...] = ()
    pieces: tuple[Piece, ...] = ()


def traces_of(work: Work, vault: Vault, phone: str) -> Traces:
    """Everything by the number's hash; of drafts, lists and waiting pieces, which are few, by looking into them."""
    hashed = vault.lookup_hash(phone, "phone")
    calls = tuple(work.find(Call, number_hash=hashed))
    numbers = {call.call_id for call in calls}
    return Traces(
        calls,
        tuple(sound for call in calls for sound in work.find(CallRecording, call_id=call.call_id)),
        tuple(work.find(CallBack, number_hash=hashed)),
        tuple(work.find(Mark, number_hash=hashed)),
        tuple(work.find(CallSummary, caller_key=hashed)),
        tuple(one for one in work.find(Draft, ended_at=None) if one.call_id in numbers or _names(one.caller + one.typed, phone)),
        tuple(one for one in work.find(SheetHeld) if _names(one.lines, phone)),
        tuple(one for one in work.find(Piece, joined_at=None) if phone in ((said := unpacked(one)).phone, said.address)),
    )


def _names(text: str, phone: str) -> bool:
    digits = "".join(char for char in text if char.isdigit())
    return phone.removeprefix("+86").lstrip("+") in digits


def told(traces: Traces) -> dict[str, object]:
    """The person's copy, as plain values; who of the staff did what is not his data."""
    return {
        "calls": [
            {"at": call.started_at.isoformat(), "purpose": PURPOSES.get(call.purpose, call.purpose), "line": call.line,
             "name": call.name, "note": call.note, "end": SUMMARIES.get(call.summary) or OWN_ENDS.get(call.summary, ""),
             "case_no": call.case_no or None, "rating": call.rating or None,
             "recordings": [_sound(one) for one in traces.recordings if one.call_id == call.call_id]}
            for call in traces.calls
        ],
        "call_backs": [{"at": one.owed_at.isoformat(), "state": one.state, "reason": one.reason} for one in traces.callbacks],
        "marks": [{"at": one.made_at.isoformat(), "until": one.expires_at.isoformat(), "reason": one.reason}
                  for one in traces.marks],
        "call_notes": [{"at": one.at.isoformat(), "text": one.note} for one in traces.summaries if one.note],
        "drafts": [{"at": one.updated_at.isoformat(), "typed": json.loads(one.typed or "{}")} for one in traces.drafts],
    }  # fmt: skip


def _sound(one: CallRecording) -> dict[str, object]:
    return {"kind": one.kind, "made_at": one.made_at.isoformat(), "duration_ms": one.duration_ms, "token": one.token,
            "transcript": one.transcript, "is_kept": bool(one.size)}  # fmt: skip


def sounds_of_case(work: Work, case_no: int) -> list[dict[str, object]]:
    """The voice notes of a case that began with his report; what was said by telephone stands with its call."""
    return [_sound(one) for one in work.find(CallRecording, case_no=case_no) if not one.call_id]


def note_export(work: Work, traces: Traces, actor: Actor, *, reason: str) -> None:
    """Calls without a case have no case whose views could say so: a row without a recording does (store/seen.py)."""
    work.add(*(Playback(work.new_id(), 0, call.call_id, actor.user_id, work.now, reason.strip()[:200])
               for call in traces.calls if not call.case_no))  # fmt: skip


def refuse_under_way(traces: Traces) -> None:
    """Raise Refused while he talks or a message of his is not whole yet."""
    if any(not call.is_over for call in traces.calls):
        raise Refused("该号码正在通话中，请在通话结束后再试。")
    if traces.pieces:
        raise Refused("该号码还有尚未收齐的短信，请一分钟后再试。")


def erase_traces(work: Work, traces: Traces) -> Erased:
    """Erase it all, marks in force excepted. `files` are recordings to be deleted after the commit."""
    sounds = [one for one in traces.recordings if one.erased_at is None]
    for sound in sounds:
        _erase_sound(work, sound)
    for call in traces.calls:
        work.change(call, replace(call, caller="", name="", note="", position=""))
    for owed in traces.callbacks:
        ended = replace(owed, state="cancelled", closed_at=work.now, outcome="erased") if owed.is_open else owed
        work.change(owed, replace(ended, number=""))
    for mark in traces.marks:
        if mark.expires_at < work.now:
            work.change(mark, replace(mark, number="", reason=""))
    _erase_words(work, traces.summaries, traces.drafts)
    for sheet in traces.sheets:
        work.remove(SheetHeld, user_id=sheet.user_id)
    counts = {"calls": len(traces.calls), "recordings": len(sounds), "drafts": len(traces.drafts)}
    return Erased(0, {kind: n for kind, n in counts.items() if n}, tuple(sound.token for sound in sounds))


def _erase_sound(work: Work, sound: CallRecording) -> None:
    work.change(sound, forgotten(sound, work.now))
    shown = work.get(Attachment, sound.token)
    if shown is not None and shown.size:
        work.change(shown, replace(shown, size=0, sha256=""))


def _erase_words(work: Work, summaries: Iterable[CallSummary], drafts: Iterable[Draft]) -> None:
    for summary in summaries:
        work.change(summary, replace(summary, note="", caller_key=""))
    for draft in drafts:
        # A window that is still open on it is told that somebody else changed it.
        work.change(draft, replace(draft, caller="", typed="", version=draft.version + 1))
