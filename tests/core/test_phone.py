"""One normal form for every way a number arrives. Sample numbers are from ranges nobody holds or public hotlines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.phone import Phone, parse_phone

MOBILE = Phone("+8615400001234", "15400001234", "mobile")
LANDLINE = Phone("+8651265000000", "051265000000", "landline")


@pytest.mark.parametrize(
    "raw",
    [
        "15400001234",
        "015400001234",
        "+8615400001234",
        "008615400001234",
        "8615400001234",
        "154 0000 1234",
        "154-0000-1234",
        "＋８６　１５４００００１２３４",
        "1795115400001234",
        "sip:15400001234@192.0.2.1;user=phone",
        '"访客" <sip:+8615400001234@example.invalid>',
        "tel:+8615400001234",
    ],
)
def test_a_mobile_number_has_one_form_however_it_arrives(raw: str) -> None:
    assert parse_phone(raw, area_code="0512") == MOBILE


@pytest.mark.parametrize(
    "raw",
    [
        "65000000",
        "051265000000",
        "51265000000",
        "+8651265000000",
        "8651265000000",
        "0086 512 65000000",
        "(0512)6500-0000",
        "（０５１２）６５００００００",
    ],
)
@pytest.mark.parametrize("area_code", ["0512", "512"])
def test_a_landline_number_has_one_form_however_it_arrives(raw: str, area_code: str) -> None:
    assert parse_phone(raw, area_code=area_code) == LANDLINE


@pytest.mark.parametrize("raw", ["0512-65000000转801", "0512-65000000-801", "65000000 分机801", "65000000,801"])
def test_an_extension_is_kept_apart(raw: str) -> None:
    assert parse_phone(raw, area_code="0512") == Phone("+8651265000000", "051265000000", "landline", "801")


def test_a_local_number_may_begin_like_the_country_code() -> None:
    phone = parse_phone("86500000", area_code="0512")
    assert phone == Phone("+8651286500000", "051286500000", "landline")


def test_a_short_local_number_keeps_its_form_when_read_again() -> None:
    phone = parse_phone("2000000", area_code="0512")
    assert phone == Phone("+865122000000", "05122000000", "landline")
    assert parse_phone(phone.e164, area_code="0571") == phone


def test_a_local_number_without_a_known_city_stays_unknown() -> None:
    phone = parse_phone("65000000", area_code="")
    assert phone == Phone("65000000", "65000000", "unknown")


@pytest.mark.parametrize(
    ("raw", "digits"),
    [
        ("110", "110"),
        ("12319", "12319"),
        ("051212319", "12319"),
        ("010-12345", "12345"),
        ("96310", "96310"),
        ("95598", "95598"),
        ("10086", "10086"),
        ("+8612345", "12345"),
        ("106900001234567", "106900001234567"),
        ("400-800-0000", "4008000000"),
        ("+864008000000", "4008000000"),
    ],
)
def test_service_numbers_lose_the_area_code_and_have_no_country_code(raw: str, digits: str) -> None:
    assert parse_phone(raw, area_code="0512") == Phone(digits, digits, "service")


@pytest.mark.parametrize(
    ("raw", "e164"),
    [("+1 202 555 0123", "+12025550123"), ("0012025550123", "+12025550123"), ("00852 2000 0000", "+85220000000")],
)
def test_numbers_of_other_plans_are_foreign(raw: str, e164: str) -> None:
    assert parse_phone(raw, area_code="0512") == Phone(e164, "00" + e164[1:], "foreign")


@pytest.mark.parametrize(
    "raw",
    ["", " ", "anonymous", "Anonymous", "withheld", "unknown", "未知号码", "匿名", "-", "+", "0", "0000000", "abc123",
     "sip:anonymous@anonymous.invalid", "<>", "1" * 40],
)
def test_withheld_numbers_and_words_give_none(raw: str) -> None:
    assert parse_phone(raw, area_code="0512") is None


@pytest.mark.parametrize("raw", ["8001", "99", "1540000123", "+99999", "154000012345"])
def test_digits_that_fit_no_plan_are_kept_as_unknown(raw: str) -> None:
    phone = parse_phone(raw, area_code="0512")
    assert phone is not None
    assert (phone.kind, phone.e164) == ("unknown", raw.lstrip("+"))


@given(st.text(max_size=30) | st.text(alphabet="0123456789+-() 转<>sip:@", max_size=30))
def test_any_text_gives_a_number_or_none_and_the_form_is_stable(raw: str) -> None:
    phone = parse_phone(raw, area_code="0512")
    if phone is not None and phone.kind != "unknown":
        again = parse_phone(phone.e164, area_code="0512")
        assert again is not None
        assert again.e164 == phone.e164
