"""The ring of keys: rotation keeps what must stay (codes, look-ups, old values) and changes what must change."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from intake.codes import query_code
from intake.errors import Misconfigured
from intake.keyring import KeyFile, KeyRing, bytes_of, derive, ring_from_bytes, ring_from_text
from intake.vault import Vault

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
MASTER = b"k" * 32


def rotated(ring: KeyRing) -> KeyRing:
    return ring.with_new_key(NOW).sealing_with_newest()


def test_values_sealed_in_the_first_format_stay_readable() -> None:
    nonce = b"n" * 12
    sealed = b"\x01" + nonce + AESGCM(derive(MASTER, b"seal")).encrypt(nonce, "张三丰".encode(), b"contacts.sealed")
    for ring in (KeyRing.of(MASTER), rotated(KeyRing.of(MASTER))):
        assert Vault(ring).unseal(sealed, "contacts.sealed").decode() == "张三丰"


def test_after_a_rotation_old_values_open_and_new_ones_need_the_new_key() -> None:
    old_ring = KeyRing.fresh(NOW)
    new_ring = rotated(old_ring)
    old, new = Vault(old_ring), Vault(new_ring)
    assert new.unseal(old.seal(b"x", "p"), "p") == b"x"
    assert new.seal(b"x", "p").startswith(new.sealing_head)
    assert new.sealing_head != old.sealing_head
    with pytest.raises(Misconfigured):
        old.unseal(new.seal(b"x", "p"), "p")


def test_query_codes_and_look_up_hashes_survive_rotations() -> None:
    ring = KeyRing.of(MASTER)
    before = Vault(MASTER)
    after = Vault(rotated(rotated(ring)))
    assert query_code(26112000001, 0, after.code_key) == query_code(26112000001, 0, before.code_key)
    assert after.lookup_hash("+8619900000001", "phone") == before.lookup_hash("+8619900000001", "phone")
    assert after.ring.fingerprint == before.ring.fingerprint
    assert KeyRing.of(b"x" * 32).fingerprint != before.ring.fingerprint


def test_a_prepared_key_does_not_seal_until_it_is_put_in_use() -> None:
    ring = KeyRing.fresh(NOW)
    prepared = ring.with_new_key(NOW)
    assert prepared.has_prepared_key
    assert Vault(prepared).sealing_head == Vault(ring).sealing_head
    assert not prepared.sealing_with_newest().has_prepared_key


def test_the_file_keeps_the_ring_and_is_for_the_owners_eyes_only(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys" / "master.key")
    made = file.make()
    assert file.make() == made
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    file.write(rotated(made))
    assert file.read().keys[0] == made.keys[0]
    assert [path.name for path in file.path.parent.iterdir()] == ["master.key"]


def test_a_file_of_32_bare_bytes_is_a_ring_of_one() -> None:
    ring = ring_from_bytes(MASTER)
    assert ring == KeyRing.of(MASTER)
    assert ring_from_bytes(bytes_of(rotated(ring))).root == MASTER


def test_a_ring_from_the_environment_has_the_first_as_root_and_seals_with_the_last() -> None:
    texts = [base64.b64encode(key).decode() for key in (MASTER, b"n" * 32)]
    ring = ring_from_text(", ".join(texts))
    assert ring.root == MASTER
    assert Vault(ring).unseal(Vault(MASTER).seal(b"x", "p"), "p") == b"x"
    assert Vault(ring).sealing_head != Vault(MASTER).sealing_head


@pytest.mark.parametrize("content", [
    b"", b"k" * 31, b"{}", b'{"root": 1}', b"[]", b"\xff" * 100,
    json.dumps({"root": "", "sealing": "", "keys": []}).encode(),
    bytes_of(KeyRing.of(MASTER)).replace(b'"sealing": "', b'"sealing": "x'),
])  # fmt: skip
def test_a_file_that_is_no_ring_is_refused_in_plain_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(Misconfigured):
        KeyFile(tmp_path / "key").read()


@pytest.mark.parametrize("text", ["!", "a2s=", base64.b64encode(MASTER).decode() + ",", "钥匙"])
def test_a_wrong_key_in_the_environment_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        ring_from_text(text)
    assert text not in caught.value.message


def test_a_running_vault_follows_its_file(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "key")
    running = Vault(file.make(), file)
    file_of_command = KeyFile(file.path)
    new_ring = rotated(file_of_command.read())
    file_of_command.write(new_ring)
    sealed = Vault(new_ring).seal(b"x", "p")
    assert running.unseal(sealed, "p") == b"x"
    assert running.sealing_head == Vault(new_ring).sealing_head


def test_a_damaged_or_foreign_file_does_not_take_a_running_vaults_keys_away(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "key")
    running = Vault(file.make(), file)
    sealed = running.seal(b"x", "p")
    for content in (b"half", bytes_of(KeyRing.fresh(NOW))):
        file.path.write_bytes(content)
        running.refresh()
        assert running.unseal(sealed, "p") == b"x"
        assert running.seal(b"y", "p").startswith(sealed[:5])
    file.path.unlink()
    running.refresh()
    assert running.unseal(sealed, "p") == b"x"
