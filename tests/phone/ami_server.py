"""A small Asterisk Manager that can misbehave: cut characters in two, stop answering, refuse, go away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SECRET = "right"
Headers = dict[str, str]


def message(*lines: str) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass
class AmiServer:
    """`replies` maps an action in lower case to what is sent back, with {id} for its ActionID; others get Success.
    `mute`: actions, in lower case, that are never answered."""

    replies: dict[str, bytes] = field(default_factory=dict)
    mute: set[str] = field(default_factory=set)
    raw: list[bytes] = field(default_factory=list)
    actions: list[Headers] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    segment: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def seen(self, wanted: Callable[["AmiServer"], bool]) -> None:
        """Wait until something holds; the test's own time-out bounds it."""
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: wanted(self))

    def named(self, action: str) -> list[Headers]:
        return [each for each in self.actions if each["Action"].lower() == action.lower()]

    async def send(self, data: bytes) -> None:
        """To the newest connection, in segments of `segment` bytes when that is set."""
        writer = self.writers[-1]
        step = self.segment or len(data)
        for start in range(0, len(data), step):
            writer.write(data[start : start + step])
            await writer.drain()
            await asyncio.sleep(0)

    def drop(self) -> None:
        self.writers[-1].close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        async with self.changed:
            self.connections += 1
            self.changed.notify_all()
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                self.raw.append(raw)
                lines = raw.decode().strip().split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines if ": " in line)
                async with self.changed:
                    self.actions.append(headers)
                    self.changed.notify_all()
                await self._answer(headers)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, headers: Headers) -> None:
        name, key = headers["Action"].lower(), headers["ActionID"]
        if name in self.mute:
            return
        if name == "login" and headers["Secret"] != SECRET:
            reply = message("Response: Error", "ActionID: {id}", "Message: Authentication failed")
        else:
            reply = self.replies.get(name, message("Response: Success", "ActionID: {id}"))
        await self.send(reply.replace(b"{id}", key.encode()))


@asynccontextmanager
async def ami_server(**options: object) -> AsyncIterator[AmiServer]:
    made = AmiServer(**options)  # type: ignore[arg-type]
    server = await asyncio.start_server(made.serve, "127.0.0.1", made.port, limit=8 * 1024 * 1024)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for writer in made.writers:
            writer.close()
