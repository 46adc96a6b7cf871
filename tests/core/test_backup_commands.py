"""The commands beside a gateway that runs: back up, rotate the keys, look it over, restore into a new home, serve again."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT, RunningGateway
from tests.servers import Postgres

pytestmark = pytest.mark.servers
PASSWORD = "correct horse 7\n"
NUMBER, NAME = "19900000001", "张三丰"


@pytest.fixture
def new_gateway(tmp_path: Path) -> Iterator[Callable[..., RunningGateway]]:
    """Makes gateways, and kills those that a failed test leaves behind."""
    made: list[RunningGateway] = []

    def make(name: str, environment: dict[str, str] | None = None) -> RunningGateway:
        made.append(RunningGateway(tmp_path / name, environment or {}))
        return made[-1]

    yield make
    for gateway in made:
        if gateway.process is not None:
            gateway.process.kill()
            gateway.process.wait(30)


def failing(gateway: RunningGateway, *arguments: str) -> str:
    """A command that must fail; what it told."""
    done = subprocess.run([sys.executable, "-m", "intake", *arguments], cwd=ROOT, env=gateway.variables(),
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def report(gateway: RunningGateway, text: str) -> dict[str, Any]:
    contact = {"name": NAME, "phone": NUMBER}
    status, answer = gateway.ask("POST", "/api/v1/reports", {"text": text, "place": "人民路1号", "contact": contact})
    assert status == 201, answer
    return dict(answer)


def status_of(gateway: RunningGateway, answer: dict[str, Any]) -> tuple[int, Any]:
    code = {"X-Query-Code": answer["query_code"]}
    return gateway.ask("GET", f"/api/v1/cases/{answer['case_no']}", headers=code)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_gateway_is_backed_up_rotated_and_restored_while_it_serves(
    database: str, tmp_path: Path, request: pytest.FixtureRequest, new_gateway: Callable[..., RunningGateway]
) -> None:
    urls: list[dict[str, str]] = [{}, {}]
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        names = (server.new_database("intake_template"), server.new_database())
        urls = [{"INTAKE_DATABASE_URL": server.url(name)} for name in names]
    gateway = new_gateway("old", urls[0])
    gateway.start("--no-train")
    gateway.command("user", "add", "boss", "--role", "administrator", "--password-stdin", stdin=PASSWORD)
    first = report(gateway, "第一处路灯不亮")

    assert "启用密钥" in gateway.command("keys", "rotate")
    listed = gateway.command("keys", "list").splitlines()
    assert [line.split()[-1] for line in listed] == ["只用于解密", "加密和解密"]
    second = report(gateway, "第二处路灯不亮")
    assert "仍用旧密钥的 0 行" in gateway.command("keys", "reseal")
    assert status_of(gateway, first)[0] == 200

    exported = json.loads(gateway.command("person", "export", NUMBER, "--reason", "书面申请", "--by", "boss"))
    assert [case["description"] for case in exported["cases"]] == ["第一处路灯不亮", "第二处路灯不亮"]
    month = exported["made_at"][:7]
    assert "boss" in gateway.command("access", "report", "--month", month)

    gateway.command("backup", str(tmp_path / "backup"))
    assert "异常" not in gateway.command("doctor", "--all")
    assert "在办" in failing(gateway, "person", "erase", NUMBER, "--reason", "书面申请", "--by", "boss")
    assert "没有期满" in gateway.command("retention", "run", "--dry-run")
    assert gateway.stop() == 0

    restored = new_gateway("new", urls[1])
    keys = tmp_path / "old" / "keys" / "master.key"
    arguments = ("restore", str(tmp_path / "backup"), "--home", str(restored.home), "--key-file", str(keys))
    assert "备份文件完整" in restored.command(*arguments, "--check")
    told = restored.command(*arguments)
    assert "异常" not in told
    assert "不是空的" in failing(restored, *arguments)
    restored.start("--no-train")
    for answer in (first, second):
        assert status_of(restored, answer)[0] == 200
    assert int(report(restored, "还原后的反映")["case_no"]) > int(second["case_no"])
    assert "共 3 件" in restored.command(
        "person", "erase", NUMBER, "--reason", "书面申请", "--by", "boss", "--also-open"
    )
    assert status_of(restored, first)[0] == 200
    keys_in_new = restored.home / "keys" / "master.key"
    keys_in_new.chmod(0o644)
    assert "异常  密钥" in failing(restored, "doctor")
    assert restored.stop() == 0


def test_a_lost_key_file_is_never_replaced_by_a_new_one(
    tmp_path: Path, new_gateway: Callable[..., RunningGateway]
) -> None:
    gateway = new_gateway("home")
    gateway.start("--no-train")
    report(gateway, "一处路灯不亮")
    gateway.stop()
    keys = tmp_path / "home" / "keys" / "master.key"
    keys.unlink()
    assert "找不到密钥文件" in failing(gateway, "history", "verify")
    assert not keys.exists()


def test_a_key_from_the_environment_serves_and_is_not_shown(
    tmp_path: Path, new_gateway: Callable[..., RunningGateway]
) -> None:
    key = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
    gateway = new_gateway("home", {"INTAKE_MASTER_KEY": key})
    gateway.start("--no-train")
    report(gateway, "一处路灯不亮")
    assert not (tmp_path / "home" / "keys").exists()
    assert key not in gateway.command("check") + gateway.command("keys", "list") + gateway.output
    assert "逗号" in failing(gateway, "keys", "rotate")
    gateway.environment["INTAKE_MASTER_KEY"] = f"{key},bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4="
    assert "重新加密 2 行、录音 0 段，仍用旧密钥的 0 行" in gateway.command("keys", "reseal")
    gateway.stop()
