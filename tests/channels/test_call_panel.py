"""Panels of the call screen, asked for one at a time as its script does: where a place lies, what a class would mean."""

import pytest

from intake.gateway import Gateway
from intake.model import Role
from tests.channels.desk_people import Client, Person, hire


async def panel(client: Client, person: Person, name: str, **typed: str) -> str:
    """One panel of a new draft for these fields."""
    made = await client.post("/desk/calls", data={"csrf": person.csrf}, headers=person.browser, allow_redirects=False)
    answer = await client.post(f"{made.headers['Location']}/panel/{name}", data=typed, headers=person.page)
    text: str = await answer.text()
    assert answer.status == 200, text[:400]
    return text


@pytest.mark.parametrize(("lon", "words"), [
    ("102.0", "定位不在任何网格内，离最近的网格 "), ("102.3384", "已定点"),
])  # fmt: skip
async def test_a_point_in_no_grid_is_told_while_the_caller_is_still_there(
    gateway: Gateway, client: Client, lon: str, words: str
) -> None:
    person = await hire(gateway, Role.OPERATOR)
    text = await panel(client, person, "places", place="城外水库", lon=lon, lat="40.3275")
    assert words in text
    assert ("定位不在任何网格内" in text) == (lon == "102.0")


async def test_a_place_by_its_initials_is_offered_by_its_name(gateway: Gateway, client: Client) -> None:
    text = await panel(client, await hire(gateway, Role.OPERATOR), "places", place="rmgc")
    assert "人民广场" in text
    assert "拼音" in text or "首字母" in text


@pytest.mark.parametrize(("condition", "words"), [("缺失或移位，在车行道上", "特急"), ("破损", "紧急")])
async def test_what_a_condition_means_is_told_before_it_is_chosen_for_good(
    gateway: Gateway, client: Client, condition: str, words: str
) -> None:
    text = await panel(client, await hire(gateway, Role.OPERATOR), "outlook", subclass="component:0101", condition=condition)
    assert words in text
