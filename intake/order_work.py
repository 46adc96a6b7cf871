"""Units of work of orders from above: the order beside a new case, what each step changes on it, what the source hears."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from intake.merging import main_of
from intake.model import Case, Role, State
from intake.order import ANSWERED, NEWS_STEPS, OPEN, SIGNED, News, Order
from intake.ports import Work
from intake.records import Attachment, Task
from intake.workflow import ENDED

Values = Mapping[str, object]
OVER = ENDED | {State.CLOSED}
TOLD = ("reason", "basis", "text", "decision", "call_result")
AFTER_PHOTOS = "after"
TURN = timedelta(hours=1)


def order_of(work: Work, case: Case, given: Mapping[str, str]) -> tuple[Order, ...]:
    """The order that came with a message; empty for an ordinary report."""
    if not given:
        return ()
    return (Order(work.new_id(), given["source"], given["number"], case.case_no, case.received_at,
                  _moment(given.get("sign_due_at")), _moment(given.get("contact_due_at")), case.upstream_due_at),)  # fmt: skip


def case_fields(given: Mapping[str, str]) -> dict[str, object]:
    """The columns of a case that an order fills."""
    if not given:
        return {}
    return {
        "upstream_no": given["number"],
        "upstream_source": given["source"],
        "upstream_state": "new",
        "upstream_due_at": _moment(given.get("finish_due_at")),
        "upstream_sign_due_at": _moment(given.get("sign_due_at")),
        "upstream_contact_due_at": _moment(given.get("contact_due_at")),
    }


def after_step(work: Work, step: str, before: Case, after: Case, values: Values) -> None:
    """Keep the order in step with its case, put down what the source is to hear, ask for the 回单 when a case is over."""
    if after.upstream_no:
        _keep(work, step, after, values, is_anew=before.upstream_state == ANSWERED and after.upstream_state == SIGNED)
    if after.state in OVER and before.state is not after.state:
        for case in _with_merged(work, after):
            _ask_for_answer(work, case)


def _with_merged(work: Work, case: Case) -> Iterator[Case]:
    """A case and everything that was merged into it, directly or by way of another."""
    waiting, seen = [case], {case.case_no}
    while waiting:
        one = waiting.pop()
        yield one
        below = [other for other in work.find(Case, main_case_no=one.case_no) if other.case_no not in seen]
        seen.update(other.case_no for other in below)
        waiting += below


def _keep(work: Work, step: str, case: Case, values: Values, *, is_anew: bool) -> None:
    found = work.find(Order, case_no=case.case_no, limit=1)
    if not found:
        return
    order = found[0]
    changes = CHANGES.get(step, _nothing)(values, work.now)
    if changes:
        work.change(order, replace(order, **changes))  # type: ignore[arg-type]
    if step in NEWS_STEPS or is_anew:
        work.add(News(_next_number(work), order.order_id, order.source, step, work.now, _told(work, step, case, values),
                      "waiting", next_at=work.now))  # fmt: skip


def _next_number(work: Work) -> int:
    """Sources read on from the last number they have, so numbers follow one another as the news become visible, whichever
    gateway they come from; the row taken here makes gateways go one after the other."""
    work.count_try("order_news", window=TURN)
    last = work.find(News, order="-news_id", limit=1)
    return max(work.new_id(), last[0].news_id + 1) if last else work.new_id()


def _ask_for_answer(work: Work, case: Case) -> None:
    if case.upstream_state not in OPEN or (case.state is State.MERGED and not _main_is_over(work, case)):
        return
    if not work.find(Task, case_no=case.case_no, kind="order_answer", state="open"):
        work.add(Task(work.new_id(), "order_answer", case.case_no, work.now, Role.OPERATOR))


def _main_is_over(work: Work, case: Case) -> bool:
    """A merged order is answered when the case in which its matter goes on is over."""
    main = main_of(work, case)
    return main.state is not State.MERGED and main.state in OVER


def _told(work: Work, step: str, case: Case, values: Values) -> dict[str, object]:
    """What the source is told of a step: our words to it, codes and moments, and which photos it may fetch."""
    told: dict[str, object] = {name: values[name] for name in TOLD if name in values}
    told |= {name: cast("datetime", values[name]).isoformat() for name in ("until", "called_at") if name in values}
    if step == "answer_order":
        told["photos"] = [one.token for one in work.find(Attachment, case_no=case.case_no, usage=AFTER_PHOTOS)]
    return told | {"state": case.state.value}


def _nothing(_values: Values, _now: datetime) -> dict[str, object]:
    return {}


def _contacted(values: Values, now: datetime) -> dict[str, object]:
    return {"contacted_at": values.get("called_at", now), "contact_result": values["call_result"]}


def _answered(values: Values, now: datetime) -> dict[str, object]:
    called = _contacted(values, now) if values.get("call_result") else {}
    return {"answered_at": now} | called


CHANGES: dict[str, Callable[[Values, datetime], dict[str, object]]] = {
    "sign_order": lambda _values, now: {"signed_at": now},
    "contact_order": _contacted,
    "extend_order": lambda values, _now: {"extension_at": values["until"]},
    "order_extended": lambda values, _now: {"extension_at": None}
    | ({"finish_due_at": values["until"]} if values["decision"] == "grant" else {}),
    "return_order": lambda _values, now: {"returned_at": now},
    "answer_order": _answered,
    "order_rated": lambda values, _now: {"satisfaction": values["satisfaction"]},
    "reopen": lambda _values, _now: {"answered_at": None},
    "review": lambda _values, _now: {"answered_at": None},
    "unmerge": lambda _values, _now: {"answered_at": None},
}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
