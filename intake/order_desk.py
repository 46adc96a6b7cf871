"""Orders from above as the gateway's channels use them: take one in, look one up, hold an uploaded list, hand news over."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from intake.codes import digest_of
from intake.conversation import SAID
from intake.errors import BadInput, IntakeError, KeyReused, NotFound
from intake.fields import point_place
from intake.gateway import Gateway
from intake.model import Actor, Case, Place, Role
from intake.order import News, Order, SheetHeld
from intake.order_sheet import Row
from intake.order_source import CHANNEL, MOMENTS_OF, OrderGiven, inbound_of
from intake.ports import Work
from intake.receive import Received
from intake.records import JournalEntry
from intake.rules import Rules
from intake.usecases import Command, load_case, perform

RECENT = 50
NEWS_PAGE = 100


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """An order with its case and the news that belong to it, newest last."""

    order: Order
    case: Case
    news: tuple[News, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one row of a list: the number it got, whether it was there before, or the fault."""

    row: Row
    case_no: int = 0
    repeated: bool = False
    fault: str = ""


def source_of(actor: Actor, wanted: str) -> str:
    """The source a person or a system speaks for: a source's own system only for itself."""
    if actor.role is not Role.SOURCE:
        return wanted
    if wanted not in ("", actor.unit):
        raise BadInput("source", "只能使用本来源的单号。")
    return actor.unit


async def take_order(gateway: Gateway, given: OrderGiven) -> Received:
    """Take an order in; raises BadInput naming the field. The same again gives the first answer."""
    city = gateway.city
    place = Place(text=given.place.strip()[:256])
    if given.lon is not None and given.lat is not None:
        place = point_place(place.text, given.lon, given.lat, coord_sys="wgs84")
    inbound = inbound_of(given, city.sources, at=gateway.now(), area_code=city.area_code, place=place)
    try:
        return await gateway.take_in(inbound)
    except KeyReused:
        raise BadInput("source_no", "这个来源单号已经收过，但内容不同，请用“补充信息”。") from None


async def take_rows(gateway: Gateway, rows: Iterable[Row]) -> list[Taken]:
    """Take a list in, one order after the other; a row that is refused holds nobody up."""
    done = []
    for row in rows:
        if row.given is None:
            done.append(Taken(row, fault=row.fault))
            continue
        try:
            received = await take_order(gateway, row.given)
            done.append(Taken(row, received.case_no, received.repeated))
        except IntakeError as fault:
            done.append(Taken(row, fault=fault.message))
    return done


def hear_word(work: Work, command: Command, rules: Rules, *, key: str, digest: str) -> Case:
    """A word of a source as a step of its order's case. The same `key` again changes nothing and gives the case as it stands;
    raises KeyReused for another body. Without a key every word counts."""
    if not key:
        return perform(work, command, rules)
    # The lock makes two that come at once go one after the other, whichever gateways they come to.
    case = load_case(work, command.case_no, command.actor, lock=True)
    provider_id = f"word:{digest_of(f'{command.case_no}:{key}')}"
    heard = work.find(JournalEntry, channel=CHANNEL, provider_id=provider_id, limit=1)
    if heard and heard[0].body_digest != digest:
        raise KeyReused
    if heard:
        return case
    after = perform(work, command, rules)
    work.add(JournalEntry(work.new_id(), CHANNEL, provider_id, work.now, "", SAID, case.case_no, digest, reason="word"))
    return after


def find_order(work: Work, source: str, number: str) -> OrderSeen:
    """One order by its source's number; raises NotFound."""
    found = work.find(Order, source=source, number=number, limit=1)
    case = work.get(Case, found[0].case_no) if found else None
    if case is None:
        raise NotFound("没有这个来源单号。")
    return OrderSeen(found[0], case, tuple(work.find(News, order_id=found[0].order_id)))


def recent_orders(work: Work, source: str = "") -> list[OrderSeen]:
    """The newest orders with their cases, of one source or of all."""
    where: dict[str, Any] = {"source": source} if source else {}
    orders = work.find(Order, order="-order_id", limit=RECENT, **where)
    seen = ((order, work.get(Case, order.case_no)) for order in orders)
    return [OrderSeen(order, case, tuple(work.find(News, order_id=order.order_id))) for order, case in seen if case]


def known_numbers(work: Work, rows: Sequence[Row]) -> set[str]:
    """Which numbers of a list are here already, for its preview."""
    given = (row.given for row in rows if row.given)
    return {one.number for one in given if work.find(Order, source=one.source, number=one.number, limit=1)}


def hold_rows(work: Work, actor: Actor, source: str, rows: Sequence[Row]) -> str:
    """Keep a list until its owner says yes; his earlier one goes. Returns the list's mark."""
    work.remove(SheetHeld, user_id=actor.user_id)
    lines = json.dumps([_plain(row) for row in rows], ensure_ascii=False)
    work.add(SheetHeld(actor.user_id, source, work.now, lines))
    return digest_of(lines)


def held_rows(work: Work, actor: Actor, mark: str) -> tuple[Row, ...]:
    """The list a person looked at last; empty when there is none, or when the one he says yes to is not that one."""
    held = work.get(SheetHeld, actor.user_id)
    return tuple(_row(line) for line in json.loads(held.lines)) if held and digest_of(held.lines) == mark else ()


def let_rows_go(work: Work, actor: Actor) -> None:
    work.remove(SheetHeld, user_id=actor.user_id)


def news_after(work: Work, source: str, after: int) -> list[tuple[News, Order]]:
    """A page of what happened to a source's orders, oldest first; `after` is the last id it has."""
    found = work.find(News, source=source, order="news_id", limit=NEWS_PAGE, after=("news_id", after))
    orders = {news.order_id: work.get(Order, news.order_id) for news in found}
    return [(news, order) for news in found if (order := orders[news.order_id])]


def _plain(row: Row) -> dict[str, object]:
    given = asdict(row.given) if row.given else None
    for name in MOMENTS_OF if given else ():
        given[name] = given[name].isoformat() if given[name] else None  # type: ignore[index]
    return {"line": row.line, "given": given, "fault": row.fault}


def _row(value: dict[str, object]) -> Row:
    given = value["given"]
    if not isinstance(given, dict):
        return Row(int(str(value["line"])), fault=str(value["fault"]))
    moments = {name: datetime.fromisoformat(given[name]) if given[name] else None for name in MOMENTS_OF}
    return Row(int(str(value["line"])), replace(OrderGiven(**given), **moments))  # type: ignore[arg-type]
