"""A citizen's copy of what is stored about him and its erasure, by telephone number, on both databases."""

import json

import pytest

from intake import person
from intake.errors import BadInput, NotAllowed, Refused
from intake.model import Actor, Case, Role, State
from intake.profile import City
from intake.receive import receive
from intake.records import Contact, Debt, HistoryEntry, JournalEntry, OutboxRow, Remark, Task, User, View
from intake.retention import Erased
from intake.usecases import Command, perform
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.core.test_retention import NAME, TEXT, contacts_and_raw, ended, whole_history
from tests.core.test_usecases import JUDGED, OPERATOR, reported, take
from tests.make import NOON, PHONE, make_actor, make_inbound

OTHER_PHONE, OTHER_NAME = "+8619900000002", "李四光"
LEADER = make_actor(Role.SHIFT_LEADER)
REASON = "本人申请，第12号申请表"


async def erase(store: AnyStore, vault: Vault, *, reason: str = REASON, also_open: bool = False) -> list[Erased]:
    return await store.write(
        lambda work: person.erase_person(
            work, person.contacts_of(work, vault, PHONE), phone=PHONE, actor=LEADER, reason=reason, also_open=also_open
        )
    )


async def export(store: AnyStore, vault: Vault, phone: str = PHONE) -> dict[str, object]:
    return await store.write(
        lambda work: person.export_person(
            work, person.contacts_of(work, vault, phone), phone=phone, actor=LEADER, reason=REASON
        )
    )


async def test_an_export_holds_everything_of_the_person_and_nothing_of_others(
    either_store: AnyStore, city: City, vault: Vault
) -> None:
    own = await ended(either_store, city)
    main = await reported(either_store, city, text=f"{OTHER_NAME}反映同一处", phone=OTHER_PHONE, name=OTHER_NAME)
    repeat = await reported(either_store, city, text=TEXT, phone=PHONE, name=NAME)
    await take(either_store, city, repeat, "merge", OPERATOR, main_case=str(main), reason="同一处垃圾")

    value = await export(either_store, vault)
    text = json.dumps(value, ensure_ascii=False)
    assert {case["case_no"]: case["part"] for case in value["cases"]} == {own: "own", main: "merged", repeat: "own"}  # type: ignore[attr-defined]
    assert [contact["name"] for contact in value["contacts"]] == [NAME, NAME]  # type: ignore[attr-defined]
    assert TEXT in text
    assert OTHER_NAME not in text
    assert OTHER_PHONE not in text


async def test_every_exported_case_is_a_logged_view_with_its_reason(
    either_store: AnyStore, city: City, vault: Vault
) -> None:
    numbers = [await ended(either_store, city), await reported(either_store, city, phone=PHONE)]
    await export(either_store, vault)
    views = await either_store.read(lambda work: work.find(View))
    assert sorted(view.case_no for view in views) == sorted(numbers)
    assert {(view.what, view.user_id) for view in views} == {("export", LEADER.user_id)}
    reasons = [await either_store.read(lambda work, v=view: work.get(Remark, v.reason_id)) for view in views]
    assert {reason.text for reason in reasons if reason} == {REASON}


async def test_an_unknown_number_exports_nothing_and_logs_nothing(either_store: AnyStore, city: City, vault: Vault) -> None:
    await ended(either_store, city)
    value = await export(either_store, vault, OTHER_PHONE)
    assert (value["contacts"], value["cases"], value["waiting"]) == ([], [], [])
    assert await either_store.read(lambda work: work.find(View)) == []


async def test_erasing_takes_the_person_out_of_every_case_and_leaves_others_alone(
    either_store: AnyStore, city: City, vault: Vault
) -> None:
    own = await ended(either_store, city)
    other = await ended(either_store, city, text=TEXT, phone=OTHER_PHONE, name=OTHER_NAME)
    await erase(either_store, vault)
    value = await export(either_store, vault)
    assert (value["contacts"], value["cases"]) == ([], [])
    contacts, raws = await contacts_and_raw(either_store, own)
    assert [(c.name, c.phone) for c in contacts] == [("", "")]
    assert raws == [""]
    line = (await whole_history(either_store, own))[-1]
    assert (line.step, line.actor_id, line.refs["why"]) == ("erase", LEADER.user_id, "person")
    contacts, raws = await contacts_and_raw(either_store, other)
    assert [(c.name, c.phone) for c in contacts] == [(OTHER_NAME, OTHER_PHONE)]
    assert all(raws)


async def test_an_open_case_is_refused_and_nothing_is_changed(either_store: AnyStore, city: City, vault: Vault) -> None:
    own = await ended(either_store, city)
    live = await reported(either_store, city, phone=PHONE, name=NAME)
    with pytest.raises(Refused, match=str(live)):
        await erase(either_store, vault)
    for number in (own, live):
        contacts, raws = await contacts_and_raw(either_store, number)
        assert [c.name for c in contacts] == [NAME]
        assert all(raws)


async def test_debts_of_an_erased_reporter_end_excused_and_waiting_messages_are_called_back(
    either_store: AnyStore, city: City, vault: Vault
) -> None:
    rules = city.rules(offered=("sms",))
    inbound = make_inbound(phone=PHONE, name=NAME, wants_reply=True)
    number = (await either_store.write(lambda work: receive(work, inbound, JUDGED, rules))).case_no
    for step, fields in (("accept", {}), ("reject", {"reason": "not_found", "way": "请联系物业"})):
        command = Command(number, step, OPERATOR, fields=fields)
        await either_store.write(lambda work, c=command: perform(work, c, rules))
    assert [row.state for row in await either_store.read(lambda work: work.find(OutboxRow))] == ["waiting"]

    erased = await erase(either_store, vault, also_open=True)
    assert [one.counts["excused"] for one in erased] == [1]
    debts = await either_store.read(lambda work: work.find(Debt, case_no=number))
    assert {(debt.end, debt.excuse, debt.ended_by) for debt in debts} == {("excused", "no_contact", LEADER.user_id)}
    rows = await either_store.read(lambda work: work.find(OutboxRow))
    assert [(row.state, row.outcome) for row in rows] == [("failed", "erased")]
    assert await either_store.read(lambda work: work.due_messages(limit=9)) == []
    await whole_history(either_store, number)


async def test_a_case_waiting_only_for_the_erased_reporter_is_archived(
    either_store: AnyStore, city: City, vault: Vault
) -> None:
    from tests.core.test_usecases import carried_to

    number = await reported(either_store, city, phone=PHONE, name=NAME, wants_reply=True)
    await carried_to(either_store, city, number, state=State.CLOSED)
    await erase(either_store, vault, also_open=True)
    case = await either_store.read(lambda work: work.get(Case, number))
    assert case is not None
    assert case.state is State.ARCHIVED
    assert await either_store.read(lambda work: work.find(Task, case_no=number, state="open")) == []
    await whole_history(either_store, number)


async def test_an_open_case_keeps_what_it_is_about(either_store: AnyStore, city: City, vault: Vault) -> None:
    text = f"我叫{NAME}，苏E12345的渣土车在幸福里3栋2单元501室楼下撒漏"
    number = await reported(either_store, city, text=text, phone=PHONE, name=NAME)
    await erase(either_store, vault, also_open=True)
    case = await either_store.read(lambda work: work.get(Case, number))
    assert case is not None
    assert "苏E12345的渣土车在幸福里3栋2单元501室" in case.description
    assert NAME not in case.description


async def test_a_report_not_built_yet_is_exported_and_holds_erasing_up(
    either_store: AnyStore, city: City, vault: Vault
) -> None:
    await ended(either_store, city)
    inbound = make_inbound(phone=PHONE, name=NAME, text="还没有建案")

    def leave_unbuilt(work: object) -> None:
        from intake.receive import raw_of

        entry = JournalEntry(work.new_id(), "web", "p", NOON, raw_of(inbound), state="pending")  # type: ignore[attr-defined]
        work.add(entry)  # type: ignore[attr-defined]

    await either_store.write(leave_unbuilt)
    value = await export(either_store, vault)
    assert [one["text"] for one in value["waiting"]] == ["还没有建案"]  # type: ignore[attr-defined]
    with pytest.raises(Refused):
        await erase(either_store, vault)


async def test_no_reason_means_no_access(either_store: AnyStore, city: City, vault: Vault) -> None:
    await ended(either_store, city)
    with pytest.raises(BadInput):
        await erase(either_store, vault, reason=" ")
    assert await either_store.read(lambda work: work.find(HistoryEntry, step="erase")) == []
    contacts = await either_store.read(lambda work: work.find(Contact))
    assert [contact.name for contact in contacts] == [NAME]


@pytest.mark.parametrize(("role", "disabled", "allowed"), [
    (Role.ADMINISTRATOR, False, True), (Role.SHIFT_LEADER, False, True), (Role.OPERATOR, False, False),
    (Role.ADMINISTRATOR, True, False), (Role.AUDITOR, False, False),
])  # fmt: skip
async def test_only_an_administrator_or_shift_leader_may(
    either_store: AnyStore, role: Role, disabled: bool, allowed: bool
) -> None:
    await either_store.write(lambda work: work.add(User(work.new_id(), "wang", "王", role, work.now, disabled=disabled)))

    async def ask() -> Actor:
        return await either_store.read(lambda work: person.actor_for(work, "wang"))

    if allowed:
        assert (await ask()).role is role
    else:
        with pytest.raises(NotAllowed):
            await ask()
    with pytest.raises(NotAllowed):
        await either_store.read(lambda work: person.actor_for(work, "nobody"))


def test_a_person_is_masked_by_name_number_and_address_wherever_they_stand() -> None:
    contact = Contact(1, "sms", NOON, address="wx-open-id-77", name="李四光", phone="+8619900000002")
    masked = person.masker([contact])("李四光（19900000002，+8619900000002，wx-open-id-77）说李四来过")
    assert masked == "李*（199****0002，199****0002，****）说李四来过"
