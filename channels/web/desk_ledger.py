"""The ledger (待回复): reply debts of all cases with where each stands. The page, and what the API shares."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from urllib.parse import urlencode

from aiohttp import web

from channels.web.desk_debt import STATE_WORDS, DebtView, Owed, by_debt, debt_state, debt_view
from channels.web.desk_frame import desk_page
from channels.web.session import require
from channels.web.setting import gateway_of, signed_in
from intake.codes import parse_case_no
from intake.errors import BadInput
from intake.ledger import REPLY_WORDS, is_overdue
from intake.model import Actor
from intake.ports import Work
from intake.records import Debt, OutboxRow, Reply, Task

PAGE = 25
READ_PAGE = 200
OPEN_STATES = ("open", "held", "to_call", "sending", "sent", "failed", "unknown")
TRUTHS = {"1": True, "true": True, "on": True, "0": False, "false": False, "": False}


@dataclass(frozen=True, slots=True)
class LedgerWish:
    """Which debts. `open` None means open and ended alike, which is answered for one case only."""

    open: bool | None = True
    overdue: bool = False
    case_no: int = 0
    kind: str = ""
    state: str = ""


def ledger_wish(given: Mapping[str, str]) -> LedgerWish:
    """Read the filters; raises BadInput naming the one that cannot be taken."""
    number = parse_case_no(given["case_no"]) if given.get("case_no") else 0
    if number is None:
        raise BadInput("case_no", "受理编号应为 11 位以上数字。")
    if given.get("kind", "") not in ("", *REPLY_WORDS):
        raise BadInput("kind", "没有这种回复。")
    if given.get("state", "") not in ("", *OPEN_STATES):
        raise BadInput("state", "没有这个状态。")
    is_open = _truth("open", given["open"]) if given.get("open") else (None if number else True)
    if is_open is not True and not number:
        raise BadInput("open", "查看已答复的事项请给出受理编号。")
    overdue = _truth("overdue", given.get("overdue", ""))
    return LedgerWish(is_open, overdue, number, given.get("kind", ""), given.get("state", ""))


def _truth(name: str, word: str) -> bool:
    if word.lower() not in TRUTHS:
        raise BadInput(name, "只能是 1 或 0。")
    return TRUTHS[word.lower()]


def debts_wanted(work: Work, wish: LedgerWish, *, now: datetime, by_due: bool, after: int = 0) -> Iterator[Owed]:
    """The debts of a wish one by one, each read with its reply, tasks and messages."""
    for debt in _debts(work, wish, by_due=by_due, after=after, due_before=now if wish.overdue else None):
        if debt.debt_id <= after or (wish.overdue and debt.due_at > now) or (wish.kind and debt.kind != wish.kind):
            continue
        owed = owed_of(work, debt)
        late = is_overdue(debt, sent_at=owed.reply.sent_at if owed.reply else None, now=now)
        if (late or not wish.overdue) and (not wish.state or debt_state(owed) == wish.state):
            yield owed


def _debts(work: Work, wish: LedgerWish, *, by_due: bool, after: int, due_before: datetime | None) -> Iterator[Debt]:
    if wish.case_no:
        found = work.find(Debt, case_no=wish.case_no, order="due_at,debt_id" if by_due else "debt_id")
        yield from (debt for debt in found if wish.open is None or (not debt.end) == wish.open)
        return
    offset = 0
    while page := work.open_debts(by_due=by_due, after=after, due_before=due_before, offset=offset, limit=READ_PAGE):
        yield from page
        offset += len(page)


def owed_of(work: Work, debt: Debt) -> Owed:
    reply = next(iter(work.find(Reply, debt_id=debt.debt_id, limit=1)), None)
    tasks = work.find(Task, case_no=debt.case_no, state="open")
    outbox = by_debt(work.find(OutboxRow, case_no=debt.case_no))
    return Owed(debt, reply, tasks, outbox.get(debt.debt_id, ()))


@require("see_ledger")
async def show_ledger(request: web.Request) -> web.StreamResponse:
    """Open debts, what falls due first on top."""
    gateway, actor = gateway_of(request), signed_in(request).actor
    given = {name: value.strip() for name, value in request.query.items()}
    wish, number = ledger_wish(given), _page_number(given.get("page", ""))
    now = gateway.now()

    def ask(work: Work) -> list[DebtView]:
        start = (number - 1) * PAGE
        found = islice(debts_wanted(work, wish, now=now, by_due=True), start, start + PAGE + 1)
        return _views(found, actor, now=now)

    rows = await gateway.store.read(ask)
    return await desk_page(
        request,
        "desk_ledger.html",
        rows=rows[:PAGE],
        given={name: given.get(name, "") for name in ("case_no", "kind", "state", "overdue", "open")},
        kinds=tuple((kind.value, words) for kind, words in REPLY_WORDS.items()),
        states=tuple((state, STATE_WORDS[state]) for state in OPEN_STATES),
        following=_href(given, number + 1) if len(rows) > PAGE else "",
        earlier=_href(given, number - 1) if number > 1 else "",
    )


def _views(found: Iterable[Owed], actor: Actor, *, now: datetime) -> list[DebtView]:
    return [debt_view(owed, actor, now=now) for owed in found]


def _page_number(word: str) -> int:
    return max(1, int(word)) if word.isascii() and word.isdigit() and len(word) < 4 else 1


def _href(given: Mapping[str, str], number: int) -> str:
    kept = {name: value for name, value in given.items() if value and name not in ("page", "done")}
    return "?" + urlencode(kept | {"page": str(number)})


ROUTES: list[web.RouteDef] = [web.get("/desk/ledger", show_ledger)]
