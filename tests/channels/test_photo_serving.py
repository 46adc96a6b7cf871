"""Who is shown a picture: staff who may see its case, never a stranger, and in a confidential case not the unit."""

import pytest
from aiohttp import FormData

from intake.gateway import Gateway
from intake.model import Role
from intake.records import Attachment
from tests.channels.conftest import Client
from tests.channels.desk_people import hire, walk
from tests.channels.pictures import picture


async def reported(client: Client, gateway: Gateway, **fields: str) -> Attachment:
    form = FormData({"text": "人民广场北门垃圾成堆", "place": "人民广场北门"} | fields, default_to_multipart=True)
    form.add_field("photos", picture(size=(800, 600)), filename="IMG_1.jpg", content_type="image/jpeg")
    assert (await client.post("/api/v1/reports", data=form())).status == 201
    found: list[Attachment] = await gateway.store.read(lambda work: work.find(Attachment))
    assert len(found) == 1
    return found[0]


async def test_staff_see_picture_and_thumbnail_and_no_browser_keeps_them(client: Client, gateway: Gateway) -> None:
    photo, operator = await reported(client, gateway), await hire(gateway, Role.OPERATOR)
    whole = await client.get(f"/media/{photo.token}", headers=operator.browser)
    thumb = await client.get(f"/media/{photo.token}/thumb", headers=operator.browser)
    for answer in (whole, thumb):
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert (await answer.read()).startswith(b"\xff\xd8\xff")
    assert len(await whole.read()) == photo.size > len(await thumb.read())


@pytest.mark.parametrize("path", ["", "/thumb"])
async def test_strangers_are_shown_nothing(client: Client, gateway: Gateway, path: str) -> None:
    photo = await reported(client, gateway)
    answer = await client.get(f"/media/{photo.token}{path}", allow_redirects=False)
    assert answer.status == 303
    assert "/desk/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize("token", ["x" * 43, "short", "..%2f..%2fintake.db", "a" * 42 + "%00"])
async def test_what_is_no_picture_is_not_found(client: Client, gateway: Gateway, token: str) -> None:
    operator = await hire(gateway, Role.OPERATOR)
    assert (await client.get(f"/media/{token}", headers=operator.browser)).status == 404


async def test_a_unit_sees_pictures_of_its_own_cases_only(client: Client, gateway: Gateway) -> None:
    photo = await reported(client, gateway)
    case = await walk(gateway, photo.case_no, until="dispatch")
    own = await hire(gateway, Role.UNIT, unit=case.unit)
    other = await hire(
        gateway, Role.UNIT, unit=next(unit for unit in gateway.rules.units if unit not in (case.unit, case.co_unit))
    )
    statuses = [(await client.get(f"/media/{photo.token}", headers=person.browser)).status for person in (own, other)]
    assert statuses == [200, 404]


async def test_a_unit_never_sees_the_pictures_of_a_confidential_reporter(client: Client, gateway: Gateway) -> None:
    photo = await reported(client, gateway, confidential="true")
    case = await walk(gateway, photo.case_no, until="dispatch", forwarded_text="广场有垃圾，请清理")
    unit, operator = await hire(gateway, Role.UNIT, unit=case.unit), await hire(gateway, Role.OPERATOR)
    statuses = [
        (await client.get(f"/media/{photo.token}", headers=person.browser)).status for person in (unit, operator)
    ]
    assert statuses == [404, 200]
