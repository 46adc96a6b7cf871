"""Signing in, sessions and tokens, the guard against forged requests, and which post may use which route."""

from dataclasses import replace

import pytest

from channels.web.session import COOKIE, CSRF_HEADER
from channels.web.setting import WebSetting
from intake.codes import digest_of
from intake.gateway import Gateway
from intake.model import Role
from intake.permission import ALLOWED, STAFF
from intake.records import Session, Token, User
from tests.channels.desk_people import PASSWORD, Client, Person, hire, report, walk
from tests.fakes import FakeClock


async def sign_in(client: Client, name: str, password: str = PASSWORD, **fields: str) -> tuple[int, str]:
    """Post the form as a browser does; status and where it leads."""
    answer = await client.post(
        "/desk/sign-in", data={"name": name, "password": password} | fields, allow_redirects=False
    )
    return answer.status, answer.headers.get("Location", "")


async def sessions_of(gateway: Gateway, person: Person) -> set[str]:
    found = await gateway.store.read(lambda work: work.find(Session, user_id=person.actor.user_id))
    return {session.session_hash for session in found}


async def test_signing_in_sets_a_cookie_scripts_cannot_read(gateway: Gateway, client: Client) -> None:
    person = await hire(gateway, Role.OPERATOR)
    answer = await client.post("/desk/sign-in", data={"name": person.name, "password": PASSWORD}, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert (answer.status, answer.headers["Location"]) == (303, "/desk")
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie


@pytest.fixture
def web_setting(web_setting: WebSetting, request: pytest.FixtureRequest) -> WebSetting:
    return replace(web_setting, **getattr(request, "param", {}))


@pytest.mark.parametrize("web_setting", [{"secure_cookies": True}], indirect=True)
async def test_the_cookie_is_secure_where_the_setting_says_so(gateway: Gateway, client: Client) -> None:
    person = await hire(gateway, Role.OPERATOR)
    answer = await client.post("/desk/sign-in", data={"name": person.name, "password": PASSWORD}, allow_redirects=False)
    assert "Secure" in answer.headers["Set-Cookie"]


async def test_a_wrong_password_and_an_unknown_name_read_alike(gateway: Gateway, client: Client) -> None:
    person = await hire(gateway, Role.OPERATOR)
    answers = [
        await client.post("/desk/sign-in", data={"name": name, "password": "not the password"})
        for name in (person.name, "nobody-here")
    ]
    texts = [(await answer.text()).replace(person.name, "").replace("nobody-here", "") for answer in answers]
    assert [answer.status for answer in answers] == [401, 401]
    assert texts[0] == texts[1]
    assert "用户名或密码不正确" in texts[0]


async def test_five_wrong_passwords_lock_the_user_for_ten_minutes(
    gateway: Gateway, client: Client, clock: FakeClock
) -> None:
    person = await hire(gateway, Role.OPERATOR)
    assert [(await sign_in(client, person.name, "wrong"))[0] for _ in range(5)] == [401] * 4 + [429]
    locked = await client.post("/desk/sign-in", data={"name": person.name, "password": PASSWORD})
    assert locked.status == 429
    assert int(locked.headers["Retry-After"]) > 0
    clock.pass_time(minutes=11)
    assert (await sign_in(client, person.name))[0] == 303


@pytest.mark.parametrize("web_setting", [{"sign_in_limit": "2/minute"}], indirect=True)
async def test_signing_in_is_limited_for_each_address(gateway: Gateway, client: Client) -> None:
    statuses = [(await sign_in(client, f"guess{number}", "wrong"))[0] for number in range(3)]
    assert statuses == [401, 401, 429]


async def test_signing_in_again_ends_the_session_before(gateway: Gateway, client: Client) -> None:
    person = await hire(gateway, Role.OPERATOR)
    await sign_in(client, person.name)
    first = client.session.cookie_jar.filter_cookies(client.make_url("/"))[COOKIE].value
    await sign_in(client, person.name)
    second = client.session.cookie_jar.filter_cookies(client.make_url("/"))[COOKIE].value
    held = await sessions_of(gateway, person)
    assert first != second
    assert digest_of(first) not in held
    assert digest_of(second) in held


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [("/desk/ledger", "/desk/ledger"), ("https://elsewhere.example/desk", "/desk"), ("//elsewhere.example", "/desk"),
     ("/desk\\@elsewhere.example", "/desk"), ("/api/v1/queue", "/desk"), ("/desk/\r\nX: y", "/desk")],
)  # fmt: skip
async def test_signing_in_leads_to_pages_of_the_desk_only(
    gateway: Gateway, client: Client, wanted: str, led_to: str
) -> None:
    person = await hire(gateway, Role.OPERATOR)
    assert await sign_in(client, person.name, next=wanted) == (303, led_to)


async def test_strangers_are_led_to_the_sign_in_page_and_programs_refused(client: Client) -> None:
    page = await client.get("/desk/ledger", allow_redirects=False)
    assert (page.status, page.headers["Location"]) == (303, "/desk/sign-in?next=/desk/ledger")
    program = await client.get("/api/v1/queue")
    told = await program.json(content_type="application/problem+json")
    assert (program.status, told["code"], program.headers["WWW-Authenticate"]) == (401, "not_signed_in", "Bearer")


async def test_signing_out_ends_the_session_and_clears_the_cookie(gateway: Gateway, client: Client) -> None:
    person = await hire(gateway, Role.OPERATOR)
    answer = await client.post(
        "/desk/sign-out", data={"csrf": person.csrf}, headers=person.browser, allow_redirects=False
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/desk/sign-in")
    assert f'{COOKIE}=""' in answer.headers["Set-Cookie"]
    assert await sessions_of(gateway, person) == set()


async def test_a_session_ends_after_twelve_hours(gateway: Gateway, client: Client, clock: FakeClock) -> None:
    person = await hire(gateway, Role.OPERATOR)
    assert (await client.get("/api/v1/queue", headers=person.browser)).status == 200
    clock.pass_time(hours=12, seconds=1)
    assert (await client.get("/api/v1/queue", headers=person.browser)).status == 401


async def test_a_revoked_token_and_a_disabled_user_are_refused_at_once(gateway: Gateway, client: Client) -> None:
    revoked, disabled = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="two")
    for person in (revoked, disabled):
        assert (await client.get("/api/v1/queue", headers=person.bearer)).status == 200
    token = (await gateway.store.read(lambda work: work.find(Token, user_id=revoked.actor.user_id)))[0]
    user = await gateway.store.read(lambda work: work.get(User, disabled.actor.user_id))
    assert user is not None
    await gateway.store.write(lambda work: work.change(token, replace(token, revoked_at=work.now)))
    await gateway.store.write(lambda work: work.change(user, replace(user, disabled=True)))
    for headers in (revoked.bearer, disabled.bearer, disabled.browser):
        assert (await client.get("/api/v1/queue", headers=headers)).status == 401


async def test_a_bad_token_is_not_made_good_by_a_cookie(gateway: Gateway, client: Client) -> None:
    person = await hire(gateway, Role.OPERATOR)
    for given in ("Bearer nonsense", "Bearer", f"Basic {person.token}"):
        answer = await client.get("/api/v1/queue", headers=person.browser | {"Authorization": given})
        assert answer.status == 401


@pytest.mark.parametrize("given", [b"\xff\xfe", "通行证".encode(), b"a" * 5000])
async def test_secrets_of_any_bytes_are_refused_and_nothing_fails(client: Client, given: bytes) -> None:
    value = given.decode("utf-8", "surrogateescape")
    for headers in ({"Authorization": f"Bearer {value}"}, {"Cookie": f"{COOKIE}={value}"}):
        answer = await client.get("/api/v1/queue", headers=headers)
        assert answer.status in (400, 401)


# The guard against forged requests


async def note(client: Client, number: int, headers: dict[str, str], **fields: str) -> int:
    path = f"/desk/cases/{number}/steps/note"
    return (await client.post(path, data=fields, headers=headers, allow_redirects=False)).status


async def test_a_change_by_cookie_needs_the_word_of_our_page(gateway: Gateway, client: Client) -> None:
    person, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    fields = {"version": "1", "text": "看过了"}
    assert await note(client, number, person.browser, **fields) == 403
    assert await note(client, number, person.browser, csrf="wrong", **fields) == 403
    assert await note(client, number, person.browser, csrf="", **fields) == 403
    assert await note(client, number, person.browser, csrf=person.csrf, **fields) == 303
    assert await note(client, number, person.page, version="2", text="再看一次") == 303
    assert await note(client, number, person.bearer, version="3", text="程序看过") == 303


@pytest.mark.parametrize(
    ("sent", "status"),
    [({"Sec-Fetch-Site": "same-origin"}, 303), ({"Sec-Fetch-Site": "none"}, 303), ({"Sec-Fetch-Site": "cross-site"}, 403),
     ({"Sec-Fetch-Site": "same-site"}, 403), ({"Origin": "null"}, 303), ({"Origin": "https://elsewhere.example"}, 403),
     ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303)],
)  # fmt: skip
async def test_what_a_browser_says_of_the_sending_page_counts(
    gateway: Gateway, client: Client, sent: dict[str, str], status: int
) -> None:
    person, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    assert await note(client, number, person.browser | sent, csrf=person.csrf, version="1", text="看过了") == status


async def test_our_own_origin_is_let_through(gateway: Gateway, client: Client) -> None:
    person, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    sent = person.browser | {"Origin": str(client.make_url("/")).rstrip("/")}
    assert await note(client, number, sent, csrf=person.csrf, version="1", text="看过了") == 303


async def test_the_api_asks_a_cookie_for_the_header(gateway: Gateway, client: Client) -> None:
    person, number = await hire(gateway, Role.OPERATOR), await report(gateway)
    path, body = f"/api/v1/cases/{number}/moves", {"move": "note", "version": 1, "text": "看过了"}
    refused = await client.post(path, json=body, headers=person.browser)
    taken = await client.post(path, json=body, headers=person.page)
    assert (refused.status, taken.status) == (403, 200)


async def test_a_foreign_page_cannot_sign_a_browser_in(gateway: Gateway, client: Client) -> None:
    person = await hire(gateway, Role.OPERATOR)
    answer = await client.post("/desk/sign-in", data={"name": person.name, "password": PASSWORD},
                               headers={"Sec-Fetch-Site": "cross-site"}, allow_redirects=False)  # fmt: skip
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


# One-time passwords


async def test_a_one_time_password_opens_only_the_page_that_changes_it(gateway: Gateway, client: Client) -> None:
    person = await hire(gateway, Role.OPERATOR, must_change=True)
    page = await client.get("/desk", headers=person.browser, allow_redirects=False)
    assert (page.status, page.headers["Location"]) == (303, "/desk/password")
    program = await client.get("/api/v1/queue", headers=person.browser)
    assert program.status == 403
    assert "修改一次性密码" in (await program.json(content_type="application/problem+json"))["detail"]
    assert (await client.get("/desk/password", headers=person.browser)).status == 200


async def test_changing_the_password_ends_every_session_and_opens_a_new_one(gateway: Gateway, client: Client) -> None:
    person = await hire(gateway, Role.OPERATOR, must_change=True)
    await sign_in(client, person.name)
    before = await sessions_of(gateway, person)
    jar = client.session.cookie_jar.filter_cookies(client.make_url("/"))
    secret = jar[COOKIE].value
    held = await gateway.store.read(lambda work: work.get(Session, digest_of(secret)))
    assert held is not None
    fields = {"csrf": held.csrf, "old": PASSWORD, "new": "another-long-secret", "again": "another-long-secret"}
    answer = await client.post("/desk/password", data=fields, allow_redirects=False)
    after = await sessions_of(gateway, person)
    assert (answer.status, answer.headers["Location"]) == (303, "/desk?done=password")
    assert len(after) == 1
    assert not after & before
    assert (await client.get("/desk", allow_redirects=False)).status == 200
    assert (await sign_in(client, person.name, PASSWORD))[0] == 401


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [("wrong old word", "another-long-secret", "another-long-secret", "原密码不正确"),
     (PASSWORD, "short", "short", "至少"), (PASSWORD, "another-long-secret", "another-lung-secret", "不一致"),
     (PASSWORD, PASSWORD, PASSWORD, "不能与原密码相同"), (PASSWORD, "aaaaaaaaaaaa", "aaaaaaaaaaaa", "太简单")],
)  # fmt: skip
async def test_a_password_that_cannot_be_taken_says_why(
    gateway: Gateway, client: Client, old: str, new: str, again: str, words: str
) -> None:
    person = await hire(gateway, Role.OPERATOR)
    fields = {"csrf": person.csrf, "old": old, "new": new, "again": again}
    answer = await client.post("/desk/password", data=fields, headers=person.browser)
    text = await answer.text()
    assert answer.status == 422
    assert words in text
    assert new not in text
    assert await sessions_of(gateway, person) != set()


# Posts and routes

ROUTE_ACTS = {
    ("GET", "/desk"): "see_queue",
    ("GET", "/desk/rows"): "see_queue",
    ("GET", "/desk/live"): "see_feed",
    ("POST", "/desk/saved"): "see_queue",
    ("POST", "/desk/saved/{saved_id}/forget"): "see_queue",
    ("GET", "/desk/hand/{case_no}"): "see_case",
    ("POST", "/desk/hand/{case_no}"): "see_case",
    ("GET", "/desk/shift"): "hand_over",
    ("POST", "/desk/shift"): "hand_over",
    ("GET", "/desk/drafts"): "take_calls",
    ("POST", "/desk/calls"): "take_calls",
    ("POST", "/desk/calls/by-call/{call_id}"): "take_calls",
    ("GET", "/desk/calls/{draft_id}"): "take_calls",
    ("POST", "/desk/calls/{draft_id}"): "take_calls",
    ("POST", "/desk/calls/{draft_id}/copy"): "take_calls",
    ("POST", "/desk/calls/{draft_id}/drop"): "take_calls",
    ("POST", "/desk/calls/{draft_id}/end"): "take_calls",
    ("POST", "/desk/calls/{draft_id}/act"): "take_calls",
    ("POST", "/desk/calls/{draft_id}/panel/{name}"): "take_calls",
    ("POST", "/desk/calls/{draft_id}/phone"): "take_calls",
    ("POST", "/desk/calls/{draft_id}/abuse"): "take_calls",
    ("GET", "/desk/pop"): "take_calls",
    ("GET", "/desk/pop/{call_id}"): "take_calls",
    ("GET", "/desk/knowledge"): "take_calls",
    ("GET", "/desk/classes"): "see_queue",
    ("GET", "/desk/paper"): "take_calls",
    ("GET", "/desk/notices"): "take_calls",
    ("POST", "/desk/notices"): "post_notices",
    ("POST", "/desk/notices/{notice_id}/close"): "post_notices",
    ("GET", "/desk/map"): "see_queue",
    ("GET", "/desk/map/{layer}"): "see_queue",
    ("GET", "/desk/ledger"): "see_ledger",
    ("GET", "/desk/tasks"): "see_tasks",
    ("GET", "/desk/password"): "see_queue",
    ("POST", "/desk/password"): "see_queue",
    ("POST", "/desk/sign-out"): "see_queue",
    ("GET", "/desk/cases/{case_no}"): "see_case",
    ("POST", "/desk/cases/{case_no}/steps/{step}"): "see_case",
    ("POST", "/desk/cases/{case_no}/reveal"): "reveal_contact",
    ("POST", "/desk/cases/{case_no}/split"): "see_case",
    ("POST", "/desk/cases/{case_no}/again"): "see_case",
    ("POST", "/desk/cases/{case_no}/recordings/{token}"): "hear_recording",
    ("GET", "/desk/recordings/{token}"): "hear_recording",
    ("GET", "/desk/cases/{case_no}/paper"): "see_case",
    ("GET", "/desk/cases/{case_no}/paper.{kind}"): "see_case",
    ("POST", "/desk/cases/{case_no}/paper"): "reveal_contact",
    ("GET", "/media/{token}"): "see_case",
    ("GET", "/media/{token}/thumb"): "see_case",
    ("GET", "/api/v1/queue"): "see_queue",
    ("GET", "/api/v1/cases/{case_no}/full"): "see_case",
    ("POST", "/api/v1/cases/{case_no}/moves"): "see_case",
    ("POST", "/api/v1/cases/{case_no}/reveal"): "reveal_contact",
    ("GET", "/api/v1/ledger"): "see_ledger",
    ("GET", "/api/v1/events"): "see_feed",
    ("GET", "/desk/phone"): "use_phone",
    ("POST", "/desk/phone/line"): "use_phone",
    ("POST", "/desk/phone/listen"): "lead_phone",
    ("GET", "/desk/cases/{case_no}/contact"): "contact_citizen",
    ("POST", "/desk/cases/{case_no}/contact"): "contact_citizen",
    ("POST", "/desk/cases/{case_no}/contact/{call_id}"): "contact_citizen",
    ("POST", "/desk/phone/calls"): "use_phone",
    ("GET", "/desk/phone/calls/{call_id}"): "use_phone",
    ("POST", "/desk/phone/calls/{call_id}"): "use_phone",
    ("GET", "/desk/callbacks"): "use_phone",
    ("POST", "/desk/callbacks/{callback_id}/dial"): "use_phone",
    ("POST", "/desk/callbacks/{callback_id}/cancel"): "use_phone",
    ("GET", "/desk/marks"): "lead_phone",
    ("POST", "/desk/marks/{mark_id}/confirm"): "lead_phone",
    ("POST", "/desk/marks/{mark_id}/lift"): "lead_phone",
    ("GET", "/desk/orders"): "see_orders",
    ("GET", "/desk/orders/new"): "enter_orders",
    ("POST", "/desk/orders/new"): "enter_orders",
    ("GET", "/desk/orders/import"): "enter_orders",
    ("POST", "/desk/orders/import"): "enter_orders",
    ("POST", "/desk/orders/import/take"): "enter_orders",
    ("POST", "/api/v1/orders"): "send_orders",
    ("GET", "/api/v1/orders/{source}/{number}"): "send_orders",
    ("POST", "/api/v1/orders/{source}/{number}/words"): "send_orders",
    ("GET", "/api/v1/orders/{source}/{number}/photos/{token}"): "send_orders",
    ("GET", "/api/v1/order-news"): "send_orders",
}
PUBLIC = {"/desk/sign-in", "/api/v1/reports", "/api/v1/cases/{case_no}"}
"""Pages for everybody; whoever adds a route must put it into one of these two tables."""


async def test_every_route_of_the_desk_stands_in_the_table(client: Client) -> None:
    routes = {(route.method, route.resource.canonical) for route in client.app.router.routes() if route.resource}
    ours = {
        (method, path)
        for method, path in routes
        if method != "HEAD" and path.startswith(("/desk", "/media", "/api/v1"))
    }
    assert {(method, path) for method, path in ours if path not in PUBLIC} == set(ROUTE_ACTS)


class Filled(dict[str, object]):
    """What stands in an address; anything else is the number 1."""

    def __missing__(self, _: str) -> str:
        return "1"


@pytest.mark.parametrize("role", sorted(STAFF))
async def test_each_post_may_use_exactly_its_routes(gateway: Gateway, client: Client, role: Role) -> None:
    number = await report(gateway)
    unit = (await walk(gateway, number, until="dispatch")).unit
    person = await hire(gateway, role, unit=unit if role is Role.UNIT else "")
    refused = set()
    for method, path in ROUTE_ACTS:
        url = path.format_map(Filled(case_no=number, step="nothing", token="x" * 43))
        answer = await client.request(method, url, headers=person.bearer, allow_redirects=False)
        text = "" if answer.content_type == "text/event-stream" else await answer.text()
        answer.close()
        assert answer.status not in (401, 500), path
        if answer.status == 403 and "没有这项权限" in text:
            refused.add((method, path))
    assert refused == {route for route, act in ROUTE_ACTS.items() if role not in ALLOWED[act]}


async def test_the_csrf_word_of_one_session_does_not_serve_another(gateway: Gateway, client: Client) -> None:
    one, other = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="two")
    number = await report(gateway)
    headers = one.browser | {CSRF_HEADER: other.csrf}
    assert await note(client, number, headers, version="1", text="看过了") == 403
