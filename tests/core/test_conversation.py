"""Talking by short message: what a citizen writes, what becomes of it, what he is answered; on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from intake.admission import Admission
from intake.call import Mark
from intake.conversation import Heard
from intake.conversation_answers import MOST_ANSWERS
from intake.conversation_move import move_words
from intake.dialogue_record import Conversation
from intake.dialogue_words import load_phrases
from intake.errors import NotAllowed
from intake.feed import Feed
from intake.gateway import Gateway
from intake.history import verify_chain
from intake.ledger import is_open
from intake.listener import Listener
from intake.model import Case, Inbound, Place, Prediction, Role, Scored, State, Subclass
from intake.profile import City
from intake.receive import Judged
from intake.records import Contact, Debt, HistoryEntry, JournalEntry, OutboxRow, Remark, Task
from intake.spool import Spool
from intake.store.postgres import PostgresStore
from intake.store.setting import StoreSetting
from intake.switchboard_marks import lift_mark
from intake.usecases import Command
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import PHONE, make_actor

KNOWN = {"垃圾": "event:0102", "井盖": "component:0101"}
NOWHERE = Place()
PLACES = ("人民广场北门", "鼓楼街", "中山路12号")


def judge(text: str) -> Judged:
    found = next((Subclass.parse(pair) for word, pair in KNOWN.items() if word in text), None)
    top = (Scored(found, 0.93),) if found else ()
    danger = ("煤气味",) if "煤气" in text else ()
    return Judged(Prediction(top, abstained=found is None), danger, ("119",) if danger else ())


class Citizen:
    """One telephone that writes to the hotline."""

    def __init__(self, listener: Listener, clock: FakeClock, phone: str = PHONE) -> None:
        self.listener, self.clock, self.phone, self.count = listener, clock, phone, 0

    async def says(self, text: str, *, place: Place = NOWHERE, number: str = "") -> Heard:
        self.count += 1
        provider_id = number or f"SM{self.phone[-4:]}{self.count}"
        inbound = Inbound("sms", provider_id, self.clock(), text, place=place, address=self.phone, phone=self.phone)
        heard = await self.listener.hear(inbound)
        self.clock.pass_time(seconds=20)
        return heard

    async def hears(self) -> list[str]:
        """Every automatic answer so far, without the signature."""
        rows = await self.listener.gateway.store.read(lambda work: work.find(OutboxRow))
        return [row.words.removeprefix("【城管热线】") for row in rows if row.words]


@pytest.fixture
def listener(either_store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path) -> Listener:
    spool = Spool(tmp_path / "spool", vault)
    spool.open()
    rules = city.rules(offered=["sms"])
    admission = Admission(either_store, rules, spool, judge)
    gateway = Gateway(either_store, city, rules, judge, vault, clock, Feed(either_store), admission)
    return Listener(gateway, load_phrases(), lambda text: next((name for name in PLACES if name in text), None))


@pytest.fixture
def citizen(listener: Listener, clock: FakeClock) -> Citizen:
    return Citizen(listener, clock)


async def cases(store: AnyStore) -> list[Case]:
    return await store.read(lambda work: work.find(Case))


async def tasks(store: AnyStore) -> list[str]:
    return [task.kind for task in await store.read(lambda work: work.find(Task, state="open"))]


async def ended(listener: Listener, number: int) -> None:
    """Settled on the spot: the shortest way to a closing reply."""
    fields = {"result": "垃圾已清走", "subclass": "event:0102", "place": "人民广场北门"}
    await listener.gateway.perform(Command(number, "settle", make_actor(Role.OPERATOR), fields=fields))


async def test_content_without_a_place_is_a_report_at_once_and_asks_one_question(citizen: Citizen, either_store: AnyStore) -> None:
    heard = await citizen.says("有一堆垃圾没人清理")
    [case] = await cases(either_store)
    assert (heard.case_no, heard.stage, case.state, case.place.text) == (case.case_no, "place", State.REPORTED, "")
    [answer] = await citizen.hears()
    assert str(case.case_no) in answer
    assert answer.count("？") == 1


async def test_the_answer_to_where_fills_the_place_and_makes_no_second_case(citizen: Citizen, either_store: AnyStore) -> None:
    await citizen.says("有一堆垃圾没人清理")
    heard = await citizen.says("就在人民广场北门那里")
    [case] = await cases(either_store)
    assert (heard.act, heard.stage, case.place.text) == ("place", "free", "就在人民广场北门那里")
    assert case.unit
    lines = await either_store.read(lambda work: work.find(HistoryEntry, case_no=case.case_no))
    assert verify_chain(lines, case) == ""


async def test_a_bare_greeting_gets_a_greeting_and_no_case(citizen: Citizen, either_store: AnyStore) -> None:
    heard = await citizen.says("您好！在吗")
    assert (heard.case_no, heard.answered) == (0, True)
    assert await cases(either_store) == []


async def test_thanks_are_not_answered(citizen: Citizen, either_store: AnyStore) -> None:
    assert not (await citizen.says("好的，谢谢")).answered
    assert await cases(either_store) == []


async def test_several_messages_in_a_row_join_the_same_report(citizen: Citizen, either_store: AnyStore) -> None:
    await citizen.says("人民广场北门有一堆垃圾")
    await citizen.says("臭味很大，已经三天了")
    await citizen.says("旁边就是小学")
    [case] = await cases(either_store)
    remarks = await either_store.read(lambda work: work.find(Remark, case_no=case.case_no))
    assert [remark.text for remark in remarks] == ["臭味很大，已经三天了", "旁边就是小学"]


async def test_a_location_message_joins_the_report(citizen: Citizen, either_store: AnyStore, city: City) -> None:
    await citizen.says("有一堆垃圾没人清理")
    await citizen.says("", place=Place(lon=102.3384, lat=40.3275, coord_sys="WGS-84"))
    [case] = await cases(either_store)
    assert (case.place.lon, bool(case.place.grid_code)) == (102.3384, True)


async def test_a_repeat_of_an_open_case_is_an_urge_and_no_new_case(citizen: Citizen, either_store: AnyStore, clock: FakeClock) -> None:
    await citizen.says("人民广场北门有一堆垃圾没人清理")
    clock.pass_time(days=1)
    heard = await citizen.says("人民广场北门的垃圾怎么还没人清理")
    [case] = await cases(either_store)
    assert (heard.act, case.urge_count) == ("urge", 1)
    [entry] = await either_store.read(lambda work: work.find(JournalEntry, state="said"))
    assert (entry.case_no, entry.reason, entry.raw) == (case.case_no, "same_place_and_matter", "")


async def test_another_place_is_another_case(citizen: Citizen, either_store: AnyStore) -> None:
    await citizen.says("人民广场北门有一堆垃圾没人清理")
    await citizen.says("中山路12号门口井盖不见了")
    assert len(await cases(either_store)) == 2


async def test_another_sender_with_the_same_words_is_another_case(
    citizen: Citizen, listener: Listener, clock: FakeClock, either_store: AnyStore
) -> None:
    await citizen.says("人民广场北门有一堆垃圾没人清理")
    await Citizen(listener, clock, "+8619900000002").says("人民广场北门有一堆垃圾没人清理")
    assert len(await cases(either_store)) == 2


async def test_urging_with_two_open_cases_asks_which_and_takes_the_digit(citizen: Citizen, either_store: AnyStore) -> None:
    first = await citizen.says("人民广场北门有一堆垃圾没人清理")
    await citizen.says("中山路12号门口井盖不见了")
    heard = await citizen.says("催辦")
    assert heard.stage == "choice"
    assert (await citizen.says("９")).stage == "choice"
    heard = await citizen.says("２")
    assert (heard.act, heard.case_no, heard.stage) == ("urge", first.case_no, "free")


async def test_one_and_two_rate_the_closed_case_and_two_opens_a_revisit(
    citizen: Citizen, listener: Listener, either_store: AnyStore
) -> None:
    for place, word, rating in (("人民广场北门", "1", 1), ("中山路12号", "２", 2)):
        heard = await citizen.says(f"{place}垃圾没人清理")
        await ended(listener, heard.case_no)
        assert (await citizen.says(word)).case_no == heard.case_no
        case = await either_store.read(lambda work, number=heard.case_no: work.get(Case, number))
        assert case is not None
        assert case.rating == rating
    assert await tasks(either_store) == ["revisit"]


async def test_anything_else_after_closing_goes_to_a_person(citizen: Citizen, listener: Listener, either_store: AnyStore) -> None:
    heard = await citizen.says("人民广场北门有一堆垃圾没人清理")
    await ended(listener, heard.case_no)
    heard = await citizen.says("根本没弄干净")
    assert heard.act == "to_person"
    assert await tasks(either_store) == ["revisit"]
    assert len(await cases(either_store)) == 1


async def test_stop_words_end_automatic_messages_and_can_be_undone(citizen: Citizen, either_store: AnyStore) -> None:
    await citizen.says("TD")
    assert len(await citizen.hears()) == 1
    heard = await citizen.says("人民广场北门有一堆垃圾没人清理")
    assert (heard.answered, len(await cases(either_store))) == (False, 1)
    await citizen.says("恢复")
    [contact] = await either_store.read(lambda work: work.find(Contact))
    assert contact.opted_out_at is None
    assert (await citizen.says("查询")).answered


@pytest.mark.parametrize(("said", "act", "kept"), [
    ("取消", "none", 1), ("人工", "person", 1), ("不知道", "none", 1), ("撤诉", "withdraw", 1),
])  # fmt: skip
async def test_commands_work_in_the_middle_of_a_question(
    citizen: Citizen, either_store: AnyStore, said: str, act: str, kept: int
) -> None:
    await citizen.says("有一堆垃圾没人清理")
    heard = await citizen.says(said)
    assert (heard.act, heard.stage, len(await cases(either_store))) == (act, "free", kept)


async def test_silence_ends_the_talk_without_losing_the_report(citizen: Citizen, either_store: AnyStore, clock: FakeClock) -> None:
    await citizen.says("有一堆垃圾没人清理")
    clock.pass_time(days=2)
    heard = await citizen.says("中山路12号门口井盖不见了")
    found = await cases(either_store)
    assert (heard.act, len(found), found[0].place.text) == ("report", 2, "")


async def test_status_of_own_cases_needs_no_code_and_of_others_a_code_with_limited_tries(
    citizen: Citizen, listener: Listener, clock: FakeClock, either_store: AnyStore, vault: Vault
) -> None:
    heard = await citizen.says("人民广场北门有一堆垃圾没人清理")
    assert (await citizen.says("查询")).act == "status"
    other = Citizen(listener, clock, "+8619900000002")
    assert (await other.says(f"查询 {heard.case_no}")).act == "none"
    code = next(part for part in (await citizen.hears())[0].split("查询码")[1].split("。"))
    assert (await other.says(f"查询 {heard.case_no} {code}")).act == "status"
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(10):
        assert (await other.says(f"查询 {heard.case_no} {wrong}")).act == "wrong_code"
    assert (await other.says(f"查询 {heard.case_no} {code}")).act == "wrong_code"


async def test_the_same_message_twenty_times_in_parallel_is_one_report_and_one_answer(
    listener: Listener, clock: FakeClock, either_store: AnyStore
) -> None:
    citizens = [Citizen(listener, clock) for _ in range(20)]
    heard = await asyncio.gather(*(one.says("人民广场北门有一堆垃圾没人清理", number="SMsame") for one in citizens))
    assert len(await cases(either_store)) == 1
    assert len(await citizens[0].hears()) == 1
    assert sum(not one.repeated for one in heard) == 1


@pytest.mark.parametrize("text", ["[自动回复]您好，我正在开会，稍后联系您", "自动回复：已收到您的邮件"])
async def test_automatic_replies_are_recognised_and_left_unanswered(citizen: Citizen, either_store: AnyStore, text: str) -> None:
    assert not (await citizen.says(text)).answered
    assert await cases(either_store) == []


async def test_a_machine_s_number_is_never_answered(listener: Listener, clock: FakeClock, either_store: AnyStore) -> None:
    assert not (await Citizen(listener, clock, "10690001").says("尊敬的用户，您的积分即将过期")).answered
    assert await cases(either_store) == []


async def test_automatic_messages_to_one_contact_are_capped_while_reports_are_still_taken(
    citizen: Citizen, either_store: AnyStore
) -> None:
    for number in range(MOST_ANSWERS + 5):
        await citizen.says(f"中山路{number * 7 + 100}号门口井盖不见了")
    assert len(await citizen.hears()) == MOST_ANSWERS


async def test_the_same_words_over_and_over_are_not_answered(citizen: Citizen) -> None:
    answered = [(await citizen.says("在吗")).answered for _ in range(5)]
    assert answered == [True, True, False, False, False]


async def test_a_wall_of_text_loses_nothing(citizen: Citizen, either_store: AnyStore) -> None:
    wall = "人民广场北门有一堆垃圾😀" + "没人清理，" * 2000
    heard = await citizen.says(wall)
    case = await either_store.read(lambda work: work.get(Case, heard.case_no))
    remarks = await either_store.read(lambda work: work.find(Remark, case_no=heard.case_no))
    assert case is not None
    assert case.description + "".join(remark.text for remark in remarks) == wall


@pytest.mark.parametrize(("text", "kind"), [
    ("表扬中山路12号附近的环卫工人非常负责", "表扬"), ("建议在人民广场北门增设垃圾桶", "建议"), ("咨询户外广告怎么申请", "咨询"),
    ("人民广场北门有一堆垃圾没人清理", "投诉"),
])  # fmt: skip
async def test_praise_suggestion_and_inquiry_reach_a_person_under_their_own_type(
    citizen: Citizen, either_store: AnyStore, text: str, kind: str
) -> None:
    await citizen.says(text)
    [case] = await cases(either_store)
    assert case.request_type == kind


async def test_danger_is_told_whom_to_call(citizen: Citizen) -> None:
    await citizen.says("鼓楼街有很浓的煤气味")
    assert "119" in (await citizen.hears())[0]


async def test_several_complaints_in_one_message_are_proposed_for_parting(citizen: Citizen, either_store: AnyStore) -> None:
    await citizen.says("反映三件事：1、人民广场北门垃圾没人清理。2、中山路12号井盖破损。3、鼓楼街占道经营严重")
    assert await tasks(either_store) == ["message"]
    [remark] = await either_store.read(lambda work: work.find(Remark))
    assert "2. 中山路12号井盖破损" in remark.text


async def test_the_place_in_the_talk_is_kept_over_a_restart(citizen: Citizen, listener: Listener, clock: FakeClock) -> None:
    await citizen.says("有一堆垃圾没人清理")
    [talk] = await listener.gateway.store.read(lambda work: work.find(Conversation))
    assert (talk.stage, talk.asked) == ("place", ("place",))
    again = Citizen(replace(listener), clock)
    again.count = 10
    assert (await again.says("人民广场北门")).act == "place"


async def test_replies_owed_by_a_case_go_out_by_short_message(citizen: Citizen, listener: Listener, either_store: AnyStore) -> None:
    heard = await citizen.says("人民广场北门有一堆垃圾没人清理")
    await ended(listener, heard.case_no)
    [debt] = await either_store.read(lambda work: work.find(Debt))
    rows = await either_store.read(lambda work: work.find(OutboxRow, case_no=heard.case_no))
    assert [row.channel for row in rows if row.debt_id == debt.debt_id] == ["sms"]
    assert is_open(debt)




async def test_an_operator_moves_words_to_another_case_or_to_one_of_their_own(
    citizen: Citizen, listener: Listener, either_store: AnyStore
) -> None:
    other = await citizen.says("中山路12号门口井盖不见了")
    await citizen.says("人民广场北门有一堆垃圾没人清理")
    await citizen.says("那里现在围起来了")
    [remark] = await either_store.read(lambda work: work.find(Remark))
    operator, rules = make_actor(Role.OPERATOR), listener.gateway.rules
    to = await either_store.write(lambda work: move_words(work, remark.remark_id, operator, rules, to=other.case_no))
    texts = [one.text for one in await either_store.read(lambda work: work.find(Remark, case_no=to))]
    assert (to, texts) == (other.case_no, [remark.text])
    new = [await either_store.write(lambda work: move_words(work, remark.remark_id, operator, rules)) for _ in range(2)]
    assert new[0] == new[1]
    assert len(await cases(either_store)) == 3
    with pytest.raises(NotAllowed):
        await either_store.write(lambda work: move_words(work, remark.remark_id, make_actor(Role.UNIT), rules, to=to))


@pytest.mark.servers
async def test_two_gateways_hearing_one_contact_at_once_make_one_talk(
    postgres_url: str, setting: StoreSetting, city: City, vault: Vault, clock: FakeClock, tmp_path: Path
) -> None:
    stores = [PostgresStore(postgres_url, setting) for _ in range(2)]
    citizens = []
    for number, store in enumerate(stores):
        await store.open()
        spool = Spool(tmp_path / f"spool{number}", vault)
        spool.open()
        rules = city.rules(offered=["sms"])
        gateway = Gateway(store, city, rules, judge, vault, clock, Feed(store), Admission(store, rules, spool, judge))
        citizens.append(Citizen(Listener(gateway, load_phrases(), lambda _text: None), clock))
    try:
        for number in range(5):
            heard = await asyncio.gather(*(one.says("有一堆垃圾没人清理", number=f"SM{number}") for one in citizens * 3))
            assert sum(not one.repeated for one in heard) == 1
        assert len(await stores[0].read(lambda work: work.find(Conversation))) == 1
        assert len(await stores[0].read(lambda work: work.find(Contact))) == 1
        assert len(await cases(stores[0])) == 1
    finally:
        for store in stores:
            await store.close()


async def marked(gateway: Gateway, case_no: int) -> None:
    await gateway.perform(Command(case_no, "mark_nuisance", make_actor(Role.OPERATOR), fields={"reason": "反复发送无意义内容"}))


async def test_a_marked_writer_is_heard_without_a_word(citizen: Citizen, listener: Listener, either_store: AnyStore) -> None:
    heard = await citizen.says("人民广场北门有一堆垃圾没人清理")
    await marked(listener.gateway, heard.case_no)
    before = len(await citizen.hears())
    await citizen.says("中山路12号门口的井盖坏了", place=Place(text="中山路12号"))
    assert len(await citizen.hears()) == before
    assert len(await cases(either_store)) == 2


async def test_a_marked_writer_in_danger_is_answered(citizen: Citizen, listener: Listener) -> None:
    heard = await citizen.says("人民广场北门有一堆垃圾没人清理")
    await marked(listener.gateway, heard.case_no)
    before = len(await citizen.hears())
    await citizen.says("鼓楼街有很重的煤气味")
    assert len(await citizen.hears()) == before + 1


async def test_a_mark_lasts_as_long_as_the_city_says(citizen: Citizen, listener: Listener, clock: FakeClock) -> None:
    heard = await citizen.says("人民广场北门有一堆垃圾没人清理")
    gateway = listener.gateway
    await marked(replace(gateway, rules=replace(gateway.rules, mark_lasts=timedelta(days=7))), heard.case_no)
    before = len(await citizen.hears())
    clock.pass_time(days=8)
    await citizen.says("鼓楼街有一堆垃圾", place=Place(text="鼓楼街"))
    assert len(await citizen.hears()) == before + 1


async def test_a_mark_ends_by_itself_and_by_the_shift_leaders_word(
    citizen: Citizen, listener: Listener, either_store: AnyStore, clock: FakeClock
) -> None:
    heard = await citizen.says("人民广场北门有一堆垃圾没人清理")
    await marked(listener.gateway, heard.case_no)
    [mark] = await either_store.read(lambda work: work.find(Mark))
    assert (mark.number, mark.case_no) == (PHONE, heard.case_no)
    with pytest.raises(NotAllowed):
        await either_store.write(lambda work: lift_mark(work, mark.mark_id, make_actor(Role.OPERATOR), reason="误标"))
    await either_store.write(lambda work: lift_mark(work, mark.mark_id, make_actor(Role.SHIFT_LEADER), reason="误标"))
    before = len(await citizen.hears())
    await citizen.says("中山路12号门口的井盖坏了", place=Place(text="中山路12号"))
    assert len(await citizen.hears()) == before + 1
    await marked(listener.gateway, heard.case_no)
    clock.pass_time(days=91)
    await citizen.says("鼓楼街有一堆垃圾", place=Place(text="鼓楼街"))
    assert len(await citizen.hears()) == before + 2
