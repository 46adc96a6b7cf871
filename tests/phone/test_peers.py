"""Who may open a FastAGI call: the Asterisk servers of the settings and nobody else; strangers cost nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from channels.phone import PhoneSettings, Server, read_settings
from channels.phone.agi import AgiServer, Session
from channels.phone.peers import LOOK_UP_EVERY_S, SOON_S, Peers, admitted_by
from intake.commands.doctor_phone import phone_warnings
from intake.errors import Misconfigured

HEADER = b"agi_network: yes\nagi_request: agi://127.0.0.1:4573/hotline\n\n"
ABROAD = "192.0.2.7"
"""Of the addresses kept for documentation (RFC 5737)."""
SERVER = {"name": "pbx", "ami_secret": "s3cret"}


def settings_for(*hosts: str, peers: Sequence[str] = ()) -> PhoneSettings:
    return PhoneSettings(tuple(Server(f"pbx{n}", host, ami_secret="x") for n, host in enumerate(hosts)), agi_peers=tuple(peers))


@dataclass
class Names:
    """A name service whose answers and clock the test sets."""

    known: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    now_s: float = 1000.0

    async def resolve(self, name: str) -> list[str]:
        self.asked.append(name)
        if name not in self.known:
            raise OSError("no such name")
        return self.known[name]

    def peers(self, *hosts: str, peers: Sequence[str] = ()) -> Peers:
        return Peers(admitted_by(settings_for(*hosts, peers=peers)), resolve=self.resolve, now_s=lambda: self.now_s)


@pytest.mark.parametrize(("hosts", "listed", "peer", "own", "is_in"), [
    (["127.0.0.1"], [], "127.0.0.1", "127.0.0.1", True),
    (["127.0.0.1"], [], "127.0.1.1", "127.0.0.1", True),
    (["127.0.0.1"], [], "::1", "::1", True),
    (["127.0.0.1"], [], "10.0.0.5", "10.0.0.5", True),
    (["127.0.0.1"], [], "10.0.0.6", "10.0.0.5", False),
    ([ABROAD], [], ABROAD, "10.0.0.5", True),
    ([ABROAD], [], f"::ffff:{ABROAD}", "10.0.0.5", True),
    ([ABROAD], [], "127.0.0.1", "127.0.0.1", False),
    ([ABROAD], [], "192.0.2.8", "10.0.0.5", False),
    ([ABROAD, "127.0.0.1"], [], "127.0.0.1", "127.0.0.1", True),
    (["2001:db8::7"], [], "2001:db8::7", "2001:db8::1", True),
    (["fe80::7"], [], "fe80::7%eth0", "fe80::1%eth0", True),
    ([ABROAD], ["10.9.0.0/16", "::1"], "10.9.3.4", "10.0.0.5", True),
    ([ABROAD], ["10.9.0.0/16", "::1"], "::1", "::1", True),
    ([ABROAD], ["10.9.0.0/16", "::1"], ABROAD, "10.0.0.5", False),
    (["127.0.0.1"], ["127.0.0.2"], "127.0.0.1", "127.0.0.1", False),
    ([ABROAD], ["0.0.0.0/0"], "203.0.113.9", "10.0.0.5", True),
    ([ABROAD], [], "rubbish", "10.0.0.5", False),
    ([ABROAD], [], "", "", False),
])  # fmt: skip
async def test_the_servers_of_the_settings_or_the_listed_peers_are_let_in(
    hosts: list[str], listed: list[str], peer: str, own: str, is_in: bool
) -> None:
    assert await Names().peers(*hosts, peers=listed).admits(peer, own) is is_in


async def test_a_name_is_resolved_when_its_server_rings_for_the_first_time() -> None:
    names = Names({"pbx.example": [ABROAD, "2001:db8::7"]})
    peers = names.peers("pbx.example")
    assert await peers.admits("2001:db8::7", "")
    assert await peers.admits(ABROAD, "")
    assert names.asked == ["pbx.example"]


async def test_a_server_that_moved_is_let_in_at_once_and_its_old_address_is_not() -> None:
    names = Names({"pbx.example": [ABROAD]})
    peers = names.peers("pbx.example")
    assert await peers.admits(ABROAD, "")
    names.known["pbx.example"] = ["192.0.2.8"]
    names.now_s += SOON_S
    assert await peers.admits("192.0.2.8", "")
    assert not await peers.admits(ABROAD, "")


async def test_an_address_that_is_given_up_is_forgotten_without_anybody_ringing() -> None:
    names = Names({"pbx.example": [ABROAD]})
    peers = names.peers("pbx.example")
    await peers.tick()
    names.known["pbx.example"] = ["192.0.2.8"]
    names.now_s += LOOK_UP_EVERY_S
    await peers.tick()
    assert not await peers.admits(ABROAD, "")
    assert await peers.admits("192.0.2.8", "")


async def test_while_the_name_service_is_away_the_last_answer_holds() -> None:
    names = Names({"pbx.example": [ABROAD]})
    peers = names.peers("pbx.example", "127.0.0.1")
    await peers.tick()
    names.known.clear()
    names.now_s += LOOK_UP_EVERY_S
    await peers.tick()
    assert await peers.admits(ABROAD, "")
    assert await peers.admits("127.0.0.1", "127.0.0.1")


async def test_a_thousand_strangers_ask_the_name_service_once() -> None:
    names = Names({"pbx.example": [ABROAD]})
    peers = names.peers("pbx.example")
    assert not any(await asyncio.gather(*(peers.admits("203.0.113.9", "") for _ in range(1000))))
    assert names.asked == ["pbx.example"]


async def test_strangers_are_counted_and_told_of_once_a_minute() -> None:
    names = Names()
    peers = names.peers(ABROAD)
    with capture_logs() as logs:
        for _ in range(500):
            await peers.admits("203.0.113.9", "")
        assert [(line["event"], line["count"], line["peer"]) for line in logs] == [("phone.agi_refused", 1, "203.0.113.9")]
        names.now_s += 59
        await peers.tick()
        assert len(logs) == 1
        names.now_s += 1
        await peers.tick()
        assert (logs[1]["count"], logs[1]["total"]) == (499, 500)
        names.now_s += 600
        await peers.tick()
        assert len(logs) == 2
    assert peers.refused == 500


@pytest.mark.parametrize("given", ["10.0.0.300", "10.0.0.0/40", "a b", "pbx/24", "*"])
def test_a_peer_that_is_no_address_network_or_name_is_refused_by_name(given: str) -> None:
    with pytest.raises(Misconfigured, match="agi_peers"):
        read_settings({"servers": [SERVER], "agi_peers": [given]})


def test_peers_may_come_from_the_environment() -> None:
    settings = read_settings({"servers": [SERVER], "agi_peers": "10.0.0.0/8, pbx.example,"})
    assert settings is not None
    assert settings.agi_peers == ("10.0.0.0/8", "pbx.example")


def test_check_warns_of_a_door_that_is_open_to_everybody() -> None:
    given: dict[str, Any] = {"servers": [SERVER | {"ari_secret": "x"}], "agi_host": "10.0.0.5"}
    assert phone_warnings({**given, "agi_peers": ["10.0.0.0/8"]}) == []
    [warning] = phone_warnings({**given, "agi_peers": ["0.0.0.0/0"]})
    assert "agi_peers" in warning


def test_every_key_of_the_telephones_settings_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "telephony.md").read_text(encoding="utf-8")
    keys = [each.name for kind in (PhoneSettings, Server) for each in fields(kind) if each.name != "servers"]
    assert [key for key in keys if f"`{key}`" not in page] == []


@asynccontextmanager
async def listening(peers: Peers) -> AsyncIterator[AgiServer]:
    async def serve(session: Session) -> None:
        await session.send("ANSWER")

    server = AgiServer("127.0.0.1", 0, 2, serve, serve, admits=peers.admits)
    made = await server.start()
    try:
        yield server
    finally:
        made.close()
        await asyncio.gather(*server._tasks, return_exceptions=True)


async def opened(server: AgiServer, source: str) -> bytes:
    """What is read by somebody who opens a call from that address of the loopback."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, local_addr=(source, 0))
    try:
        writer.write(HEADER)
        return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_stranger_is_closed_before_he_has_said_a_word() -> None:
    async with listening(Names().peers(ABROAD, peers=["127.0.0.2"])) as server:
        assert await opened(server, "127.0.0.3") == b""
        assert await opened(server, "127.0.0.2") == b"ANSWER\n"


async def test_two_thousand_strangers_keep_no_call_out() -> None:
    """They leave their connections open and say nothing: more of them than calls and spare connections together."""
    peers = Names().peers(ABROAD, peers=["127.0.0.2"])
    async with listening(peers) as server:
        strangers = []
        for _ in range(20):
            opening = (asyncio.open_connection("127.0.0.1", server.port, local_addr=("127.0.0.3", 0)) for _ in range(100))
            strangers += await asyncio.gather(*opening)
        assert await opened(server, "127.0.0.2") == b"ANSWER\n"
        for _, writer in strangers:
            writer.close()
    assert peers.refused == 2000
