"""The life of a case through the store: from a report to both replies and the archive, and what must be refused."""

import asyncio

import pytest

from intake.errors import IllegalMove, KeyReused, NotAllowed, StaleVersion
from intake.history import verify_chain
from intake.model import Actor, Case, Prediction, ReplyKind, Role, Scored, State, Subclass
from intake.profile import City
from intake.receive import Judged, receive
from intake.records import Debt, HistoryEntry, JournalEntry, Reply, Task
from intake.usecases import Command, perform, rate
from intake.wiring import AnyStore
from tests.make import make_actor, make_inbound

RUBBISH = Subclass.parse("event:0102")
JUDGED = Judged(Prediction(top=(Scored(RUBBISH, 0.93),), abstained=False, model_version="test"))
OPERATOR, LEADER = make_actor(Role.OPERATOR), make_actor(Role.SHIFT_LEADER)
DISPATCHER, INSPECTOR = make_actor(Role.DISPATCHER), make_actor(Role.INSPECTOR)


async def reported(store: AnyStore, city: City, **changes: object) -> int:
    inbound = make_inbound(**changes)
    received = await store.write(lambda work: receive(work, inbound, JUDGED, city.rules()))
    return received.case_no


async def take(store: AnyStore, city: City, number: int, step: str, actor: Actor, **fields: object) -> Case:
    command = Command(number, step, actor, fields=fields)
    return await store.write(lambda work: perform(work, command, city.rules()))


async def unit_of(store: AnyStore, number: int) -> Actor:
    case = await store.read(lambda work: work.get(Case, number))
    assert case is not None
    return make_actor(Role.UNIT, unit=case.unit)


async def carried_to(store: AnyStore, city: City, number: int, *, state: State) -> Case:
    """Walk the ordinary way of a case up to a state."""
    condition = city.taxonomy.conditions(RUBBISH)[0]
    unit = await unit_of(store, number)
    walk = (
        ("accept", OPERATOR, {}),
        ("file", OPERATOR, {"condition": condition, "waive_verify": "clear_evidence"}),
        ("dispatch", DISPATCHER, {}),
        ("take", unit, {}),
        ("feedback", unit, {"result": "垃圾已清走，地面已冲洗"}),
        ("check", OPERATOR, {"check_method": "photo"}),
        ("checked", INSPECTOR, {"check_result": "pass"}),
        ("close", OPERATOR, {"standard": "清走"}),
    )
    case = None
    for step, actor, fields in walk:
        if step == "close":
            fields = {}
        case = await take(store, city, number, step, actor, **fields)
        if case.state is state and step not in ("check",):
            break
    assert case is not None
    return case


async def test_a_web_report_gets_both_replies_and_is_archived(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    case = await carried_to(either_store, city, number, state=State.ARCHIVED)

    assert case.state is State.ARCHIVED
    debts = await either_store.read(lambda work: work.find(Debt, case_no=number))
    assert {(debt.kind, debt.end) for debt in debts} == {(ReplyKind.FILING, "published"), (ReplyKind.CLOSING, "published")}
    replies = await either_store.read(lambda work: work.find(Reply, case_no=number))
    assert all(str(number) in reply.text for reply in replies)
    assert any("垃圾已清走" in reply.text for reply in replies)


async def test_history_is_a_whole_chain_with_one_line_for_each_version(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    case = await carried_to(either_store, city, number, state=State.ARCHIVED)
    lines = await either_store.read(lambda work: work.find(HistoryEntry, case_no=number))

    assert len(lines) == case.version
    assert verify_chain(lines, case) == ""
    assert verify_chain(lines[:-1], case) == "cut"


async def test_the_same_provider_id_twenty_times_in_parallel_gives_one_case(either_store: AnyStore, city: City) -> None:
    inbound = make_inbound(provider_id="same", body_digest="d")
    units = [either_store.write(lambda work: receive(work, inbound, JUDGED, city.rules())) for _ in range(20)]
    answers = await asyncio.gather(*units)

    assert len({answer.case_no for answer in answers}) == 1
    assert sum(not answer.repeated for answer in answers) == 1
    assert len(await either_store.read(lambda work: work.find(Case))) == 1
    assert len(await either_store.read(lambda work: work.find(JournalEntry))) == 1


async def test_a_key_with_another_body_is_refused_and_changes_nothing(either_store: AnyStore, city: City) -> None:
    await reported(either_store, city, provider_id="key", body_digest="one")
    with pytest.raises(KeyReused):
        await reported(either_store, city, provider_id="key", body_digest="two")
    assert len(await either_store.read(lambda work: work.find(Case))) == 1


async def test_receive_never_files(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    case = await either_store.read(lambda work: work.get(Case, number))
    assert case is not None
    assert (case.state, case.subclass, bool(case.unit)) == (State.REPORTED, RUBBISH, True)
    assert await either_store.read(lambda work: work.find(Debt)) == []


async def test_a_stale_write_is_refused_and_told_what_changed(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    await take(either_store, city, number, "accept", OPERATOR)
    with pytest.raises(StaleVersion) as caught:
        await either_store.write(
            lambda work: perform(work, Command(number, "note", OPERATOR, 1, {"text": "看过了"}), city.rules())
        )
    assert caught.value.current_version == 2
    assert [change["step"] for change in caught.value.changes] == ["accept"]


async def test_an_illegal_move_is_refused_by_name(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    with pytest.raises(IllegalMove) as caught:
        await take(either_store, city, number, "close", OPERATOR)
    assert (caught.value.move, caught.value.state) == ("close", "reported")


async def test_voiding_needs_a_second_person(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    await carried_to(either_store, city, number, state=State.FILED)
    with pytest.raises(IllegalMove):
        await take(either_store, city, number, "void", LEADER, reason="立错了")
    await take(either_store, city, number, "ask_void", LEADER, reason="立错了")
    with pytest.raises(NotAllowed):
        await take(either_store, city, number, "void", LEADER, reason="确认")
    other = make_actor(Role.SHIFT_LEADER, user_id=77)
    assert (await take(either_store, city, number, "void", other, reason="确认")).state is State.VOID


async def test_a_merged_reporter_is_told_and_answered_with_the_main_case(either_store: AnyStore, city: City) -> None:
    main, repeat = await reported(either_store, city), await reported(either_store, city)
    await take(either_store, city, repeat, "merge", OPERATOR, main_case=str(main), reason="同一处垃圾")
    await carried_to(either_store, city, main, state=State.ARCHIVED)

    debts = await either_store.read(lambda work: work.find(Debt, case_no=main))
    filing = [debt for debt in debts if debt.kind is ReplyKind.FILING]
    assert sorted(debt.template for debt in filing) == ["filing", "merged"]
    assert sum(debt.kind is ReplyKind.CLOSING for debt in debts) == 2


async def test_an_undone_merge_leaves_each_reporter_with_his_own_case(either_store: AnyStore, city: City) -> None:
    main, repeat = await reported(either_store, city), await reported(either_store, city)
    await take(either_store, city, repeat, "accept", OPERATOR)
    await take(either_store, city, repeat, "merge", OPERATOR, main_case=str(main), reason="同一处垃圾")
    case = await take(either_store, city, repeat, "unmerge", OPERATOR, reason="不是同一处")
    assert case.state is State.ACCEPTED
    await carried_to(either_store, city, main, state=State.ARCHIVED)
    closing = await either_store.read(lambda work: work.find(Debt, case_no=main, kind="closing"))
    assert len(closing) == 1


async def test_an_unsatisfied_citizen_opens_a_revisit_task_once(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    await carried_to(either_store, city, number, state=State.ARCHIVED)
    await either_store.write(lambda work: rate(work, number, satisfied=False))
    tasks = await either_store.read(lambda work: work.find(Task, case_no=number, kind="revisit"))
    assert len(tasks) == 1


async def test_a_reporter_with_a_phone_leaves_the_case_open_until_he_was_told(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city, phone="+8619900000001", wants_reply=True)
    case = await carried_to(either_store, city, number, state=State.CLOSED)
    assert case.state is State.CLOSED
    for debt in await either_store.read(lambda work: work.find(Debt, case_no=number, end="")):
        case = await take(either_store, city, number, "told_by_phone", OPERATOR, debt=debt.debt_id, call_result="reached")
    assert case.state is State.ARCHIVED
