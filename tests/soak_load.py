"""Mixed load for the soak campaign (soak.py): citizens on the web, an SMS aggregator, two people at the desk.

Each thread remembers only what the gateway acknowledged; what was cut off by a kill is uncertain and claims nothing.
"""

import asyncio
import itertools
import random
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.providers.aggregator_server import ACCOUNT, SECRET, AggregatorServer, digest
from tests.running import RunningGateway

SHAPE = "form_digest"
"""The aggregator that does not recognise repeats: a message sent twice is delivered twice."""
MATTERS = ("门前垃圾没人清理", "路灯不亮", "井盖松动", "占道经营", "树枝挡住信号灯")
CUT_OFF = (OSError, ValueError, KeyError)


@dataclass
class Promised:
    """What was acknowledged over the whole campaign."""

    reports: list[tuple[str, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, int]] = field(default_factory=list)
    counter: "itertools.count[int]" = field(default_factory=itertools.count)
    unhandled: list[str] = field(default_factory=list)


class Provider(threading.Thread):
    """The aggregator in a thread of its own; it lives on while the gateway is killed."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.server, self.url = AggregatorServer(SHAPE), ""
        self._loop, self._ready = asyncio.new_event_loop(), threading.Event()

    def run(self) -> None:
        self.url = self._loop.run_until_complete(self.server.start())
        self._ready.set()
        self._loop.run_forever()

    def start_and_wait(self) -> None:
        self.start()
        self._ready.wait()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join()
        self._loop.close()

    def variables(self) -> dict[str, str]:
        """The gateway's settings for this aggregator."""
        prefix = "INTAKE_CHANNELS__SMS_AGGREGATOR__"
        given = {"SEND_URL": self.url, "ACCOUNT": ACCOUNT, "SECRET": SECRET, "SHAPE": SHAPE}
        return {prefix + name: value for name, value in given.items()}


class Sender(threading.Thread):
    """Does one thing after another until told to stop."""

    def __init__(self, gateway: RunningGateway, promised: Promised, dice: random.Random) -> None:
        super().__init__()
        self.gateway, self.promised, self.dice = gateway, promised, dice
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            try:
                self.once()
            except CUT_OFF:
                self.over.wait(0.02)

    def once(self) -> None:
        raise NotImplementedError


class Citizen(Sender):
    """Reports on the web; most leave a number and want an answer."""

    def once(self) -> None:
        number = next(self.promised.counter)
        body: dict[str, object] = {"text": f"{self.dice.choice(MATTERS)}，第{number}件", "place": "鼓楼广场北侧"}
        if self.dice.random() < 0.8:
            body |= {"contact": {"phone": phone(number)}, "wants_reply": True}
        status, answer = self.gateway.ask("POST", "/api/v1/reports", body)
        if status == 201:
            self.promised.reports.append((answer["case_no"], answer["query_code"]))
            self.promised.unhandled.append(answer["case_no"])
        else:
            self.promised.refused.append(("report", status))


class Aggregator(Sender):
    """Pushes messages, each until it is acknowledged, as an aggregator does."""

    def __init__(self, gateway: RunningGateway, promised: Promised, dice: random.Random) -> None:
        super().__init__(gateway, promised, dice)
        self._waiting: dict[str, str] | None = None

    def once(self) -> None:
        if self._waiting is None:
            number = next(self.promised.counter)
            text = f"鼓楼广场北侧{self.dice.choice(MATTERS)}，第{number}件"
            self._waiting = {"moid": f"MO{number}", "mobile": phone(number), "content": text, "destcode": "106900001"}
        if push(self.gateway, self._waiting) == 200:
            self.promised.messages.append(self._waiting["moid"])
            self._waiting = None


class Receipts(Sender):
    """Tells that messages arrived, a little after they were sent."""

    def __init__(self, gateway: RunningGateway, promised: Promised, dice: random.Random, provider: Provider) -> None:
        super().__init__(gateway, promised, dice)
        self._provider, self._told = provider, 0

    def once(self) -> None:
        if self._told >= len(self._provider.server.sent):
            self.over.wait(0.05)
            return
        row = {"taskid": f"T{self._told + 1}", "mobile": "19900000001", "stat": self.dice.choice(("DELIVRD", "DELIVRD", "UNDELIV"))}
        if push(self.gateway, row) == 200:
            self._told += 1


class Desk(Sender):
    """Accepts and files what came in, so that replies are owed and sent."""

    def __init__(self, gateway: RunningGateway, promised: Promised, dice: random.Random, token: str) -> None:
        super().__init__(gateway, promised, dice)
        self._headers = {"Authorization": f"Bearer {token}"}

    def once(self) -> None:
        if not self.promised.unhandled:
            self.over.wait(0.02)
            return
        number = self.promised.unhandled.pop(self.dice.randrange(len(self.promised.unhandled)))
        status, full = self.gateway.ask("GET", f"/api/v1/cases/{number}/full", headers=self._headers)
        if status != 200:
            self.promised.refused.append(("full", status))
            return
        steps = (("accept", {"subclass": "event:0102", "place": "鼓楼广场北侧"}),
                 ("file", {"condition": "公共场所成堆垃圾", "waive_verify": "clear_evidence"}))  # fmt: skip
        version = full["version"]
        for step, fields in steps:
            body = {"move": step, "version": version, **fields}
            status, answer = self.gateway.ask("POST", f"/api/v1/cases/{number}/moves", body, self._headers)
            if status != 200:
                self.promised.refused.append((step, status))
                return
            self.promised.steps.append((number, step))
            version = answer["version"]


def push(gateway: RunningGateway, row: dict[str, str]) -> int:
    """One signed push to our hook; the status."""
    body = urlencode(row | {"sign": digest(row, "md5")}).encode()
    request = urllib.request.Request(f"{gateway.url}/hooks/sms_aggregator", data=body)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as fault:
        fault.read()
        return int(fault.code)


def phone(number: int) -> str:
    """Of a range that no carrier has been given."""
    return f"1990000{number % 10_000:04}"
