"""PostgreSQL goes away under a running gateway and comes back: nobody is refused, nothing is lost, nobody restarts it."""

import time
from pathlib import Path

import pytest

from tests.running import RunningGateway
from tests.servers import Postgres, postgres_cluster

DEADLINE_S = 120


@pytest.mark.servers
def test_a_gateway_outlives_its_database(tmp_path: Path) -> None:
    with postgres_cluster() as server:
        gateway = gateway_on(server, tmp_path)
        gateway.start("--no-train")
        told = [report(gateway, "停机之前")]
        server.stop("immediate")
        told += [report(gateway, f"停机期间第{n}件") for n in range(10)]
        for number, code in told[1:]:
            status, answer = gateway.ask("GET", f"/api/v1/cases/{number}", headers={"X-Query-Code": code})
            assert (status, answer["state"]) == (200, "reported")
        server.start()
        token = wait_for_replay(gateway, wanted=len(told))
        for number, _ in told:
            status, answer = gateway.ask("GET", f"/api/v1/cases/{number}/full", headers={"Authorization": f"Bearer {token}"})
            assert (status, answer["case_no"]) == (200, number)
        told.append(report(gateway, "恢复之后"))
        assert len({number for number, _ in told}) == len(told)
        assert gateway.stop() == 0


def gateway_on(server: Postgres, home: Path) -> RunningGateway:
    return RunningGateway(home / "home", {"INTAKE_DATABASE_URL": server.url(server.new_database())})


def report(gateway: RunningGateway, text: str) -> tuple[str, str]:
    status, answer = gateway.ask("POST", "/api/v1/reports", {"text": f"{text}，门前垃圾没人清理"})
    assert status == 201, answer
    return answer["case_no"], answer["query_code"]


def wait_for_replay(gateway: RunningGateway, *, wanted: int) -> str:
    """Until every report stands in the queue; polls a condition with a generous deadline."""
    token = gateway.token_for("auditor9", "auditor")
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        status, answer = gateway.ask("GET", "/api/v1/queue?limit=100", headers={"Authorization": f"Bearer {token}"})
        if status == 200 and len(answer["cases"]) == wanted:
            return token
        time.sleep(0.1)
    raise AssertionError("the spool was not replayed")
