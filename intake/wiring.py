"""Building everything from settings: the only place besides __main__ that knows which parts exist.

`open_gateway` is what `serve` and every command use, so a command on a stopped or a running gateway does the same.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from intake.admission import Admission
from intake.backlog import Backlog
from intake.dialogue_words import load_phrases
from intake.errors import Misconfigured
from intake.feed import Feed
from intake.gateway import Gateway
from intake.hint import Hint, no_hints
from intake.keyring import KeyFile, ring_from_text
from intake.ledger import VOICE
from intake.likely import NoRepeats, Repeats
from intake.listener import Listener
from intake.model import Prediction
from intake.phone_profile import PhoneBook
from intake.ports import Clock
from intake.profile import CITIES, City, load_city
from intake.receive import Judged
from intake.rules import Rules
from intake.settings import Settings
from intake.spool import Spool
from intake.store.glance import glance, has_cases
from intake.store.schema import upgrade_postgres, upgrade_sqlite
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.switchboard import Switchboard
from intake.vault import Vault

if TYPE_CHECKING:
    from classifier.live import LiveModels
    from intake.store.postgres import PostgresStore

T = TypeVar("T")
AnyStore: TypeAlias = "SqliteStore | PostgresStore"
"""The asynchronous half of SQLAlchemy is read only where PostgreSQL is used; it is a good part of the start."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def city_of(settings: Settings) -> City:
    """The city profile by name or by path."""
    folder = Path(settings.city) if "/" in settings.city else CITIES / settings.city
    if not folder.is_dir():
        raise Misconfigured(f"没有这个城市资料：{settings.city}")
    return load_city(folder)


def build_store(settings: Settings, city: City, vault: Vault, *, clock: Clock = utc_now) -> AnyStore:
    """The store, not yet opened."""
    from classifier.tokens import search_tokens

    setting = StoreSetting(vault=vault, clock=clock, zone=city.zone, words=search_tokens)
    if settings.is_embedded:
        return SqliteStore(settings.database_path, setting)
    from intake.store.postgres import PostgresStore

    return PostgresStore(settings.database_url.get_secret_value(), setting)


def held_vault(settings: Settings) -> Vault:
    """The vault with the keys that are there; raises Misconfigured when there are none."""
    given = settings.master_key.get_secret_value()
    if given:
        return Vault(ring_from_text(given))
    file = KeyFile(settings.key_path)
    return Vault(file.read(), file)


async def open_vault(settings: Settings) -> Vault:
    """The vault, at the first start with keys made for it. A database that holds cases is never given new keys: what is
    stored could not be read with them, and citizens' query codes would no longer fit."""
    file = KeyFile(settings.key_path)
    if not settings.master_key.get_secret_value() and not file.exists():
        if await glance(settings.database_place, has_cases):
            raise Misconfigured(f"找不到密钥文件 {file.path}，而数据库里已有案件。请先放回原来的密钥文件。")
        file.make()
    return held_vault(settings)


async def migrate(settings: Settings) -> None:
    """Bring the database to the current schema."""
    if settings.is_embedded:
        upgrade_sqlite(settings.database_path)
    else:
        await upgrade_postgres(settings.database_url.get_secret_value())


def shadow_key(vault: Vault) -> Callable[[str], str]:
    """The name under which the shadow record knows a text; without the vault's key nobody can tell which text it was."""
    return lambda text: vault.lookup_hash(text, "shadow")


@dataclass(frozen=True, slots=True)
class Judge:
    """Classifies and looks for danger words; whatever fails, the report goes on without a suggestion."""

    judge: Callable[[str], Judged]
    hints: Callable[[str], tuple[Hint, ...]]
    models: "LiveModels | None" = None

    def __call__(self, text: str) -> Judged:
        return self.judge(text)


def never_failing(ask: Callable[[str], T], otherwise: T, tell: Callable[[Exception], None]) -> Callable[[str], T]:
    """A failing classifier never stops a report: `otherwise` is answered, and the fault is told."""

    def answer(text: str) -> T:
        try:
            return ask(text)
        except Exception as error:
            tell(error)
            return otherwise

    return answer


def build_judge(settings: Settings, city: City, vault: Vault) -> Judge:
    """The judge over the models of the home folder."""
    import structlog

    from classifier import tokens
    from classifier.live import LiveModels
    from classifier.rules import danger, numbers_to_call

    log = structlog.get_logger()
    models = LiveModels(
        settings.home / "models",
        city.taxonomy,
        key_of=shadow_key(vault),
        tell=lambda event, version: log.info("classifier.changed", what=event, version=version),
        gazetteer=city.gazetteer,
    )
    if not models.versions[0]:
        log.warning("classifier.missing")

    # The first citizen must not wait for dictionaries; the search index needs words even where there is no model.
    city.warm()
    tokens.warm()
    danger(city.name)

    def failed(error: Exception) -> None:
        log.error("classifier.failed", error=type(error).__name__)

    classify = never_failing(models.classify, Prediction(), failed)

    def judge(text: str) -> Judged:
        hits, prediction = danger(text), classify(text)
        return Judged(prediction, tuple(dict.fromkeys(hit.word for hit in hits)), numbers_to_call(hits))

    return Judge(judge, never_failing(models.hints, (), failed), models)


def build_repeats(store: AnyStore, feed: Feed, judge: Judge) -> Repeats:
    """The index of open cases that likely repeats come from; empty until its loop runs."""
    if judge.models is None:
        return NoRepeats()
    from classifier.repeats_live import LiveRepeats

    return LiveRepeats(store, feed, judge.models.view)


def open_backlog(settings: Settings, running: "Running") -> Backlog:
    """What text channels keep on disk while the database is away, beside the reports kept there."""
    backlog = Backlog(settings.spool_path, running.gateway.vault)
    backlog.open()
    return backlog


def build_listener(gateway: Gateway, backlog: Backlog | None = None) -> Listener:
    """The conversation of the text channels."""
    from classifier.places import find_place

    def place_in(text: str) -> str | None:
        found = find_place(text, gateway.city.gazetteer)
        return found.text if found else None

    return Listener(gateway, load_phrases(), place_in, backlog)


@dataclass(frozen=True, slots=True)
class Running:
    """An opened gateway with the parts that `serve` runs beside it."""

    gateway: Gateway
    store: AnyStore
    rules: Rules
    run_id: str
    switchboard: Switchboard


def voice_route(city: City) -> tuple[str, ...]:
    """The route of the automatic voice reply, where the city switched it on."""
    return (VOICE,) if PhoneBook(city).rules().voice.enabled else ()


def opened_spool(settings: Settings, vault: Vault, *, judging: bool) -> Spool:
    spool = Spool(settings.spool_path, vault)
    if judging:
        spool.open()
    return spool


@asynccontextmanager
async def open_gateway(settings: Settings, *, judging: bool = True, clock: Clock = utc_now) -> AsyncIterator[Running]:
    """Migrate, open the store, build the gateway; closes the store at the end.

    A command leaves `judging` out: it takes no reports in, so it needs no model, no case numbers and no spool.
    Only a replay of the past has a clock of its own.
    """
    city = city_of(settings)
    await migrate(settings)
    vault = await open_vault(settings)
    store = build_store(settings, city, vault, clock=clock)
    import channels

    offered = {*channels.kinds_of(settings.channels), *voice_route(city)}
    rules = replace(city.rules(offered=offered), reply_due=timedelta(hours=settings.reply_due_hours),
                    mark_lasts=PhoneBook(city).rules().mark_lasts)  # fmt: skip
    store.setting.blocks.numbers_cases = judging
    await store.open()
    spool = opened_spool(settings, vault, judging=judging)
    try:
        judge = build_judge(settings, city, vault) if judging else Judge(lambda _: Judged(), no_hints)
        feed = Feed(store)
        gateway = Gateway(
            store=store,
            city=city,
            rules=rules,
            judge=judge,
            vault=vault,
            clock=clock,
            feed=feed,
            admission=Admission(store, rules, spool, judge),
            hints=judge.hints,
            public_url=settings.public_url,
            repeats=build_repeats(store, feed, judge),
        )
        switchboard = Switchboard(gateway, media=settings.media, spool=settings.spool_path)
        if judging:
            switchboard.open()
        yield Running(gateway, store, rules, secrets.token_hex(4), switchboard)
    finally:
        await store.close()
