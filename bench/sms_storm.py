"""How many text messages a second does each SMS channel take in, in a storm about one burst pipe?

`python -m bench sms_storm`. Each message is verified as its provider signs it, read, judged, matched with its sender's
talk, made a report with an answer waiting, and durable before it is acknowledged. Ratios to CAL and to the bare report
(create.py, 16 clients) of the same minutes; storms are of 2,000 messages by 2,000 senders, 16 at a time.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

from bench.create import bodies
from bench.machine import Units, facts, take_units
from bench.process import Server, client, databases, gateway_variables, started
from bench.result import Result, Table
from tests.providers.aggregator_server import ACCOUNT, SECRET, STAMP, mac
from tests.providers.twilio_server import NUMBER, SID, TOKEN, incoming, signature
from tests.servers import free_port

STORM, CLIENTS = 2000, 16
PUBLIC, PUSH_SECRET, NOWHERE = "https://hotline.example", "s3cret-of-calls", "http://127.0.0.1:9"
TEXTS = ("人民广场北门水管爆了，水漫到路上", "人民广场北门爆管，请快来人", "人民广场北门自来水管爆裂", "人民广场北门水管爆了没人管")
FORM = "application/x-www-form-urlencoded"
SETTINGS = {
    "sms_twilio": {"ACCOUNT_SID": SID, "AUTH_TOKEN": TOKEN, "SENDER": NUMBER, "BASE_URL": NOWHERE},
    "sms_aggregator": {"SEND_URL": NOWHERE, "ACCOUNT": ACCOUNT, "SECRET": SECRET, "SHAPE": "json_hmac"},
    "sms_kannel": {"SEND_URL": NOWHERE, "USERNAME": "city", "PASSWORD": "x", "PUSH_SECRET": PUSH_SECRET,
                   "ALLOW_FROM": "127.0.0.1/32", "SENDER": "106900001"},
}  # fmt: skip
Tell = Callable[[str], object]
Prepared = tuple[str, str, dict[str, str], str]
"""Method, path, headers and body of one request."""


def by_twilio(number: int, phone: str, text: str) -> Prepared:
    form = incoming(f"SM{number:032x}", phone, text)
    signed = signature(f"{PUBLIC}/hooks/sms_twilio", form)
    return "POST", "/hooks/sms_twilio", {"Content-Type": FORM, "X-Twilio-Signature": signed}, urlencode(form)


def by_aggregator(number: int, phone: str, text: str) -> Prepared:
    body = json.dumps([{"seqId": str(number), "phone": phone, "text": text}])
    headers = {"Content-Type": "application/json", "X-Timestamp": STAMP, "X-Signature": mac(body.encode(), STAMP)}
    return "POST", "/hooks/sms_aggregator", headers, body


def by_kannel(number: int, phone: str, text: str) -> Prepared:
    fields = {"secret": PUSH_SECRET, "id": f"k{number}", "from": phone, "coding": "0", "charset": "UTF-8", "udh": "", "raw": text}
    return "GET", f"/hooks/sms_kannel?{urlencode(fields)}", {}, ""


WAYS = {"sms_twilio": by_twilio, "sms_aggregator": by_aggregator, "sms_kannel": by_kannel}


def storm(name: str, *, first: int, count: int) -> Iterator[str]:
    """So many messages, each by a sender of his own."""
    for number in range(first, first + count):
        yield json.dumps(WAYS[name](number, f"+8619900{number:06d}", TEXTS[number % len(TEXTS)]))


def measure(name: str, home: Path, database: str, *, count: int) -> dict[str, float]:
    """One gateway with one channel in a storm, and the bare report on the same gateway for comparison."""
    port = free_port()
    own = {f"INTAKE_CHANNELS__{name}__{key}".upper(): value for key, value in SETTINGS[name].items()}
    environment = gateway_variables(home, port, database) | own | {"INTAKE_PUBLIC_URL": PUBLIC}
    command = [sys.executable, "-m", "intake", "serve", "--no-train"]
    with started(command, port, environment=environment, path="/health/ready") as server:
        client("sms_load", port, CLIENTS, stdin="\n".join(storm(name, first=0, count=200)))
        row = _loaded(server, lambda: client("sms_load", port, CLIENTS, stdin="\n".join(storm(name, first=1000, count=count))))
        bare = _loaded(server, lambda: client("load", port, "/api/v1/reports", CLIENTS, 3, stdin=bodies(2000)))
    return row | {"bare_per_s": bare["per_s"], "bare_cpu_ms": bare["cpu_ms"]}


def _loaded(server: Server, load: Callable[[], dict[str, float]]) -> dict[str, float]:
    before = server.cpu_s()
    row = load()
    return row | {"cpu_ms": (server.cpu_s() - before) / row["answers"] * 1e3}


def run(tell: Tell, *, quick: bool = False) -> Result:
    """Every SMS channel on both databases."""
    found: dict[str, dict[str, float]] = {}
    with databases(postgresql=not quick) as servers, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        units = take_units(Path(folder))
        for label, server in servers.items():
            for name in WAYS:
                tell(f"{name} on {label}")
                url = server.url(server.new_database()) if server else ""
                home = Path(folder) / f"{label}-{name}"
                found[f"{label} {name}"] = measure(name, home, url, count=300 if quick else STORM)
    table = Table(
        ("database", "channel", "messages/s", "÷ CAL", "÷ bare report", "CPU ms", "CPU ÷ bare", "p50 ms", "p99 ms"),
        tuple(_told(key, row, units) for key, row in found.items()),
    )
    refused = sum(row["faults"] for row in found.values())
    notes = (f"Units in the same minutes: {units.words()}.", f"Refused or failed: {refused:.0f}.",
             "The sender's answer (number, query code, one question) is stored in the same commit; sending it is not counted, "
             "because the provider's own limit decides that.")  # fmt: skip
    return Result("sms_storm", "A storm of text messages", (table,), notes, facts(units) | {"rows": found})


def _told(key: str, row: dict[str, float], units: Units) -> tuple[str, ...]:
    database, name = key.split(" ")
    return (database, name, f"{row['per_s']:.0f}", f"{row['per_s'] / units.cal_per_s:.3f}",
            f"{row['per_s'] / row['bare_per_s']:.2f}", f"{row['cpu_ms']:.2f}", f"{row['cpu_ms'] / row['bare_cpu_ms']:.2f}",
            f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}")  # fmt: skip
