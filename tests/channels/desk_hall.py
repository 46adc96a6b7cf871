"""The desk with a switchboard behind it and an exchange that is not there; the fixture `hall` stands in conftest.py."""

from dataclasses import dataclass

from intake.call import OperatorLine
from intake.gateway import Gateway
from intake.switchboard import Switchboard
from tests.channels.desk_people import Client, Person
from tests.channels.html_form import PageForm, form_to
from tests.fake_telephony import FakeTelephony


@dataclass(frozen=True, slots=True)
class Hall:
    client: Client
    board: Switchboard
    exchange: FakeTelephony
    gateway: Gateway

    async def look(self, person: Person, path: str) -> tuple[int, str]:
        answer = await self.client.get(path, headers=person.browser)
        return answer.status, await answer.text()

    async def page(self, person: Person, path: str = "/desk/phone") -> str:
        """A page that must be there."""
        status, text = await self.look(person, path)
        assert status == 200, text[:400]
        return text

    async def send(self, person: Person, form: PageForm, **typed: str) -> tuple[int, str, str]:
        """The answer itself and where it leads, which is not followed."""
        answer = await self.client.post(form.action, data=form.values | typed, headers=person.browser, allow_redirects=False)
        return answer.status, await answer.text(), answer.headers.get("Location", "")

    async def press(self, person: Person, path: str, action: str, **typed: str) -> tuple[int, str]:
        """What a button of a page leads to, as a browser shows it in the end."""
        form = form_to(await self.page(person, path), action)
        answer = await self.client.post(form.action, data=form.values | typed, headers=person.browser)
        return answer.status, await answer.text()

    async def act(self, person: Person, **typed: str) -> tuple[int, str, str]:
        """A button of one's own telephone."""
        return await self.send(person, form_to(await self.page(person), "/desk/phone/line"), **typed)

    async def line(self, person: Person) -> OperatorLine:
        found = await self.board.lines.of(person.actor.user_id)
        assert found is not None
        return found
