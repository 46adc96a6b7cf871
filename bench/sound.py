"""The sound of one telephone over RTP: it sends a packet each 20 ms, silence too, keys as events, and hears when it is quiet.

RFC 3550 and RFC 4733; A-law as the carriers of China use it.
"""

import asyncio
import secrets
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tests.asterisk.hearing import Samples, a_law

PACKET_S, SAMPLES = 0.02, 160
A_LAW, KEYS = 8, 101
"""Payload types: PCMA is always 8, keys are what the offer says."""
MARK = 0x80
SILENCE = b"\xd5" * SAMPLES
EVENTS = "0123456789*#"
KEY_PACKETS, KEY_ENDS, PAUSE_PACKETS = 5, 3, 5
"""A key is held for 100 ms, its end is told three times, and the finger needs as long again to the next."""
LOUDNESS = 10
HEAR_S = 60.0


class Packet(NamedTuple):
    """What is due at one tick. `begins`: its time is that of the packets that follow, until another begins."""

    kind: int = A_LAW
    body: bytes = SILENCE
    begins: bool = True


QUIET = Packet()


@dataclass
class Sound(asyncio.DatagramProtocol):
    """`waits` are the seconds from each thing said or keyed to the next sound from the other side."""

    waits: list[float] = field(default_factory=list)
    _due: deque[Packet] = field(default_factory=deque)
    _peer: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._voice, self._all_sent = asyncio.Event(), asyncio.Event()
        self._voice_at = self._done_at = 0.0
        self._sequence, self._at, self._source = 0, 0, secrets.randbits(32)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def begin(self, peer: tuple[str, int]) -> None:
        self._peer = peer
        self._done_at = asyncio.get_running_loop().time()

    def end(self) -> None:
        self._peer = None
        self._all_sent.set()
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if data[1] & 0x7F != A_LAW or data[12:] == SILENCE:
            return
        self._voice_at = asyncio.get_running_loop().time()
        if not self._voice.is_set():
            self._voice.set()
            self.waits.append(self._voice_at - self._done_at)

    def send_next(self, tick: int) -> None:
        """What is due now, or silence."""
        if self._peer is None or self._transport is None:
            return
        packet = self._due.popleft() if self._due else QUIET
        if not self._due:
            self._all_sent.set()
        if packet.begins:
            self._at = tick * SAMPLES & 0xFFFFFFFF
        head = struct.pack("!BBHII", 0x80, packet.kind, self._sequence & 0xFFFF, self._at, self._source)
        self._transport.sendto(head + packet.body, self._peer)
        self._sequence += 1

    async def key(self, keys: str) -> None:
        for key in keys:
            self._due.extend(key_packets(key))
            self._due.extend([QUIET] * PAUSE_PACKETS)
        await self._sent()

    async def speak(self, codes: bytes) -> None:
        """A-law codes at 8 kHz; raises nothing when the other side hangs up meanwhile."""
        self._due.extend(Packet(body=codes[at : at + SAMPLES]) for at in range(0, len(codes) - SAMPLES + 1, SAMPLES))
        await self._sent()

    async def _sent(self) -> None:
        self._all_sent.clear()
        await self._all_sent.wait()
        self._done_at = asyncio.get_running_loop().time()
        self._voice.clear()

    async def quiet(self, for_s: float) -> None:
        """Until the other side has been heard and then not heard for so long; raises TimeoutError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(HEAR_S):
            await self._voice.wait()
            while True:
                left = self._voice_at + for_s - loop.time()
                if left <= 0:
                    return
                await asyncio.sleep(left)


def key_packets(key: str) -> list[Packet]:
    """One key as RFC 4733 has it: growing durations, then its end three times."""
    event = EVENTS.index(key)
    held = [
        Packet(KEYS | (MARK if n == 1 else 0), struct.pack("!BBH", event, LOUDNESS, n * SAMPLES), n == 1)
        for n in range(1, KEY_PACKETS + 1)
    ]
    end = Packet(KEYS, struct.pack("!BBH", event, 0x80 | LOUDNESS, KEY_PACKETS * SAMPLES), begins=False)
    return held + [end] * KEY_ENDS


def to_a_law(samples: Samples) -> bytes:
    """The nearest A-law code of each sample (ITU-T G.711)."""
    values = a_law(np.arange(256, dtype=np.uint8))
    codes = np.argsort(values)
    between = (values[codes][1:] + values[codes][:-1]) / 2
    return codes[np.searchsorted(between, samples)].astype(np.uint8).tobytes()
