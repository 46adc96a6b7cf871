"""A gateway as a process of its own, as an administrator would start it: for journeys, kills and end-to-end tests."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
READY_DEADLINE_S = 120.0
PERSONAL = r"1990000\d{4}|张三丰|correct horse"
LIMITS_OFF = {f"INTAKE_{name}_LIMIT": "1000000/minute" for name in ("REPORT", "STATUS", "SIGN_IN", "API")}


@dataclass
class RunningGateway:
    """Start, ask, stop, kill. `output` keeps everything it printed, over all starts."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        path = self.home / "output"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def variables(self) -> dict[str, str]:
        own = {"INTAKE_HOME": str(self.home), "INTAKE_PORT": str(self.port)} | LIMITS_OFF | self.environment
        return {name: value for name, value in os.environ.items() if not name.startswith("INTAKE_")} | own

    def start(self, *arguments: str) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "intake", "serve", *arguments]
        with (self.home / "output").open("ab") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.variables(), stdout=output, stderr=output)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_DEADLINE_S
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the gateway ended: {self.output[-3000:]}")
            try:
                with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)  # polling a condition with a generous deadline, not waiting for time to pass
        raise AssertionError(f"not ready: {self.output[-3000:]}")

    def kill(self) -> None:
        """As a power cut would: no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As Ctrl-C would; returns the exit code."""
        return self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process = None
        assert not re.search(PERSONAL, self.output.partition("{")[2]), "personal data in the gateway's log"
        return code

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run a command beside the gateway; returns what it printed."""
        done = subprocess.run([sys.executable, "-m", "intake", *arguments], cwd=ROOT, env=self.variables(), input=stdin,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def token_for(self, name: str, role: str, *more: str) -> str:
        """A new user with a bearer token."""
        self.command("user", "add", name, "--role", role, *more, "--password-stdin", stdin="correct horse 7\n")
        return self.command("token", "add", name).strip()

    def one_time_password(self) -> str:
        found = re.search(r"一次性密码\s+(\S+)", self.output)
        assert found
        return found.group(1)

    def page(self, path: str) -> str:
        """What a GET is answered with, as text."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """One request; the status and the JSON of the answer, faults too."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as fault:
            return fault.code, json.loads(fault.read())


class Reporter(threading.Thread):
    """Sends reports without pause and remembers what was acknowledged."""

    def __init__(self, gateway: RunningGateway, number: int) -> None:
        super().__init__()
        self.gateway, self.number = gateway, number
        self.acknowledged: list[tuple[str, str, str]] = []
        self.refused: list[int] = []
        self.over = threading.Event()

    def run(self) -> None:
        count = 0
        while not self.over.is_set():
            count += 1
            text = f"第{self.number}路{count}号门前垃圾没人清理"
            try:
                status, answer = self.gateway.ask("POST", "/api/v1/reports", {"text": text, "place": f"{count}号门前"})
            except (OSError, ValueError):
                continue
            if status != 201:
                self.refused.append(status)
                continue
            self.acknowledged.append((answer["case_no"], answer["query_code"], text))
