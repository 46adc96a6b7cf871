"""The telephone's driver of call flows: steps of ivr.engine over AGI, stored through the switchboard after each.

A call may come and go: the gateway leaves AGI whenever somebody is to be waited for or talked to, and takes the stored
position up again at /resume. What Asterisk tells over AMI meanwhile (answered, hung up) is taken in steps.py.
"""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from channels.phone import PhoneSettings, Server
from channels.phone import destination as to
from channels.phone.agi import LegGone, Session
from channels.phone.extension import extension_of, interface_of
from channels.phone.leg import Leg
from channels.phone.sounds import WordsMissing
from channels.phone.steps import DIAL_CITIZEN, RATING, Steps
from channels.phone.talk import Doing, Talk
from intake.call import LineState
from intake.skill import skill_of
from intake.telephony import Ring
from ivr import commands as do
from ivr import events as on
from ivr.engine import begin
from ivr.nodes import Record
from ivr.position import Position

FLOWS = {"hotline": "hotline", "callback": "callback", "voice-reply": "reply_by_voice", RATING: "rating"}
"""Path of the FastAGI address to the flow it starts."""
CITIZEN_RINGS_S, GIVER_RINGS_S = 45, 20
FREE = (LineState.READY, LineState.PAUSED, LineState.WRAP_UP)
DONE = {"GW_DONE": "1"}
"""The gateway's last word."""
log = structlog.get_logger()


@dataclass(slots=True)
class Driver:
    """`place`: where in the queue a caller belongs, 0 for its end; `duty`: digits of the emergency duty, "" for nobody."""

    steps: Steps
    doing: Doing
    settings: PhoneSettings
    place: Callable[[int, str], int]
    duty: Callable[[], str]

    # What Asterisk asks by FastAGI.

    async def serve(self, session: Session) -> None:
        """Walk the part of a call that this connection is for."""
        path = session.request.path
        if path == "ended":
            await self._ended(session)
        elif path not in FLOWS and path != "resume":
            log.warning("phone.unknown_path")
        else:
            await self._be_there(session)
            call_id = await self._call_of(session)
            was_rung = path != "hotline" and await self._was_rung(session, call_id)
            if was_rung:
                await self._talk_is_over(call_id, came_of(session))
            async with self.steps.alone(call_id):
                await (self._after_talk(session, call_id) if was_rung else self._take_up(session, call_id))

    async def _was_rung(self, session: Session, call_id: int) -> bool:
        """Whether this is the leg of a citizen whom an operator rang, and who is alone now: the operator has hung up, or
        gave him to somebody."""
        if session.request.path == RATING:
            return True
        leg, came = session.request.values.get("agi_channel", ""), came_of(session)
        if session.request.path != "resume" or came.how != "dial" or not leg or extension_of(leg):
            return False
        position = await self.steps.position(call_id)
        call = await self.steps.board.call(call_id)
        is_ours = call.purpose not in ("in", "voice") and call.answered_at is not None
        return is_ours and (position is None or position.flow != RATING)

    async def _talk_is_over(self, call_id: int, came: to.Came) -> None:
        """The operator's leg is gone, whether or not anybody told us; what his flow was about has its end."""
        call = await self.steps.board.call(call_id)
        if call.answered_at is None:
            await self.steps.board.answered(call_id, call.extension)
        if came.how == "dial" and not came.talked:
            await self.steps.board.rang(call_id, came.dialled())
        await self.steps.talked(call_id, left="operator")
        await self.steps.caller_gone(call_id, self.steps.clock())

    async def _after_talk(self, session: Session, call_id: int) -> None:
        """The citizen is asked for his rating; one who was given away in vain goes back to whoever rang him."""
        came, flow = came_of(session), self.steps.flow(RATING)
        facts = await self._facts(session, call_id)
        position = begin(flow)
        events: list[on.Event] = [on.Started(facts)]
        if session.request.path != RATING and not came.talked:
            position = replace(position, node=flow.person, known=facts, queued=True, talking=True, served=True)
            events = [on.GivenBack()]
        talk = await self._talk(session, call_id, position)
        talk.first = await self._giver(call_id) if position.talking else ""
        await self._walk(talk, events)

    async def _be_there(self, session: Session) -> None:
        """Our first word, before anything is written down: Asterisk waits for it only so long, a database may take longer."""
        with suppress(LegGone):
            await Leg(session).renew()

    async def serve_busy(self, session: Session) -> None:
        """The caller is told that all lines are busy; whoever was here before is taken up as ever."""
        if session.request.path != "hotline":
            await self.serve(session)
            return
        await self._be_there(session)
        call_id = await self._call_of(session)
        log.warning("phone.all_busy")
        async with self.steps.alone(call_id):
            talk = await self._talk(session, call_id, begin(self.steps.flow("all_busy")))
            await self._walk(talk, [on.Started(await self._facts(session, call_id))])

    async def _take_up(self, session: Session, call_id: int) -> None:
        path, came = session.request.path, came_of(session)
        position = await self.steps.position(call_id)
        if path == "resume" and came.talked:
            await self.steps.talked(call_id, who=came.who, left="operator")
        # A call by click goes without a flow; a call that has ended is only hung up.
        if position is None and ((path == "resume" and not came.is_again) or await self.steps.has_ended(call_id)):
            await Leg(session).leave(DONE)
            return
        if position is None:
            position = begin(self.steps.flow(FLOWS.get(path, "hotline")))
            events: Iterable[on.Event] = [on.Started(await self._facts(session, call_id))]
        else:
            events = await self._went_on(call_id, position, came) if path == "resume" else [on.Resumed()]
        talk = await self._talk(session, call_id, position)
        if came.left_empty and not position.talking and skill_of((await self.steps.board.call(call_id)).queue):
            # Nobody with the skill is there any more: he waits with everybody, at the place he has.
            talk.queue, events = to.QUEUE, [on.Resumed()]
        if list(events) == [on.GivenBack()]:
            talk.first = await self._giver(call_id)
        node = self.steps.node_at(position)
        if path == "resume" and came.is_again and isinstance(node, Record):
            with suppress(LegGone):
                events = await self.doing.taken_meanwhile(talk, node)
        await self._walk(talk, events)

    async def _ended(self, session: Session) -> None:
        """The dialplan tells that the caller is gone; it forgets the call when we say that its end is stored."""
        call_id, came = await self._call_of(session), came_of(session)
        if came.how == "queue" and came.who:
            await self.steps.talked(call_id, who=came.who, left="citizen")
        elif came.how == "dial" and came.status == "answer" and (await self.steps.board.call(call_id)).giving:
            # Nobody told us while the link was down: who was rung for him talked with him.
            await self.steps.person_answered(call_id, extension_of(came.who))
        await self.steps.caller_gone(call_id, self.steps.clock())
        await Leg(session).leave(DONE)

    async def _went_on(self, call_id: int, position: Position, came: to.Came) -> Iterable[on.Event]:
        """What the dialplan comes back with, a telephone that was rung for the caller written down first."""
        asked = getattr(self.steps.node_at(position), "to", "")
        in_vain = came.how == "dial" and not came.talked
        if came.how == to.GIVEN and position.talking:
            await self.steps.talked(call_id, left="operator")
            return [on.GivenOn()]
        if in_vain and asked == to.OPERATORS:
            if not position.talking:
                return [on.Resumed()]  # nor has whoever gave him away taken him back: the queue
            await self.steps.board.rang(call_id, came.dialled())
            await self.steps.talked(call_id, left="operator")
            return [on.GivenBack()]
        if came.how == "dial" and asked == to.DUTY:
            await self.steps.board.rang(call_id, came.dialled())
        return self._resumed(position, came)

    async def _giver(self, call_id: int) -> str:
        """The extension of whoever gave this caller away, if he can be rung; "" for the queue."""
        extension = (await self.steps.board.call(call_id)).extension
        lines = [line for line in await self.steps.board.lines.wanted() if line.extension == extension]
        return extension if any(line.state in FREE for line in lines) else ""

    def _resumed(self, position: Position, came: to.Came) -> Iterable[on.Event]:
        if position.talking:
            # AMI told of the answer; that the dialplan is here again means that the talk is over.
            return [on.PersonLeft()]
        if self.steps.act_at(position) != DIAL_CITIZEN or came.is_again:
            return came.events()
        told = on.ActResult(DIAL_CITIZEN, came.dialled(), {}, position.ticket)
        return [told, *came.events()] if came.talked else [told]

    async def _call_of(self, session: Session) -> int:
        """The call this is about; a caller who comes in becomes one, and stays the same one however often he comes."""
        values, given = session.request.values, session.request.argument(2)
        if session.request.path != "hotline" and given.isascii() and given.isdigit() and len(given) < 19:
            return int(given)
        call = await self.steps.board.ring(Ring(
            server=self._server(session).name, leg_id=values.get("agi_uniqueid", ""),
            line=given or values.get("agi_extension", ""),
            caller=_said(values.get("agi_callerid", "")), name=_said(values.get("agi_calleridname", "")), at=self.steps.clock(),
        ))  # fmt: skip
        return call.call_id

    async def _facts(self, session: Session, call_id: int) -> dict[str, str]:
        facts = dict(await self.steps.board.facts(call_id))
        if session.request.path == "voice-reply" and session.request.argument(3):
            facts["answered_by"] = session.request.argument(3)
        return facts

    async def _talk(self, session: Session, call_id: int, position: Position) -> Talk:
        leg = Leg(session)
        # A caller who is gone already is met again at the first command; his call has begun all the same.
        with suppress(LegGone):
            await leg.begin({"__CALL_ID": str(call_id)}, answer=session.request.path == "hotline")
        return Talk(call_id, leg, self._server(session).recordings, position)

    # The walk itself.

    async def _walk(self, talk: Talk, events: Iterable[on.Event]) -> None:
        waiting = deque(events)
        while waiting:
            talk.position, told = await self.steps.take(talk.call_id, talk.position, waiting.popleft())
            talk.asked = told[-1] if told else talk.asked
            if isinstance(talk.asked, do.End):
                await self._end(talk, told)
                return
            if not waiting:
                waiting.extend(await self._next(talk, told))

    async def _next(self, talk: Talk, told: tuple[do.Command, ...]) -> list[on.Event]:
        try:
            events = await self.doing.carry_out(talk, told)
            if isinstance(talk.asked, do.HandOver):
                return await self._hand_over(talk, talk.asked, again=not told)
            if isinstance(talk.asked, do.Ask) and talk.asked.act == DIAL_CITIZEN:
                return await self._citizen(talk, events)
            return events
        except WordsMissing:
            # Rather no reply now than half of one: it is tried again, and then a person's to tell.
            log.warning("phone.words_missing", call_id=talk.call_id)
            with suppress(LegGone):
                await talk.leg.leave(DONE)
            return [on.Hangup()]
        except LegGone:
            return [on.Hangup()]

    async def _hand_over(self, talk: Talk, asked: do.HandOver, *, again: bool) -> list[on.Event]:
        if talk.ahead:
            key, talk.ahead = talk.ahead[0], talk.ahead[1:]
            return [on.Digits(key)]
        if asked.to != to.OPERATORS:
            target = self._target(asked)
            return await self._leave_for(talk, target, asked.timeout_s) if target else [on.NobodyThere()]
        if talk.first:
            return await self._leave_for(talk, interface_of(talk.first), GIVER_RINGS_S)
        queue = talk.queue or await self.steps.board.queue_of(talk.call_id)
        place = self.place(talk.call_id, queue) if asked.keeps_place or again else 0
        await self.steps.board.queued(talk.call_id, queue)
        await talk.leg.leave(to.to_queue(asked, queue=queue, place=place, record=self.settings.record_calls))
        return []

    def _target(self, asked: do.HandOver) -> str:
        if asked.to == to.LEADER:
            return interface_of(self.settings.leader)
        digits = self.duty() if asked.to == to.DUTY else ""
        return to.citizen(digits) if digits else ""

    async def _leave_for(self, talk: Talk, target: str, wait_s: int, *, rated: bool = False) -> list[on.Event]:
        shown, record = self.settings.lines[0], self.settings.record_calls
        await talk.leg.leave(to.to_dial(target, timeout_s=wait_s, shown=shown, record=record, rated=rated))
        return []

    async def _citizen(self, talk: Talk, events: list[on.Event]) -> list[on.Event]:
        """Ring the citizen if that was allowed; the flow hears at /resume what came of it."""
        for event in events:
            if isinstance(event, on.ActResult) and event.result == "answered" and event.values.get("target"):
                return await self._leave_for(talk, to.citizen(event.values["target"]), CITIZEN_RINGS_S, rated=True)
        return events

    async def _end(self, talk: Talk, told: tuple[do.Command, ...]) -> None:
        try:
            await self.doing.carry_out(talk, told)
            await talk.leg.leave(DONE)
        except LegGone:
            return

    def _server(self, session: Session) -> Server:
        return self.settings.server(session.request.argument(1)) or self.settings.servers[0]


def came_of(session: Session) -> to.Came:
    request = session.request
    return to.Came(request.argument(3), request.argument(4).lower(), request.argument(5))


def _said(value: str) -> str:
    """What Asterisk writes for nothing is nothing."""
    return "" if value in ("unknown", "anonymous") else value
