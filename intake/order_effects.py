"""What the steps of an order from above guard and change, as effects.py for all others: a step on a case that is no order,
or on an order already answered, is refused."""

from collections.abc import Callable
from datetime import datetime

from intake import order as orders
from intake.effects import Doing, Extra
from intake.errors import BadInput, IllegalMove
from intake.model import Case

CLOSES = {"sign_order": ("order_sign",), "contact_order": ("order_contact",),
          "answer_order": ("order_answer", "order_sign", "order_contact"),
          "return_order": ("order_sign", "order_contact")}  # fmt: skip
"""Which tasks a step answers."""


def _order(**changes: object) -> Callable[[Doing, Case], Extra]:
    """An act on an order from above; refused for a case that is none."""

    def extra(doing: Doing, before: Case) -> Extra:
        _guard_order(doing, before)
        return Extra(changes, closes_tasks=CLOSES.get(doing.step.name, ()))

    return extra


def _guard_order(doing: Doing, before: Case) -> None:
    if not orders.is_fit(doing.step.name, before):
        raise IllegalMove(doing.step.name, before.state, f"这件案件现在不能{doing.step.label}。")
    until = doing.values.get("until")
    if isinstance(until, datetime) and until <= doing.now:
        raise BadInput("until", "期限应当晚于现在。")


def _order_extended(doing: Doing, before: Case) -> Extra:
    _guard_order(doing, before)
    if doing.values["decision"] != "grant":
        return Extra()
    if "until" not in doing.values:
        raise BadInput("until", "上级同意延期时，请填写新的办结时限。")
    return Extra({"upstream_due_at": doing.values["until"]})


ORDER_EXTRAS: dict[str, Callable[[Doing, Case], Extra]] = {
    "sign_order": _order(upstream_state=orders.SIGNED, upstream_sign_due_at=None),
    "contact_order": _order(upstream_contact_due_at=None), "extend_order": _order(), "order_rated": _order(),
    "order_extended": _order_extended,
    "answer_order": _order(upstream_state=orders.ANSWERED, upstream_sign_due_at=None, upstream_contact_due_at=None),
    "return_order": _order(upstream_state=orders.RETURNED, upstream_sign_due_at=None, upstream_contact_due_at=None),
}  # fmt: skip
