"""200 live consoles in one process, on our event stream or on the WebSockets of socket_loop.py.

`sse PORT TOKEN COUNT CHANGES PACE`: COUNT streams open, CHANGES reports posted (PACE a second, 0: as fast as answered by
16 clients), until every console heard all. Prints one line of JSON: what was heard, and milliseconds from the answer
to a report, which comes after its commit, to the last console's hearing of it.
"""

import asyncio
import json
import statistics
import sys
import time
from collections import defaultdict

HEAD = "{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n"
DEADLINE_S = 120.0


class Console(asyncio.Protocol):
    """One stream: finds the case numbers of reports in what arrives, cheaply."""

    def __init__(self, heard: dict[bytes, list[float]]) -> None:
        self._heard, self._rest = heard, b""
        self.messages = 0
        self.opened = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"retry: "):
                self.opened.set()
            elif line.startswith(b"data: "):
                self.messages += 1
                if b'"step":"receive"' in line:
                    self._heard[line.split(b'"', 4)[3]].append(now)


async def run(port: int, token: str, count: int, changes: int, pace: float) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    heard: dict[bytes, list[float]] = defaultdict(list)
    consoles = []
    for _ in range(count):
        transport, console = await loop.create_connection(lambda: Console(heard), "127.0.0.1", port)
        transport.write((HEAD.format("GET", "/api/v1/events", token) + "\r\n").encode())
        consoles.append(console)
    await asyncio.gather(*(console.opened.wait() for console in consoles))
    told: dict[bytes, float] = {}
    left = iter(range(changes))
    began = time.perf_counter()
    await asyncio.gather(*(_post(port, left, told, pace) for _ in range(1 if pace else 16)))
    deadline = time.perf_counter() + DEADLINE_S
    while time.perf_counter() < deadline and any(len(heard[number]) < count for number in told):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    lag = sorted(max(0.0, max(heard[number], default=deadline) - at) * 1e3 for number, at in told.items())
    whole = sum(len(heard[number]) >= count for number in told)
    quantiles = statistics.quantiles(lag, n=100) if len(lag) > 1 else [0.0] * 99
    return {"changes": len(told), "heard_by_all": whole, "messages": sum(one.messages for one in consoles),
            "seconds": time.perf_counter() - began, "p50_ms": quantiles[49], "p99_ms": quantiles[98]}  # fmt: skip


async def _post(port: int, left: "object", told: dict[bytes, float], pace: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in left:  # type: ignore[attr-defined]
        body = json.dumps({"text": f"鼓楼广场北侧有一堆垃圾没人清理{number}"}).encode()
        head = f"POST /api/v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        taken = json.loads(await reader.readexactly(length))
        told[taken["case_no"].encode()] = time.perf_counter()
        if pace:
            await asyncio.sleep(1 / pace)
    writer.close()


if __name__ == "__main__":
    import uvloop

    port, token, count, changes, pace = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    print(json.dumps(uvloop.run(run(port, token, count, changes, pace))))
