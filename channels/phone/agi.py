"""FastAGI, our own bounded reader and writer: one Session for each connection Asterisk opens, and the server of them.

Grammar only. What a leg can do with it stands in leg.py, what is said and asked in driver.py. End of stream and the
HANGUP line are hang-ups; lines, header and every wait are bounded, so that probes and broken peers cost nothing.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog

MAX_LINE = 8192
"""Bytes of a line that is read; Asterisk's own buffer for a command is 2048."""
MAX_COMMAND = 2000
MAX_HEADER_LINES = 64
HEADER_S = 2.0
REPLY_S = 10.0
"""Seconds a reply may take beyond what its command is known to last."""
EXTRA_CONNECTIONS = 256
"""Connections above the limit of calls that are still read, for probes and for callers who are told that lines are busy."""
log = structlog.get_logger()


class LegGone(Exception):
    """The caller hung up, or the connection to Asterisk ended, which to a flow is the same."""


class BadPeer(Exception):
    """Not Asterisk, or an Asterisk that answers what we cannot read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command. `code` 200 is well; `data` is what stands in brackets; `endpos` counts samples."""

    code: int
    result: str = ""
    data: str = ""
    endpos: int = 0

    @property
    def key(self) -> str:
        """The key whose character code the result is, "" when it is none."""
        number = int(self.result) if self.result.lstrip("-").isdigit() else 0
        return chr(number) if chr(max(number, 0)) in "0123456789*#ABCD" else ""


@dataclass(frozen=True, slots=True)
class Request:
    """The header Asterisk opens with: `path` of the address, and its values by name."""

    path: str
    values: Mapping[str, str] = field(repr=False)

    def argument(self, number: int) -> str:
        return self.values.get(f"agi_arg_{number}", "")


_REPLY = re.compile(r"^(\d{3})([ -])(.*)$", re.DOTALL)
_RESULT = re.compile(r"result=(\S*)(?:\s+\((.*)\))?", re.DOTALL)
_ENDPOS = re.compile(r"\bendpos=(\d{1,12})\b")


def parse_reply(line: str) -> Reply:
    """One line of Asterisk's; raises BadPeer for anything that is no reply. A `520-` line opens a block and has no result."""
    found = _REPLY.match(line)
    if found is None:
        raise BadPeer("no reply")
    words = found[3]
    endpos = _ENDPOS.search(words)
    result = _RESULT.search(words[: endpos.start()] if endpos else words)
    return Reply(
        int(found[1]), result[1] if result else "", (result[2] or "") if result else "", int(endpos[1]) if endpos else 0
    )


def parse_request(lines: Sequence[str]) -> Request:
    """The header's lines; raises BadPeer when there is no request in them, or a name twice: a caller may have written one."""
    pairs = [(name.strip(), value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon]
    values = dict(pairs)
    if "agi_request" not in values or len(values) < len(pairs):
        raise BadPeer("no agi_request, or a name twice")
    return Request(urlsplit(values["agi_request"]).path.strip("/"), values)


def quoted(value: str) -> str:
    """An argument in quotes; raises ValueError for what would end the line."""
    if any(char in value for char in "\r\n\0"):
        raise ValueError("line break in an AGI argument")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def command(verb: str, *arguments: str) -> str:
    """A command line without its end; raises ValueError when it is too long for Asterisk or would inject another."""
    line = " ".join([verb, *map(quoted, arguments)])
    if len(line.encode()) > MAX_COMMAND:
        raise ValueError("AGI command too long")
    return line


class Session:
    """One connection. After a hang-up everything raises LegGone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request) -> None:
        self.request = request
        self.gone = False
        self._reader, self._writer = reader, writer

    async def send(self, line: str, *, lasts_s: float = 0) -> Reply:
        """The reply to a command. `lasts_s`: how long it may take. Raises LegGone, also when Asterisk has stopped
        answering, and BadPeer. One at a time: Asterisk does not see a second command before the first is answered."""
        if self.gone:
            raise LegGone
        try:
            async with asyncio.timeout(lasts_s + REPLY_S):
                self._writer.write(f"{line}\n".encode())
                await self._writer.drain()
                return await self._reply()
        except (ConnectionError, TimeoutError, LegGone) as error:
            self.close()
            raise LegGone from error

    async def _reply(self) -> Reply:
        while True:
            line = await self._line()
            if line == "HANGUP":
                # Asterisk still answers the command under way; the next one is no longer sent.
                self.gone = True
            elif line.startswith("520-"):
                await self._usage()
                return Reply(520)
            elif not line.startswith("100 "):
                return parse_reply(line)

    async def _usage(self) -> None:
        for _ in range(MAX_HEADER_LINES):
            if (await self._line()).startswith("520"):
                return
        raise BadPeer("endless usage")

    async def _line(self) -> str:
        line = await read_line(self._reader)
        if line is None:
            raise LegGone
        return line

    def close(self) -> None:
        self.gone = True
        self._writer.close()


async def read_line(reader: asyncio.StreamReader) -> str | None:
    """A line without its end, None at the end of the stream; raises BadPeer when it is too long."""
    try:
        raw = await reader.readline()
    except ValueError:
        raise BadPeer("line too long") from None
    if not raw.endswith(b"\n"):
        return None
    return raw.decode("utf-8", "replace").rstrip("\r\n")


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The header, None when the peer leaves before its end. Raises BadPeer, TimeoutError."""
    lines: list[str] = []
    async with asyncio.timeout(HEADER_S):
        while (line := await read_line(reader)) is not None:
            if not line:
                return parse_request(lines)
            lines.append(line)
            if len(lines) > MAX_HEADER_LINES:
                raise BadPeer("header too long")
    return None


async def anybody(peer: str, own: str) -> bool:
    """For where the peer is known anyway."""
    return bool(peer or own)


@dataclass(slots=True)
class AgiServer:
    """Listens for Asterisk. `serve` walks a call; beyond `max_calls` `serve_busy` does; beyond that the connection is
    closed, which Asterisk answers with its local fallback. `admits` is asked first, with the peer's address and ours."""

    host: str
    port: int
    max_calls: int
    serve: Callable[[Session], Awaitable[None]]
    serve_busy: Callable[[Session], Awaitable[None]]
    admits: Callable[[str, str], Awaitable[bool]] = anybody
    calls: int = 0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def start(self) -> asyncio.Server:
        """Start listening; `port` 0 picks a free one, which is then told in `port`."""
        server = await asyncio.start_server(self._connected, self.host, self.port, limit=MAX_LINE, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def run(self) -> None:
        """Listen until cancelled; calls under way are ended then, and Asterisk takes them over."""
        server = await self.start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Strangers are not counted among the connections: they must not keep a call out.
        ends = (writer.get_extra_info(name) for name in ("peername", "sockname"))
        if not await self.admits(*(str(end[0]) if end else "" for end in ends)):
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) <= self.max_calls + EXTRA_CONNECTIONS:
                _keep_alive(writer)
                await self._attend(reader, writer)
        except asyncio.CancelledError:
            # asyncio's own callback for a finished connection reports a cancelled one as an error.
            log.info("phone.call_let_go")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await read_request(reader)
        except (BadPeer, TimeoutError, OSError) as error:
            log.warning("phone.bad_peer", error=type(error).__name__)
            return
        if request is None:
            return
        is_free = self.calls < self.max_calls
        self.calls += is_free
        try:
            await (self.serve if is_free else self.serve_busy)(Session(reader, writer, request))
        except (LegGone, BadPeer) as error:
            log.info("phone.leg_gone", error=type(error).__name__)
        except Exception as error:
            # One call's fault must not end the server; closing the connection gives the caller to Asterisk's fallback.
            log.error("phone.call_failed", error=type(error).__name__)
        finally:
            self.calls -= is_free


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """A connection whose other end vanished without a word is noticed within half a minute."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
