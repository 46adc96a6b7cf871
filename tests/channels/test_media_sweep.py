"""Pictures and sounds without a case go, all others stay."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from channels.web.media_sweep import OLDEST_S, YOUNGEST_S, holds_any, sweep
from intake.call import CallRecording
from intake.codes import new_secret
from intake.records import Attachment, JournalEntry
from intake.store.sqlite import SqliteStore
from tests.make import NOON, make_case

NOW_S = NOON.timestamp()


def picture(folder: Path, *, age_s: float) -> str:
    token = new_secret()
    (folder / token[:2]).mkdir(parents=True, exist_ok=True)
    for name in (f"{token}.jpg", f"{token}.thumb.jpg"):
        path = folder / token[:2] / name
        path.write_bytes(b"jpeg")
        os.utime(path, (NOW_S - age_s, NOW_S - age_s))
    return token


def held(folder: Path) -> set[str]:
    """Tokens of which the folder holds anything at all."""
    return {path.name.partition(".")[0] for path in folder.glob("??/*.jpg")}


def left_in(folder: Path) -> int:
    return len(list(folder.glob("??/*")))


def sealed_in(folder: Path) -> list[str]:
    return [path.stem for path in folder.glob("??/*.sealed")]


@pytest.mark.parametrize("age_s", [YOUNGEST_S / 2, OLDEST_S * 2])
async def test_pictures_too_young_or_looked_at_long_ago_stay(age_s: float, store: SqliteStore, tmp_path: Path) -> None:
    token = picture(tmp_path, age_s=age_s)
    assert await sweep(store, tmp_path, now_s=NOW_S) == 0
    assert held(tmp_path) == {token}


async def test_only_pictures_without_a_case_go(store: SqliteStore, tmp_path: Path) -> None:
    kept, orphan = picture(tmp_path, age_s=YOUNGEST_S * 2), picture(tmp_path, age_s=YOUNGEST_S * 2)
    case = make_case()
    row = Attachment(kept, case.case_no, "report", "0" * 64, "image/jpeg", 1, 1, 4, NOON)
    await store.write(lambda work: work.add(case, row))
    assert await sweep(store, tmp_path, now_s=NOW_S) == 1
    assert held(tmp_path) == {kept}
    assert orphan not in held(tmp_path)


async def test_pictures_of_a_report_whose_case_could_not_be_built_stay_until_it_is(store: SqliteStore, tmp_path: Path) -> None:
    token = picture(tmp_path, age_s=YOUNGEST_S * 2)
    entry = JournalEntry(1, "web", "own:1", NOON, "{}", "pending", case_no=26112000001, error="KeyError")
    await store.write(lambda work: work.add(entry))
    assert await sweep(store, tmp_path, now_s=NOW_S) == 0
    assert held(tmp_path) == {token}
    await store.write(lambda work: work.change(entry, replace(entry, state="built")))
    assert await sweep(store, tmp_path, now_s=NOW_S) == 1


@pytest.mark.parametrize("name", ["{}.jpg.part", "{}.thumb.jpg.part", "{}.sealed.part", "{}.anew", "{}.anew.part"])
async def test_what_a_kill_left_half_written_goes_however_old(store: SqliteStore, tmp_path: Path, name: str) -> None:
    for age_s in (YOUNGEST_S / 2, YOUNGEST_S, OLDEST_S * 2):
        path = tmp_path / "ab" / name.format(new_secret())
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
        os.utime(path, (NOW_S - age_s, NOW_S - age_s))
    assert await sweep(store, tmp_path, now_s=NOW_S) == 2, "the youngest may still be written on"
    assert left_in(tmp_path) == 1


def sound(folder: Path) -> str:
    token = new_secret()
    path = folder / token[:2] / f"{token}.sealed"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sealed")
    os.utime(path, (NOW_S - YOUNGEST_S * 2, NOW_S - YOUNGEST_S * 2))
    return token


async def test_a_recording_of_a_call_without_a_case_stays_and_a_forgotten_sound_goes(store: SqliteStore, tmp_path: Path) -> None:
    kept, orphan = sound(tmp_path), sound(tmp_path)
    row = CallRecording(1, 2, "talk", "talk", "talk/2", kept, "main", 1000, NOON, size=6, stored_at=NOON)
    await store.write(lambda work: work.add(row))
    assert await sweep(store, tmp_path, now_s=NOW_S) == 1
    assert sealed_in(tmp_path) == [kept]
    assert orphan != kept


@pytest.mark.parametrize(("name", "waits"), [("1-2.report", True), ("00000000000000001.message", True), ("7.call", True), ("x.draft", False)])
def test_nothing_is_swept_while_anything_waits_for_the_database(name: str, waits: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    assert holds_any(tmp_path) is waits
