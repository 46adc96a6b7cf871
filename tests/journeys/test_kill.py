"""A gateway that is killed again and again under load loses no report it had acknowledged, and gives no number twice."""

import random
from pathlib import Path

import pytest

from tests.running import Reporter, RunningGateway
from tests.servers import Postgres

CLIENTS = 6
KILLS = {"sqlite": 20, "postgresql": 8}


@pytest.mark.servers
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_acknowledged_report_is_lost(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seed = random.SystemRandom().randint(0, 2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    environment = {}
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        environment = {"INTAKE_DATABASE_URL": server.url(server.new_database("intake_template"))}
    gateway = RunningGateway(tmp_path / "home", environment)
    gateway.start("--no-train")
    acknowledged: list[tuple[str, str, str]] = []
    for _ in range(KILLS[database]):
        reporters = [Reporter(gateway, number) for number in range(CLIENTS)]
        for reporter in reporters:
            reporter.start()
        wanted = dice.randint(5, 150)
        while sum(len(reporter.acknowledged) for reporter in reporters) < wanted:
            reporters[0].join(0.01)
        gateway.kill()
        for reporter in reporters:
            reporter.over.set()
        for reporter in reporters:
            reporter.join()
        assert all(not reporter.refused for reporter in reporters)
        acknowledged += [one for reporter in reporters for one in reporter.acknowledged]
        gateway.start("--no-train")

    numbers = [number for number, _, _ in acknowledged]
    assert len(set(numbers)) == len(numbers)
    token = gateway.token_for("auditor9", "auditor")
    for number, code, _ in acknowledged:
        status, answer = gateway.ask("GET", f"/api/v1/cases/{number}", headers={"X-Query-Code": code})
        assert (status, answer.get("state")) == (200, "reported"), (number, answer)
    for number, _, text in dice.sample(acknowledged, 20):
        status, answer = gateway.ask("GET", f"/api/v1/cases/{number}/full", headers={"Authorization": f"Bearer {token}"})
        assert text in str(answer)
    assert "0 件有误" in gateway.command("history", "verify")
    assert gateway.stop() == 0
