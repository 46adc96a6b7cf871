"""Building everything from settings: the only place besides __main__ that knows which parts exist.

`open_gateway` is what `serve` and every command use, so a command on a stopped or a running gateway does the same.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from intake.admission import Admission
from intake.errors import Misconfigured
from intake.feed import Feed
from intake.gateway import Gateway
from intake.model import Prediction
from intake.profile import CITIES, City, load_city
from intake.receive import Judged
from intake.rules import Rules
from intake.settings import Settings
from intake.spool import Spool
from intake.store.postgres import PostgresStore
from intake.store.schema import upgrade_postgres, upgrade_sqlite
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.vault import Vault, load_master_key

AnyStore = SqliteStore | PostgresStore


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
    return PostgresStore(settings.database_url.get_secret_value(), setting)


async def migrate(settings: Settings) -> None:
    """Bring the database to the current schema."""
    if settings.is_embedded:
        upgrade_sqlite(settings.database_path)
    else:
        await upgrade_postgres(settings.database_url.get_secret_value())


def build_judge(settings: Settings, city: City) -> Callable[[str], Judged]:
    """Classify and look for danger words; whatever fails, the report goes on without a suggestion."""
    import structlog

    from classifier.classify import TextClassifier
    from classifier.registry import default_path
    from classifier.rules import danger, numbers_to_call

    log = structlog.get_logger()
    path = default_path(settings.home)
    classifier = TextClassifier.load(path, city.taxonomy) if path.exists() else None
    if classifier is None:
        log.warning("classifier.missing")

    city.warm()
    danger(city.name)

    def judge(text: str) -> Judged:
        hits = danger(text)
        try:
            prediction = classifier.classify(text) if classifier else Prediction()
        except Exception as error:
            # A failing classifier never stops a report.
            log.error("classifier.failed", error=type(error).__name__)
            prediction = Prediction()
        return Judged(prediction, tuple(dict.fromkeys(hit.word for hit in hits)), numbers_to_call(hits))

    return judge


@dataclass(frozen=True, slots=True)
class Running:
    """An opened gateway with the parts that `serve` runs beside it."""

    gateway: Gateway
    store: AnyStore
    rules: Rules
    run_id: str


@asynccontextmanager
async def open_gateway(settings: Settings, *, judging: bool = True) -> AsyncIterator[Running]:
    """Migrate, open the store, build the gateway; closes the store at the end. Commands may leave judging out."""
    city = city_of(settings)
    vault = Vault(load_master_key(settings.key_path))
    await migrate(settings)
    store = build_store(settings, city, vault)
    rules = replace(city.rules(), reply_due=timedelta(hours=settings.reply_due_hours))
    await store.open()
    spool = Spool(settings.spool_path, vault)
    spool.open()
    try:
        judge = build_judge(settings, city) if judging else lambda _: Judged()
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
