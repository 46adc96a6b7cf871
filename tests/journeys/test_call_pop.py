"""Operators' browsers and a real call: logging in at the desk, the screen pop, the shift leader's ear, 话后整理."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from channels.web.vendor import load_vendor
from tests.asterisk.calls import Telephone, answer, behave
from tests.asterisk.desks import PEOPLE, chromium, first_ring, hire, sits_down
from tests.asterisk.exchange import Exchange
from tests.asterisk.gateway import connected, gateway_behind, rows, until
from tests.asterisk.room import Room
from tests.running import RunningGateway
from tests.servers import missing

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def gateway(pbx: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    if not load_vendor():
        missing("front-end packages", "channels/web/front/install.sh")
    gateway = gateway_behind(pbx, tmp_path_factory.mktemp("pop") / "home")
    gateway.start("--no-train")
    hire(gateway, *PEOPLE)
    yield gateway
    gateway.stop()


async def ready(page: Page) -> None:
    await page.get_by_role("button", name="示闲").click()
    await expect(page.locator("#line")).to_contain_text("示闲")


async def test_the_screen_pops_for_the_one_whose_telephone_rings(room: Room, gateway: RunningGateway) -> None:
    await connected(room)
    for extension in PEOPLE:
        await behave(room.agents, extension, "ring")
    async with chromium() as browser:
        desks = {extension: await sits_down(browser, gateway, extension) for extension in PEOPLE}
        for extension in ("8001", "8002"):
            await ready(desks[extension])
        citizen = await room.citizen_rings(caller="19900000021")
        extension, telephone = await first_ring(room, "8001", "8002")
        mine, other = desks[extension], desks["8002" if extension == "8001" else "8001"]
        await expect(mine.locator("#pop h2")).to_contain_text("来电")
        await expect(mine.locator("#line")).to_contain_text("振铃")

        await answer(telephone, extension)
        await expect(mine.locator("#line")).to_contain_text("通话")
        for page in (other, desks["8900"]):
            assert await page.locator("#pop").inner_html() == "", "somebody else's call"
        await mine.keyboard.press("F9")
        await mine.wait_for_url("**/desk/calls/*")
        await expect(mine.get_by_role("button", name="三方通话")).to_be_visible()

        await overhears(room, desks["8900"], citizen, telephone)
        await telephone.hang_up()
        await expect(mine.locator("#line")).to_contain_text("话后整理")
        await citizen.hang_up()
        await citizen.ended()
        await mine.locator("#line").click()
        await mine.get_by_role("button", name="整理完毕，示闲").click()
        await expect(mine.locator("#line")).to_contain_text("示闲")
        for page in desks.values():
            await page.goto(f"{gateway.url}/desk/phone")
            await page.get_by_role("button", name="签出").click()
            await expect(page.locator("#line")).to_contain_text("离线")
    await until(lambda: room.pbx.command("queue show hotline"), lambda told: "PJSIP/800" not in str(told))
    [(ended_by,)] = await until(lambda: rows(gateway, "select extension from calls where ended_at is not null"))
    assert ended_by == extension


async def overhears(room: Room, leader: Page, citizen: Telephone, operator: Telephone) -> None:
    """监听: the shift leader hears both, and neither hears him."""
    await leader.goto(leader.url.partition("/desk")[0] + "/desk/phone")
    await leader.get_by_role("button", name="监听").click()
    await expect(leader.get_by_text("摘机后开始监听")).to_be_visible()
    _, ear = await first_ring(room, "8900")
    await answer(ear, "8900")
    await room.pbx.event("ChanSpyStart")
    await room.talk(citizen, operator)
    await ear.hang_up()
    await ear.ended()
    assert all(room.is_on(who, ear.heard) for who in ("citizen", "operator"))


async def test_nobody_is_told_of_calls_without_being_signed_in(gateway: RunningGateway) -> None:
    status, _ = await asyncio.to_thread(gateway.ask, "GET", "/api/v1/events")
    assert status == 401
