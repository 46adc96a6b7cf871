"""From what a caller said to a report: recordings become the sound of a case through the gateway's ordinary way in.

The provider id is the call and the take, so that saving during the call, at its end and again after a crash is one report.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from intake.call import Call, CallRecording
from intake.callback import RINGABLE
from intake.codes import new_secret
from intake.model import Inbound, Photo
from intake.switchboard_audio import bind_recordings
from intake.switchboard_parts import Parts

MESSAGE = "【电话留言】录音{seconds}秒，待听录音整理。"
CUT_SHORT = "【电话来电】未说完即挂断，{parts}。"


class Reports:
    """Takes in what callers leave."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def register(
        self, call_id: int, name: str, ref: str, seconds: float, *, kind: str = "message", sha256: str = ""
    ) -> CallRecording:
        """Write down that the exchange holds a recording. A second take of the same name replaces the first."""
        file = await self._parts.calls.file(call_id)
        held = next((one for one in file.recordings if one.name == name), None)
        return await self._parts.calls.keep_recording(CallRecording(
            recording_id=held.recording_id if held else self._parts.gateway.store.next_id(), call_id=call_id, name=name,
            kind=kind, ref=ref, token=held.token if held else new_secret(), server=file.call.server,
            duration_ms=max(0, round(seconds * 1000)), made_at=self._parts.gateway.now(), sha256=sha256,
            case_no=held.case_no if held else 0,
        ))  # fmt: skip

    async def save(self, call_id: int, *, refs: Iterable[str], keyed: str = "") -> int:
        """Make recordings (by reference) a report, with what was keyed; returns its number, the same when asked again."""
        file = await self._parts.calls.file(call_id)
        wanted = set(refs)
        takes = tuple(one for one in file.recordings if one.ref in wanted)
        inbound = report_of(file.call, takes, at=self._parts.gateway.now(), keyed=keyed)
        received = await self._parts.gateway.take_in(inbound)
        await self._bind(file.call, received.case_no)
        return received.case_no

    async def _bind(self, call: Call, case_no: int) -> None:
        """The call leads to its case. A second report of one call (a message after a talk) keeps the first as the call's."""
        await self._parts.calls.change(
            call.call_id, lambda c: replace(c, case_no=c.case_no or case_no, summary=c.summary or "message"),
            also=bind_recordings,
        )  # fmt: skip


def report_of(call: Call, takes: tuple[CallRecording, ...], *, at: datetime, keyed: str = "") -> Inbound:
    """The report. Sound travels with it like a picture, so that the spool and the journal keep it too."""
    seconds = sum(one.duration_ms for one in takes) // 1000
    parts = [f"录音{seconds}秒" if takes else "", f"按键内容：{keyed}" if keyed else ""]
    text = MESSAGE.format(seconds=seconds) if takes and not keyed else CUT_SHORT.format(parts="，".join(filter(None, parts)))
    name = "-".join(sorted(one.name for one in takes))
    return Inbound(
        channel="phone", provider_id=f"call:{call.call_id}:{name or 'keys'}", received_at=at, text=text,
        address=call.caller, phone=call.caller, name=call.name, anonymous=not call.caller,
        wants_reply=call.caller_kind in RINGABLE, photos=tuple(_sound(one) for one in takes),
    )  # fmt: skip


def _sound(take: CallRecording) -> Photo:
    return Photo(take.token, take.sha256, take.mime, 0, 0, take.size, taken_at=take.made_at)
