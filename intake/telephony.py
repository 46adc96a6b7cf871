"""The telephony port: what the switchboard and the desk may ask of the telephone exchange, and what they are told.

The real side stands in channels/phone/, a fake in tests/. Numbers are in the form in which this city dials them. Nothing
here knows Asterisk; a call is known by our own number, the exchange's channel is a leg.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from intake.errors import Refused


class NoVoice(Refused):
    """There is no synthesiser to say free text with."""

    def __init__(self) -> None:
        super().__init__("没有安装语音合成，不能由系统播报。")


@dataclass(frozen=True, slots=True)
class Ring:
    """An incoming call as the exchange tells it; `caller` and `name` raw, whatever a carrier put there."""

    server: str
    leg_id: str
    line: str
    caller: str
    at: datetime
    name: str = ""
    flow: str = "hotline"


@dataclass(frozen=True, slots=True)
class Found:
    """A call that took place while the gateway was away, from the exchange's queue log or its call records."""

    server: str
    leg_id: str
    line: str
    caller: str
    started_at: datetime
    ended_at: datetime
    queued_at: datetime | None = None
    answered_at: datetime | None = None
    extension: str = ""
    name: str = ""


class Take(Protocol):
    """A recording as the flow's engine names it (ivr.position.Recording)."""

    @property
    def name(self) -> str: ...
    @property
    def ref(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def saved(self) -> bool: ...


class CallEnd(Protocol):
    """How a flow ended (ivr.position.Outcome, met by shape because the core imports no flow)."""

    @property
    def flow(self) -> str: ...
    @property
    def end(self) -> str: ...
    @property
    def how(self) -> str: ...
    @property
    def answers(self) -> Mapping[str, str]: ...
    @property
    def recordings(self) -> Sequence[Take]: ...
    @property
    def taken_in(self) -> bool: ...
    @property
    def call_back(self) -> bool: ...
    @property
    def queued(self) -> bool: ...
    @property
    def served(self) -> bool: ...


class Telephony(Protocol):
    """Acts on calls. Each raises Unavailable while the exchange cannot be reached and Refused when it says no; what was
    asked has then not been done. Returns when the exchange has accepted; what happens next is told to the switchboard."""

    async def call(self, extension: str, number: str, *, call_id: int, kind: str) -> None:
        """Ring the operator, then the number. `extension` may be a unit's own number outside (先行联系)."""

    async def offer_callback(self, extension: str, *, call_id: int) -> None:
        """Ring the operator and lead him through the flow `callback`; nobody else is rung before he confirms."""

    async def dial_citizen(self, call_id: int, number: str, *, timeout_s: float) -> str:
        """The call-back's second leg: answered (may be dialled, or is), no_answer, busy or refused."""

    async def prepare_reply(self, words: str, *, case_no: int) -> None:
        """Have every word of a reply ready to be heard before anybody is rung. Raises NoVoice when that cannot be had here,
        Unavailable when it is not ready yet."""

    async def reply_by_voice(self, number: str, *, call_id: int) -> None:
        """Ring the citizen and lead him through the flow `reply_by_voice`; its end comes through `finish`."""

    async def hang_up(self, call_id: int) -> None: ...
    async def hold(self, call_id: int) -> None: ...
    async def unhold(self, call_id: int) -> None: ...

    async def transfer(self, call_id: int, to: str, *, warm: bool) -> None:
        """Give the citizen to another extension or number; `warm`: the operator speaks first."""

    async def queue_again(self, call_id: int) -> None:
        """Lead a citizen who is talked with back to his flow, which has him wait for another operator."""

    async def three_way(self, call_id: int, to: str) -> None:
        """三方通话."""

    async def listen(self, extension: str, call_id: int) -> None:
        """监听: the shift leader hears both."""

    async def whisper(self, extension: str, call_id: int) -> None:
        """密语: the operator alone hears the shift leader."""

    async def log_in(self, extension: str, user_id: int, *, skills: Sequence[str] = ()) -> None:
        """Make the telephone a member of the operators' queues, paused until `unpause`."""

    async def log_out(self, extension: str) -> None: ...
    async def pause(self, extension: str, reason: str) -> None: ...
    async def unpause(self, extension: str) -> None: ...
