"""Operators' desks in Chromium beside real telephones: who sits where, signing in, logging the telephone in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.asterisk.calls import Telephone
from tests.asterisk.room import Room
from tests.browser import ARGUMENTS, DEADLINE_MS, chromium_path
from tests.running import RunningGateway

PASSWORD = "correct horse 7"
PEOPLE = {"8001": ("op8", "operator"), "8002": ("op9", "operator"), "8900": ("head", "shift_leader")}
"""Extension to account and post."""


def hire(gateway: RunningGateway, *extensions: str) -> None:
    """Accounts for those who sit at these telephones."""
    for name, role in (PEOPLE[extension] for extension in extensions):
        gateway.command("user", "add", name, "--role", role, "--password-stdin", stdin=PASSWORD + "\n")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGUMENTS, "--no-sandbox"])
        yield browser
        await browser.close()


async def sits_down(browser: Browser, gateway: RunningGateway, extension: str) -> Page:
    """Somebody signs in and logs his telephone in, all with the mouse."""
    page = await (await browser.new_context(locale="zh-CN")).new_page()
    page.set_default_timeout(DEADLINE_MS)
    await page.goto(f"{gateway.url}/desk")
    await page.get_by_label("用户名").fill(PEOPLE[extension][0])
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await page.locator("#line").click()
    await page.get_by_label("您面前电话的分机号").fill(extension)
    await page.get_by_role("button", name="签入").click()
    await expect(page.locator("#line")).to_contain_text("小休")
    return page


async def first_ring(room: Room, *extensions: str) -> tuple[str, Telephone]:
    """Which of these telephones Asterisk chose to ring."""
    event = await room.agents.event("UserEvent", UserEvent="PhoneRinging", where=lambda told: told["Number"] in extensions)
    return event["Number"], Telephone(room.desk, room.agents, event["Tag"], event["Channel"])
