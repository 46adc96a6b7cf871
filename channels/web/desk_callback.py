"""Call-backs owed (待回拨): as the queue's tab and a page of their own list them; dialled by hand out of turn, or cancelled.

The exchange dials them in turn by itself (intake.callback); whose number is a nuisance is intake.nuisance's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from aiohttp import web

from channels.web.desk_frame import desk_page
from channels.web.desk_phone import board_of
from channels.web.number import number_in
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake import callback_work
from intake.call import Call, CallBack
from intake.callback import REASON_WORDS
from intake.errors import BadInput, NotFound, Unavailable
from intake.gateway import Gateway
from intake.masking import mask_phone
from intake.model import Actor
from intake.nuisance import standing
from intake.ports import Work

MOST = 50
STATE_WORDS = {"owed": "待回拨", "dialling": "正在拨"}
CANCEL_REASONS = ("已用其他方式联系", "来电人不再需要", "号码有误", "重复")
NO_TELEPHONE = "电话系统没有接通，暂时不能回拨。"
TAB = "/desk/callbacks"


class Dialling(Protocol):
    async def dial(self, callback_id: int, actor: Actor) -> Call: ...


class DiallingBoard(Protocol):
    @property
    def callbacks(self) -> Dialling: ...


@dataclass(frozen=True, slots=True)
class CallbackRow:
    """A call owed to a number, which is masked. `place_at` is the place in the queue it keeps, `next_at` when the exchange
    dials it at the earliest. `in_danger`: the caller spoke of an emergency, which no mark for nuisance ever stops."""

    callback_id: str
    phone: str
    line: str
    why: str
    owed_at: datetime
    place_at: datetime
    next_at: datetime
    attempts: int
    state: str
    state_words: str
    in_danger: bool
    is_marked: bool


async def callbacks_of(gateway: Gateway) -> tuple[CallbackRow, ...]:
    """Those not settled, in the order in which they keep their places."""

    def ask(work: Work) -> tuple[CallbackRow, ...]:
        found = [one for state in STATE_WORDS for one in work.find(CallBack, state=state, order="place_at", limit=MOST)]
        return tuple(_row(work, gateway, one) for one in sorted(found, key=lambda one: one.place_at)[:MOST])

    return await gateway.store.read(ask)


def _row(work: Work, gateway: Gateway, owed: CallBack) -> CallbackRow:
    origin = work.get(Call, owed.call_id)
    return CallbackRow(
        callback_id=str(owed.callback_id),
        phone=mask_phone(owed.number),
        line=owed.line,
        why=REASON_WORDS.get(owed.reason, owed.reason),
        owed_at=owed.owed_at,
        place_at=owed.place_at,
        next_at=owed.next_at,
        attempts=owed.attempts,
        state=owed.state,
        state_words=STATE_WORDS[owed.state],
        in_danger=origin is not None and origin.emergency_at is not None,
        is_marked=bool(standing(work, gateway.vault.lookup_hash(owed.number, "phone"))),
    )


@require("use_phone")
async def show_callbacks(request: web.Request) -> web.StreamResponse:
    return await _callbacks_page(request)


@require("use_phone")
async def dial(request: web.Request) -> web.StreamResponse:
    """Ring one's own telephone; the flow then rings the citizen when a key confirms."""
    board, actor = cast("DiallingBoard | None", board_of(request)), signed_in(request).actor
    try:
        if board is None:
            raise Unavailable(NO_TELEPHONE)
        await board.callbacks.dial(_number(request), actor)
    except (BadInput, Unavailable) as error:
        return await _callbacks_page(request, fault=error.message, status=422 if isinstance(error, BadInput) else 503)
    raise web.HTTPSeeOther(f"{TAB}?told=dialled")


@require("use_phone")
async def cancel(request: web.Request) -> web.StreamResponse:
    """No call is needed any more, for a reason."""
    form, actor, number = await form_of(request), signed_in(request).actor, _number(request)
    reason = form.get("reason").strip()[:100]
    if not reason:
        return await _callbacks_page(request, fault="请写明取消的理由。", failed=str(number), status=422)
    done = await gateway_of(request).store.write(
        lambda work: callback_work.cancel(work, number, by=actor.user_id, outcome=reason)
    )
    if done is None:
        raise NotFound("没有这条回电。")
    raise web.HTTPSeeOther(f"{TAB}?told=cancelled")


TOLD = {"dialled": "正在拨您的话机，接起后按提示按键，再接通市民。", "cancelled": "已取消这条回电。"}


async def _callbacks_page(
    request: web.Request, *, fault: str = "", failed: str = "", status: int = 200
) -> web.StreamResponse:
    return await desk_page(
        request, "desk_callbacks.html", status=status, callbacks=await callbacks_of(gateway_of(request)), fault=fault,
        failed=failed, told=TOLD.get(request.query.get("told", ""), "") if not fault else "", reasons=CANCEL_REASONS,
        on_phone=board_of(request) is not None,
    )  # fmt: skip


def _number(request: web.Request) -> int:
    return number_in(request, "callback_id", missing=NotFound("没有这条回电。"))


ROUTES: list[web.RouteDef] = [
    web.get(TAB, show_callbacks),
    web.post(f"{TAB}/{{callback_id}}/dial", dial),
    web.post(f"{TAB}/{{callback_id}}/cancel", cancel),
]
