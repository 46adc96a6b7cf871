"""A switchboard in memory: keeps positions and what it is told, answers acts from a table."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from intake.call import Call, CallRecording, OperatorLine
from intake.commands.dial import sample_outside
from intake.errors import Unavailable
from intake.phone_profile import EmergencyContact
from intake.telephony import Found, Ring
from ivr.commands import Ask

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


@dataclass
class FakeAudio:
    waiting: list[CallRecording] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, token: str, pieces: AsyncIterator[bytes], *, mime: str = "audio/wav") -> None:
        self.stored[token] = b"".join([piece async for piece in pieces])
        self.waiting = [each for each in self.waiting if each.token != token]

    async def wanted(self) -> list[CallRecording]:
        return list(self.waiting)

    async def failed(self, token: str, why: str) -> None:
        self.failures.append((token, why))


@dataclass
class FakeLines:
    rows: list[OperatorLine] = field(default_factory=list)

    async def wanted(self) -> list[OperatorLine]:
        return self.rows


@dataclass
class FakeBoard:
    """`acts` names another result for an act; `told` is everything it was told, in order."""

    acts: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    is_down: bool = False
    calls: dict[int, Call] = field(default_factory=dict)
    positions: dict[int, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    told: list[tuple[Any, ...]] = field(default_factory=list)
    outcomes: dict[int, Any] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    audio: FakeAudio = field(default_factory=FakeAudio)
    lines: FakeLines = field(default_factory=FakeLines)

    async def ring(self, ring: Ring) -> Call:
        for call in self.calls.values():
            if (call.server, call.leg_id) == (ring.server, ring.leg_id):
                return call
        call = Call(len(self.calls) + 1, "in", ring.server, ring.leg_id, ring.line, ring.at, caller=ring.caller, name=ring.name)
        self.calls[call.call_id] = call
        return call

    async def call(self, call_id: int) -> Call:
        return self.calls[call_id]

    async def facts(self, call_id: int) -> dict[str, str]:
        call = self.calls[call_id]
        return {"number": call.line, "caller": call.caller, **self.given}

    async def keep_position(self, call_id: int, position_json: str) -> None:
        if self.is_down:
            raise Unavailable
        self.positions[call_id] = position_json
        self.kept.append(position_json)

    async def position_of(self, call_id: int) -> str | None:
        return self.positions.get(call_id)

    async def ask(self, call_id: int, act: str, values: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        self.told.append(("ask", call_id, act, dict(values)))
        result = sample_outside(self.acts)(Ask(act, values, 0))
        target = {"target": values["phone"]} if act == "dial_citizen" else {}
        return result.result, {**result.values, **target}

    async def queue_of(self, call_id: int) -> str:
        return self.given.get("queue", "hotline")

    async def queued(self, call_id: int, queue: str) -> None:
        self.told.append(("queued", call_id, queue))

    async def ringing(self, call_id: int, extension: str) -> None:
        self.told.append(("ringing", call_id, extension))

    async def not_answered(self, call_id: int, extension: str) -> None:
        self.told.append(("not_answered", call_id, extension))

    def notices(self) -> list[str]:
        return []

    def duty(self) -> EmergencyContact | None:
        return EmergencyContact("duty", "值班", "00000001", "duty")

    async def answered(self, call_id: int, extension: str) -> None:
        self.told.append(("answered", call_id, extension))
        self.calls[call_id] = replace(self.calls[call_id], answered_at=NOW, extension=extension, giving="")

    async def left(self, call_id: int, who: str) -> None:
        self.told.append(("left", call_id, who))

    async def rang(self, call_id: int, result: str) -> None:
        self.told.append(("rang", call_id, result))

    async def recorded(self, call_id: int, name: str, ref: str, seconds: float, *, kind: str = "message") -> None:
        self.told.append(("recorded", call_id, name, ref, seconds, kind))

    async def finish(self, call_id: int, outcome: Any) -> None:
        self.outcomes[call_id] = outcome
        self.calls[call_id] = replace(self.calls[call_id], end=outcome.end)
        self.positions.pop(call_id, None)

    async def hung_up(self, call_id: int, at: datetime, cause: str = "") -> None:
        self.told.append(("hung_up", call_id, cause))
        self.ended.set()

    async def live(self) -> Sequence[Call]:
        return [call for call in self.calls.values() if call.ended_at is None]

    async def gone(self, call_id: int, at: datetime) -> None:
        self.told.append(("gone", call_id))
        self.calls[call_id] = replace(self.calls[call_id], ended_at=at)

    async def found(self, found: Found) -> Call:
        self.told.append(("found", found))
        return await self.ring(Ring(found.server, found.leg_id, found.line, found.caller, found.started_at))

    def events(self, name: str) -> list[tuple[Any, ...]]:
        return [each for each in self.told if each[0] == name]
