"""What must hold for every SMS channel whatever happens: repeats, restarts, deaths at every step, forgeries. One report."""

import asyncio
import io
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import aiohttp
import pytest

import channels
from channels.web.hooks import HOOKED
from channels.web.metrics import METRICS
from intake import outbox
from intake.courier import Courier
from intake.model import Case
from intake.profile import City
from intake.records import Debt, JournalEntry, OutboxRow, Task
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.contract.test_channels import sample_file
from tests.core.test_backlog import said
from tests.fakes import FakeClock, FakeSms
from tests.make import PHONE
from tests.providers.aggregator_server import STAMP, mac
from tests.providers.story import PUBLIC, Story, story
from tests.providers.twilio_server import NUMBER, SID, TOKEN, incoming, signature

T = TypeVar("T")
NAMES = ("sms_twilio", "sms_aggregator", "sms_kannel")
SETTINGS: dict[str, dict[str, Any]] = {
    "sms_twilio": {"account_sid": SID, "auth_token": TOKEN, "sender": NUMBER, "public_url": PUBLIC},
    "sms_aggregator": sample_file("sms_aggregator")["settings"],
    "sms_kannel": sample_file("sms_kannel")["settings"],
}


@dataclass
class Provider:
    """The provider's end of one channel's hook: posts a message as he would."""

    name: str
    http: Any

    async def say(self, number: int, text: str, phone: str = PHONE, *, forged: bool = False) -> int:
        method, path, body, headers = getattr(self, f"_{self.name}")(number, text, phone, forged)
        async with self.http.request(method, path, data=body, headers=headers) as response:
            await response.read()
            return int(response.status)

    def _sms_twilio(self, number: int, text: str, phone: str, forged: bool) -> tuple[str, str, bytes, dict[str, str]]:
        form, path = incoming(f"SM{number:032x}", phone, text), "/hooks/sms_twilio"
        signed = signature(PUBLIC + path, form, "another" if forged else TOKEN)
        kind = "application/x-www-form-urlencoded"
        return "POST", path, urlencode(form).encode(), {"X-Twilio-Signature": signed, "Content-Type": kind}

    def _sms_aggregator(self, number: int, text: str, phone: str, forged: bool) -> tuple[str, str, bytes, dict[str, str]]:
        body = json.dumps([{"seqId": str(number), "phone": phone, "text": text}]).encode()
        headers = {"X-Timestamp": STAMP, "X-Signature": mac(body + b"x" * forged, STAMP), "Content-Type": "application/json"}
        return "POST", "/hooks/sms_aggregator", body, headers

    def _sms_kannel(self, number: int, text: str, phone: str, forged: bool) -> tuple[str, str, bytes, dict[str, str]]:
        fields = {"secret": "another" if forged else "s3cret-of-calls", "id": f"k{number}", "from": phone, "coding": "0",
                  "charset": "UTF-8", "udh": "", "raw": text}  # fmt: skip
        return "GET", f"/hooks/sms_kannel?{urlencode(fields)}", b"", {}


@dataclass
class Ground:
    """Everything that outlives a gateway."""

    store: Any
    city: City
    clock: FakeClock
    folder: Path
    vault: Vault

    @asynccontextmanager
    async def gateway(self, name: str, store: Any = None) -> AsyncIterator[tuple[Story, Provider]]:
        """A new start of the gateway with one channel."""
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            channel = channels.build(name, SETTINGS[name] | sending(name), http)
            parts = {"name": name, "folder": self.folder, "vault": self.vault}
            running = await stack.enter_async_context(story(store or self.store, self.city, self.clock, channel, **parts))
            yield running, Provider(name, running.client)

    async def all(self, kind: type[Any]) -> list[Any]:
        found: list[Any] = await self.store.read(lambda work: work.find(kind))
        return found


def sending(name: str) -> dict[str, str]:
    """Addresses of providers nobody answers at: nothing is sent here."""
    return {} if name == "sms_twilio" else {"send_url": "http://127.0.0.1:9/send"}


@pytest.fixture
def ground(either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path, vault: Vault) -> Ground:
    return Ground(either_store, city, clock, tmp_path, vault)


def dice() -> random.Random:
    seed = random.SystemRandom().randint(0, 2**32)
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.mark.parametrize("name", NAMES)
async def test_the_same_message_up_to_twenty_times_and_over_restarts_is_one_report(ground: Ground, name: str) -> None:
    chance = dice()
    for _ in range(3):
        async with ground.gateway(name) as (_, provider):
            statuses = await asyncio.gather(*(provider.say(1, "人民广场北门有一堆垃圾") for _ in range(chance.randint(1, 20))))
        assert set(statuses) == {200}
    assert len(await ground.all(Case)) == 1
    assert len(await ground.all(OutboxRow)) == 1


class Died(BaseException):
    """The process ended here."""


class Mortal:
    """The store of a gateway that dies at one of its writes: before it, or after it when nobody has heard of it yet."""

    def __init__(self, store: Any, step: int) -> None:
        self._store, self._steps_left = store, step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _step(self) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise Died

    async def write(self, unit: Callable[[Any], T]) -> T:
        self._step()
        done: T = await self._store.write(unit)
        self._step()
        return done


async def hear_mortally(ground: Ground, name: str, step: int) -> bool:
    """One start of the gateway that hears three messages and may die; True when it lived through them."""
    async with ground.gateway(name, Mortal(ground.store, step)) as (running, _):
        listener = running.app[HOOKED].listener
        assert listener is not None
        try:
            for number, text in enumerate(("有一堆垃圾没人清理", "人民广场北门", "还有很多苍蝇")):
                await listener.hear(said(text, number))
        except Died:
            return False
    return True


async def test_death_at_every_step_of_receiving_loses_and_doubles_nothing(ground: Ground) -> None:
    steps = 0
    while not await hear_mortally(ground, "sms_twilio", steps):
        steps += 1
    assert steps == 6
    [case] = await ground.all(Case)
    assert case.place.text == "人民广场北门"
    assert sorted(entry.provider_id for entry in await ground.all(JournalEntry)) == ["SM0", "SM1", "SM2"]


class MortalSms(FakeSms):
    """A provider whose asker may die just before he has the message, or just after."""

    def __init__(self, *, can_look_up: bool) -> None:
        super().__init__(can_look_up=can_look_up)
        self.step = 10**6

    async def send(self, outbound: Any) -> Any:
        self._dies()
        receipt = await super().send(outbound)
        self._dies()
        return receipt

    def _dies(self) -> None:
        self.step -= 1
        if self.step == 0:
            raise Died


@pytest.mark.parametrize("can_look_up", [True, False])
async def test_death_at_every_step_of_sending_sends_nothing_twice_and_forgets_nothing(ground: Ground, *, can_look_up: bool) -> None:
    chance, provider = dice(), MortalSms(can_look_up=can_look_up)
    rules = ground.city.rules(offered=["sms"])
    async with ground.gateway("sms_twilio") as (running, twilio):
        for number in range(12):
            await twilio.say(number, "人民广场北门有一堆垃圾", f"+861990000{number:04d}")
        for case in await ground.all(Case):
            await running.file(case.case_no)
    for run in range(40):
        provider.step = chance.randint(1, 12)
        courier = Courier(Mortal(ground.store, chance.randint(0, 30)), rules, {"sms": provider}, name="gw", run_id=str(run))
        try:
            await courier.settle_orphans()
            await courier.send_due()
        except Died:
            # Its other sends die with it.
            await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()
                                   and "_send_one" in repr(task)), return_exceptions=True)  # fmt: skip
    provider.step = 10**6
    last = Courier(ground.store, rules, {"sms": provider}, name="gw", run_id="last")
    await last.settle_orphans()
    await last.send_due()

    refs = [sent.ref for sent in provider.sent]
    assert len(refs) == len(set(refs)), "sent twice"
    rows = await ground.all(OutboxRow)
    told = {task.debt_id for task in await ground.all(Task) if task.kind == "unknown_fate"}
    assert {row.state for row in rows} <= {outbox.SENT, outbox.UNKNOWN}
    for row in rows:
        if row.state == outbox.SENT:
            assert f"r{row.outbox_id}" in refs
        elif row.debt_id:
            assert row.debt_id in told, "nobody was asked"
    assert len(await ground.all(Debt)) == 12
    if can_look_up:
        assert {f"r{row.outbox_id}" for row in rows if row.state == outbox.SENT} == set(refs)


@pytest.mark.parametrize("name", NAMES)
async def test_forgeries_and_giants_are_refused_counted_and_leave_no_trace(ground: Ground, name: str) -> None:
    async with ground.gateway(name) as (running, provider):
        assert await provider.say(1, "人民广场北门有一堆垃圾", forged=True) == 403
        async with running.client.post(f"/hooks/{name}", data=io.BytesIO(b"x" * 3_000_000)) as response:
            assert response.status == 413
        counted = running.app[METRICS].exposition().decode()
        assert 'intake_refused_total{channel="sms",reason="forged"} 1.0' in counted
        assert 'intake_refused_total{channel="sms",reason="body_too_large"} 1.0' in counted
    assert await ground.all(Case) == []
    assert await ground.all(JournalEntry) == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_replay_of_an_old_request_changes_nothing(ground: Ground, name: str) -> None:
    async with ground.gateway(name) as (_, provider):
        assert await provider.say(1, "人民广场北门有一堆垃圾") == 200
        before = (await ground.all(Case), await ground.all(OutboxRow))
        ground.clock.pass_time(days=3)
        assert await provider.say(1, "人民广场北门有一堆垃圾") == 200
        assert (await ground.all(Case), await ground.all(OutboxRow)) == before


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x", "http://169.254.169.254/latest", "https://intranet.local/x", "file:///etc/passwd"])
async def test_pictures_are_fetched_from_the_provider_only_and_refusals_are_counted(ground: Ground, address: str) -> None:
    async with ground.gateway("sms_twilio") as (running, _):
        form = incoming("SMp", PHONE, "人民广场北门有一堆垃圾", NumMedia="1", MediaUrl0=address, MediaContentType0="image/jpeg")
        headers = {"X-Twilio-Signature": signature(f"{PUBLIC}/hooks/sms_twilio", form)}
        async with running.client.post("/hooks/sms_twilio", data=form, headers=headers) as response:
            assert response.status == 200
        assert 'reason="media_refused"} 1.0' in running.app[METRICS].exposition().decode()
    assert len(await ground.all(Case)) == 1
