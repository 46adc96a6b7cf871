"""Building everything from settings: the only place besides __main__ that knows which parts exist.

`open_gateway` is what `serve` and every command use, so a command on a stopped or a running gateway does the same.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from intake.admission import Admission
from intake.dialogue_words import load_phrases
from intake.errors import Misconfigured
from intake.feed import Feed
from intake.gateway import Gateway
from intake.keyring import KeyFile, ring_from_text
from intake.listener import Listener
from intake.model import Prediction
from intake.profile import CITIES, City, load_city
from intake.receive import Judged
from intake.rules import Rules
from intake.settings import Settings
from intake.spool import Spool
from intake.store.glance import glance, has_cases
from intake.store.schema import upgrade_postgres, upgrade_sqlite
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.vault import Vault

if TYPE_CHECKING:
    from intake.store.postgres import PostgresStore

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


def build_store(settings: Settings, city: City, vault: Vault) -> AnyStore:
    """The store, not yet opened."""
    from classifier.tokens import search_tokens

    setting = StoreSetting(vault=vault, clock=utc_now, zone=city.zone, words=search_tokens)
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


def build_judge(settings: Settings, city: City, vault: Vault) -> Callable[[str], Judged]:
    """Classify and look for danger words; whatever fails, the report goes on without a suggestion."""
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
    )
    if not models.versions[0]:
        log.warning("classifier.missing")

    # The first citizen must not wait for dictionaries; the search index needs words even where there is no model.
    city.warm()
    tokens.warm()
    danger(city.name)

    def judge(text: str) -> Judged:
        hits = danger(text)
        try:
            prediction = models.classify(text)
        except Exception as error:
            # A failing classifier never stops a report.
            log.error("classifier.failed", error=type(error).__name__)
            prediction = Prediction()
        return Judged(prediction, tuple(dict.fromkeys(hit.word for hit in hits)), numbers_to_call(hits))

    return judge


def build_listener(gateway: Gateway) -> Listener:
    """The conversation of the text channels."""
    from classifier.places import find_place

    def place_in(text: str) -> str | None:
        found = find_place(text, gateway.city.gazetteer)
        return found.text if found else None

    return Listener(gateway, load_phrases(), place_in)


@dataclass(frozen=True, slots=True)
class Running:
    """An opened gateway with the parts that `serve` runs beside it."""

    gateway: Gateway
    store: AnyStore
    rules: Rules
    run_id: str


@asynccontextmanager
async def open_gateway(settings: Settings, *, judging: bool = True) -> AsyncIterator[Running]:
    """Migrate, open the store, build the gateway; closes the store at the end.

    A command leaves `judging` out: it takes no reports in, so it needs no model, no case numbers and no spool.
    """
    city = city_of(settings)
    await migrate(settings)
    vault = await open_vault(settings)
    store = build_store(settings, city, vault)
    import channels

    rules = replace(city.rules(offered=channels.kinds_of(settings.channels)), reply_due=timedelta(hours=settings.reply_due_hours))
    store.setting.blocks.numbers_cases = judging
    await store.open()
    spool = Spool(settings.spool_path, vault)
    if judging:
        spool.open()
    try:
        judge = build_judge(settings, city, vault) if judging else lambda _: Judged()
        gateway = Gateway(
            store=store,
            city=city,
            rules=rules,
            judge=judge,
            vault=vault,
            clock=utc_now,
            feed=Feed(store),
            admission=Admission(store, rules, spool, judge),
            public_url=settings.public_url,
        )
        yield Running(gateway, store, rules, secrets.token_hex(4))
    finally:
        await store.close()
