"""A real Kannel for tests: bearerbox and smsbox on free loopback ports, and its fake message centre as the phones' side."""

import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import free_port, missing

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
DEADLINE_S = 20.0
USER, PASSWORD, PUSH_SECRET, NUMBER = "city", "s3cret-of-sendsms", "s3cret-of-calls", "106900001"
CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin7
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
sms-combine-concatenated-mo = {combines}
dlr-storage = internal
log-level = 2

group = smsc
smsc = fake
smsc-id = line
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
http-request-retry = 50
http-queue-delay = 1
log-level = 2

group = sendsms-user
username = {user}
password = {password}
user-allow-ip = 127.0.0.1
concatenation = true
max-messages = 6

group = sms-service
keyword = default
catch-all = true
max-messages = 0
omit-empty = true
get-url = "{hook}?secret={secret}&id=%I&from=%p&to=%P&coding=%c&charset=%C&udh=%u&raw=%b"
"""


def find_kannel() -> None:
    """Ends the test where Kannel is missing."""
    if shutil.which("bearerbox") is None or not FAKESMSC.exists():
        missing("Kannel", "apt-get install kannel kannel-extras")


@dataclass
class Kannel:
    """One Kannel with one line. `hook` is our address that its calls go to; `combines`: it joins long messages itself."""

    hook: str
    combines: bool = True
    sendsms: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    boxes: int = field(default_factory=free_port)
    centre: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="kannel-")))
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _phone: subprocess.Popen[bytes] | None = None

    @property
    def send_url(self) -> str:
        return f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms"

    def start(self) -> None:
        config = self.folder / "kannel.conf"
        values = {"admin": self.admin, "boxes": self.boxes, "centre": self.centre, "sendsms": self.sendsms, "hook": self.hook,
                  "user": USER, "password": PASSWORD, "secret": PUSH_SECRET, "combines": str(self.combines).lower()}  # fmt: skip
        config.write_text(CONFIG.format(**values))
        self._run("bearerbox", str(config))
        self._wait_for(f"http://127.0.0.1:{self.admin}/status.txt?password=admin7", holding="line")
        self._run("smsbox", str(config))
        self._wait_for(f"http://127.0.0.1:{self.admin}/status.txt?password=admin7", holding="smsbox:")

    def stop(self) -> None:
        """Each by its own process, smsbox before bearerbox."""
        self._hang_up()
        for process in reversed(self._processes):
            process.kill()
            process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    # The phones' side

    def say(self, sender: str, text: str, *, receiver: str = NUMBER) -> None:
        """A phone sends a text in UCS-2."""
        self._centre(f"{sender} {receiver} ucs2 {urllib.parse.quote_from_bytes(text.encode('utf-16-be'))}")

    def say_piece(self, sender: str, text: str, *, ref: int, number: int, total: int) -> None:
        """A phone sends one piece of a long message."""
        header = f"%05%00%03%{ref:02x}%{total:02x}%{number:02x}"
        self._centre(f"{sender} {NUMBER} udh-text {header} {text}")

    def listen(self) -> None:
        """Phones are switched on without saying anything."""
        if self._phone is None:
            self._centre("1 1 text x", count=0)

    def heard(self) -> list[tuple[str, str, bytes]]:
        """What phones have got so far: to whom, header, text; pieces of a long message one by one."""
        found = []
        for path in sorted(self.folder.glob("phone-*.log")):
            for line in path.read_bytes().split(b"\n"):
                if b"Got message" in line and b"<" in line and line.endswith(b">"):
                    found.append(_heard(line[line.index(b"<") + 1 : -1].decode("utf-8", "replace")))
        return found

    def texts(self) -> list[str]:
        """The long messages joined again, as a phone would show them."""
        pieces = self.heard()
        texts: list[bytes] = []
        for _, header, text in pieces:
            if header and not header.endswith("%01"):
                texts[-1] += text
            else:
                texts.append(text)
        return [text.decode("utf-16-be") for text in texts]

    def _centre(self, message: str, *, count: int = 1) -> None:
        self._hang_up()
        log = self.folder / f"phone-{time.monotonic_ns():020d}.log"
        with log.open("wb") as output:
            self._phone = subprocess.Popen(
                [str(FAKESMSC), "-H", "127.0.0.1", "-r", str(self.centre), "-i", "0.01", "-m", str(count), message],
                stdout=output, stderr=output,
            )  # fmt: skip
        self._wait_until(lambda: log.read_bytes().count(b"fakesmsc: sent message") >= count)

    def _hang_up(self) -> None:
        if self._phone is not None:
            self._phone.kill()
            self._phone.wait(10)
            self._phone = None

    def _run(self, *command: str) -> None:
        with (self.folder / f"{command[0]}.log").open("wb") as output:
            self._processes.append(subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output))

    def _wait_for(self, url: str, *, holding: str) -> None:
        def holds() -> bool:
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    return holding in answer.read().decode("utf-8", "replace")
            except OSError:
                return False

        self._wait_until(holds)

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError((self.folder / "bearerbox.log").read_text(errors="replace")[-2000:])
            time.sleep(0.02)  # polling a condition with a generous deadline, not waiting for time to pass


def _heard(message: str) -> tuple[str, str, bytes]:
    """`sender receiver udh HEADER data TEXT` or `sender receiver data TEXT`, as the fake message centre prints it."""
    words = message.split(" ")
    header = words[3] if words[2] == "udh" else ""
    text = " ".join(words[words.index("data") + 1 :]) if "data" in words[2:] else " ".join(words[3:])
    return words[1], header, urllib.parse.unquote_to_bytes(text.replace("+", " "))


@contextmanager
def kannel(hook: str, *, combines: bool = True) -> Iterator[Kannel]:
    find_kannel()
    server = Kannel(hook, combines)
    try:
        server.start()
        yield server
    finally:
        server.stop()
