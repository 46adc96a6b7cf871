"""Who has a case open, across two gateways on one database."""

import json
from datetime import timedelta

from channels.web.desk_bus import Bus, Console
from channels.web.desk_peers import Peers
from channels.web.setting import WebSetting
from intake.admission import Admission
from intake.feed import Feed
from intake.gateway import Gateway
from intake.model import Role
from intake.presence import Presence
from intake.profile import City
from intake.spool import Spool
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.channels.conftest import judge
from tests.fakes import FakeClock
from tests.make import make_actor

ONE, TWO = make_actor(user_id=1), make_actor(user_id=2)


def peer(store: AnyStore, city: City, vault: Vault, clock: FakeClock, spool: Spool) -> tuple[Bus, Peers]:
    rules = city.rules()
    gateway = Gateway(store, city, rules, judge, vault, clock, Feed(store), Admission(store, rules, spool, judge))
    bus = Bus()
    return bus, Peers(gateway, bus)


async def heard(console: Console) -> list[list[str]]:
    """Who is said to look at the case in the last news that reached a console."""
    words = b""
    while not console.frames.empty():
        words = console.frames.get_nowait() or words
    assert words.startswith(b"event: presence")
    return [list(one) for one in json.loads(words.partition(b"data: ")[2])["people"]]


async def test_each_gateway_knows_who_looks_on_the_other(
    either_store: AnyStore, city: City, vault: Vault, clock: FakeClock, web_setting: WebSetting
) -> None:
    spool = Spool(web_setting.media / "spool", vault)
    (near, ours), (far, theirs) = (peer(either_store, city, vault, clock, spool) for _ in range(2))
    with far.open(TWO, "在队列上的人") as console:
        with near.open(ONE, "甲", case_no=5), near.open(make_actor(Role.UNIT, user_id=3), "乙", case_no=5):
            await ours.exchange()
            await theirs.exchange()
            assert far.watchers(5) == ((1, "甲"),)
            assert await heard(console) == [["1", "甲"]]
            with far.open(TWO, "丙", case_no=5):
                await theirs.exchange()
                await ours.exchange()
                assert near.watchers(5) == far.watchers(5) == ((1, "甲"), (2, "丙"))
        for one in (theirs, ours, theirs):
            await one.exchange()
        assert near.watchers(5) == far.watchers(5) == ()
        assert await heard(console) == []


async def test_a_gateway_that_died_looks_at_nothing_after_a_minute_and_one_that_ended_at_once(
    either_store: AnyStore, city: City, vault: Vault, clock: FakeClock, web_setting: WebSetting
) -> None:
    spool = Spool(web_setting.media / "spool", vault)
    (near, ours), (far, theirs) = (peer(either_store, city, vault, clock, spool) for _ in range(2))
    with near.open(ONE, "甲", case_no=5):
        await ours.exchange()
        await theirs.exchange()
        clock.at += timedelta(seconds=59)
        await theirs.exchange()
        assert far.watchers(5) == ((1, "甲"),)
        clock.at += timedelta(seconds=1)
        await theirs.exchange()
        assert far.watchers(5) == ()
        for _ in range(10):
            await ours.exchange()
        await theirs.exchange()
        assert far.watchers(5) == ((1, "甲"),), "renewed rows count again"
        await ours.leave()
        await theirs.exchange()
        assert far.watchers(5) == ()


async def test_nothing_is_written_while_nothing_changes(
    either_store: AnyStore, city: City, vault: Vault, clock: FakeClock, web_setting: WebSetting
) -> None:
    bus, peers = peer(either_store, city, vault, clock, Spool(web_setting.media / "spool", vault))
    await peers.exchange()
    assert await either_store.read(lambda work: work.find(Presence)) == []
    with bus.open(ONE, "甲", case_no=5):
        await peers.exchange()
        (row,) = await either_store.read(lambda work: work.find(Presence))
        clock.pass_time(seconds=10)
        await peers.exchange()
        assert await either_store.read(lambda work: work.find(Presence)) == [row]
