"""Operators' telephones: who sits where and what he does. Rows are the truth; the exchange is told, and repaired after it.

A line that becomes free may first be given a call-back (`take_turn`); else it takes the queue.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from intake.call import PAUSE_REASONS, LineSpell, LineState, OperatorLine
from intake.errors import BadInput, NotFound
from intake.model import Actor
from intake.ports import Work
from intake.records import FeedEvent
from intake.switchboard_parts import Parts

EXTENSION = re.compile(r"[1-9][0-9]{2,5}")
BUSY = (LineState.RINGING, LineState.TALKING)


async def _no_turn(line: OperatorLine) -> bool:
    return False


class Lines:
    """What an operator may do with his line."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._store, self._exchange = parts, parts.gateway.store, parts.exchange
        self.take_turn: Callable[[OperatorLine], Awaitable[bool]] = _no_turn

    async def log_in(self, user_id: int, extension: str, *, skills: Sequence[str] = ()) -> OperatorLine:
        """Sit down at a telephone, 小休 until `ready`. Raises BadInput when somebody else sits there."""
        if not EXTENSION.fullmatch(extension):
            raise BadInput("extension", "分机号应为 3 至 6 位数字。")
        line = await self._store.write(lambda work: _log_in(work, user_id, extension, tuple(skills)))
        await self._exchange.tell(lambda port: port.log_in(extension, user_id, skills=line.skills))
        return line

    async def ready(self, user_id: int) -> OperatorLine:
        """示闲. Whoever was owed a call longest may come before the queue."""
        line = await self._store.write(lambda work: _become(work, user_id, LineState.READY))
        if not await self.take_turn(line):
            await self._exchange.tell(lambda port: port.unpause(line.extension))
        return await self.of(user_id) or line

    async def pause(self, user_id: int, reason: str) -> OperatorLine:
        """小休, for a reason of PAUSE_REASONS."""
        if reason not in PAUSE_REASONS:
            raise BadInput("reason", "请选择小休原因。")
        line = await self._store.write(lambda work: _become(work, user_id, LineState.PAUSED, reason=reason))
        await self._exchange.tell(lambda port: port.pause(line.extension, reason))
        return line

    async def finish_wrap_up(self, user_id: int) -> OperatorLine:
        """话后整理 is over."""
        line = await self.of(user_id)
        if line is None or line.state is not LineState.WRAP_UP:
            raise BadInput("state", "现在不在话后整理。")
        return await self.ready(user_id)

    async def log_out(self, user_id: int) -> OperatorLine:
        line = await self._store.write(lambda work: _become(work, user_id, LineState.OFFLINE))
        await self._exchange.tell(lambda port: port.log_out(line.extension))
        return line

    async def of(self, user_id: int) -> OperatorLine | None:
        return await self._store.read(lambda work: work.get(OperatorLine, user_id))

    async def all(self) -> list[OperatorLine]:
        return await self._store.read(lambda work: work.find(OperatorLine))

    async def wanted(self) -> list[OperatorLine]:
        """What the exchange's queues should look like: offline is no member, paused and wrap_up are paused members."""
        return await self.all()

    async def end_long_wrap_ups(self) -> int:
        """话后整理 ends by itself after the city's time, because a forgotten button must not cost a seat."""
        limit, now = self._parts.book.rules().wrap_up, self._parts.gateway.now()
        if not limit:
            return 0
        late = [line for line in await self.all() if line.state is LineState.WRAP_UP and now - line.since_at >= limit]
        for line in late:
            await self.ready(line.user_id)
        return len(late)


def _log_in(work: Work, user_id: int, extension: str, skills: tuple[str, ...]) -> OperatorLine:
    for other in work.find(OperatorLine, extension=extension):
        if other.user_id != user_id and other.state is not LineState.OFFLINE:
            raise BadInput("extension", "这部分机上已有其他受理员登录。")
    held = work.get(OperatorLine, user_id, lock=True)
    if held is None:
        line = OperatorLine(user_id, extension, LineState.PAUSED, work.now, skills=skills)
        work.add(line)
        tell_line(work, line)
        return line
    if held.state in BUSY:
        raise BadInput("state", "正在通话，不能更换分机。")
    return set_line(work, held, LineState.PAUSED, extension=extension, skills=skills)


def _become(work: Work, user_id: int, state: LineState, *, reason: str = "") -> OperatorLine:
    held = work.get(OperatorLine, user_id, lock=True)
    if held is None or (held.state is LineState.OFFLINE and state is not LineState.OFFLINE):
        raise NotFound("请先登录分机。")
    if held.state in BUSY:
        raise BadInput("state", "正在通话，请先挂机。")
    return set_line(work, held, state, reason=reason)


def set_line(work: Work, held: OperatorLine, state: LineState, *, reason: str = "", call_id: int = 0,
             extension: str = "", skills: tuple[str, ...] | None = None) -> OperatorLine:  # fmt: skip
    """Change a line, write down how long it was as it was, and tell the desks."""
    after = replace(held, state=state, reason=reason, call_id=call_id, extension=extension or held.extension,
                    skills=held.skills if skills is None else skills)  # fmt: skip
    if after == held:
        return held
    if (state, reason) != (held.state, held.reason):
        work.add(LineSpell(work.new_id(), held.user_id, held.state, held.reason, held.since_at, work.now))
        after = replace(after, since_at=work.now)
    work.change(held, after)
    tell_line(work, after)
    return after


def line_at(work: Work, extension: str) -> OperatorLine | None:
    """The line of whoever is logged in at an extension."""
    found = work.find(OperatorLine, extension=extension) if extension else []
    return next((line for line in found if line.state is not LineState.OFFLINE), None)


def tell_line(work: Work, line: OperatorLine) -> None:
    work.tell(FeedEvent(0, work.now, "phone.line", line.state.value, 0, audience(line.user_id)))


def tell_call(work: Work, what: str, call_id: int, user_id: int, state: LineState) -> None:
    """A screen pop and what follows it: call and operator, no number."""
    work.tell(FeedEvent(0, work.now, f"phone.{what}", state.value, call_id, audience(user_id)))


def audience(user_id: int) -> str:
    """Whom an event of the telephone is for, in the column that names a unit in events of cases."""
    return f"operator:{user_id}"


def free_lines_of(work: Work, call_id: int, *, but: int = 0) -> list[OperatorLine]:
    """Telephones that rang for a call somebody else has taken, or that is gone."""
    ringing = [line for line in work.find(OperatorLine, call_id=call_id) if line.state is LineState.RINGING]
    return [set_line(work, line, LineState.READY) for line in ringing if line.user_id != but]


def wrap_up(work: Work, call_id: int) -> list[OperatorLine]:
    """The lines that talked in a call go over to 话后整理."""
    talked = [line for line in work.find(OperatorLine, call_id=call_id) if line.state is LineState.TALKING]
    return [set_line(work, line, LineState.WRAP_UP, call_id=call_id) for line in talked]


def own_line(work: Work, actor: Actor) -> OperatorLine:
    """The line of somebody about to ring out, locked. Raises BadInput unless his telephone is there and free."""
    line = work.get(OperatorLine, actor.user_id, lock=True)
    if line is None or line.state is LineState.OFFLINE:
        raise BadInput("extension", "请先登录分机。")
    if line.state in BUSY:
        raise BadInput("extension", "您正在通话。")
    return line
