"""The kill campaign of `make test-slow`, a few kills long: every promise is checked the same way."""

import random
from pathlib import Path

import pytest

from tests import soak
from tests.servers import Postgres

KILLS = {"sqlite": 4, "postgresql": 3}


@pytest.mark.servers
@pytest.mark.parametrize("database", soak.DATABASES)
def test_a_few_kills_under_mixed_load_break_no_promise(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seed = random.SystemRandom().randrange(2**31)
    print(f"seed {seed}")
    url = ""
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.url(server.new_database("intake_template"))
    found = soak.run(database, kills=KILLS[database], seed=seed, folder=tmp_path, url=url)
    assert found.broken == []
    assert found.promised["reports"] > 0
