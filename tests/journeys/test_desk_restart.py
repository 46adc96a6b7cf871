"""The desk over a restart of the gateway, in a real browser: the queue goes on by itself, no draft and no change is missed."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from channels.web.vendor import load_vendor
from tests.browser import DEADLINE_MS, chromium
from tests.running import RunningGateway
from tests.servers import missing

PASSWORD = "correct horse 7"


def report(gateway: RunningGateway, text: str) -> str:
    status, answer = gateway.ask("POST", "/api/v1/reports", {"text": text, "place": "鼓楼广场"})
    assert status == 201
    return str(answer["case_no"])


@pytest.mark.servers
def test_a_restart_loses_no_draft_and_the_queue_hears_on(tmp_path: Path) -> None:
    if not load_vendor():
        missing("front-end packages", "channels/web/front/install.sh")
    gateway = RunningGateway(tmp_path / "home")
    gateway.start("--no-train")
    gateway.command("user", "add", "op9", "--role", "operator", "--password-stdin", stdin=PASSWORD + "\n")
    with chromium() as browser:
        queue = browser.new_context(locale="zh-CN").new_page()
        queue.set_default_timeout(DEADLINE_MS)
        queue.goto(f"{gateway.url}/desk")
        queue.get_by_label("用户名").fill("op9")
        queue.get_by_label("密码").fill(PASSWORD)
        queue.get_by_role("button", name="登录").click()
        call = queue.context.new_page()
        call.goto(f"{gateway.url}/desk")
        call.keyboard.press("c")
        call.wait_for_url("**/desk/calls/*")
        call.keyboard.type("电话里说的第一句")
        expect(call.locator("[name=version]").first).not_to_have_value("1")
        first = report(gateway, "门前垃圾没人清理")
        queue.bring_to_front()
        expect(queue.locator(f"#case-{first}")).to_be_visible(timeout=DEADLINE_MS)

        gateway.kill()
        call.bring_to_front()
        call.locator("#f-what").press_sequentially("，断线时又说了一句")
        expect(call.locator("#saved")).to_contain_text("内容仍在本页", timeout=DEADLINE_MS)
        gateway.start("--no-train")
        second = report(gateway, "路灯不亮")

        expect(call.locator("#saved")).to_contain_text("已存草稿", timeout=DEADLINE_MS)
        queue.bring_to_front()
        expect(queue.locator(f"#case-{second}")).to_be_visible(timeout=DEADLINE_MS)
        again = queue.context.new_page()
        again.goto(f"{gateway.url}/desk/drafts")
        expect(again.get_by_text("断线时又说了一句")).to_be_visible()
    assert gateway.stop() == 0
