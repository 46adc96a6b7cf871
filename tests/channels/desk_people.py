"""People at the desk for tests: a user of any post with a browser session and a token, and cases for them to work on."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp.test_utils import TestClient

from channels.web.session import COOKIE, CSRF_HEADER
from intake import signin
from intake.gateway import Gateway
from intake.model import Actor, Case, Role
from intake.ports import Work
from intake.records import Session, User
from intake.usecases import Command
from tests.make import PHONE, make_inbound

PASSWORD = "corridor-seven-lamps"
Client = TestClient  # type: ignore[type-arg]

PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$rVN2XRNQnDO6GtaA4o/x4A$8ydwbli2DBL+x17FoLW99mvS2t7CFhOu89QOWk33hEc"
"""Of PASSWORD, by the same algorithm at its least effort: the usual one is slow on purpose."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here, signed in by a browser and by a token."""

    actor: Actor
    name: str
    secret: str
    csrf: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def browser(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.secret}"}

    @property
    def page(self) -> dict[str, str]:
        """What a script of our own page sends."""
        return self.browser | {CSRF_HEADER: self.csrf}


async def hire(gateway: Gateway, role: Role, *, unit: str = "", name: str = "", must_change: bool = False) -> Person:
    """Make a user with PASSWORD, a session and a token."""

    def make(work: Work) -> Person:
        user = User(work.new_id(), name or f"{role.value}_{unit}", f"{role.value}的人", role, work.now, unit,
                    PASSWORD_HASH, must_change)  # fmt: skip
        work.add(user)
        secret = signin.open_session(work, user.user_id, matches=True)
        session = work.find(Session, user_id=user.user_id)[0]
        return Person(signin.actor_of(user), user.name, secret, session.csrf, signin.issue_token(work, user))

    return await gateway.store.write(make)


async def report(gateway: Gateway, **changes: object) -> int:
    """A citizen's report with a telephone; returns its number."""
    given: dict[str, object] = {"phone": PHONE, "name": "张三丰", "wants_reply": True} | changes
    received = await gateway.take_in(make_inbound(**given))
    return received.case_no


Move = tuple[str, Role, Mapping[str, object]]
"""A step, the post that takes it and what it needs besides the condition of a filing."""
WALK: tuple[Move, ...] = (
    ("accept", Role.OPERATOR, {}),
    ("file", Role.OPERATOR, {"waive_verify": "clear_evidence"}),
    ("dispatch", Role.DISPATCHER, {}),
    ("take", Role.UNIT, {}),
    ("feedback", Role.UNIT, {"result": "垃圾已清走，地面已冲洗"}),
    ("check", Role.OPERATOR, {"check_method": "photo"}),
    ("checked", Role.INSPECTOR, {"check_result": "pass"}),
    ("close", Role.OPERATOR, {}),
)
"""The ordinary way of a case."""
TO_CLOSING = WALK[2:]
"""From filing to closing."""


async def walk(gateway: Gateway, number: int, *, until: str, **extra: object) -> Case:
    """Take the steps of WALK up to and with `until`; `extra` goes into the dispatch."""
    last = [step for step, _, _ in WALK].index(until)
    for step, role, fields in WALK[: last + 1]:
        case = await take_step(gateway, number, (step, role, {**fields, **(extra if step == "dispatch" else {})}))
    return case


async def take_step(gateway: Gateway, number: int, move: Move) -> Case:
    """One step by somebody of its post; a filing under the first condition of the class."""
    step, role, fields = move
    held = await gateway.store.read(lambda work: work.get(Case, number))
    assert held is not None
    given = dict(fields)
    if step == "file":
        assert held.subclass
        given["condition"] = gateway.rules.taxonomy.conditions(held.subclass)[0]
    actor = Actor(9001, role.value, role, held.unit if role is Role.UNIT else "")
    return await gateway.perform(Command(number, step, actor, fields=given))
