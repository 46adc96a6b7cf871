"""A small AMI client for tests, independent of the gateway's own, so that what it sees is evidence."""

import asyncio
import itertools
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

Message = Mapping[str, str]
DEADLINE_S = 45.0


class Refused(AssertionError):
    """Asterisk did not do what was asked."""


class Ami:
    """One connection. Every event since it was opened is kept in `seen`, in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._waiters: list[tuple[Callable[[Message], bool], asyncio.Future[Message]]] = []
        self._reading = asyncio.create_task(self._read())
        self.seen: list[Message] = []

    async def act(self, action: str, *variables: str, **headers: object) -> Message:
        """Send an action; the answer, or Refused. `variables` are `NAME=value`."""
        number = f"t{next(self._ids)}"
        waiting = self._answers[number] = asyncio.get_running_loop().create_future()
        lines = [f"Action: {action}", f"ActionID: {number}", *(f"{name}: {value}" for name, value in headers.items()),
                 *(f"Variable: {variable}" for variable in variables)]  # fmt: skip
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async with asyncio.timeout(DEADLINE_S):
            answer = await waiting
        del self._answers[number]
        if answer["Response"] not in ("Success", "Follows"):
            raise Refused(f"{action} {headers}: {answer.get('Message')}")
        return answer

    async def event(self, name: str, *, where: Callable[[Message], bool] = lambda _: True, deadline_s: float = DEADLINE_S,
                    **fields: str) -> Message:  # fmt: skip
        """The first event of that name with those fields, already seen or still to come."""

        def is_it(event: Message) -> bool:
            return event["Event"] == name and fields.items() <= event.items() and where(event)

        for seen in self.seen:
            if is_it(seen):
                return seen
        waiter = (is_it, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(deadline_s):
                return await waiter[1]
        except TimeoutError:
            raise AssertionError(f"no {name} {fields} in {deadline_s} s; seen: {self._names()}") from None
        finally:
            self._waiters.remove(waiter)

    async def user_event(self, name: str, **fields: str) -> Message:
        return await self.event("UserEvent", **({"UserEvent": name} | fields))

    async def collect(self, action: str, ends: str, **headers: object) -> list[Message]:
        """The events an action lists, up to the one that ends the list."""
        answer = await self.act(action, **headers)
        await self.event(ends, ActionID=answer["ActionID"])
        return [e for e in self.seen if e.get("ActionID") == answer["ActionID"] and e["Event"] != ends]

    async def command(self, line: str) -> str:
        return (await self.act("Command", Command=line)).get("Output", "")

    def _names(self) -> str:
        return ", ".join(e.get("UserEvent") or e["Event"] for e in self.seen[-60:])

    async def _read(self) -> None:
        while True:
            try:
                block = (await self._reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            message = read_message(block)
            if "Response" in message and (waiting := self._answers.get(message.get("ActionID", ""))):
                waiting.set_result(message)
            elif "Event" in message:
                self.seen.append(message)
                # Looked at once by each who waits: hundreds of telephones must not all be woken by every event.
                for is_it, waiting in self._waiters:
                    if not waiting.done() and is_it(message):
                        waiting.set_result(message)

    async def close(self) -> None:
        self._writer.close()
        await asyncio.gather(self._reading, return_exceptions=True)


def read_message(block: str) -> dict[str, str]:
    """Headers of one message; repeated ones (the output of a command) are joined by line ends."""
    message: dict[str, str] = {}
    for line in block.split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and name in message:
            message[name] += "\n" + value.strip()
        elif colon:
            message[name] = value.strip()
    return message


@asynccontextmanager
async def connected(port: int, user: str, secret: str) -> AsyncIterator[Ami]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    await reader.readline()  # the banner
    ami = Ami(reader, writer)
    try:
        await ami.act("Login", Username=user, Secret=secret)
        yield ami
    finally:
        await ami.close()


def wait_until_booted(port: int, user: str, secret: str, *, alive: Callable[[], bool], deadline_s: float = 60.0) -> None:
    """Return when Asterisk says FullyBooted; raises AssertionError when it ends or the deadline passes."""
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        assert alive(), "Asterisk ended while starting"
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\n\r\n".encode())
                text = b""
                while block := connection.recv(4096):
                    text += block
                    if b"FullyBooted" in text:
                        return
        except OSError:
            time.sleep(0.02)  # polling a condition with a generous deadline, not waiting for time to pass
    raise AssertionError("Asterisk was not up in time")
