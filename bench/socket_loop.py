"""What is commonly done instead: WebSockets in a list, and for every change a loop of `send_json`.

`python -m bench.socket_loop PORT` serves; `POST /tell?changes=N` sends N changes to all and answers with the server's own
processor seconds. `python -m bench.socket_loop PORT COUNT CHANGES` is the client: opens COUNT sockets, asks, counts.
"""

import asyncio
import json
import sys
import time

import aiohttp
from aiohttp import web

CHANGE = {"case_no": "26112000001", "step": "receive", "state": "reported", "version": 1, "unit": "sanitation_zecheng",
          "urgency": "routine", "at": "2026-11-20T04:00:00+00:00"}  # fmt: skip
SOCKETS = web.AppKey("sockets", list)


async def listen(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    request.app[SOCKETS].append(socket)
    async for _ in socket:
        pass
    return socket


async def tell(request: web.Request) -> web.Response:
    """The loop under measurement."""
    changes, before = int(request.query["changes"]), time.process_time()
    for number in range(changes):
        change = CHANGE | {"version": number}
        for socket in request.app[SOCKETS]:
            await socket.send_json(change)
        await asyncio.sleep(0)
    return web.json_response({"cpu_s": time.process_time() - before})


async def ask(port: int, count: int, changes: int) -> dict[str, float]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        sockets = [await http.ws_connect(f"http://127.0.0.1:{port}/listen") for _ in range(count)]
        counting = [asyncio.create_task(_count(socket, changes)) for socket in sockets]
        async with http.post(f"http://127.0.0.1:{port}/tell?changes={changes}") as answer:
            found: dict[str, float] = await answer.json()
        await asyncio.gather(*counting)
        return found | {"messages": count * changes}


async def _count(socket: aiohttp.ClientWebSocketResponse, wanted: int) -> None:
    for _ in range(wanted):
        await socket.receive()


def serve(port: int) -> None:
    import uvloop

    app = web.Application()
    app[SOCKETS] = []
    app.router.add_get("/listen", listen)
    app.router.add_post("/tell", tell)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, loop=runner.get_loop())


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(asyncio.run(ask(*map(int, sys.argv[1:])))))
    else:
        serve(int(sys.argv[1]))
