"""A bounded load of GETs on loopback: N keep-alive clients asking for pages one after another.

Standard input: {"headers": {…}, "paths": […]}. Prints one JSON line: answers, quantiles, bytes, faults.
"""

import asyncio
import json
import statistics
import sys
import time


async def client(port: int, heads: list[bytes], until: float, times: list[float], faults: list[int]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number, size = 0, 0
    while time.perf_counter() < until:
        start = time.perf_counter()
        writer.write(heads[number % len(heads)])
        number += 1
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        times.append(time.perf_counter() - start)
        size = length
        if answer[9:12] != b"200":
            faults.append(int(answer[9:12]))
    writer.close()
    return size


async def run(port: int, clients: int, seconds: float, wanted: dict[str, object]) -> dict[str, object]:
    lines = "".join(f"{name}: {value}\r\n" for name, value in dict(wanted["headers"]).items())  # type: ignore[call-overload]
    heads = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode() for path in list(wanted["paths"])]  # type: ignore[call-overload]
    times: list[float] = []
    faults: list[int] = []
    start = time.perf_counter()
    sizes = await asyncio.gather(*(client(port, heads, start + seconds, times, faults) for _ in range(clients)))
    quantiles = statistics.quantiles(times, n=100)
    return {"answers": len(times), "per_s": len(times) / (time.perf_counter() - start), "p50_ms": quantiles[49] * 1e3,
            "p99_ms": quantiles[98] * 1e3, "bytes": max(sizes), "faults": len(faults), "first_fault": faults[0] if faults else 0}  # fmt: skip


if __name__ == "__main__":
    import uvloop

    port, clients, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(uvloop.run(run(port, clients, seconds, json.loads(sys.stdin.read())))))
