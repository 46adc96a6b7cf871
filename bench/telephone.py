"""Callers for a load of calls: as much SIP as a caller needs, for hundreds of them behind one socket (RFC 3261)."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from bench.sound import PACKET_S, Sound

RETRY_S, LONGEST_RETRY_S, ANSWER_S = 0.5, 4.0, 60.0
STATUS = re.compile(r"SIP/2\.0 (\d+) ([^\r]*)")
MEDIA = re.compile(r"c=IN IP4 (\S+).*?m=audio (\d+) ", re.S)
OFFER = (
    "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
)


class NoAnswer(Exception):
    """The exchange did not take the call: its status line."""


@dataclass
class Call:
    """One call of a caller, from INVITE to BYE. `ended` when the other side has hung up, or we have."""

    line: "Line"
    caller: str
    number: str
    sound: Sound
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._uri = f"sip:{self.number}@{self.line.peer[0]}"
        self._to, self._took = f"<{self._uri}>", ""

    def arrived(self, text: str) -> str:
        """A message of this call; what is to be answered at once, or nothing."""
        method = text.partition(" ")[0]
        if method == "SIP/2.0":
            if self._took and text.startswith("SIP/2.0 200") and " INVITE" in header(text, "CSeq"):
                return self._took  # our ACK was lost
            self._answers.put_nowait(text)
            return ""
        if method == "BYE":
            self.ended.set()
            self.sound.end()
        copied = "".join(f"{name}: {header(text, name)}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
        return "" if method == "ACK" else f"SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n"

    async def dial(self) -> None:
        """Until the call is taken; raises NoAnswer, TimeoutError."""
        offer = OFFER.format(address=self.line.address, port=self.sound.port)
        invite = self._request("INVITE", 1, offer)
        async with asyncio.timeout(ANSWER_S):
            answer = await self._final(invite)
        status = STATUS.match(answer)
        self._to = header(answer, "To")
        if status is None or status[1] != "200":
            self.line.send(self._request("ACK", 1))
            raise NoAnswer(status[0] if status else answer[:40])
        contact = re.search(r"<([^>]+)>", header(answer, "Contact"))
        self._uri = contact[1] if contact else self._uri
        self._took = self._request("ACK", 1)
        self.line.send(self._took)
        media = MEDIA.search(answer)
        assert media is not None, answer
        self.sound.begin((media[1], int(media[2])))

    async def hang_up(self) -> None:
        if not self.ended.is_set() and self._took:
            self.line.send(self._request("BYE", 2))
        self.ended.set()
        self.sound.end()

    async def _final(self, request: str) -> str:
        """Send until anything comes back, then wait for the answer that is no news of progress."""
        wait_s, answer = RETRY_S, ""
        while not answer:
            self.line.send(request)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    answer = await self._answers.get()
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)
        while answer.startswith("SIP/2.0 1"):
            answer = await self._answers.get()
        return answer

    def _request(self, method: str, number: int, body: str = "") -> str:
        here = f"{self.line.address}:{self.line.port}"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        branch = f"z9hG4bK{self.id}{method if self._took or method != 'ACK' else 'INVITE'}"
        return (f"{method} {self._uri} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch={branch};rport\r\nFrom: <sip:{self.caller}@{here}>;tag={self.id}\r\n"
                f"To: {self._to}\r\nCall-ID: {self.id}\r\nCSeq: {number} {method}\r\nContact: <sip:{self.caller}@{here}>\r\nMax-Forwards: 70\r\n"
                f"{kind}Content-Length: {len(body)}\r\n\r\n{body}")  # fmt: skip


@dataclass
class Line(asyncio.DatagramProtocol):
    """The carrier's side: all callers' calls go out from `address` to the exchange `peer`."""

    address: str
    peer: tuple[str, int]
    calls: dict[str, Call] = field(default_factory=dict)
    port: int = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = int(transport.get_extra_info("sockname")[1])

    def send(self, text: str) -> None:
        self._transport.sendto(text.encode(), self.peer)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        text = data.decode("utf-8", "replace")
        call = self.calls.get(header(text, "Call-ID"))
        if call is not None and (answer := call.arrived(text)):
            self._transport.sendto(answer.encode(), addr)

    @asynccontextmanager
    async def call(self, caller: str, number: str) -> AsyncIterator[Call]:
        """A call that has been taken; hung up at the end if it still is up. Raises NoAnswer, TimeoutError."""
        loop = asyncio.get_running_loop()
        _, sound = await loop.create_datagram_endpoint(Sound, local_addr=(self.address, 0))
        call = Call(self, caller, number, sound)
        self.calls[call.id] = call
        try:
            await call.dial()
            yield call
        finally:
            await call.hang_up()


@asynccontextmanager
async def opened(address: str, peer: str) -> AsyncIterator[Line]:
    """A line to the exchange at `peer` (host:port), its telephones sending every 20 ms."""
    host, _, port = peer.partition(":")
    loop = asyncio.get_running_loop()
    transport, line = await loop.create_datagram_endpoint(
        lambda: Line(address, (host, int(port))), local_addr=(address, 0)
    )
    sending = asyncio.create_task(_send(line))
    try:
        yield line
    finally:
        sending.cancel()
        transport.close()


async def _send(line: Line) -> None:
    """Ticks are counted by the clock, so that a late one is followed by the next at its own time."""
    loop = asyncio.get_running_loop()
    began, tick = loop.time(), 0
    while True:
        for call in list(line.calls.values()):
            if call.ended.is_set():
                del line.calls[call.id]
            else:
                call.sound.send_next(tick)
        tick += 1
        await asyncio.sleep(max(0.0, began + tick * PACKET_S - loop.time()))


def header(text: str, name: str) -> str:
    """The first header of that name, as it is written."""
    found = re.search(rf"^{name}: *([^\r\n]*)", text, re.M | re.I)
    return found[1] if found else ""
