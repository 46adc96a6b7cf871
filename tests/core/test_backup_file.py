"""The form of a backup file: opens with its key only, and every change, cut or exchange is noticed."""

import io
from pathlib import Path

import pytest

from intake.backup_file import (
    CHUNK_BYTES,
    MAGIC,
    Header,
    SealedReader,
    SealedWriter,
    key_for,
    new_header,
    read_header,
)  # fmt: skip
from intake.errors import Misconfigured
from intake.keyring import KeyRing
from intake.vault import Vault
from tests.make import NOON

PASSPHRASE = "青山不改 绿水长流 2026"


def written(plain: bytes, header: Header, key: bytes) -> bytes:
    target = io.BytesIO()
    writer = SealedWriter(target, header, key)
    for start in range(0, len(plain), 300_000):
        writer.write(plain[start : start + 300_000])
    writer.finish()
    return target.getvalue()


def read(content: bytes, vault: Vault, *, passphrase: str = "") -> bytes:
    source = io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type]
    header = read_header(source)
    return io.BufferedReader(SealedReader(source, header, key_for(header, vault, passphrase=passphrase))).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7])
def test_what_was_written_is_read_again(vault: Vault, size: int) -> None:
    plain = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    header = new_header(vault)
    content = written(plain, header, key_for(header, vault))
    assert read(content, vault) == plain
    if plain:
        assert plain[:64] not in content or size < 64


def test_a_passphrase_opens_the_file_and_another_does_not(vault: Vault) -> None:
    header = new_header(vault, passphrase=PASSPHRASE)
    content = written(b"x", header, key_for(header, vault, passphrase=PASSPHRASE))
    stranger = Vault(b"s" * 32)
    assert read(content, stranger, passphrase=PASSPHRASE) == b"x"
    with pytest.raises(Misconfigured):
        read(content, vault, passphrase=PASSPHRASE + "!")
    with pytest.raises(Misconfigured, match="口令"):
        read(content, vault)


def test_a_short_passphrase_is_refused(vault: Vault) -> None:
    with pytest.raises(Misconfigured):
        new_header(vault, passphrase="12345678")


def test_another_ring_is_told_by_the_keys_id_and_a_rotated_one_still_opens(vault: Vault) -> None:
    header = new_header(vault)
    content = written(b"x", header, key_for(header, vault))
    with pytest.raises(Misconfigured, match=header.key_id):
        read(content, Vault(b"s" * 32))
    assert read(content, Vault(vault.ring.with_new_key(NOON).sealing_with_newest())) == b"x"


def test_no_key_is_in_the_file(vault: Vault) -> None:
    header = new_header(vault)
    key = key_for(header, vault)
    content = written(b"x", header, key)
    for secret in (key, vault.ring.root, key.hex().encode()):
        assert secret not in content


def test_a_file_cut_short_anywhere_is_noticed(vault: Vault) -> None:
    header = new_header(vault)
    content = written(b"x" * (2 * CHUNK_BYTES + 5), header, key_for(header, vault))
    ends = [0, 5, len(MAGIC), 60, len(content) - 1, len(content) - 25, len(content) - CHUNK_BYTES]
    first_chunk_end = content.index(b"}") + 1 + 4 + CHUNK_BYTES + 16
    for end in (*ends, first_chunk_end):
        with pytest.raises(Misconfigured):
            read(content[:end], vault)
    with pytest.raises(Misconfigured):
        read(content + b"\0" * 30, vault)


def test_every_changed_bit_is_noticed(vault: Vault) -> None:
    header = new_header(vault)
    content = written(b"secret", header, key_for(header, vault))
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(Misconfigured):
            read(bytes(changed), vault)


def test_a_forged_header_cannot_make_us_fill_the_memory(vault: Vault, tmp_path: Path) -> None:
    huge = Header("00" * 32, scrypt_n=1 << 30)
    with pytest.raises(Misconfigured):
        read(written(b"x", huge, b"k" * 32), vault, passphrase=PASSPHRASE)


def test_rings_of_the_first_form_can_back_up_too() -> None:
    vault = Vault(KeyRing.of(b"o" * 32))
    header = new_header(vault)
    assert read(written(b"x", header, key_for(header, vault)), vault) == b"x"
