"""Sounds sealed in chunks: what was written is read, in any part of it, and nothing that was tampered with."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake import sealed_sound
from intake.errors import Misconfigured
from intake.keyring import KeyRing
from intake.sealed_sound import CHUNK, SEALED_CHUNK, SoundWriter, parts, sealed_with
from intake.sounds import reseal_sounds
from intake.vault import FILE_HEAD_BYTES, Vault

KEY, NEXT_KEY = b"k" * 32, b"n" * 32
TOKEN = "s" * 43
PURPOSE = f"audio:{TOKEN}"


def pattern(size: int) -> bytes:
    """Bytes that tell where in the file they stand."""
    return b"".join(at.to_bytes(4, "big") for at in range(-(-size // 4)))[:size]


def written(folder: Path, sound: bytes, *, vault: Vault | None = None, piece: int = 300_000) -> Path:
    path = folder / TOKEN[:2] / f"{TOKEN}.sealed"
    writer = SoundWriter(vault or Vault(KEY), path, PURPOSE)
    for start in range(0, len(sound), piece):
        writer.add(sound[start : start + piece])
    writer.finish()
    writer.discard()
    assert writer.size == len(sound)
    return path


def read(path: Path, *, vault: Vault | None = None, purpose: str = PURPOSE, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join(parts(vault or Vault(KEY), path, purpose, start=start, stop=stop))


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5])
def test_a_sound_of_any_length_is_read_as_written(tmp_path: Path, size: int) -> None:
    path = written(tmp_path, pattern(size))
    assert read(path) == pattern(size)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert pattern(64) not in path.read_bytes()


@settings(deadline=None, max_examples=60)
@given(first=st.integers(0, 2500), length=st.integers(1, 2500), size=st.integers(1, 2400))
def test_any_part_is_read_alone(tmp_path_factory: pytest.TempPathFactory, first: int, length: int, size: int) -> None:
    patched = pytest.MonkeyPatch()
    patched.setattr(sealed_sound, "CHUNK", 100)
    patched.setattr(sealed_sound, "SEALED_CHUNK", 116)
    try:
        path = written(tmp_path_factory.mktemp("part"), pattern(size), piece=37)
        assert read(path, start=first, stop=first + length) == pattern(size)[first : first + length]
    finally:
        patched.undo()


def test_a_draft_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    writer = SoundWriter(Vault(KEY), tmp_path / "ab" / "x.sealed", PURPOSE)
    writer.add(b"RIFF")
    writer.discard()
    assert list((tmp_path / "ab").iterdir()) == []


def exchanged(body: bytes) -> bytes:
    first, second = body[FILE_HEAD_BYTES : FILE_HEAD_BYTES + SEALED_CHUNK], body[FILE_HEAD_BYTES + SEALED_CHUNK : FILE_HEAD_BYTES + 2 * SEALED_CHUNK]
    return body[:FILE_HEAD_BYTES] + second + first + body[FILE_HEAD_BYTES + 2 * SEALED_CHUNK :]


@pytest.mark.parametrize("harm", [
    lambda body: body[:-1], lambda body: body[:FILE_HEAD_BYTES], lambda body: body[: FILE_HEAD_BYTES + 2 * SEALED_CHUNK],
    lambda body: body + b"x", exchanged, lambda body: body[:100] + bytes([body[100] ^ 1]) + body[101:],
    lambda body: body[:6] + bytes([body[6] ^ 1]) + body[7:], lambda body: body[:1] + b"none" + body[5:],
], ids=["end", "everything", "last chunk", "more", "exchanged", "changed", "salt", "key"])  # fmt: skip
def test_what_was_tampered_with_does_not_open(tmp_path: Path, harm: "object") -> None:
    path = written(tmp_path, pattern(2 * CHUNK + 5))
    path.write_bytes(harm(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(Misconfigured):
        read(path)


def test_the_file_of_one_recording_does_not_open_as_anothers(tmp_path: Path) -> None:
    path = written(tmp_path, b"RIFF")
    with pytest.raises(Misconfigured):
        read(path, purpose="audio:other")


def test_what_was_sealed_whole_is_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "x.sealed"
    path.write_bytes(Vault(KEY).seal(pattern(1000), PURPOSE))
    assert read(path) == pattern(1000)
    assert read(path, start=10, stop=20) == pattern(1000)[10:20]


def test_a_new_key_takes_over_long_sounds_too(tmp_path: Path) -> None:
    old = Vault(KeyRing.of(KEY))
    new = Vault(KeyRing.of(KEY, NEXT_KEY))
    path = written(tmp_path, pattern(CHUNK + 9), vault=old)
    assert not sealed_with(new, path)
    assert reseal_sounds(new, tmp_path) == 1
    assert sealed_with(new, path)
    assert read(path, vault=new) == pattern(CHUNK + 9)
    assert reseal_sounds(new, tmp_path) == 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]
