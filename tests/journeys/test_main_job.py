"""The main job, in a real browser on a real gateway: a citizen reports with a photo, the case is filed, handled, checked
and closed by four people at their own screens, both replies stand on the citizen's page, the case archives.
"""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import DEADLINE_MS, chromium, keep
from tests.running import RunningGateway
from tests.servers import Postgres

PASSWORD = "correct horse 7"
PEOPLE = {"op9": "operator", "leader9": "shift_leader", "disp9": "dispatcher", "unit9": "unit", "insp9": "inspector"}


def sign_in(browser: Browser, gateway: RunningGateway, name: str) -> Page:
    page = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(DEADLINE_MS)
    page.goto(f"{gateway.url}/desk")
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(f"{gateway.url}/desk")
    return page


def take_step(page: Page, gateway: RunningGateway, number: str, step: str, **fields: str) -> None:
    """Open a case, choose a step, fill its form, send it."""
    page.goto(f"{gateway.url}/desk/cases/{number}?step={step}")
    for name, value in fields.items():
        control = page.locator(f"#f-{name}")
        if control.evaluate("node => node.tagName") == "SELECT":
            control.select_option(value if value != "first" else control.locator("option[value]:not([value=''])").first.get_attribute("value"))
        else:
            control.fill(value)
    with page.expect_navigation():
        page.locator("form.step-form .buttons button.button").first.click()
    expect(page.locator("[role=alert].summary")).to_have_count(0)


def report(browser: Browser, gateway: RunningGateway, photo: Path) -> tuple[Page, str, str]:
    """A citizen's telephone: small screen, no script needed."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(DEADLINE_MS)
    page.goto(gateway.url)
    page.get_by_label("出了什么问题").fill("鼓楼广场北侧人行道上有一大堆生活垃圾，好几天没人清理，臭味很大")
    page.get_by_label("在什么地方").fill("鼓楼广场北侧")
    page.locator("input[type=file]").set_input_files(photo)
    keep(page, "citizen-report")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", name="已收到您的反映")).to_be_visible()
    keep(page, "citizen-receipt")
    number, code = page.locator(".ticket .number").all_inner_texts()
    page.get_by_role("button", name="查看进度").click()
    expect(page.get_by_text(number).first).to_be_visible()
    return page, number, code


@pytest.mark.servers
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_report_reaches_both_replies_and_the_archive(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    environment = {}
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        environment = {"INTAKE_DATABASE_URL": server.url(server.new_database("intake_template"))}
    photo = tmp_path / "photo.jpg"
    Image.effect_noise((1200, 900), 60).convert("RGB").save(photo, quality=80)
    gateway = RunningGateway(tmp_path / "home", environment)
    gateway.start("--no-train")
    for name, role in PEOPLE.items():
        gateway.command("user", "add", name, "--role", role, "--password-stdin", stdin=PASSWORD + "\n")
    with chromium() as browser:
        citizen, number, code = report(browser, gateway, photo)
        operator, unit = sign_in(browser, gateway, "op9"), sign_in(browser, gateway, "unit9")
        dispatcher, inspector = sign_in(browser, gateway, "disp9"), sign_in(browser, gateway, "insp9")
        keep(operator, "desk-queue")
        expect(operator.get_by_role("link", name=number)).to_be_visible()

        take_step(operator, gateway, number, "accept", subclass="event:0102")
        keep(operator, "desk-case")
        expect(operator.locator(".both .photos img")).to_have_count(1)
        take_step(operator, gateway, number, "file", condition="first", waive_verify="clear_evidence")
        take_step(dispatcher, gateway, number, "dispatch")
        take_step(unit, gateway, number, "take")
        take_step(unit, gateway, number, "feedback", result="垃圾已全部清走，地面已冲洗")
        take_step(operator, gateway, number, "check", check_method="site")
        take_step(inspector, gateway, number, "checked", check_result="pass")
        operator.goto(f"{gateway.url}/desk/cases/{number}?step=close")
        keep(operator, "desk-close")
        take_step(operator, gateway, number, "close")

        citizen.goto(f"{gateway.url}/status")
        citizen.get_by_label("受理编号").fill(number)
        citizen.get_by_label("查询码").fill(code)
        citizen.get_by_role("button", name="查询").click()
        expect(citizen.get_by_text("立案告知")).to_be_visible()
        expect(citizen.get_by_text("结案告知")).to_be_visible()
        expect(citizen.get_by_text("垃圾已全部清走，地面已冲洗").first).to_be_visible()
        keep(citizen, "citizen-status")
        operator.goto(f"{gateway.url}/desk/cases/{number}")
        expect(operator.get_by_text("已归档").first).to_be_visible()
        keep(operator, "desk-archived")
    assert "待回复 0 件" in gateway.command("replies", "audit")
    assert "0 件有误" in gateway.command("history", "verify")
    assert gateway.stop() == 0
