"""Session fixtures: three real Asterisk processes, started once per test process and ended by their ids."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from tests.asterisk.exchange import Exchange, demo_city
from tests.asterisk.install import Installation, NoAsterisk, installation
from tests.asterisk.room import Room, opened
from tests.servers import free_port, missing

OPERATORS = ("8001", "8002", "8900")
"""Extensions with a registered telephone; the others of the city stay unplugged."""


@dataclass(frozen=True)
class Exchanges:
    """The hotline, the public network with the citizens' telephones, and the operators' telephones."""

    pbx: Exchange
    pstn: Exchange
    agents: Exchange

    @property
    def all(self) -> tuple[Exchange, Exchange, Exchange]:
        return self.pbx, self.pstn, self.agents


def build(found: Installation) -> Exchanges:
    """Three exchanges laid out but not started. Each has an address of its own, as in life."""
    pbx, pstn, agents = (Exchange(role, found, f"127.0.0.{n}") for n, role in enumerate(("pbx", "pstn", "agents"), 1))
    city = demo_city()
    pbx.lay_out(city, trunk=pstn.sip, gateway=f"127.0.0.1:{free_port()}", fallback_wait_s=4, silence_s=2)
    for telephones, registering in ((pstn, ()), (agents, OPERATORS)):
        telephones.lay_out(city)
        telephones.be_telephones(pbx, registering)
    return Exchanges(pbx, pstn, agents)


@pytest.fixture(scope="session")
def asterisk() -> Installation:
    try:
        return installation()
    except NoAsterisk as reason:
        missing("Asterisk 22", str(reason))
        raise


@pytest.fixture(scope="session")
def exchanges(asterisk: Installation) -> Iterator[Exchanges]:
    three = build(asterisk)
    try:
        for exchange in three.all:
            exchange.start()
        yield three
    finally:
        for exchange in three.all:
            exchange.remove()


@pytest.fixture(scope="session")
def pbx(exchanges: Exchanges) -> Exchange:
    return exchanges.pbx


@pytest.fixture(scope="session")
def pstn(exchanges: Exchanges) -> Exchange:
    return exchanges.pstn


@pytest.fixture(scope="session")
def agents(exchanges: Exchanges) -> Exchange:
    return exchanges.agents


@pytest.fixture
async def room(exchanges: Exchanges) -> AsyncIterator[Room]:
    async with opened(exchanges.pbx, exchanges.pstn, exchanges.agents, OPERATORS) as room:
        yield room
