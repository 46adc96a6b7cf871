"""What surrounds every request: headers, ids, problems, limits, health, metrics, forwarded headers, the log line."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient

from channels.web.client_address import client_address, is_local, limit_key, own_origin
from channels.web.health import READY_CHECKS
from channels.web.problem import STATUS, problem_of
from channels.web.rate import Limiter
from channels.web.render import HERE
from channels.web.server import SMALL_BODY_BYTES, build_app
from channels.web.setting import WebSetting
from intake import errors, text
from intake.errors import BadInput, IllegalMove, IntakeError, StaleVersion, TooMany
from intake.gateway import Gateway
from tests.channels.browsing import page_of
from tests.channels.conftest import Client, Served
from tests.channels.pictures import picture

PAGES = ("/", "/status", "/api/docs", "/nowhere")
SECRET = "SECRET-19900000001"


@asynccontextmanager
async def serving(
    gateway: Gateway, setting: WebSetting, change: Callable[[web.Application], None] | None = None
) -> AsyncIterator[Client]:
    """A client of an application of the test's own; `change` may add routes to it."""
    app = build_app(gateway, setting)
    if change:
        change(app)
    async with TestClient(Served(app)) as client:
        yield client


def offering(route: web.RouteDef) -> Callable[[web.Application], None]:
    def add(app: web.Application) -> None:
        app.add_routes([route])

    return add


def raising(error: BaseException, path: str = "/fails") -> Callable[[web.Application], None]:
    async def fail(_: web.Request) -> web.Response:
        raise error

    def add(app: web.Application) -> None:
        app.add_routes([web.get(path, fail), web.get(f"/api{path}", fail)])

    return add


@pytest.mark.parametrize("path", [*PAGES, "/api/v1/nowhere", "/health/live", "/static/app.css", "/api/openapi.json"])
async def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    headers = (await client.get(path)).headers
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:",
                 "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):  # fmt: skip
        assert rule in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "geolocation=(self)" in headers["Permissions-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers
    assert "Strict-Transport-Security" not in headers


async def test_https_is_demanded_only_where_cookies_are_secure(gateway: Gateway, web_setting: WebSetting) -> None:
    async with serving(gateway, replace(web_setting, secure_cookies=True)) as client:
        assert "max-age" in (await client.get("/")).headers["Strict-Transport-Security"]


@pytest.mark.parametrize("path", ["/", "/status", "/nowhere", "/api/v1/nowhere", "/api/v1/cases/26112000001?code=1"])
async def test_what_may_be_personal_is_never_stored_by_browsers(client: Client, path: str) -> None:
    assert (await client.get(path)).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
async def test_pages_hold_no_inline_script_style_or_foreign_address(client: Client, path: str) -> None:
    page = await page_of(await client.get(path))
    assert page.inline == []
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.source)
    assert "skip" in page.source
    assert '<html lang="zh-CN"' in page.source


def test_no_template_marks_anything_as_safe_but_the_square_code() -> None:
    sources = {path.name: path.read_text("utf-8") for path in (HERE / "templates").glob("*.html")}
    assert not [name for name, source in sources.items() if "|safe" in source or "autoescape false" in source]
    assert not [
        name
        for name, source in sources.items()
        if re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", source)
    ]


async def test_every_request_has_an_id_of_its_own(client: Client) -> None:
    first, second = [(await client.get("/status")).headers["X-Request-ID"] for _ in range(2)]
    assert first != second


async def test_an_id_is_taken_from_a_listed_proxy_only(gateway: Gateway, web_setting: WebSetting) -> None:
    behind = replace(web_setting, trusted_proxies=(ip_network("127.0.0.0/8"),))
    for setting, given, taken in (
        (behind, "trace_0123-abc", True),
        (web_setting, "trace_0123-abc", False),
        (behind, "a b<script>" + "x" * 100, False),
    ):
        async with serving(gateway, setting) as client:
            answer = await client.get("/status", headers={"X-Request-ID": given})
            assert (answer.headers["X-Request-ID"] == given) is taken


# Problems


def every_error(kind: type[IntakeError] = IntakeError) -> list[type[IntakeError]]:
    return [each for sub in kind.__subclasses__() for each in (sub, *every_error(sub))]


def test_every_refusal_has_a_status_of_its_own_fault() -> None:
    assert text.TextRefused in every_error()
    made = [errors.BadPayload(), errors.UnknownSubclass("x"), errors.NotAllowed(), errors.NotSignedIn(), errors.NotFound(),
            errors.KeyReused(), errors.TooMany(), errors.Unavailable(), errors.Misconfigured(), IllegalMove("close", "reported"),
            StaleVersion(current_version=2), BadInput("text", "短"), text.EmptyText()]  # fmt: skip
    found = [problem_of(error).status for error in made]
    assert found == [400, 422, 403, 401, 404, 422, 429, 503, 503, 409, 409, 422, 422]
    assert all(issubclass(kind, IntakeError) for kind, _ in STATUS)


async def test_a_problem_tells_version_changes_and_patience(gateway: Gateway, web_setting: WebSetting) -> None:
    stale = StaleVersion(current_version=7, changes=({"step": "accept", "at": "2026-11-20T04:00:00+00:00"},))
    async with serving(gateway, web_setting, raising(stale)) as client:
        body = await (await client.get("/api/fails")).json()
        assert (body["status"], body["code"], body["current_version"]) == (409, "stale_version", 7)
        assert body["changes"][0]["step"] == "accept"
    async with serving(gateway, web_setting, raising(StaleVersion(current_version=3))) as client:
        assert (await (await client.get("/api/fails")).json())["changes"] == []
    async with serving(gateway, web_setting, raising(IllegalMove("close", "reported"))) as client:
        body = await (await client.get("/api/fails")).json()
        assert (body["status"], body["title"], "changes" in body) == (409, "当前状态不能这样操作", False)
    async with serving(gateway, web_setting, raising(TooMany(retry_after_s=42))) as client:
        answer = await client.get("/api/fails")
        assert (answer.status, answer.headers["Retry-After"], (await answer.json())["retry_after_s"]) == (429, "42", 42)


async def test_an_unforeseen_failure_tells_its_id_and_nothing_else(
    gateway: Gateway, web_setting: WebSetting, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(gateway, web_setting, raising(RuntimeError(f"cannot store {SECRET}"))) as client:
        answer = await client.get("/api/fails")
        body = await answer.json()
        page = await client.get("/fails")
        assert (answer.status, page.status) == (500, 500)
        assert body["detail"] == "系统暂时无法处理，请稍后再试。"
        for told in (await answer.text(), await page.text()):
            assert SECRET not in told
            assert "RuntimeError" not in told
        assert page.headers["X-Request-ID"] in await page.text()
    logged = "".join([*capsys.readouterr(), caplog.text])
    assert body["request_id"] in logged
    assert "RuntimeError" in logged
    assert SECRET not in logged


async def test_a_redirect_is_no_problem(gateway: Gateway, web_setting: WebSetting) -> None:
    move = web.HTTPSeeOther("/status")
    move.set_cookie("crumb", "kept")
    async with serving(gateway, web_setting, raising(move)) as client:
        answer = await client.get("/fails", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/status")
        assert answer.cookies["crumb"].value == "kept"


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nowhere", 404), ("GET", "/api/v1/nowhere", 404), ("PUT", "/report", 405), ("GET", "/api/v1/reports", 405),
    ("DELETE", "/", 405)])  # fmt: skip
async def test_unknown_addresses_and_methods_are_told_plainly(
    client: Client, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status == status
    expected = "application/problem+json" if path.startswith("/api/") else "text/html"
    assert answer.content_type == expected


async def test_a_body_larger_than_a_form_needs_is_refused(gateway: Gateway, web_setting: WebSetting) -> None:
    async def read(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async with serving(gateway, web_setting, offering(web.post("/any", read))) as client:
        assert (await client.post("/any", data=b"x" * SMALL_BODY_BYTES)).status == 200
        assert (await client.post("/any", data=b"x" * (SMALL_BODY_BYTES + 1))).status == 413


async def test_a_multipart_form_may_be_large_but_not_endless(gateway: Gateway, web_setting: WebSetting) -> None:
    async def read(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    small = replace(web_setting, max_body_bytes=SMALL_BODY_BYTES * 2)
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with serving(gateway, small, offering(web.post("/any", read))) as client:
        assert (await client.post("/any", data=b"x" * SMALL_BODY_BYTES * 2, headers=headers)).status == 200
        assert (await client.post("/any", data=b"x" * (SMALL_BODY_BYTES * 2 + 1), headers=headers)).status == 413


# Limits


def test_a_limit_counts_by_client_and_window() -> None:
    now = 1000.0
    limiter = Limiter(WebSetting(media=Path("unused"), report_limit="2/minute"), now=lambda: now)
    limiter.count("report", "a")
    limiter.count("report", "a")
    with pytest.raises(TooMany) as caught:
        limiter.count("report", "a")
    assert caught.value.retry_after_s == 61
    limiter.count("report", "b")
    limiter.count("status", "a")
    now += 61
    limiter.count("report", "a")


def test_ended_windows_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.web.rate.MAX_KEYS", 100)
    now = 0.0
    limiter = Limiter(WebSetting(media=Path("unused")), now=lambda: now)
    for number in range(1000):
        now += 1
        limiter.count("report", str(number))
    assert len(limiter._counts._windows) <= 101


async def test_the_api_has_its_own_limit(gateway: Gateway, web_setting: WebSetting) -> None:
    async with serving(gateway, replace(web_setting, api_limit="1/minute")) as client:
        statuses = [(await client.post("/api/v1/reports", json={"text": "垃圾"})).status for _ in range(2)]
        assert statuses == [201, 429]


async def test_pictures_count_by_the_limit_of_reports(gateway: Gateway, web_setting: WebSetting) -> None:
    def form(*photos: bytes) -> FormData:
        made = FormData({"text": "垃圾"}, default_to_multipart=True)
        for photo in photos:
            made.add_field("photos", photo, filename="IMG_1.jpg", content_type="image/jpeg")
        return made

    async with serving(gateway, replace(web_setting, report_limit="1/minute")) as client:
        sent = (form(picture()), form(picture()), form(), form())
        statuses = [(await client.post("/api/v1/reports", data=each())).status for each in sent]
        assert statuses == [201, 429, 201, 201]


# Whom forwarded headers are believed from


async def seen_by(gateway: Gateway, setting: WebSetting, headers: dict[str, str]) -> dict[str, str]:
    async def look(request: web.Request) -> web.Response:
        told = {"client": client_address(request), "limit": limit_key(request), "origin": own_origin(request),
                "local": str(is_local(request))}  # fmt: skip
        return web.json_response(told)

    async with serving(gateway, setting, offering(web.get("/look", look))) as client:
        found: dict[str, str] = await (await client.get("/look", headers=headers)).json()
        return found


FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "hotline.example"}


async def test_forwarded_headers_of_strangers_are_ignored(gateway: Gateway, web_setting: WebSetting) -> None:
    found = await seen_by(gateway, web_setting, FORWARDED)
    assert (found["client"], found["local"]) == ("127.0.0.1", "True")
    assert found["origin"].startswith("http://127.0.0.1:")


async def test_forwarded_headers_of_a_listed_proxy_are_believed(gateway: Gateway, web_setting: WebSetting) -> None:
    behind = replace(web_setting, trusted_proxies=(ip_network("127.0.0.0/8"),))
    found = await seen_by(gateway, behind, FORWARDED)
    assert found == {
        "client": "203.0.113.9",
        "limit": "203.0.113.9",
        "origin": "https://hotline.example",
        "local": "False",
    }


@pytest.mark.parametrize(("chain", "expected"), [
    ("198.51.100.1, 203.0.113.9", "203.0.113.9"), ("203.0.113.9, 127.0.0.5", "203.0.113.9"), ("garbage", "127.0.0.1"),
    ("203.0.113.9, garbage", "127.0.0.1"), ("", "127.0.0.1"), ("::ffff:203.0.113.9", "::ffff:203.0.113.9")])  # fmt: skip
async def test_only_the_last_stranger_of_the_chain_counts(
    gateway: Gateway, web_setting: WebSetting, chain: str, expected: str
) -> None:
    behind = replace(web_setting, trusted_proxies=(ip_network("127.0.0.0/8"),))
    assert (await seen_by(gateway, behind, {"X-Forwarded-For": chain}))["client"] == expected


async def test_limits_count_a_household_of_ipv6_as_one(gateway: Gateway, web_setting: WebSetting) -> None:
    behind = replace(web_setting, trusted_proxies=(ip_network("127.0.0.0/8"),))
    keys = [(await seen_by(gateway, behind, {"X-Forwarded-For": f"2001:db8:1:2::{n}"}))["limit"] for n in ("1", "ffff")]
    assert keys == ["2001:db8:1:2::/64"] * 2


@pytest.mark.parametrize("host", ["evil.example/path", "a b", 'x"onload=', "", "user@host"])
async def test_a_made_up_host_never_reaches_an_address(gateway: Gateway, web_setting: WebSetting, host: str) -> None:
    behind = replace(web_setting, trusted_proxies=(ip_network("127.0.0.0/8"),))
    found = await seen_by(gateway, behind, {"X-Forwarded-Host": host})
    assert re.fullmatch(r"http://(?:localhost|127\.0\.0\.1:\d+)", found["origin"])


async def test_the_public_address_of_the_setting_wins(gateway: Gateway, web_setting: WebSetting) -> None:
    async with serving(gateway, replace(web_setting, public_url="https://12319.example.cn/")) as client:
        body = await (await client.post("/api/v1/reports", json={"text": "垃圾"})).json()
        assert body["status_url"] == f"https://12319.example.cn/status?no={body['case_no']}"


# Health and metrics


async def test_live_and_ready(client: Client) -> None:
    assert await (await client.get("/health/live")).json() == {"status": "live"}
    assert await (await client.get("/health/ready")).json() == {"status": "ready", "faults": []}


async def test_not_ready_when_a_check_finds_or_meets_a_fault(gateway: Gateway, web_setting: WebSetting) -> None:
    async def triggers_stand() -> str:
        return "history triggers are missing"

    async def disk_has_room() -> str:
        raise OSError(SECRET)

    def add(app: web.Application) -> None:
        app[READY_CHECKS] += [triggers_stand, disk_has_room]

    async with serving(gateway, web_setting, add) as client:
        answer = await client.get("/health/ready")
        assert answer.status == 503
        assert (await answer.json())["faults"] == ["history triggers are missing", "disk_has_room failed"]


async def test_not_ready_when_the_store_does_not_answer(client: Client, gateway: Gateway) -> None:
    await gateway.store.close()  # type: ignore[attr-defined]
    assert (await client.get("/health/ready")).status == 503
    assert (await client.get("/health/live")).status == 200


async def test_a_check_that_hangs_is_given_up(
    gateway: Gateway, web_setting: WebSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.web.health.CHECK_TIMEOUT_S", 0)

    async def hangs() -> str:
        await asyncio.Event().wait()
        return ""

    def add(app: web.Application) -> None:
        app[READY_CHECKS][:] = [hangs]

    async with serving(gateway, web_setting, add) as client:
        assert (await (await client.get("/health/ready")).json())["faults"] == ["hangs failed"]


async def test_metrics_count_reports_and_requests_by_pattern(client: Client) -> None:
    await client.post("/api/v1/reports", json={"text": "垃圾"})
    await client.get("/api/v1/cases/26112000001?code=123456")
    await client.get("/nowhere/19900000001")
    told = await (await client.get("/metrics")).text()
    assert 'intake_reports_total{channel="web"} 1.0' in told
    assert 'intake_requests_total{route="/api/v1/reports",status="201"} 1.0' in told
    assert 'intake_requests_total{route="/api/v1/cases/{case_no}",status="404"} 1.0' in told
    assert 'intake_requests_total{route="unknown",status="404"} 1.0' in told
    assert "intake_listeners 0.0" in told
    assert "26112000001" not in told
    assert "19900000001" not in told


async def test_metrics_are_for_this_machine_and_its_proxies_only(gateway: Gateway, web_setting: WebSetting) -> None:
    behind = replace(web_setting, trusted_proxies=(ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8")))
    async with serving(gateway, behind) as client:
        for address, status in (("203.0.113.9", 403), ("10.1.2.3", 200), ("127.0.0.9", 200)):
            assert (await client.get("/metrics", headers={"X-Forwarded-For": address})).status == status


# Our own files, and the log line


async def test_our_files_are_kept_for_long_under_an_address_of_their_content(client: Client) -> None:
    page = await page_of(await client.get("/"))
    [address] = re.findall(r'href="(/static/app\.css\?v=\w+)"', page.source)
    answer = await client.get(address)
    assert (answer.status, answer.content_type) == (200, "text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    bare = await client.get("/static/app.css")
    assert bare.headers["Cache-Control"] == "no-cache"
    assert (await client.get("/static/app.css", headers={"If-None-Match": bare.headers["ETag"]})).status == 304


@pytest.mark.parametrize("name", ["nothing.css", "..%2fserver.py", "%2e%2e/server.py", "app.css%00"])
async def test_nothing_but_our_files_is_served(client: Client, name: str) -> None:
    assert (await client.get(f"/static/{name}")).status == 404


async def test_the_log_line_holds_the_pattern_and_nothing_that_was_sent(
    client: Client, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="channels.web")
    phone, name, code = "19900000001", "欧阳小明", "654321"
    body = {"text": f"我是{name}，电话{phone}", "contact": {"name": name, "phone": phone}}
    assert (await client.post("/api/v1/reports", json=body)).status == 201
    await client.post("/api/v1/reports", json=body | {"contact": {"name": name, "phone": "坏的" + phone}})
    await client.post("/report", data={"text": "", "name": name, "phone": phone})
    await client.post("/report", data={"text": f"{name}反映垃圾", "name": name, "phone": phone})
    await client.get(f"/api/v1/cases/26112000001?code={code}")
    await client.post("/status", data={"case_no": "26112000001", "code": code})
    await client.get(f"/status?no=26112000001&phone={phone}")
    await client.get(f"/nowhere/{phone}?name={name}")
    logged = "".join([*capsys.readouterr(), caplog.text])
    assert logged.count("http.answered") == 8
    for secret in (phone, name, code, "26112000001", "127.0.0.1", "反映垃圾"):
        assert secret not in logged
    assert "/api/v1/cases/{case_no}" in logged
