"""A bounded load on loopback: N keep-alive clients posting bodies one after another, raw and cheap for the client.

Its own process, so that the server's CPU time is the server's. Prints one JSON line: answers, seconds, quantiles.
"""

import asyncio
import json
import statistics
import sys
import time


async def client(
    port: int, path: str, bodies: list[bytes], until: float, times: list[float], faults: list[int], headers: dict[str, str]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number, lines = 0, "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    while time.perf_counter() < until:
        body = bodies[number % len(bodies)]
        number += 1
        head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}"
                f"Content-Length: {len(body)}\r\n\r\n")  # fmt: skip
        start = time.perf_counter()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        times.append(time.perf_counter() - start)
        if answer[9:10] not in b"23":
            faults.append(int(answer[9:12]))
    writer.close()


async def run(
    port: int, path: str, clients: int, seconds: float, bodies: list[bytes], headers: dict[str, str]
) -> dict[str, object]:
    times: list[float] = []
    faults: list[int] = []
    start = time.perf_counter()
    until, own = start + seconds, [bodies[i::clients] or bodies for i in range(clients)]
    await asyncio.gather(*(client(port, path, one, until, times, faults, headers) for one in own))
    took = time.perf_counter() - start
    quantiles = statistics.quantiles(times, n=100)
    return {"answers": len(times), "per_s": len(times) / took, "p50_ms": quantiles[49] * 1e3, "p99_ms": quantiles[98] * 1e3,
            "faults": len(faults), "first_fault": faults[0] if faults else 0}  # fmt: skip


if __name__ == "__main__":
    import uvloop

    port, path, clients, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    lines = [line.strip().encode() for line in sys.stdin if line.strip()]
    headers = {"Content-Type": "application/json"} | (json.loads(sys.argv[5]) if len(sys.argv) > 5 else {})
    print(json.dumps(uvloop.run(run(port, path, clients, seconds, lines, headers))))
