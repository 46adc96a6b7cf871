"""The steps of docs/telephony.md on an Asterisk that was in use before: its own calls go on, and 12319 reaches an operator."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intake.commands.doctor_phone import phone_findings
from tests.asterisk.ami import connected as connected_to
from tests.asterisk.calls import behave
from tests.asterisk.exchange import Exchange, demo_city
from tests.asterisk.existing import Existing
from tests.asterisk.fixtures import OPERATORS, Exchanges
from tests.asterisk.gateway import connected, gateway_behind, rows, sit_down, until
from tests.asterisk.install import Installation
from tests.asterisk.room import SPEAKS_S, Room, opened
from tests.asterisk.sipp import Abuse, commit, sipp
from tests.running import RunningGateway
from tests.servers import free_port, missing

pytestmark = [pytest.mark.servers, pytest.mark.slow]
FORGED = "ForgedByACaller"
INJECTED = f"<sip:19900000091%0D%0A%0D%0AEvent%3a%20Hangup%0D%0AUniqueid%3a%20{FORGED}@h>".encode()
LOOKED_AT = {
    "dialplan show hotline-in": "hotline,s,1",
    "queue show": "hotline-fallback",
    "pjsip show endpoints": "8001/8001",
    "manager show user intake": "read perm: call,agent,user,reporting",
}
"""Step 7: what is asked, and what must be among the answer."""


@pytest.fixture(scope="module")
def office(asterisk: Installation) -> Iterator[Exchanges]:
    """As it was before: nothing of the hotline on it yet. Telephones of citizens and operators are the usual ones."""
    pbx = Existing("office", asterisk, "127.0.0.1")
    pstn, agents = (Exchange(role, asterisk, f"127.0.0.{n}") for n, role in enumerate(("pstn", "agents"), 2))
    pbx.lay_out(demo_city(), trunk=pstn.sip, gateway=f"127.0.0.1:{free_port()}")
    try:
        pbx.start()
        yield Exchanges(pbx, pstn, agents)
    finally:
        for exchange in (pbx, pstn, agents):
            exchange.remove()


async def test_the_ten_steps_hold_on_an_asterisk_in_use(office: Exchanges, tmp_path: Path) -> None:
    pbx, pstn, agents = office.all
    assert isinstance(pbx, Existing)
    pbx.add_hotline()
    async with pbx.ami() as ami:
        await ami.command("core reload")
        for asked, wanted in LOOKED_AT.items():
            assert wanted in await ami.command(asked)
    pbx.stop()  # the name of the system is read at the start alone
    pbx.start()
    for telephones, registering in ((pstn, ()), (agents, OPERATORS)):
        telephones.lay_out(demo_city())
        telephones.be_telephones(pbx, registering)
        telephones.start()
    gateway = gateway_behind(pbx, tmp_path / "home")
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, sit_down(gateway.home, e8001=2)).result()
    await asyncio.to_thread(gateway.start, "--no-train")
    try:
        [finding] = await phone_findings(pbx.phone_settings())
        assert not finding.wrong, finding.words
        async with opened(pbx, pstn, agents, OPERATORS) as room:
            await talk(room, gateway)
            await own_call(room)
            await forged_call(room, tmp_path)
    finally:
        gateway.stop()


async def talk(room: Room, gateway: RunningGateway) -> None:
    """A citizen reaches the operator by the administrator's own trunk; the talk is fetched over ARI."""
    await connected(room)
    await until(lambda: room.pbx.command("queue show hotline"), lambda told: "PJSIP/8001" in str(told))
    await behave(room.agents, "8001", "ring")
    citizen = await room.citizen_rings(caller="19900000090", name="张建国")
    operator = await room.operator_answers("8001")
    await room.talk(citizen, operator)
    await operator.hang_up()
    await citizen.hang_up()
    await citizen.ended()
    assert room.prompts_on(citizen.heard, "greeting_12319", "recording_notice") == ["greeting_12319", "recording_notice"]
    assert room.is_on("operator", citizen.heard)
    assert room.is_on("citizen", operator.heard)
    query = "select size from recordings where kind = 'talk' and size > 0"
    assert (await until(lambda: rows(gateway, query)))[0][0] > 8000 * sum(SPEAKS_S.values())  # type: ignore[index]
    assert rows(gateway, "select 1 from calls where leg_id like 'office-%' and ended_at is not null")


async def own_call(room: Room) -> None:
    """What the server did before it still does."""
    citizen = await room.citizen_rings("65000000", caller="19900000092")
    await room.pbx.user_event("OfficeRang")
    await citizen.ended()


async def forged_call(room: Room, folder: Path) -> None:
    """A caller writes an event as his number: at a trunk that hides nothing the gateway is spared it all the same."""
    if sipp() is None:
        missing("SIPp", "apt-get install sip-tester")
    server = room.hotline.phone_settings()["servers"][0]
    async with connected_to(server["ami_port"], server["ami_user"], server["ami_secret"]) as ami:
        code, faults = await commit(Abuse("call", [INJECTED], lasts_ms=1500), room.hotline, folder)
        assert code == 0, faults
        await ami.act("Ping")
        assert ami.seen
        assert not [event for event in ami.seen if FORGED in str(event)]
