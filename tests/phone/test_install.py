"""The speech pack is taken only with the right hashes, whole or not at all."""

import base64
import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from channels.phone.speech_pack import pack
from channels.phone.speech_pack.install import InstallFailed, check_integrity, fingerprint, unpack
from channels.phone.speech_pack.pack import DEFAULT_FOLDER, ENVIRONMENT, MODELS, VOICES, Pack, pack_at


def archive(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "some.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


def integrity(path: Path) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def test_the_right_archive_passes_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"package/a": b"1"})
    wanted = integrity(path)
    check_integrity(path, wanted)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InstallFailed, match="校验值不符"):
        check_integrity(path, wanted)


def test_only_wanted_files_are_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path, {"package/build/m.onnx": b"net", "package/src/x.js": b"no", "package/build/voices/zf": b"v"})
    unpack(path, tmp_path / "model", ("build/m.onnx", "build/voices/z"))
    assert sorted(p.relative_to(tmp_path / "model").as_posix() for p in (tmp_path / "model").rglob("*") if p.is_file()) == [
        "build/m.onnx", "build/voices/zf",
    ]  # fmt: skip


def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"package/build/../../../evil": b"x"})
    with pytest.raises(tarfile.FilterError):
        unpack(path, tmp_path / "model", ("build/",))
    assert not (tmp_path / "model").exists()
    assert not (tmp_path / "evil").exists()


def test_a_pack_counts_as_installed_only_when_it_is_whole(tmp_path: Path) -> None:
    here = Pack(tmp_path)
    for part in (here.kokoro, here.whisper, here.python.parent):
        part.mkdir(parents=True)
    here.python.touch()
    assert not here.is_installed()
    here.mark.write_text(fingerprint())
    assert here.is_installed()


def test_the_setting_points_at_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    assert pack_at().folder == tmp_path
    monkeypatch.delenv(ENVIRONMENT)
    assert pack_at().folder == DEFAULT_FOLDER.expanduser()
    assert pack_at(Path("/given")).folder == Path("/given")


def test_every_model_is_pinned_by_version_and_digest() -> None:
    for model in MODELS:
        assert model.version[0].isdigit()
        assert len(base64.b64decode(model.integrity.removeprefix("sha512-"))) == 64
    assert len(VOICES) == 8


def test_the_pack_needs_no_library_of_the_gateway() -> None:
    # Its interpreter has none of them; -S leaves site-packages out.
    module = "channels.phone.speech_pack"
    code = f"import {module}.pack, {module}.install, {module}.repetition"
    root = Path(pack.__file__).parents[3]
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_registry_is_named() -> None:
    for path in Path(pack.__file__).parent.glob("*.py"):
        assert "://" not in path.read_text(encoding="utf-8")
