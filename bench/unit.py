"""The units everything is measured in, taken in the same minute as what they measure.

CAL: an aiohttp hello-world that answers a POSTed JSON, one process, 16 clients, requests a second.
FSYNC: the median fdatasync of a 4 KiB overwrite on this disk, in seconds.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import web

FSYNCS = 200


async def echo(request: web.Request) -> web.Response:
    return web.json_response(await request.json())


def serve_cal(port: int) -> None:
    """Run the hello-world until ended."""
    import uvloop

    app = web.Application()
    app.router.add_post("/", echo)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, loop=runner.get_loop())


def fsync_s(folder: Path) -> float:
    """Median of 200 overwrites with fdatasync."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(b"x" * 4096)
        file.flush()
        os.fsync(file.fileno())
        for _ in range(FSYNCS):
            file.seek(0)
            file.write(os.urandom(4096))
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    serve_cal(int(sys.argv[1]))
