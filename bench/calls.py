"""How many telephone calls at once, and how many arrivals a second, does the gateway take without a lost digit or word?

`python -m bench calls`. Real Asterisk on this machine for hotline and public network. Half of the callers key a number to
be called back at, half leave a spoken message; the same two calls are then handled by dialplan alone in the same run. The
callers are bench/telephone.py: another Asterisk for them takes more of the machine than the one that is measured.
"""

import asyncio
import io
import json
import math
import statistics
import tempfile
import time
import wave
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np

from bench.machine import facts, take_units
from bench.process import Server
from bench.result import Result, Table
from bench.sound import SILENCE, to_a_law
from bench.telephone import Line, NoAnswer
from bench.telephone import opened as opened_line
from intake.call import CallBack, CallRecording
from intake.settings import load_settings
from intake.wiring import open_gateway
from tests.asterisk import hearing
from tests.asterisk.calls import behave, ring
from tests.asterisk.fixtures import OPERATORS, Exchanges, build
from tests.asterisk.gateway import connected, gateway_behind, rows, sit_down, until
from tests.asterisk.install import installation
from tests.asterisk.room import Room, opened
from tests.running import RunningGateway

Tell = Callable[[str], object]
SPEAKS_S, QUIET_S, END_S, POP_S = 8.0, 1.5, 60.0, 60.0
CALLS, RATES, POPS = 200, (40.0, 160.0, 320.0), 40
WHOLE = 0.98
BREATH = SILENCE * 25
"""Half a second before the key that ends a message: Asterisk cuts the last quarter of a second off, for the key's own sound."""
MOST_AT_ONCE = 400
"""What the gateway is set to take here: the bench asks how many it can, not how many it may."""
ALONE = """
[hotline-in](+)
exten => 12000,1,Gosub(hotline-caller,s,1)
 same => n,Answer()
 same => n,Playback(${SAY}/greeting_12319&${SAY}/recording_notice)
 same => n,Read(KEY,${SAY}/offer_nobody,1,,1,10)
 same => n,GotoIf($["${KEY}" = "1"]?speak)
 same => n,Read(KEY,${SAY}/callback_confirm-1&${SAY}/callback_confirm-2,1,,1,10)
 same => n,Read(NUMBER,${SAY}/callback_number,12,,1,10)
 same => n,Read(KEY,${SAY}/callback_repeat-1,1,,1,10)
 same => n,UserEvent(BenchNumber,Number: ${NUMBER})
 same => n,Goto(end)
 same => n(speak),Playback(${SAY}/message_speak)
 same => n,Record(${RECORDINGS}/message/bench-${CALLERID(num)}.wav,5,180,k)
 same => n,Read(KEY,${SAY}/message_review,1,,1,10)
 same => n(end),Playback(${SAY}/goodbye)
 same => n,Hangup()
"""

@dataclass(frozen=True, slots=True)
class Storm:
    """What came of so many calls. `right` numbers and `whole` recordings are complete; CPU in seconds; `waits_s`: from each thing
    a caller did to the next he heard; `broken`: callers who gave up, by their reason."""

    calls: int
    per_s: float
    most_at_once: int
    right: int
    whole: int
    gateway_cpu_s: float
    asterisk_cpu_s: float
    waits_s: list[float] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> int:
        return self.right + self.whole


def run(tell: Tell, *, quick: bool = False) -> Result:
    """Storms at growing rates through the gateway, the same by dialplan alone, and the screen pop."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tell("machine")
        units = take_units(Path(folder))
        found, pops = asyncio.run(_measured(tell, Path(folder), quick=quick))
    table = Table(("way", "arrivals/s", "calls", "at once", "numbers right", "recordings whole", "heard again after, p95 (worst) ms",
                   "gateway CPU ms/call", "Asterisk CPU ms/call"),
                  tuple(_row(way, storm) for way, storm in found))  # fmt: skip
    best = {way: max((s.per_s for w, s in found if w == way and s.complete == s.calls), default=0.0) for way in ("gateway", "dialplan alone")}
    ratio = best["gateway"] / best["dialplan alone"] if best["dialplan alone"] else 0.0
    notes = (
        f"Highest rate at which every call was complete: {best['gateway']:g}/s, by dialplan alone {best['dialplan alone']:g}/s "
        f"(ratio {ratio:.2f}; the rates tried are the only ones known).",
        f"Screen pop, from ringing at Asterisk to the event at the operator's open page: median {statistics.median(pops) * 1e3:.0f} ms, "
        f"p95 {late(pops):.0f} ms, "
        f"highest of {len(pops)}: {max(pops) * 1e3:.0f} ms (aim: p95 below 300 ms).",
        *(f"{way}, {storm.per_s:g}/s: {count} callers gave up: {why}." for way, storm in found for why, count in storm.broken.items()),
        "The callers run on the same machine and take their part of it: each sends 50 packets a second and is sent as many.",
    )
    bare = {"storms": [{"way": way, "rate": s.per_s, "complete": s.complete, "calls": s.calls, "at_once": s.most_at_once,
                        "waits_ms": {"p95": late(s.waits_s), "worst": max(s.waits_s, default=math.nan) * 1e3}} for way, s in found], "pops_ms": [p * 1e3 for p in pops]}
    return Result("calls", "Telephone calls", (table,), notes, facts(units) | bare)


def late(found_s: list[float]) -> float:
    """The 95th percentile in milliseconds."""
    return sorted(found_s)[math.ceil(0.95 * len(found_s)) - 1] * 1e3 if found_s else math.nan


def _row(way: str, s: Storm) -> tuple[str, ...]:
    half = s.calls // 2
    waited = f"{late(s.waits_s):.0f} ({max(s.waits_s, default=math.nan) * 1e3:.0f})"
    used = (f"{cpu_s / s.calls * 1e3:.1f}" for cpu_s in (s.gateway_cpu_s, s.asterisk_cpu_s))
    return (way, f"{s.per_s:g}", str(s.calls), str(s.most_at_once), f"{s.right}/{s.calls - half}", f"{s.whole}/{half}", waited, *used)


async def _measured(tell: Tell, folder: Path, *, quick: bool) -> tuple[list[tuple[str, Storm]], list[float]]:
    three = build(installation())
    three.pbx.add("extensions.conf", ALONE)
    try:
        for exchange in three.all:
            exchange.start()
        async with opened(three.pbx, three.pstn, three.agents, OPERATORS) as room:
            room.voices["bench"] = hearing.write(three.pstn.root / "bench.wav", hearing.voice(3, SPEAKS_S))
            found: list[tuple[str, Storm]] = []
            for number, rate in enumerate(RATES[:1] if quick else RATES):
                calls = 6 if quick else CALLS
                for way in ("gateway", "dialplan alone"):
                    tell(f"{calls} calls, {rate:g} a second: {way}")
                    home = folder / f"home-{number}"
                    storm = await (_by_gateway(room, home, calls, rate) if way == "gateway" else _alone(room, calls, rate))
                    tell(f"{storm.complete} of {calls} complete")
                    found.append((way, storm))
            tell("screen pop")
            return found, await _pops(room, three, folder / "home-pop", 3 if quick else POPS)
    finally:
        for exchange in three.all:
            exchange.remove()


def _does(n: int, speech: bytes) -> list[tuple[str, str | bytes]]:
    """What the n-th caller does, each when it has become quiet at the other end."""
    if n % 2:
        return [("key", "1"), ("speak", speech + BREATH), ("key now", "#"), ("key", "1")]
    return [("key", "3"), ("key", "2"), ("key", f"{_wanted(_caller(n))}#"), ("key", "1")]


def _caller(n: int) -> str:
    return f"1990000{n:04d}"


def _wanted(caller: str) -> str:
    """The number he keys: his own with another beginning."""
    return "1990001" + caller[7:]


async def _calls(line: Line, n: int, number: str, speech: bytes) -> list[float]:
    """One whole call, to the hanging up at the other end; the seconds until something was heard, each time."""
    async with line.call(_caller(n), number) as call:
        for act, what in _does(n, speech):
            if act != "key now":
                await call.sound.quiet(QUIET_S)
            await (call.sound.speak(what) if isinstance(what, bytes) else call.sound.key(what))
        async with asyncio.timeout(END_S):
            await call.ended.wait()
        return call.sound.waits


async def _storm(room: Room, number: str, calls: int, rate: float, *, cpu: Callable[[], tuple[float, float]],
                 result: Callable[[], Awaitable[tuple[int, int]]]) -> Storm:  # fmt: skip
    before, most, waits, broken = cpu(), 0, list[float](), Counter[str]()
    speech = to_a_law(hearing.read(room.voices["bench"]))

    async def one(line: Line, n: int) -> None:
        nonlocal most
        await asyncio.sleep(n / rate)
        most = max(most, len(line.calls) + 1)
        try:
            waits.extend(await _calls(line, n, number, speech))
        except (NoAnswer, TimeoutError) as error:  # he rang in vain: that is the finding
            broken[str(error) or "heard nothing"] += 1

    async with opened_line(room.public.address, room.hotline.sip) as line, asyncio.TaskGroup() as group:
        for n in range(calls):
            group.create_task(one(line, n))
    after = cpu()
    right, whole = await result()
    return Storm(calls, rate, most, right, whole, after[0] - before[0], after[1] - before[1], waits, dict(broken))


def _cpu(room: Room, gateway: RunningGateway | None) -> Callable[[], tuple[float, float]]:
    assert room.hotline.process is not None
    asterisk = Server(room.hotline.process, 0)
    python = Server(gateway.process, 0) if gateway and gateway.process else None
    return lambda: (python.cpu_s() if python else 0.0, asterisk.cpu_s())


async def _by_gateway(room: Room, home: Path, calls: int, rate: float) -> Storm:
    gateway = gateway_behind(room.hotline, home)
    gateway.environment["INTAKE_PHONE"] = json.dumps(room.hotline.phone_settings() | {"max_calls": MOST_AT_ONCE})
    await asyncio.to_thread(gateway.start, "--no-train")
    try:
        await connected(room)

        async def result() -> tuple[int, int]:
            # Recordings come over one after the other.
            fetched = "select count(*) from recordings where kind = 'message' and size > 0"
            with suppress(AssertionError):  # fewer than there should be: that is the finding
                await until(lambda: rows(gateway, fetched)[0][0], lambda n: n == calls // 2)
            await asyncio.to_thread(gateway.stop)
            return await _kept(home, calls)

        return await _storm(room, "12319", calls, rate, cpu=_cpu(room, gateway), result=result)
    finally:
        if gateway.process is not None:
            await asyncio.to_thread(gateway.stop)


async def _kept(home: Path, calls: int) -> tuple[int, int]:
    async with open_gateway(load_settings(home=home), judging=False) as running:
        owed = await running.gateway.store.read(lambda work: {one.number for one in work.find(CallBack)})
        takes = await running.gateway.store.read(lambda work: work.find(CallRecording, kind="message"))
        sounds = [await running.switchboard.audio.read(one.token) for one in takes if one.size]
    wanted = {f"+86{_wanted(_caller(n))}" for n in range(0, calls, 2)}
    return len(owed & wanted), sum(is_whole(sound) for sound in sounds)


def is_whole(sound: bytes) -> bool:
    """Is all that a caller said on this recording?"""
    with wave.open(io.BytesIO(sound)) as stream:
        samples = np.frombuffer(stream.readframes(stream.getnframes()), dtype="<i2").astype(np.float64)
    found = hearing.find(samples, hearing.voice(3, SPEAKS_S))
    return found is not None and found.share == 1.0 and hearing.sounding_s(samples) >= WHOLE * SPEAKS_S


async def _alone(room: Room, calls: int, rate: float) -> Storm:
    folder = room.hotline.folders.recordings / "message"

    async def result() -> tuple[int, int]:
        keyed = {event["Number"] for event in room.pbx.seen if event.get("UserEvent") == "BenchNumber"}
        sounds = [path.read_bytes() for path in folder.glob("bench-*.wav")]
        for path in folder.glob("bench-*.wav"):
            path.unlink()
        wanted = {_wanted(_caller(n)) for n in range(0, calls, 2)}
        return len(keyed & wanted), sum(is_whole(sound) for sound in sounds)

    room.pbx.seen.clear()
    return await _storm(room, "12000", calls, rate, cpu=_cpu(room, None), result=result)


async def _pops(room: Room, three: Exchanges, home: Path, count: int) -> list[float]:
    """Seconds from the ring at Asterisk to the event at the operator's open page; both clocks are this machine's."""
    gateway = gateway_behind(room.hotline, home)
    token = await asyncio.to_thread(gateway.token_for, "bench9", "operator")
    [(user_id,)] = rows(gateway, "select user_id from users where name = 'bench9'")
    await sit_down(gateway.home, e8001=int(str(user_id)))
    await behave(room.agents, "8001", "ring")
    await asyncio.to_thread(gateway.start, "--no-train")
    found: list[float] = []
    try:
        await connected(room)
        await until(lambda: room.pbx.command("queue show hotline"), lambda told: "PJSIP/8001" in str(told))
        async with heard_by(gateway.url, token) as popped:
            for n in range(count):
                room.pbx.seen.clear()
                telephone = await ring(three.pstn, room.pstn, "12319", caller=f"1990000{9000 + n}")
                called = await room.pbx.event("AgentCalled")
                async with asyncio.timeout(POP_S):
                    found.append(await popped.get() - float(called["Timestamp"]))
                await telephone.hang_up()
                await telephone.ended()
                await until(lambda: rows(gateway, "select 1 from operator_lines where state = 'ready'"))
    finally:
        await asyncio.to_thread(gateway.stop)
    return found


@asynccontextmanager
async def heard_by(url: str, token: str) -> AsyncIterator["asyncio.Queue[float]"]:
    """When the event stream of an operator's page told of a ringing telephone, in seconds since 1970."""
    heard: asyncio.Queue[float] = asyncio.Queue()
    headers, for_ever = {"Authorization": f"Bearer {token}"}, aiohttp.ClientTimeout()
    async with aiohttp.ClientSession(headers=headers, timeout=for_ever) as http, http.get(f"{url}/api/v1/events") as stream:

        async def listen() -> None:
            async for line in stream.content:
                if b'"phone.ringing"' in line:
                    heard.put_nowait(time.time())

        listening = asyncio.create_task(listen())
        try:
            yield heard
        finally:
            listening.cancel()
