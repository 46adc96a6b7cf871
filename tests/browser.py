"""Chromium as Debian ships it, driven by Playwright; screenshots of a run are kept under test-artifacts/."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers import missing

ARTIFACTS = Path(__file__).resolve().parent.parent / "test-artifacts"
ARGUMENTS = [
    "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-quic",
]  # fmt: skip
DEADLINE_MS = 60_000


def chromium_path() -> str:
    """Where Chromium stands; the test is skipped, or in CI fails, without it."""
    path = shutil.which("chromium")
    if path is None:
        missing("Chromium", "apt-get install chromium")
    return path or ""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; as root without its sandbox, which cannot be had there."""
    path = chromium_path()
    arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else ARGUMENTS
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def keep(page: Page, name: str) -> None:
    """Keep a picture of the page as it stands."""
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTIFACTS / f"{name}.png"), full_page=True)
