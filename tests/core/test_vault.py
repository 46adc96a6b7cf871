"""Sealed values: hidden, bound to their place, and any change shows."""

import pytest

from intake.errors import Misconfigured
from intake.vault import ChunkCipher, Vault


def test_a_sealed_value_opens_only_in_the_column_it_was_sealed_for(vault: Vault) -> None:
    sealed = vault.seal("张三丰".encode(), "contacts.sealed")
    assert vault.unseal(sealed, "contacts.sealed").decode() == "张三丰"
    with pytest.raises(Misconfigured):
        vault.unseal(sealed, "journal.raw")


def test_sealing_twice_gives_two_values(vault: Vault) -> None:
    assert vault.seal(b"x", "p") != vault.seal(b"x", "p")


def test_every_changed_bit_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(b"x", "p")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Misconfigured):
            vault.unseal(bytes(changed), "p")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x02", b"\x02abcd", b"\x03" + b"a" * 40])
def test_what_was_never_sealed_is_refused(vault: Vault, sealed: bytes) -> None:
    with pytest.raises(Misconfigured):
        vault.unseal(sealed, "p")


def test_chunks_cannot_be_moved_cut_or_given_another_header() -> None:
    cipher = ChunkCipher(b"k" * 32, b"header")
    first, last = cipher.seal(b"a", number=0, last=False), cipher.seal(b"b", number=1, last=True)
    assert cipher.open(first, number=0, last=False) + cipher.open(last, number=1, last=True) == b"ab"
    for chunk, number, is_last in ((first, 1, False), (first, 0, True), (last, 1, False), (last, 0, True)):
        with pytest.raises(Misconfigured):
            cipher.open(chunk, number=number, last=is_last)
    with pytest.raises(Misconfigured):
        ChunkCipher(b"k" * 32, b"other").open(first, number=0, last=False)
