"""The city's telephone rules: hours, notices that can be put in force at run time, the directory, and what is refused."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from intake.errors import Misconfigured
from intake.phone_profile import CallbackRules, PhoneBook, PhoneRules
from intake.profile import CITIES, City, load_city
from tests.make import NOON

NOTICE = """
[[notices]]
lines = ["12319"]
from = 2026-11-20T08:00:00+08:00
until = 2026-11-20T20:00:00+08:00
text = "来电较多，请耐心等候"
"""


@pytest.fixture
def own_city(tmp_path: Path) -> City:
    shutil.copytree(CITIES / "demo", tmp_path / "own")
    return load_city(tmp_path / "own")


def write(city: City, text: str, *, stamp: int) -> None:
    path = city.folder / "phone.toml"
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))


def test_the_demo_city_answers_by_its_own_hours(city: City) -> None:
    book = PhoneBook(city)
    night = NOON + timedelta(hours=11)
    assert [book.is_open(line, at) for line in ("12319", "96310", "other") for at in (NOON, night)] == [
        True, True, True, False, True, True,
    ]  # fmt: skip
    assert book.rules().callbacks == CallbackRules()
    assert not book.rules().voice.enabled


def test_the_directory_holds_services_duty_and_every_unit(city: City) -> None:
    book = PhoneBook(city)
    assert [one.id for one in book.contacts()[:5]] == ["110", "119", "120", "122", "duty"]
    assert {one.unit for one in book.contacts() if one.unit} == {unit.id for unit in city.units.values() if unit.duty_phone}


def test_a_notice_is_put_in_force_without_a_restart_and_ends_by_itself(own_city: City) -> None:
    book = PhoneBook(own_city)
    assert book.notice("12319", NOON) == ""
    write(own_city, NOTICE, stamp=1)
    assert book.notice("12319", NOON) == "来电较多，请耐心等候"
    assert book.notice("96310", NOON) == ""
    assert book.notice("12319", NOON + timedelta(hours=8)) == ""


def test_a_file_that_goes_bad_keeps_the_last_good_rules(own_city: City) -> None:
    book = PhoneBook(own_city)
    write(own_city, NOTICE, stamp=1)
    assert book.rules().notices
    write(own_city, "[[notices", stamp=2)
    assert book.notice("12319", NOON) == "来电较多，请耐心等候"


def test_a_city_without_the_file_has_usual_rules_and_the_four_services(own_city: City) -> None:
    (own_city.folder / "phone.toml").unlink()
    book = PhoneBook(own_city)
    assert book.rules().callbacks == PhoneRules().callbacks
    assert [one.number for one in book.contacts()[:4]] == ["110", "119", "120", "122"]
    assert book.duty() is None


@pytest.mark.parametrize(
    "wrong",
    ["[callbacks]\nshare = 1.0", "[callbacks]\nattempts = 0", "[callbacks]\nquiet = [[\"21\", \"8\", \"9\"]]",
     NOTICE.replace("来电较多", "来" * 61), NOTICE.replace("2026-11-20T20", "2026-11-19T20"), NOTICE.replace("+08:00", ""),
     '[[emergency]]\nid = "x"\nname = "x"\nnumber = "none"\nkind = "duty"', "[callbacks"],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_at_the_start(own_city: City, wrong: str) -> None:
    write(own_city, wrong, stamp=1)
    with pytest.raises(Misconfigured):
        PhoneBook(own_city)
