"""A gateway that is killed again and again under load loses no report it had acknowledged, and gives no number twice."""

import random
import threading
from pathlib import Path

import pytest

from tests.running import RunningGateway
from tests.servers import Postgres

CLIENTS = 6
KILLS = {"sqlite": 20, "postgresql": 8}


class Reporter(threading.Thread):
    """Sends reports without pause and remembers what was acknowledged."""

    def __init__(self, gateway: RunningGateway, number: int) -> None:
        super().__init__()
        self.gateway, self.number = gateway, number
        self.acknowledged: list[tuple[str, str, str]] = []
        self.over = threading.Event()

    def run(self) -> None:
        count = 0
        while not self.over.is_set():
            count += 1
            text = f"第{self.number}路{count}号门前垃圾没人清理"
            try:
                status, answer = self.gateway.ask("POST", "/api/v1/reports", {"text": text, "place": f"{count}号门前"})
            except (OSError, ValueError):
                continue
            assert status == 201, answer
            self.acknowledged.append((answer["case_no"], answer["query_code"], text))


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
        acknowledged += [one for reporter in reporters for one in reporter.acknowledged]
        gateway.start("--no-train")

    numbers = [number for number, _, _ in acknowledged]
    assert len(set(numbers)) == len(numbers)
    token = gateway.token_for("auditor9", "auditor")
    for number, code, text in acknowledged:
        status, answer = gateway.ask("GET", f"/api/v1/cases/{number}", headers={"X-Query-Code": code})
        assert (status, answer.get("state")) == (200, "reported"), (number, answer)
    for number, _, text in dice.sample(acknowledged, 20):
        status, answer = gateway.ask("GET", f"/api/v1/cases/{number}/full", headers={"Authorization": f"Bearer {token}"})
        assert text in str(answer)
    assert "0 件有误" in gateway.command("history", "verify")
    assert gateway.stop() == 0
