"""Anything at all is thrown at a running gateway, over the wire: it answers, and never with a fault of its own.

The served OpenAPI document by schemathesis (stateful, bounded in time), and raw requests by hypothesis: odd heads,
cookies, forms, JSON, multipart bodies, pictures. Both print their seed.
"""

import json
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.running import RunningGateway

LONGEST_S = 20
EXAMPLES = 300
ANSWER_S = 20.0
# Emptiness, lengths and who may do what are refused with 422 by rules that no schema can tell.
NOT_CHECKED = "positive_data_acceptance"
BOUNDARY = "fuzzfuzz"
PATHS = (
    "/", "/report", "/status", "/desk", "/desk/sign-in", "/desk/queue", "/api/v1/reports", "/api/v1/cases/26112000001",
    "/api/v1/queue", "/api/v1/events", "/api/v1/ledger", "/hooks/sms_aggregator", "/hooks/none", "/media/x", "/media/x/thumb",
    "/static/x.css", "/health/ready", "/api/docs",
)  # fmt: skip
HEADERS = (
    "Cookie", "Authorization", "Content-Type", "Accept", "Accept-Language", "Accept-Encoding", "Idempotency-Key", "X-Request-ID",
    "X-Forwarded-For", "X-CSRF-Token", "X-Query-Code", "Origin", "Sec-Fetch-Site", "Last-Event-ID", "If-None-Match", "Range",
    "Forwarded", "Expect", "Content-Encoding", "X-HTTP-Method-Override", "Referer",
)  # fmt: skip
TYPES = ("application/json", "application/x-www-form-urlencoded", f"multipart/form-data; boundary={BOUNDARY}", "multipart/form-data",
         "text/plain; charset=utf-16", "image/png", "")  # fmt: skip
FIELDS = ("text", "place", "lon", "lat", "phone", "contact.phone", "contact", "name", "photos", "csrf", "no", "code", "password", "x")
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
line = st.binary(max_size=60).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b""))
word = st.one_of(st.sampled_from([b"", b"1", b"intake_session=x", b"Bearer x", b"bytes=0-1", b"100-continue", b"null", b"gzip"]), line)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    prefix = "INTAKE_CHANNELS__SMS_AGGREGATOR__"
    given_ = {"SEND_URL": "http://127.0.0.1:9/send", "ACCOUNT": "city", "SECRET": "s3cret-of-tests"}
    running = RunningGateway(tmp_path_factory.mktemp("fuzz") / "home", {prefix + name: value for name, value in given_.items()})
    running.start("--no-train")
    yield running
    assert running.stop() == 0
    assert "http.failed" not in running.output


@pytest.mark.servers
def test_no_request_that_the_document_describes_or_forbids_makes_a_fault(gateway: RunningGateway, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**31)
    print(f"seed {seed}")
    token = gateway.token_for("leader9", "shift_leader")
    for number in range(3):
        gateway.ask("POST", "/api/v1/reports", {"text": f"门前垃圾没人清理{number}", "place": "鼓楼广场北侧"})
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{gateway.url}/api/openapi.json", "--seed", str(seed),
        "--max-examples", "10", "--max-time", str(LONGEST_S), "--exclude-checks", NOT_CHECKED, "--exclude-path", "/api/v1/events",
        "--header", f"Authorization: Bearer {token}", "--request-timeout", "20", "--no-color", "--generation-database", "none",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def multipart(parts: list[tuple[str, bytes, bytes]]) -> bytes:
    """A form with whatever the parts hold; a name may be followed by anything."""
    found = b"".join(
        b"--" + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + more + b"\r\n\r\n" + body + b"\r\n"
        for name, more, body in parts
    )
    return found + b"--" + BOUNDARY.encode() + b"--\r\n"


more = st.sampled_from([b"", b'; filename="a.jpg"\r\nContent-Type: image/jpeg', b'; filename="\xff"', b"; filename*=x''y", b";;"])
picture = st.binary(max_size=400).map(lambda noise: JPEG + noise)
form = st.lists(st.tuples(st.sampled_from(FIELDS), more, st.one_of(st.binary(max_size=80), picture)), max_size=5).map(multipart)
cut = st.tuples(form, st.integers(0, 400)).map(lambda pair: pair[0][: pair[1]])
pairs = st.lists(st.tuples(st.sampled_from(FIELDS), st.binary(max_size=40)), max_size=5)
urlencoded = pairs.map(lambda found: b"&".join(name.encode() + b"=" + value for name, value in found))
jsonish = st.recursive(st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=20)),
                       lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)),
                       max_leaves=8).map(lambda value: json.dumps(value).encode())  # fmt: skip
bodies = st.one_of(st.just(b""), st.binary(max_size=300), form, cut, urlencoded, jsonish)


@pytest.mark.servers
@settings(max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"]),
    path=st.sampled_from(PATHS),
    query=line.map(lambda value: value.replace(b" ", b"")),
    heads=st.lists(st.tuples(st.sampled_from(HEADERS), word), max_size=5),
    kind=st.sampled_from(TYPES),
    body=bodies,
)
def test_no_bytes_at_all_make_a_fault(
    gateway: RunningGateway, method: str, path: str, query: bytes, heads: list[tuple[str, bytes]], kind: str, body: bytes
) -> None:
    lines = [f"{method} {path}?".encode() + query + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close"]
    lines += [f"{name}: ".encode() + value for name, value in heads]
    lines += [f"Content-Type: {kind}".encode()] if kind else []
    lines += [b"Content-Length: %d" % len(body)]
    status = answered(gateway.port, b"\r\n".join(lines) + b"\r\n\r\n" + body)
    assert 100 <= status < 500, status


def answered(port: int, request: bytes) -> int:
    """The status of the answer to raw bytes; a connection closed without one counts as refused."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as wire:
        wire.sendall(request)
        first = wire.makefile("rb").readline()
    return int(first.split()[1]) if first.startswith(b"HTTP/") else 400

