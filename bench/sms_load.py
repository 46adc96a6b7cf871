"""Prepared requests, each once, by N keep-alive clients on loopback: `python -m bench.sms_load PORT CLIENTS`.

One request a line of standard input, JSON [method, path, headers, body]. Prints one line like load.py.
"""

import asyncio
import json
import statistics
import sys
import time
from collections import deque


def raw(line: str) -> bytes:
    """The request as it travels."""
    method, path, headers, body = json.loads(line)
    content = body.encode()
    named = {"Host": "127.0.0.1", "Content-Length": str(len(content))} | headers
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


async def client(port: int, waiting: deque[bytes], times: list[float], faults: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while waiting:
        request = waiting.popleft()
        start = time.perf_counter()
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        times.append(time.perf_counter() - start)
        if answer[9:12] != b"200":
            faults.append(int(answer[9:12]))
    writer.close()


async def run(port: int, clients: int, requests: list[bytes]) -> dict[str, object]:
    waiting, times, faults = deque(requests), list[float](), list[int]()
    start = time.perf_counter()
    await asyncio.gather(*(client(port, waiting, times, faults) for _ in range(clients)))
    took = time.perf_counter() - start
    quantiles = statistics.quantiles(times, n=100)
    return {"answers": len(times), "per_s": len(times) / took, "p50_ms": quantiles[49] * 1e3, "p99_ms": quantiles[98] * 1e3,
            "faults": len(faults), "first_fault": faults[0] if faults else 0}  # fmt: skip


if __name__ == "__main__":
    import uvloop

    lines = [raw(line) for line in sys.stdin if line.strip()]
    print(json.dumps(uvloop.run(run(int(sys.argv[1]), int(sys.argv[2]), lines))))
