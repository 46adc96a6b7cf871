"""As much SIP as tests need beside Asterisk: one request and its answer."""

import asyncio
import itertools

COUNT = itertools.count(1)
DEADLINE_S = 30.0


def request(method: str, user: str, host: str, *, contact: str) -> str:
    """One request from `contact` (user@address:port)."""
    number = next(COUNT)
    return (f"{method} sip:{user if method != 'REGISTER' else ''}{'@' if method != 'REGISTER' else ''}{host} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {contact.partition('@')[2]};branch=z9hG4bK{number};rport\r\nMax-Forwards: 9\r\n"
            f"From: <sip:{user}@{host}>;tag=t{number}\r\nTo: <sip:{user}@{host}>\r\nCall-ID: {number}@tests\r\n"
            f"CSeq: {number} {method}\r\nContact: <sip:{contact}>\r\nContent-Length: 0\r\n\r\n")  # fmt: skip


class _Line(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[str] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.answers.put_nowait(data.decode())


async def answer_to(host: str, text: str, *, source: str) -> str:
    """Send a request from the address `source`; the first answer."""
    address, _, port = host.partition(":")
    loop = asyncio.get_running_loop()
    transport, line = await loop.create_datagram_endpoint(_Line, local_addr=(source, 0), remote_addr=(address, int(port)))
    try:
        transport.sendto(text.encode())
        async with asyncio.timeout(DEADLINE_S):
            return await line.answers.get()
    finally:
        transport.close()
