"""待回拨 and 骚扰标记 at the desk: dialled by hand, cancelled for a reason, ruled on by the shift leader only."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

from channels.web.desk_phone import TELEPHONE
from channels.web.server import build_app
from channels.web.setting import WebSetting
from intake.call import CallBack, Mark
from intake.gateway import Gateway
from intake.model import Role
from intake.switchboard import Switchboard
from intake.telephony import Ring
from tests.channels.conftest import Served
from tests.channels.desk_people import Client, Person, hire
from tests.channels.html_form import form_to
from tests.fake_telephony import FakeTelephony
from tests.make import NOON, PHONE
from tests.phones import ended


@dataclass
class Room:
    client: Client
    board: Switchboard
    exchange: FakeTelephony
    gateway: Gateway

    async def page(self, person: Person, path: str) -> tuple[int, str]:
        answer = await self.client.get(path, headers=person.browser)
        return answer.status, await answer.text()

    async def press(self, person: Person, path: str, action: str, **typed: str) -> tuple[int, str]:
        form = form_to((await self.page(person, path))[1], action)
        answer = await self.client.post(form.action, data=form.values | typed, headers=person.browser)
        return answer.status, await answer.text()

    async def owed(self, *, leg: str = "1", danger: bool = False) -> CallBack:
        """A call-back owed to somebody who queued for a minute and hung up."""
        call = await self.board.ring(Ring("pbx", leg, "12319", PHONE.removeprefix("+86"), NOON - timedelta(minutes=1)))
        await self.board.queued(call.call_id, "hotline")
        if danger:
            await self.board.ask(call.call_id, "emergency", {})
        await self.board.finish(call.call_id, ended("unserved", how="hung_up", queued=True, call_back=True))
        return (await self.board.callbacks.owed())[-1]


@pytest.fixture
async def room(gateway: Gateway, web_setting: WebSetting, tmp_path: Path) -> AsyncIterator[Room]:
    app = build_app(gateway, web_setting)
    board, exchange = Switchboard(gateway, media=tmp_path / "media", spool=tmp_path / "calls"), FakeTelephony()
    board.connect(exchange)
    app[TELEPHONE].board = board
    async with TestClient(Served(app)) as client:
        yield Room(client, board, exchange, gateway)


async def test_an_operator_dials_the_call_back_he_chooses(room: Room) -> None:
    operator, owed = await hire(room.gateway, Role.OPERATOR), await room.owed()
    status, text = await room.page(operator, "/desk/callbacks")
    assert status == 200
    assert "199****0001" in text
    assert PHONE[3:] not in text
    action = f"/desk/callbacks/{owed.callback_id}/dial"
    assert (await room.press(operator, "/desk/callbacks", action))[0] == 422
    await room.board.lines.log_in(operator.actor.user_id, "8001")
    status, text = await room.press(operator, "/desk/callbacks", action)
    assert (status, "正在拨您的话机" in text) == (200, True)
    assert [extension for extension, _ in room.exchange.of("offer_callback")] == ["8001"]
    assert action not in (await room.page(operator, "/desk/callbacks"))[1]


async def test_a_call_back_is_cancelled_for_a_reason_only(room: Room) -> None:
    operator, owed = await hire(room.gateway, Role.OPERATOR), await room.owed()
    action = f"/desk/callbacks/{owed.callback_id}/cancel"
    assert (await room.press(operator, "/desk/callbacks", action, reason=" "))[0] == 422
    assert len(await room.board.callbacks.owed()) == 1
    assert (await room.press(operator, "/desk/callbacks", action, reason="已用短信联系"))[0] == 200
    stored = (await room.gateway.store.read(lambda work: work.find(CallBack)))[0]
    assert (stored.state, stored.outcome, stored.closed_by) == ("cancelled", "已用短信联系", operator.actor.user_id)


async def test_the_leader_rules_on_a_mark_with_its_evidence_before_him(room: Room) -> None:
    operator, leader = await hire(room.gateway, Role.OPERATOR), await hire(room.gateway, Role.SHIFT_LEADER, name="leader")
    call = await room.board.ring(Ring("pbx", "9", "12319", PHONE.removeprefix("+86"), NOON))
    await room.board.lines.log_in(operator.actor.user_id, "8001")
    await room.board.answered(call.call_id, "8001")
    mark = await room.board.marks.add(call.call_id, operator.actor, reason="反复辱骂")
    assert (await room.page(operator, "/desk/marks"))[0] == 403
    status, text = await room.page(leader, "/desk/marks")
    assert (status, "反复辱骂" in text, "199****0001" in text, "2月18日" in text) == (200, True, True, True)
    assert (await room.press(leader, "/desk/marks", f"/desk/marks/{mark.mark_id}/confirm"))[0] == 200
    assert "已确认" in (await room.page(leader, "/desk/marks"))[1]
    lift = f"/desk/marks/{mark.mark_id}/lift"
    assert (await room.press(leader, "/desk/marks", lift, reason=""))[0] == 422
    assert (await room.press(leader, "/desk/marks", lift, reason="误标"))[0] == 200
    stored = (await room.gateway.store.read(lambda work: work.find(Mark)))[0]
    assert (stored.confirmed_by, stored.lifted_by) == (leader.actor.user_id, leader.actor.user_id)


async def test_a_marked_number_in_danger_is_shown_as_both_and_can_be_dialled(room: Room) -> None:
    operator = await hire(room.gateway, Role.OPERATOR)
    await room.board.lines.log_in(operator.actor.user_id, "8001")
    heard = await room.board.ring(Ring("pbx", "9", "12319", PHONE.removeprefix("+86"), NOON))
    await room.board.answered(heard.call_id, "8001")
    await room.board.marks.add(heard.call_id, operator.actor, reason="反复辱骂")
    await room.board.finish(heard.call_id, ended("served", served=True))
    owed = await room.owed(danger=True)
    text = (await room.page(operator, "/desk/callbacks"))[1]
    assert ("涉险" in text, "骚扰标记" in text) == (True, True)
    assert f"/desk/callbacks/{owed.callback_id}/dial" in text
