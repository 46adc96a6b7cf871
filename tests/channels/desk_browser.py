"""A real browser on the real application in this process: pages of people already signed in, with the switchboard beside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from channels.web.desk_phone import TELEPHONE
from channels.web.server import build_app
from channels.web.session import COOKIE
from channels.web.setting import WebSetting
from channels.web.vendor import FRONT
from intake.gateway import Gateway
from intake.switchboard import Switchboard
from tests.browser import ARGUMENTS, ARTIFACTS, DEADLINE_MS, chromium_path
from tests.channels.conftest import Served
from tests.channels.desk_people import Person
from tests.fake_telephony import FakeTelephony

AXE = FRONT / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


@dataclass
class Desk:
    """The served application, its browser and everything that went wrong in any page."""

    url: str
    gateway: Gateway
    board: Switchboard
    telephony: FakeTelephony
    browser: Browser
    faults: list[str] = field(default_factory=list)

    async def page_of(self, person: Person, *, width: int = 1280, height: int = 900, scripts: bool = True) -> Page:
        """A browser of its own, signed in, at the queue."""
        context = await self.browser.new_context(
            locale="zh-CN", viewport={"width": width, "height": height}, java_script_enabled=scripts
        )
        await context.add_cookies([{"name": COOKIE, "value": person.secret, "url": self.url}])
        page = await context.new_page()
        page.set_default_timeout(DEADLINE_MS)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda told: self.faults.append(told.text) if "Content Security" in told.text else None)
        page.on("request", self._stays_here)
        await page.goto(f"{self.url}/desk")
        return page

    def _stays_here(self, request: object) -> None:
        address = str(getattr(request, "url", ""))
        if not address.startswith((self.url, "data:", "blob:")):
            self.faults.append(f"left the machine: {address}")


@asynccontextmanager
async def desk_of(gateway: Gateway, setting: WebSetting, folder: Path) -> AsyncIterator[Desk]:
    """Serve the gateway on loopback with a switchboard, and open Chromium."""
    app = build_app(gateway, setting)
    board, telephony = Switchboard(gateway, media=folder / "media", spool=folder / "calls"), FakeTelephony()
    board.connect(telephony)
    app[TELEPHONE].board = board
    server = Served(app)
    await server.start_server()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGUMENTS, "--no-sandbox"])
            desk = Desk(str(server.make_url("/")).rstrip("/"), gateway, board, telephony, browser)
            yield desk
            await browser.close()
        assert desk.faults == []
    finally:
        await server.close()


async def keep(page: Page, name: str) -> None:
    """Keep a picture of the page as it stands."""
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=str(ARTIFACTS / f"{name}.png"), full_page=True)


async def grave_faults(page: Page) -> list[str]:
    """What axe finds serious or critical on a page as it stands."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')[:160]}"
        for one in found if one["impact"] in GRAVE for node in one["nodes"]
    ]  # fmt: skip
