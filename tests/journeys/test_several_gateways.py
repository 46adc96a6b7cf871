"""Three gateways on one PostgreSQL: one is killed under load, each hears the others' changes, no number is given twice."""

import json
import urllib.request
from pathlib import Path

import pytest

from tests.running import Reporter, RunningGateway
from tests.servers import Postgres

EACH = 40


@pytest.fixture
def gateways(tmp_path: Path, postgres: Postgres) -> list[RunningGateway]:
    url = postgres.url(postgres.new_database("intake_template"))
    key = tmp_path / "master.key"
    found = [
        RunningGateway(tmp_path / f"home{n}", {"INTAKE_DATABASE_URL": url, "INTAKE_GATEWAY_NAME": f"gw{n}",
                                               "INTAKE_MASTER_KEY_FILE": str(key)})
        for n in range(3)
    ]  # fmt: skip
    for gateway in found:
        gateway.start("--no-train")
    return found


def heard(gateway: RunningGateway, token: str, *, wanted: set[str]) -> set[str]:
    """Case numbers as this gateway's live feed tells them from the very first, until it has told all that are wanted or is
    silent. A killed gateway may have committed reports that it never acknowledged: they are told as well.
    """
    request = urllib.request.Request(f"{gateway.url}/api/v1/events?after=0", headers={"Authorization": f"Bearer {token}"})
    numbers: set[str] = set()
    with urllib.request.urlopen(request, timeout=60) as stream:
        while not wanted <= numbers:
            line = stream.readline().decode()
            assert line, "the feed ended"
            if line.startswith(":"):
                break
            if line.startswith("data: "):
                event = json.loads(line[6:])
                numbers |= {event["case_no"]} if event["step"] == "receive" else set()
    return numbers


@pytest.mark.servers
def test_one_of_three_gateways_may_die_under_load(gateways: list[RunningGateway]) -> None:
    reporters = [Reporter(gateway, number) for number, gateway in enumerate(gateways)]
    for reporter in reporters:
        reporter.start()
    while min(len(reporter.acknowledged) for reporter in reporters) < EACH:
        reporters[0].join(0.01)
    gateways[0].kill()
    reached = [len(reporter.acknowledged) for reporter in reporters]
    while any(len(reporters[n].acknowledged) < reached[n] + EACH for n in (1, 2)):
        reporters[1].join(0.01)
    for reporter in reporters:
        reporter.over.set()
    for reporter in reporters:
        reporter.join()

    acknowledged = [one for reporter in reporters for one in reporter.acknowledged]
    numbers = {number for number, _, _ in acknowledged}
    assert len(numbers) == len(acknowledged)
    for number, code, _ in acknowledged:
        status, _answer = gateways[1].ask("GET", f"/api/v1/cases/{number}", headers={"X-Query-Code": code})
        assert status == 200
    token = gateways[1].token_for("auditor9", "auditor")
    assert not numbers - heard(gateways[2], token, wanted=numbers)
    for gateway in gateways[1:]:
        assert gateway.stop() == 0


@pytest.mark.servers
def test_a_rolling_restart_loses_no_request(gateways: list[RunningGateway]) -> None:
    reporters = [Reporter(gateways[0], 1), Reporter(gateways[1], 2)]
    for reporter in reporters:
        reporter.start()
    for place in (0, 1):
        while len(reporters[place].acknowledged) < EACH:
            reporters[place].join(0.01)
        reporters[place].over.set()  # as a balancer would: drained first, then stopped
        reporters[place].join()
        assert gateways[place].stop() == 0
        gateways[place].start("--no-train")
        status, answer = gateways[place].ask("POST", "/api/v1/reports", {"text": "重启后门前垃圾没人清理"})
        assert (status, answer["state"]) == (201, "reported")
    assert all(not reporter.refused for reporter in reporters)
    for gateway in gateways:
        assert gateway.stop() == 0
