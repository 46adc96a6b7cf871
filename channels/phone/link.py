"""The link to one Asterisk over AMI: the only importer of panoramisk, whose faults end here (docs/telephony.md).

panoramisk writes actions and reads messages. Connecting, time-outs, pings and what is waited for are ours: an action is
sent once, on the connection that is up now, and answered, refused or failed; none is ever sent again later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from panoramisk.actions import Action  # type: ignore[import-untyped]
from panoramisk.ami_protocol import AMIProtocol  # type: ignore[import-untyped]
from panoramisk.message import Message  # type: ignore[import-untyped]

from channels.phone import Server
from channels.phone.told import Told, is_forged
from intake.errors import BadInput, Refused, Unavailable

BANNER = b"Asterisk Call Manager/"
END = b"\r\n\r\n"
MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of one message; a longer one is skipped and the link goes on."""
MAX_LIST = 50_000
ALWAYS: Mapping[str, Mapping[str, str]] = {"originate": {"Async": "true"}}
"""Headers an action always has. Originate without Async would hold up every other action until somebody answers."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. A ping unanswered for `pong_s` means that the other end is gone though the connection still stands."""

    connect_s: float = 5.0
    reply_s: float = 5.0
    list_s: float = 20.0
    ping_s: float = 10.0
    pong_s: float = 5.0
    rest_s: float = 0.5
    longest_rest_s: float = 15.0


@dataclass(slots=True)
class _Asked:
    """An action under way. `listed`: its answer is a list of events up to one that says it is complete."""

    answer: "asyncio.Future[list[Told]]"
    listed: bool
    told: list[Told] = field(default_factory=list)


class _Wire(AMIProtocol):  # type: ignore[misc]
    """panoramisk's protocol with its reading, its bookkeeping of answers and its way of ending replaced."""

    def __init__(self, tell: Callable[[Told], None]) -> None:
        self.tell = tell
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.greeted = False
        self.asked: dict[str, _Asked] = {}
        self._buffer = bytearray()
        self._scanned = 0
        self._skipping = False

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.greeted and not self._greet():
            return
        while (at := self._buffer.find(END, max(0, self._scanned - len(END)))) >= 0:
            raw = bytes(self._buffer[:at])
            del self._buffer[: at + len(END)]
            self._scanned = 0
            if not self._skipping and len(raw) <= MAX_MESSAGE:
                self._message(raw)
            self._skipping = False
        self._scanned = len(self._buffer)
        if self._scanned > MAX_MESSAGE:
            log.error("phone.ami_message_too_long")
            self._skipping = True
            del self._buffer[: -len(END)]
            self._scanned = len(self._buffer)

    def _greet(self) -> bool:
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found and len(line) < 256:
            return False
        self.greeted = line.startswith(BANNER)
        self._buffer = rest
        if not self.greeted:
            log.error("phone.ami_is_not_asterisk")
            self.transport.abort()
        return self.greeted

    def _message(self, raw: bytes) -> None:
        # Whole messages are decoded, never segments, so that no character is cut in two.
        message = Message.from_line(raw.decode("utf-8", "replace").strip("\r\n"))
        if message is None:
            return
        if is_forged(message):
            log.warning("phone.ami_event_forged")
            return
        told = Told(str(message.get("event", "")), {str(name).lower(): _joined(value) for name, value in message.items()})
        asked = self.asked.get(told["actionid"])
        if asked is None:
            if told.event:
                self.tell(told)
        elif _adds(asked, told):
            del self.asked[told["actionid"]]

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is kept for later: who asked learns at once that he has no answer."""
        for asked in self.asked.values():
            if not asked.answer.done():
                asked.answer.set_exception(Unavailable("与电话交换机的连接中断了，不知道是否已经执行。"))
                asked.answer.exception()
        self.asked.clear()
        if not self.lost.done():
            self.lost.set_result(None)

    async def ask(self, action: Action, *, listed: bool, within_s: float) -> list[Told]:
        asked = _Asked(asyncio.get_running_loop().create_future(), listed)
        key = str(action["ActionID"])
        self.asked[key] = asked
        self.transport.write(str(action).encode())
        try:
            async with asyncio.timeout(within_s):
                return await asked.answer
        finally:
            self.asked.pop(key, None)


def _adds(asked: _Asked, told: Told) -> bool:
    """Take a message that belongs to an action; true when it was the last one."""
    asked.told.append(told)
    ended = not asked.listed or told["response"] in ("Error", "Fail", "Failure") or len(asked.told) > MAX_LIST
    ended = ended or told["eventlist"].lower().startswith("complete") or told.event.endswith("Complete")
    if ended and not asked.answer.done():
        asked.answer.set_result(asked.told)
    return ended


def _joined(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


class Link:
    """One Asterisk. `run` holds the connection; `on_up` re-reads the truth after each, `on_event` takes events in order."""

    def __init__(
        self, server: Server, *, on_event: Callable[[Told], None], on_up: Callable[["Link"], Awaitable[None]],
        pace: Pace | None = None,
    ) -> None:  # fmt: skip
        self.server, self.pace = server, pace or Pace()
        self.state = "down"
        self._on_event, self._on_up = on_event, on_up
        self._wire: _Wire | None = None

    @property
    def is_up(self) -> bool:
        return self._wire is not None and not self._wire.lost.done()

    async def act(self, action: str, /, **values: str | int | Sequence[str]) -> Told:
        """Do one thing. Raises Unavailable when Asterisk cannot be reached or does not answer, Refused when it says no,
        BadInput for a value with a line break."""
        return (await self._ask(action, values, listed=False, within_s=self.pace.reply_s))[0]

    async def all_of(self, action: str, /, **values: str | int | Sequence[str]) -> list[Told]:
        """The events an action answers with, without its response and the one that says that it is complete."""
        told = await self._ask(action, values, listed=True, within_s=self.pace.list_s)
        return [each for each in told if each.event and not each.event.endswith("Complete")]

    async def _ask(self, name: str, values: Mapping[str, Any], *, listed: bool, within_s: float) -> list[Told]:
        action = Action({"Action": name, **_checked(values), **ALWAYS.get(name.lower(), {})})
        if self._wire is None or not self.is_up:
            raise Unavailable("与电话交换机的连接中断，请稍后再试。")
        return await self._answered(self._wire, action, listed=listed, within_s=within_s)

    async def _answered(self, wire: _Wire, action: Action, *, listed: bool, within_s: float) -> list[Told]:
        try:
            told = await wire.ask(action, listed=listed, within_s=within_s)
        except TimeoutError:
            log.warning("phone.ami_no_answer", server=self.server.name, action=str(action["Action"]))
            raise Unavailable("电话交换机没有回答，请稍后再试。") from None
        if told[0]["response"] in ("Error", "Fail", "Failure"):
            raise Refused(f"电话交换机拒绝了这项操作（{action['Action']}）。")
        return told

    async def run(self) -> None:
        """Hold the connection until cancelled. An outage is logged once when it begins and once when it ends."""
        rest_s = self.pace.rest_s
        while True:
            try:
                await self.hold()
                rest_s = self.pace.rest_s
            except (OSError, TimeoutError, Unavailable, Refused) as error:
                self._tell_state("refused" if isinstance(error, Refused) else "down")
            await asyncio.sleep(rest_s)
            rest_s = min(2 * rest_s, self.pace.longest_rest_s)

    async def hold(self) -> None:
        """One connection from beginning to end. Raises OSError, TimeoutError, Unavailable, Refused."""
        async with asyncio.timeout(self.pace.connect_s):
            transport, wire = await asyncio.get_running_loop().create_connection(
                lambda: _Wire(self._on_event), self.server.host, self.server.ami_port
            )
        try:
            login = Action(_checked({"Action": "Login", "Username": self.server.ami_user, "Secret": self.server.ami_secret}))
            await self._answered(wire, login, listed=False, within_s=self.pace.reply_s)
            self._wire = wire
            self._tell_state("up")
            await self._on_up(self)
            await self._watch(wire)
        finally:
            self._wire = None
            transport.abort()
        self._tell_state("down")

    async def _watch(self, wire: _Wire) -> None:
        """Until the connection is lost or a ping stays without an answer."""
        while not wire.lost.done():
            await asyncio.wait([wire.lost], timeout=self.pace.ping_s)
            if wire.lost.done():
                return
            try:
                await wire.ask(Action({"Action": "Ping"}), listed=False, within_s=self.pace.pong_s)
            except (TimeoutError, Unavailable):
                log.warning("phone.ami_half_open", server=self.server.name)
                return

    def _tell_state(self, state: str) -> None:
        if state != self.state:
            tell = log.info if state == "up" else log.error
            tell("phone.ami", server=self.server.name, state=state)
            self.state = state


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they may be written: a line break in one would write a header of its own."""
    for name, value in values.items():
        for text in value if isinstance(value, list | tuple) else [value]:
            if any(char in str(text) for char in "\r\n\0"):
                raise BadInput(name, "不能含有换行。")
    return dict(values)
