"""The shipped configuration in a real Asterisk 22: it starts without a complaint, and its users may do no more than they must."""

import stat
from contextlib import AbstractAsyncContextManager

import aiohttp
import pytest
from yarl import URL

from intake.commands.doctor_phone import phone_findings
from tests.asterisk.ami import Ami, Refused, connected
from tests.asterisk.calls import registered
from tests.asterisk.exchange import Exchange
from tests.asterisk.fixtures import OPERATORS, Exchanges
from tests.asterisk.sip import answer_to, request

pytestmark = pytest.mark.servers


async def test_the_shipped_files_start_without_a_complaint(exchanges: Exchanges) -> None:
    async with exchanges.pbx.ami() as ami:
        await registered(ami, *OPERATORS)
        for module in ("res_agi.so", "app_queue.so", "res_ari_recordings.so"):
            assert "Running" in await ami.command(f"module show like {module}")
    assert [exchange.complaints() for exchange in exchanges.all] == [[], [], []]


async def test_the_gateways_user_may_steer_calls_and_queues(pbx: Exchange) -> None:
    async with _gateway(pbx) as ami:
        await ami.act("Ping")
        await ami.act("QueueAdd", Queue="hotline", Interface="PJSIP/8003", MemberName="op3")
        members = [e for e in await ami.collect("QueueStatus", "QueueStatusComplete", Queue="hotline") if e["Event"] == "QueueMember"]
        assert [member["Name"] for member in members] == ["op3"]
        await ami.act("QueuePause", Interface="PJSIP/8003", Paused="true", Reason="小休")
        await ami.act("QueueRemove", Queue="hotline", Interface="PJSIP/8003")
        await ami.collect("CoreShowChannels", "CoreShowChannelsComplete")


@pytest.mark.parametrize(("action", "headers"), [
    ("Command", {"Command": "core show version"}),
    ("UpdateConfig", {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"}),
    ("GetConfig", {"Filename": "manager.conf"}),
    ("ModuleLoad", {"LoadType": "reload"}),
    ("DBDelTree", {"Family": "hotline-open"}),
    ("Originate", {"Channel": "Local/s@hotline-idle", "Application": "System", "Data": "true", "Async": "true"}),
])  # fmt: skip
async def test_the_gateways_user_may_not_do_more(pbx: Exchange, action: str, headers: dict[str, str]) -> None:
    async with _gateway(pbx) as ami:
        with pytest.raises(Refused):
            await ami.act(action, **headers)


async def test_a_wrong_secret_is_refused(pbx: Exchange) -> None:
    with pytest.raises(Refused):
        async with connected(pbx.ami_port, "intake", "wrong"):
            pass


async def test_recordings_are_fetched_with_the_password_only(pbx: Exchange) -> None:
    server = pbx.phone_settings()["servers"][0]
    path = pbx.folders.recordings / "message" / "1-a.wav"
    path.write_bytes(b"RIFF")
    # The slash of a recording's name is written %2F; as a slash Asterisk takes it for a path of its own.
    url = URL(f"{server['ari_url']}/ari/recordings/stored/message%2F1-a/file", encoded=True)
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as answer:
            assert answer.status == 401
        allowed = {"Authorization": aiohttp.encode_basic_auth(server["ari_user"], server["ari_secret"])}
        async with http.get(url, headers=allowed) as answer:
            assert (answer.status, await answer.read()) == (200, b"RIFF")
    path.unlink()


async def test_files_with_passwords_are_private(pbx: Exchange) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (pbx.root / "secrets.toml", pbx.root / "gateway.toml")}
    assert modes == {"secrets.toml": 0o600, "gateway.toml": 0o600}


@pytest.mark.parametrize(("method", "user"), [("INVITE", "12319"), ("REGISTER", "8001")])
async def test_a_stranger_can_neither_ring_nor_register(pbx: Exchange, method: str, user: str) -> None:
    """Whoever is not at the trunk's address is asked for a password."""
    asked = request(method, user, pbx.sip, contact="8001@127.0.0.9:5999")
    assert (await answer_to(pbx.sip, asked, source="127.0.0.9")).startswith("SIP/2.0 401")


def _gateway(pbx: Exchange) -> AbstractAsyncContextManager[Ami]:
    """Connected as the gateway would be, with what is in the rendered gateway.toml."""
    server = pbx.phone_settings()["servers"][0]
    return connected(server["ami_port"], server["ami_user"], server["ami_secret"])


@pytest.mark.parametrize(("changes", "words"), [
    ({}, "AMI 和 ARI 可以登录"),
    ({"ami_secret": "wrong"}, "AMI 拒绝登录"),
    ({"ari_secret": "wrong"}, "ARI 拒绝口令"),
    ({"ami_port": 1}, "连不上 AMI 127.0.0.1:1"),
    ({"ari_url": "http://127.0.0.1:1"}, "连不上 ARI http://127.0.0.1:1"),
])  # fmt: skip
async def test_the_doctor_names_the_password_or_address_that_is_wrong(pbx: Exchange, changes: dict[str, object], words: str) -> None:
    settings = pbx.phone_settings()
    settings["servers"] = [settings["servers"][0] | changes]
    [finding] = await phone_findings(settings)
    assert words in finding.words
    assert finding.wrong == bool(changes)
    assert settings["servers"][0]["ami_secret"] not in finding.words
