"""Numbers in addresses: one bound for all pages, each page's own words and kind of refusal."""

import pytest

from channels.web.number import number_from
from intake.model import Role
from tests.channels.desk_hall import Hall
from tests.channels.desk_people import hire

NO_NUMBERS = ("", "x", "-1", "+1", "1.5", " 1", "1_0", "0x1", "²", "１", "٣", "9" * 19, "9" * 5000)
PAGES = (
    ("GET", "/desk/phone/calls/{}", 404, "没有这次外呼。"),
    ("GET", "/desk/pop/{}", 404, ""),
    ("GET", "/desk/calls/{}", 422, "没有这份草稿。"),
    ("POST", "/desk/calls/by-call/{}", 404, "没有这个来电。"),
    ("POST", "/desk/callbacks/{}/cancel", 404, "没有这条回电。"),
    ("POST", "/desk/marks/{}/lift", 404, "没有这个标记。"),
    ("POST", "/desk/notices/{}/close", 404, ""),
    ("POST", "/desk/saved/{}/forget", 404, ""),
)
"""Pages with the number of a record in their address, and what they say where there can be no such record."""


@pytest.mark.parametrize(("word", "number"), [("0", 0), ("7", 7), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_plain_digits_within_the_bound_are_a_number(word: str, number: int) -> None:
    assert number_from(word) == number


@pytest.mark.parametrize("word", NO_NUMBERS)
def test_anything_else_is_none(word: str) -> None:
    assert number_from(word) is None


@pytest.mark.parametrize("word", ["x", "-1", "²", "9" * 19])
@pytest.mark.parametrize(("method", "path", "status", "words"), PAGES)
async def test_each_page_refuses_it_in_its_own_words(
    hall: Hall, method: str, path: str, status: int, words: str, word: str
) -> None:
    leader = await hire(hall.gateway, Role.SHIFT_LEADER)
    data = {"csrf": leader.csrf, "reason": "误标"} if method == "POST" else None
    answer = await hall.client.request(method, path.format(word), data=data, headers=leader.browser)
    assert (answer.status, words in await answer.text()) == (status, True)
