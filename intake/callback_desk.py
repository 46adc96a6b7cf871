"""Paying call-backs: whose turn it is when an operator becomes free, claiming, ringing, and the loop for quiet times.

Decisions stand in callback.py, units of work in callback_work.py. Several gateways may run this side by side: a claim is
a row.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace

import structlog

from intake import callback_work
from intake.call import Call, CallBack, LineState, OperatorLine
from intake.callback import Line, credit_after, next_callback, not_before
from intake.caller import caller_of
from intake.errors import BadInput, NotFound, Refused, Unavailable
from intake.model import Actor
from intake.nuisance import standing
from intake.permission import demand
from intake.ports import Work
from intake.switchboard_acts import waiting_now
from intake.switchboard_lines import line_at, own_line, set_line
from intake.switchboard_parts import Parts

LOOK_EVERY_S = 2.0
AFTERWARDS = {"talked": (LineState.WRAP_UP, ""), "not_confirmed": (LineState.PAUSED, "no_answer")}
"""What an operator's line does after an attempt; whoever did not answer his own telephone is not offered the next one."""
log = structlog.get_logger()


class Callbacks:
    """The call-backs one gateway pays. `credit` is what they have saved up while citizens waited (callback.py)."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._store = parts, parts.gateway.store
        self.credit = 0.0

    async def owed(self, *, limit: int = 50) -> list[CallBack]:
        """What is owed, the longest waiting first."""
        return await self._store.read(lambda work: callback_work.owed_callbacks(work, limit=limit))

    async def cancel(self, callback_id: int, actor: Actor, reason: str) -> CallBack:
        """An operator says that no call is needed any more (he reached him otherwise)."""
        demand(actor, "use_phone")
        words = reason.strip()[:100] or "cancelled"
        done = await self._store.write(
            lambda work: callback_work.cancel(work, callback_id, by=actor.user_id, outcome=words)
        )  # fmt: skip
        if done is None:
            raise NotFound("没有这条回电。")
        return done

    def note_taken(self) -> None:
        """An operator took a call out of the queue."""
        self.credit = credit_after(self.credit, self._parts.book.rules().callbacks, paid=False)

    async def turn(self, line: OperatorLine, *, idle_only: bool = False) -> bool:
        """Give a free operator the call-back whose turn it is; False when he is for the queue. `idle_only`: only while
        nobody waits, because then he is about to be rung anyway."""
        if self._parts.exchange.telephony is None:
            return False
        call_id = self._store.next_id()
        call, waited = await self._store.write(lambda work: self._claim(work, line, call_id, idle_only=idle_only))
        if call is None:
            return False
        if waited:
            self.credit = credit_after(self.credit, self._parts.book.rules().callbacks, paid=True)
        return await self._offer(call)

    async def dial(self, callback_id: int, actor: Actor) -> Call:
        """An operator takes a call-back by his own hand, out of its turn. Raises BadInput when his telephone or the citizen
        cannot be rung now or somebody else has it, Unavailable when nothing was rung."""
        demand(actor, "use_phone")
        self._parts.exchange.required()
        call_id = self._store.next_id()
        call = await self._store.write(lambda work: self._claim_by_hand(work, callback_id, actor, call_id))
        if not await self._offer(call):
            raise Unavailable("话机没有响应，请稍后再拨。")
        return call

    async def _offer(self, call: Call) -> bool:
        """Ring the operator's telephone for a call-back that is claimed; it is owed again when that fails."""
        self._parts.calls.recall(call)
        try:
            await self._parts.exchange.required().offer_callback(call.extension, call_id=call.call_id)
        except (Unavailable, Refused) as error:
            log.warning("callback.not_offered", error=type(error).__name__)
            await self.ended(call, "cannot_dial")
            return False
        return True

    def _claim(self, work: Work, line: OperatorLine, call_id: int, *, idle_only: bool) -> tuple[Call | None, bool]:
        """The call to make, if any, and whether citizens waited meanwhile."""
        rules, zone = self._parts.book.rules().callbacks, self._parts.gateway.city.zone
        if not_before(work.now, rules.quiet, zone) > work.now:
            return None, False
        current = work.get(OperatorLine, line.user_id, lock=True)
        if current is None or current.state is not LineState.READY:
            return None, False
        waiting = [one.queued_at for one in waiting_now(work)]
        if waiting and idle_only:
            return None, True
        chosen = next_callback(self._without_marked(work), Line(work.now, waiting, self.credit))
        claimed = callback_work.claim(work, chosen.callback_id, line.user_id) if chosen else None
        if claimed is None:
            return None, bool(waiting)
        return self._begin(work, claimed, current, call_id), bool(waiting)

    def _claim_by_hand(self, work: Work, callback_id: int, actor: Actor, call_id: int) -> Call:
        rules, zone = self._parts.book.rules().callbacks, self._parts.gateway.city.zone
        line = own_line(work, actor)
        if not_before(work.now, rules.quiet, zone) > work.now:
            raise BadInput("callback", "现在是免打扰时间，请稍后再拨。")
        claimed = callback_work.claim(work, callback_id, actor.user_id)
        if claimed is None:
            raise BadInput("callback", "这条回电已有人在拨，或者已经办结。")
        return self._begin(work, claimed, line, call_id)

    def _begin(self, work: Work, claimed: CallBack, line: OperatorLine, call_id: int) -> Call:
        """The call that pays a claimed call-back."""
        kind = caller_of(claimed.number, "", area_code=self._parts.gateway.city.area_code).kind
        call = Call(call_id, "callback", "", f"out:{call_id}", claimed.line, work.now, flow="callback", caller=claimed.number,
                    caller_kind=kind, extension=line.extension, operator_id=line.user_id,
                    callback_id=claimed.callback_id)  # fmt: skip
        work.add(call)
        set_line(work, line, LineState.PAUSED, reason="callback", call_id=call_id)
        return call

    def _without_marked(self, work: Work) -> list[CallBack]:
        """What is due, less numbers that were marked as nuisance since; a call for help in danger stays owed."""
        kept = []
        for one in work.callbacks_due(most=callback_work.DUE_LIMIT):
            origin = work.get(Call, one.call_id)
            urgent = origin is not None and origin.emergency_at is not None
            if urgent or not standing(work, self._parts.number_hash(one.number)):
                kept.append(one)
            else:
                callback_work.cancel(work, one.callback_id, by=0, outcome="marked")
        return kept

    async def ended(self, call: Call, outcome: str) -> None:
        """What came of an attempt: the debt, the call, and the operator's line."""
        rules, zone, now = self._parts.book.rules().callbacks, self._parts.gateway.city.zone, self._parts.gateway.now()

        def also(work: Work, held: Call) -> None:
            callback_work.record_attempt(work, held.callback_id, outcome, rules=rules, zone=zone)
            line = line_at(work, held.extension)
            if line is not None and line.call_id == held.call_id:
                state, reason = AFTERWARDS.get(outcome, (LineState.READY, ""))
                set_line(work, line, state, reason=reason)

        await self._parts.calls.change(
            call.call_id,
            lambda c: replace(c, ended_at=c.ended_at or now, end=outcome, how=c.how or "finished",
                              summary=c.summary or ("" if outcome == "talked" else "out"),
                              result="reached" if outcome == "talked" else "unreached"),
            also=also,
        )  # fmt: skip
        if outcome not in AFTERWARDS:
            await self._parts.exchange.tell(lambda port: port.unpause(call.extension))

    async def pay(self) -> int:
        """Let operators who sit idle pay what is due; returns how many were rung."""
        lines = [line for line in await self._store.read(lambda work: work.find(OperatorLine)) if line.state is LineState.READY]
        if not lines or not await self.owed(limit=1):
            return 0
        rung = 0
        for line in sorted(lines, key=lambda one: one.since_at):
            rung += await self.turn(line, idle_only=True)
        return rung

    async def tidy(self) -> int:
        """Take back what died while dialling, give up what is too old."""
        rules = self._parts.book.rules().callbacks
        return await self._store.write(lambda work: callback_work.tidy(work, rules))

    async def run(self) -> None:
        """Look every two seconds until cancelled; everything waited for is a row."""
        while True:
            with suppress(Unavailable):
                await self.tidy()
                if self._parts.exchange.telephony is not None:
                    await self.pay()
            await asyncio.sleep(LOOK_EVERY_S)
