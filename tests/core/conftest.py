"""What the tests of the core share beyond the common fixtures: the telephone's hall."""

from pathlib import Path

import pytest

from intake.profile import City
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.phones import Hall


@pytest.fixture
def hall(store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path) -> Hall:
    """A switchboard on SQLite with a fake exchange. No coroutine: asyncio writes out what a coroutine returns."""
    return Hall(store, city, vault, clock, tmp_path)
