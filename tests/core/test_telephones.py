"""The operators' telephones of a profile, and the configuration of Asterisk that is rendered from it."""

import json
import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from intake.commands.asterisk import command
from intake.commands.asterisk_files import MODULES, TEMPLATES, Secrets, Site, render
from intake.errors import Misconfigured
from intake.profile import City
from intake.telephones import load_telephones

EXTENSION = '[[extensions]]\nnumber = "8001"\nname = "一席"\n'


def telephones(folder: Path, text: str) -> Path:
    (folder / "telephones.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_demo_citys_telephones_are_read(city: City) -> None:
    found = load_telephones(city.folder)
    assert found.queues[0] == "hotline"
    assert [extension.number for extension in found.leaders] == ["8900"]


@pytest.mark.parametrize("text", [
    "", 'queues = ["hotline"]', f"queues = []\n{EXTENSION}", f'queues = ["hot line"]\n{EXTENSION}',
    f'queues = ["hotline"]\n{EXTENSION}{EXTENSION}',
    'queues = ["hotline"]\n[[extensions]]\nnumber = "12"\nname = "x"', 'queues = ["hotline"]\n[[extensions]]\nnumber = "8001"\nname = ""',
    'queues = ["hotline"]\n[[extensions]]\nnumber = "8001"\nname = "x\\nsecret = y"',
    'queues = ["hotline"]\n[[extensions]]\nnumber = "8001"\nname = "a;b"',
])  # fmt: skip
def test_telephones_that_would_break_the_configuration_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured, match=r"telephones\.toml"):
        load_telephones(telephones(tmp_path, text))


def test_rendering_again_keeps_passwords_and_makes_the_missing_one(city: City, tmp_path: Path) -> None:
    first = render(city, Site(), tmp_path)
    path = tmp_path / "secrets.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(f'"8002" = {json.dumps(first.extensions["8002"])}\n', ""), encoding="utf-8")
    second = render(city, Site(), tmp_path)
    changed = {number for number, secret in first.extensions.items() if second.extensions[number] != secret}
    assert (second.ami, second.ari, changed) == (first.ami, first.ari, {"8002"})
    assert len({first.ami, first.ari, *first.extensions.values()}) == 2 + len(first.extensions)


def test_every_file_is_its_owners_alone(city: City, tmp_path: Path) -> None:
    render(city, Site(), tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "sounds" not in path.parts]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert len([path for path in files if path.suffix == ".conf"]) > len(list(TEMPLATES.rglob("*.conf")))


@pytest.mark.parametrize("values", [
    {"name": "a\nb"}, {"gateway": "host;x"}, {"trunk": "sip:x y"}, {"rtp_first": 20000, "rtp_last": 10000}, {"user": "intake]"},
])  # fmt: skip
def test_values_that_would_change_the_meaning_of_a_file_are_refused(city: City, tmp_path: Path, values: dict[str, object]) -> None:
    with pytest.raises(Misconfigured):
        render(city, replace(Site(), **values), tmp_path)  # type: ignore[arg-type]
    assert not (tmp_path / "etc").exists()


def test_a_password_that_would_change_the_meaning_of_a_file_is_refused(city: City, tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text('ami = "a;b"\n', encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"secrets\.toml"):
        Secrets.load(tmp_path / "secrets.toml", load_telephones(city.folder))


def test_a_trunk_registers_when_it_has_a_password(city: City, tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text('trunk = "open-sesame"\n', encoding="utf-8")
    render(city, Site(trunk="sip.example:5060", trunk_user="hotline"), tmp_path)
    text = (tmp_path / "etc/hotline/pjsip.conf").read_text(encoding="utf-8")
    assert "type = registration" in text
    assert "password = open-sesame" in text


def test_emergency_numbers_are_reachable_from_every_telephone(city: City, tmp_path: Path) -> None:
    render(city, Site(), tmp_path)
    text = (tmp_path / "etc/hotline/extensions.conf").read_text(encoding="utf-8")
    own = text.partition("[hotline-telephones]")[2]
    assert all(f"exten => {number},1," in own for number in ("110", "119", "120", "122", "8001", "8900"))


def test_an_asterisk_in_use_keeps_its_transports_and_its_trunk(city: City, tmp_path: Path) -> None:
    render(city, Site(existing=True), tmp_path)
    text = (tmp_path / "etc/hotline/pjsip.conf").read_text(encoding="utf-8")
    assert not {"type = transport", "type = identify", "transport = hotline-udp"} & set(text.splitlines())
    assert "[trunk]\ntype = endpoint" in text


def test_no_module_is_loaded_that_runs_commands() -> None:
    assert not {"app_system", "func_shell", "res_clialiases", "pbx_spool"} & set(MODULES)


def test_the_command_writes_what_connects_the_gateway(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["render", "--out", str(tmp_path), "--name", "east", "--trunk", "10.1.2.3:5060",
                                        "--gateway", "10.0.0.5:4573", "--gateway-network", "10.0.0.5/32"])  # fmt: skip
    assert done.exit_code == 0, done.output
    table = tomllib.loads((tmp_path / "gateway.toml").read_text(encoding="utf-8"))["phone"]
    assert table["lines"] == ["12319", "96310"]
    assert table["servers"][0]["name"] == "east"
    assert f"secret = {table['servers'][0]['ami_secret']}\n" in (tmp_path / "etc/hotline/manager.conf").read_text(encoding="utf-8")
    assert "permit = 10.0.0.5/32" in (tmp_path / "etc/hotline/manager.conf").read_text(encoding="utf-8")
