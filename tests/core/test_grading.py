"""紧急程度: class and condition bring their own, people raise it, only the shift leader lowers it, an emergency reaches him."""

import pytest

from intake.errors import NotAllowed
from intake.model import Case, Role, Urgency
from intake.profile import City
from intake.receive import Judged, receive
from intake.records import Task
from intake.wiring import AnyStore
from tests.core.test_usecases import LEADER, OPERATOR, take
from tests.make import make_inbound

COVER, ROAD = "component:0101", "event:0110"
MISSING, BROKEN = "缺失或移位，在车行道上", "破损"
FILING = {"waive_verify": "clear_evidence"}
PLAIN = Judged()


async def reported(store: AnyStore, city: City, judged: Judged = PLAIN) -> int:
    return (await store.write(lambda work: receive(work, make_inbound(), judged, city.rules()))).case_no


async def alarms(store: AnyStore, number: int) -> list[tuple[str, Role]]:
    tasks = await store.read(lambda work: work.find(Task, case_no=number, kind="emergency"))
    return [(task.state, task.role) for task in tasks]


@pytest.mark.parametrize(("subclass", "condition", "accepted", "filed"), [
    (COVER, MISSING, Urgency.URGENT, Urgency.EMERGENCY), (COVER, BROKEN, Urgency.URGENT, Urgency.URGENT),
    (ROAD, "危及通行", Urgency.ROUTINE, Urgency.URGENT), ("event:0101", "已建成", Urgency.ROUTINE, Urgency.ROUTINE),
])  # fmt: skip
async def test_the_condition_raises_a_case_and_never_lowers_it(
    either_store: AnyStore, city: City, subclass: str, condition: str, accepted: Urgency, filed: Urgency
) -> None:
    number = await reported(either_store, city)
    assert (await take(either_store, city, number, "accept", OPERATOR, subclass=subclass)).urgency is accepted
    # The form of the desk brings along what stood there before.
    case = await take(either_store, city, number, "file", OPERATOR, condition=condition, urgency=accepted.value, **FILING)
    assert case.urgency is filed


async def test_an_operator_raises_and_the_shift_leader_alone_lowers(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    await take(either_store, city, number, "accept", OPERATOR, subclass=COVER)
    with pytest.raises(NotAllowed):
        await take(either_store, city, number, "set_urgency", OPERATOR, urgency="routine", reason="不急")
    with pytest.raises(NotAllowed):
        await take(either_store, city, number, "file", OPERATOR, condition=BROKEN, urgency="routine", **FILING)
    case = await take(either_store, city, number, "set_urgency", OPERATOR, urgency="emergency", reason="已有人受伤")
    assert case.urgency is Urgency.EMERGENCY
    case = await take(either_store, city, number, "set_urgency", LEADER, urgency="routine", reason="已到现场看过")
    assert case.urgency is Urgency.ROUTINE
    case = await take(either_store, city, number, "file", LEADER, condition=MISSING, urgency="urgent", **FILING)
    assert case.urgency is Urgency.URGENT, "his own word stands against the condition's"


async def test_an_emergency_by_condition_reaches_the_shift_leader_once(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city)
    await take(either_store, city, number, "accept", OPERATOR, subclass=COVER)
    assert await alarms(either_store, number) == []
    await take(either_store, city, number, "file", OPERATOR, condition=MISSING, **FILING)
    await take(either_store, city, number, "reclassify", OPERATOR, subclass=COVER, condition=MISSING)
    assert await alarms(either_store, number) == [("open", Role.SHIFT_LEADER)]
    await take(either_store, city, number, "acknowledge", LEADER)
    await take(either_store, city, number, "reclassify", OPERATOR, subclass=COVER, condition=MISSING)
    assert await alarms(either_store, number) == [("done", Role.SHIFT_LEADER)]


async def test_an_operators_word_reaches_the_shift_leader_and_his_own_does_not(either_store: AnyStore, city: City) -> None:
    one, other = await reported(either_store, city), await reported(either_store, city)
    for number, actor in ((one, OPERATOR), (other, LEADER)):
        await take(either_store, city, number, "set_urgency", actor, urgency="emergency", reason="有人被困")
    assert await alarms(either_store, one) == [("open", Role.SHIFT_LEADER)]
    assert await alarms(either_store, other) == []


async def test_danger_in_the_words_rings_when_it_comes_and_not_again(either_store: AnyStore, city: City) -> None:
    number = await reported(either_store, city, Judged(danger_words=("煤气味",)))
    case = await either_store.read(lambda work: work.get(Case, number))
    assert case is not None
    assert case.urgency is Urgency.EMERGENCY
    await take(either_store, city, number, "accept", OPERATOR, subclass=COVER)
    await take(either_store, city, number, "file", OPERATOR, condition=MISSING, **FILING)
    assert len(await alarms(either_store, number)) == 1
