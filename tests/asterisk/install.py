"""Asterisk for tests without root: the installed one, or Debian's packages unpacked into a cache outside the repository.

Debian 12 has no Asterisk, so apt is pointed at another suite of the machine's own mirror, with a state folder of its own
and an empty package status: it fetches the whole closure, libc too, and touches nothing of the host. Asterisk then
runs under the unpacked loader and libraries. 22 unless HOTLINE_TEST_ASTERISK names another release of SUITES.
"""

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUITES = {"22": "sid", "16": "bullseye"}
"""Releases the call tests can be run on, and the suite of Debian that offers each."""
RELEASE = os.environ.get("HOTLINE_TEST_ASTERISK", "22")
SUITE = os.environ.get("HOTLINE_TEST_ASTERISK_SUITE") or SUITES.get(RELEASE, "sid")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hotline-intake" / "asterisk"
PACKAGES = ("asterisk", "asterisk-core-sounds-en-gsm")
NOT_RUN = re.compile(r"^(perl|libperl|gnupg|gpg|dirmngr|pinentry|passwd_|adduser|debconf|pci\.ids|freetds|tzdata)")
"""Packages of the closure that Asterisk never loads."""
UNPACK_NOT = ("./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./usr/lib/*/gconv/*")
SYSTEM = Path("/usr/sbin/asterisk")


class NoAsterisk(RuntimeError):
    """There is no Asterisk of the wanted release here; the message says what was found instead."""


@dataclass(frozen=True)
class Installation:
    """An Asterisk that can be started: `root` is `/` or the folder it was unpacked into."""

    root: Path
    version: str

    @property
    def triplet(self) -> str:
        return f"{platform.machine()}-linux-gnu"

    @property
    def modules(self) -> Path:
        return self._first(f"usr/lib/{self.triplet}/asterisk/modules", "usr/lib/asterisk/modules")

    @property
    def data(self) -> Path:
        """Documentation (res_pjsip does not load without it), REST descriptions and sounds."""
        return self.root / "usr/share/asterisk"

    @property
    def sounds(self) -> Path:
        return self._first("usr/share/asterisk/sounds/en_US_f_Allison", "usr/share/asterisk/sounds/en")

    def command(self, *arguments: str) -> list[str]:
        """The command line of this Asterisk; the process it becomes is Asterisk itself."""
        if self.root == Path("/"):
            return [str(SYSTEM), *arguments]
        folders = [self.root / part for part in (f"usr/lib/{self.triplet}", f"lib/{self.triplet}", "usr/lib")]
        loader = next(found for folder in folders for found in folder.glob("ld-linux-*.so.*"))
        libraries = ":".join(map(str, folders))
        return [str(loader), "--inhibit-cache", "--library-path", libraries, str(self.root / "usr/sbin/asterisk"), *arguments]

    def _first(self, *names: str) -> Path:
        return next((self.root / name for name in names if (self.root / name).exists()), self.root / names[0])


def installation() -> Installation:
    """The Asterisk that tests use, fetched when there is none; raises NoAsterisk."""
    if SYSTEM.exists() and (version := _version(Installation(Path("/"), ""))).startswith(f"{RELEASE}."):
        return Installation(Path("/"), version)
    with _alone():  # several test workers: one fetches, the others wait
        return _cached() or _fetched()


def _version(candidate: Installation) -> str:
    told = subprocess.run(candidate.command("-V"), capture_output=True, text=True, check=False)
    found = re.search(r"Asterisk (\S+)", told.stdout)
    return found.group(1) if found else f"unknown ({(told.stdout + told.stderr).strip()[:200]})"


def _cached() -> Installation | None:
    done = sorted(CACHE.glob(f"{RELEASE}.*/complete"))
    return Installation(done[-1].parent / "root", done[-1].read_text().strip()) if done else None


@contextmanager
def _alone() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetched() -> Installation:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise NoAsterisk(f"Asterisk {RELEASE} is not installed and there is no apt to fetch it with")
    work = CACHE / "fetching"
    shutil.rmtree(work, ignore_errors=True)
    apt = _apt(work)
    _run([*apt, "-qq", "update"])
    policy = _run(["apt-cache", *apt[1:], "policy", "asterisk"])
    candidate = re.search(r"Candidate: (?:\d+:)?(\S+)", policy)
    version = candidate.group(1) if candidate else "none"
    if not version.startswith(f"{RELEASE}."):
        raise NoAsterisk(f"these tests are written for Asterisk {RELEASE}; suite {SUITE} offers version: {version}")
    _run([*apt, "-qq", "-y", "-d", "install", *PACKAGES])
    return _unpacked(work, CACHE / re.sub(r"[^\w.+-]", "_", version))


def _unpacked(work: Path, folder: Path) -> Installation:
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "root"
    root.mkdir(parents=True)
    for package in sorted((work / "cache/archives").glob("*.deb")):
        if not NOT_RUN.match(package.name):
            _unpack(package, root)
    shutil.rmtree(work)
    version = _version(Installation(root, ""))
    if not version.startswith(f"{RELEASE}."):
        raise NoAsterisk(f"the unpacked Asterisk does not run: {version}")
    (folder / "complete").write_text(version)
    return Installation(root, version)


def _unpack(package: Path, root: Path) -> None:
    excluded = [f"--exclude={pattern}" for pattern in UNPACK_NOT]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", str(root), "--no-same-owner", *excluded], stdin=archive.stdout, check=True)
    if archive.returncode:
        raise NoAsterisk(f"{package.name} could not be unpacked")


def _apt(work: Path) -> list[str]:
    """apt-get with a state of its own in which nothing is installed."""
    for name in ("lists/partial", "cache/archives/partial", "etc"):
        (work / name).mkdir(parents=True)
    (work / "status").touch()
    uri, signed_by = mirror()
    (work / "etc/tests.sources").write_text(
        f"Types: deb\nURIs: {uri}\nSuites: {SUITE}\nComponents: main\n" + (f"Signed-By: {signed_by}\n" if signed_by else "")
    )
    options = {
        "Dir::State": work, "Dir::State::Lists": work / "lists", "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache", "Dir::Etc::SourceList": "/dev/null", "Dir::Etc::SourceParts": work / "etc",
        "Acquire::Languages": "none", "Acquire::Check-Valid-Until": "false", "APT::Install-Recommends": "0",
        "APT::Sandbox::User": "", "APT::Keep-Downloaded-Packages": "1", "APT::Update::Post-Invoke": "",
        "Debug::NoLocking": "1",
    }  # fmt: skip
    return ["apt-get", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]


def mirror(folder: Path = Path("/etc/apt")) -> tuple[str, str]:
    """The Debian mirror this machine is set up with: its address, and the file its signatures are checked with or ""."""
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            keys = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.+)$", stanza, re.MULTILINE))
            for uri in keys.get("URIs", "").split():
                if uri.rstrip("/").endswith("/debian"):
                    return uri, keys.get("Signed-By", "")
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))]:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if line := re.search(r"^deb\s+(?:\[.*?\]\s+)?(\S+/debian/?)\s", text, re.MULTILINE):
            return line.group(1), ""
    raise NoAsterisk("this machine's apt names no Debian mirror")


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    if done.returncode:
        raise NoAsterisk(f"{command[0]} failed: {(done.stderr or done.stdout)[-1000:]}")
    return done.stdout


if __name__ == "__main__":
    found = installation()
    sys.stdout.write(f"{found.version} {found.root}\n")
