"""Personal data that has served is erased, on both databases: tombstones stay, history verifies, search forgets."""

from datetime import timedelta
from pathlib import Path

import pytest

from intake.commands.retention import count_served, erase_all, periods_of
from intake.errors import Misconfigured
from intake.history import verify_chain
from intake.model import Case, Photo, Role, State
from intake.profile import City
from intake.queue import QueueFilter
from intake.records import Attachment, Contact, Debt, HistoryEntry, JournalEntry, Remark, Reply, Reporter, Task
from intake.retention import load_periods
from intake.store.sqlite import SqliteStore
from intake.usecases import Command, perform, rate
from intake.wiring import AnyStore
from tests.core.test_usecases import LEADER, OPERATOR, carried_to, reported, take
from tests.fakes import FakeClock
from tests.make import NOON, PHONE

NAME = "张三丰"
TEXT = f"我叫{NAME}，电话19900000001，幸福里3栋门口有垃圾"
YEARS = {"days": 731}


async def ended(store: AnyStore, city: City, **changes: object) -> int:
    """A case with a reporter who gave his number, archived, everything told."""
    given = {"text": TEXT, "phone": PHONE, "name": NAME, "wants_reply": True} | changes
    number = await reported(store, city, **given)
    await carried_to(store, city, number, state=State.CLOSED)
    for debt in await store.read(lambda work: work.find(Debt, case_no=number, end="")):
        await take(store, city, number, "told_by_phone", OPERATOR, debt=debt.debt_id, call_result="reached")
    return number


async def contacts_and_raw(store: AnyStore, number: int) -> tuple[list[Contact], list[str]]:
    def question(work: object) -> tuple[list[Contact], list[str]]:
        reporters = work.find(Reporter, case_no=number)  # type: ignore[attr-defined]
        contacts = [work.get(Contact, r.contact_id) for r in reporters if r.contact_id]  # type: ignore[attr-defined]
        return contacts, [entry.raw for entry in work.find(JournalEntry, case_no=number)]  # type: ignore[attr-defined]

    return await store.read(question)


async def whole_history(store: AnyStore, number: int) -> list[HistoryEntry]:
    case = await store.read(lambda work: work.get(Case, number))
    lines = await store.read(lambda work: work.find(HistoryEntry, case_no=number))
    assert case is not None
    assert verify_chain(lines, case) == ""
    assert case.version == len(lines)
    return lines


async def test_erased_rows_stay_as_tombstones_and_history_verifies(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    number = await ended(either_store, city)
    await take(either_store, city, number, "note", OPERATOR, text=f"已与{NAME}先生联系，电话19900000001")
    clock.pass_time(**YEARS)
    counts = await erase_all(either_store, periods_of(city), tmp_path)
    assert (counts["contacts"], counts["messages"]) == (1, 1)

    contacts, raws = await contacts_and_raw(either_store, number)
    assert [(c.name, c.phone, c.address) for c in contacts] == [("", "", "")]
    assert raws == [""]
    case = await either_store.read(lambda work: work.get(Case, number))
    words = [r.text for r in await either_store.read(lambda work: work.find(Remark, case_no=number))]
    words += [r.text + r.draft for r in await either_store.read(lambda work: work.find(Reply, case_no=number))]
    assert case is not None
    for text in (case.description, *words):
        assert NAME not in text
        assert "19900000001" not in text
    assert "幸福里3栋门口有垃圾" in case.description
    last = (await whole_history(either_store, number))[-1]
    assert (last.step, last.actor_role, last.refs["why"]) == ("erase", Role.SYSTEM, "retention")


async def test_nothing_in_the_tables_can_be_unsealed_to_the_person_any_more(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    number = await ended(either_store, city)
    clock.pass_time(**YEARS)
    await erase_all(either_store, periods_of(city), tmp_path)

    def rows(work: object) -> list[tuple[object, ...]]:
        connection = work.connection  # type: ignore[attr-defined]
        found = connection.exec_driver_sql("SELECT sealed, phone_hash, address_hash FROM contacts").all()
        return [tuple(row) for row in found]

    assert [(bytes(sealed), phone, address) for sealed, phone, address in await either_store.read(rows)] == [(b"", "", "")]
    assert number


async def test_search_no_longer_finds_what_was_masked_but_still_the_case(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    number = await ended(either_store, city)

    async def found(text: str) -> list[int]:
        wanted = QueueFilter(states=tuple(State), text=text)
        return [case.case_no for case in (await either_store.read(lambda work: work.queue(wanted))).cases]

    assert await found(NAME) == [number]
    clock.pass_time(**YEARS)
    await erase_all(either_store, periods_of(city), tmp_path)
    assert await found(NAME) == []
    assert await found("19900000001") == []
    assert await found("幸福里") == [number]


async def test_a_second_run_finds_nothing_and_a_dry_run_changes_nothing(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    number = await ended(either_store, city)
    clock.pass_time(**YEARS)
    periods = periods_of(city)
    before = await whole_history(either_store, number)
    assert await count_served(either_store, periods) == {"contacts": 1, "messages": 1}
    assert await whole_history(either_store, number) == before
    await erase_all(either_store, periods, tmp_path)
    after = await whole_history(either_store, number)
    assert await count_served(either_store, periods) == {}
    assert await erase_all(either_store, periods, tmp_path) == {}
    assert await whole_history(either_store, number) == after


async def test_a_case_that_is_open_owed_or_young_keeps_everything(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    young_at = NOON + timedelta(days=700)
    still_open = await reported(either_store, city, text=TEXT, phone=PHONE, name=NAME)
    owed = await reported(either_store, city, text=TEXT, phone=PHONE, name=NAME, wants_reply=True)
    await take(either_store, city, owed, "accept", OPERATOR)
    await take(either_store, city, owed, "reject", OPERATOR, reason="not_found", way="请联系物业")
    busy = await ended(either_store, city)
    await either_store.write(lambda work: work.add(Task(work.new_id(), "revisit", busy, work.now, Role.OPERATOR)))
    clock.at = young_at
    young = await ended(either_store, city)
    clock.at = NOON + timedelta(**YEARS)
    assert await erase_all(either_store, periods_of(city), tmp_path) == {}
    for number in (still_open, owed, busy, young):
        contacts, raws = await contacts_and_raw(either_store, number)
        assert [c.name for c in contacts] == [NAME]
        assert all(raws)


async def test_a_merged_reporter_is_kept_as_long_as_the_main_case_needs_him(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    main = await reported(either_store, city)
    repeat = await reported(either_store, city, text=TEXT, phone=PHONE, name=NAME, wants_reply=True)
    await take(either_store, city, repeat, "merge", OPERATOR, main_case=str(main), reason="同一处垃圾")
    clock.pass_time(**YEARS)
    assert await erase_all(either_store, periods_of(city), tmp_path) == {}

    await carried_to(either_store, city, main, state=State.CLOSED)
    for debt in await either_store.read(lambda work: work.find(Debt, case_no=main, end="")):
        await take(either_store, city, main, "told_by_phone", OPERATOR, debt=debt.debt_id, call_result="reached")
    clock.pass_time(**YEARS)
    counts = await erase_all(either_store, periods_of(city), tmp_path)
    assert (counts["contacts"], counts["messages"]) == (1, 2)
    case = await either_store.read(lambda work: work.get(Case, repeat))
    assert case is not None
    assert NAME not in case.description
    for number in (main, repeat):
        await whole_history(either_store, number)


async def test_a_disputed_case_waits_longer(either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path) -> None:
    number = await ended(either_store, city)
    await either_store.write(lambda work: rate(work, number, satisfied=False))
    await either_store.write(lambda work: perform(
        work, Command(number, "revisited", OPERATOR, fields={"revisit_result": "unsatisfied"}), city.rules()
    ))  # fmt: skip
    clock.pass_time(**YEARS)
    assert await erase_all(either_store, periods_of(city), tmp_path) == {}
    clock.pass_time(days=1825)
    assert (await erase_all(either_store, periods_of(city), tmp_path))["contacts"] == 1


async def test_photos_go_with_their_files_and_where_they_were_taken(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    token = "ab" + "x" * 41
    photo = Photo(token, "0" * 64, "image/jpeg", 10, 10, 99, NOON, 102.3, 40.3)
    number = await ended(either_store, city, photos=(photo,))
    folder = tmp_path / "ab"
    folder.mkdir()
    for name in (f"{token}.jpg", f"{token}.thumb.jpg", "ab" + "y" * 41 + ".jpg"):
        (folder / name).write_bytes(b"x")
    clock.pass_time(days=1096)
    assert (await erase_all(either_store, periods_of(city), tmp_path))["photos"] == 1
    assert [path.name for path in folder.iterdir()] == ["ab" + "y" * 41 + ".jpg"]
    kept = (await either_store.read(lambda work: work.find(Attachment, case_no=number)))[0]
    assert (kept.token, kept.size, kept.taken_at, kept.lon) == (token, 0, None, None)


async def test_a_late_repeat_of_an_erased_message_still_gets_its_first_number(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    number = await ended(either_store, city, provider_id="once", body_digest="d")
    clock.pass_time(**YEARS)
    await erase_all(either_store, periods_of(city), tmp_path)
    assert await reported(either_store, city, provider_id="once", body_digest="d") == number


async def test_an_erased_case_can_still_be_commented_on(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    number = await ended(either_store, city)
    clock.pass_time(**YEARS)
    await erase_all(either_store, periods_of(city), tmp_path)
    await take(either_store, city, number, "note", LEADER, text="复查过")
    await whole_history(either_store, number)


@pytest.mark.parametrize(("old", "new", "named"), [
    ("contacts = 730", "contacts = 10", "contacts"), ("logs = 183", "logs = 30", "日志"), ("photos = 1095", "", "photos"),
    ("[days]", "[day]", "days"),
])  # fmt: skip
def test_periods_that_cannot_be_are_refused_by_name(city: City, tmp_path: Path, old: str, new: str, named: str) -> None:
    text = (city.folder / "retention.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "retention.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(Misconfigured, match=named):
        load_periods(tmp_path / "retention.toml", reopen_days=city.reopen_days)


async def test_the_embedded_databases_file_holds_no_trace_of_what_was_erased(
    store: SqliteStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    for _ in range(30):
        await ended(store, city)
    clock.pass_time(**YEARS)
    await erase_all(store, periods_of(city), tmp_path)
    await store.close()
    content = (tmp_path / "intake.db").read_bytes()
    assert "幸福里3栋门口".encode() in content
    for trace in (NAME, "三丰", "19900000001"):
        assert trace.encode() not in content
