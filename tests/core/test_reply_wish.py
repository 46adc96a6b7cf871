"""The way a reporter wishes to be answered: the first rung of his ladder, kept through joining and parting."""

import json
from dataclasses import replace

import pytest

from intake.ledger import route_for
from intake.profile import City
from intake.receive import Judged, inbound_of, raw_of, receive
from intake.records import JournalEntry, OutboxRow, Reply, Reporter, Task
from intake.usecases import Command, perform
from intake.wiring import AnyStore
from tests.make import NOON, PHONE, make_actor, make_inbound

HALL = frozenset({"sms", "phone", "telegram"})
ONE = Reporter(1, 1, "phone", NOON, contact_id=1)


@pytest.mark.parametrize(
    ("channel", "wish", "routes"),
    [
        ("phone", "", ("sms", "phone", "call")),
        ("phone", "sms", ("sms", "phone", "call")),
        ("phone", "call", ("call", "call", "call")),
        ("telegram", "", ("telegram", "sms", "call")),
        ("telegram", "sms", ("sms", "telegram", "call")),
        ("phone", "none", ("page", "page", "page")),
        ("phone", "a word nobody knows", ("sms", "phone", "call")),
    ],
)
def test_the_wished_way_is_the_first_rung(channel: str, wish: str, routes: tuple[str, ...]) -> None:
    reporter, tried, taken = replace(ONE, channel=channel, reply_by=wish), [], []
    for _ in routes:
        taken.append(route_for(reporter, has_phone=True, has_address=True, offered=HALL, tried=tried))
        tried += [] if taken[-1] == "call" else [taken[-1]]
    assert tuple(taken) == routes


def test_a_wish_that_cannot_be_met_leaves_the_usual_ladder() -> None:
    chat = replace(ONE, channel="telegram", reply_by="sms")
    assert route_for(chat, has_phone=False, has_address=True, offered=HALL) == "telegram"
    assert route_for(replace(chat, reply_by="call"), has_phone=False, has_address=True, offered=HALL) == "telegram"
    landline = replace(ONE, reply_by="sms")
    assert route_for(landline, has_phone=True, has_address=False, offered=frozenset({"phone"})) == "phone"
    assert route_for(landline, has_phone=False, has_address=False, offered=HALL) == "page"


def test_a_journal_row_of_before_reads_back_without_a_wish() -> None:
    raw = make_inbound(reply_by="sms")
    old = {name: value for name, value in json.loads(raw_of(raw)).items() if name != "reply_by"}
    assert inbound_of(JournalEntry(1, "web", "", NOON, json.dumps(old))).reply_by == ""
    assert inbound_of(JournalEntry(1, "web", "", NOON, raw_of(raw))).reply_by == "sms"


@pytest.mark.parametrize(("wish", "route", "task"), [("sms", "sms", ""), ("call", "call", "call_reply"), ("none", "page", "")])
async def test_a_reply_goes_the_way_that_was_wished(
    either_store: AnyStore, city: City, wish: str, route: str, task: str
) -> None:
    rules = replace(city.rules(), offered=frozenset({"sms"}))
    told = make_inbound(channel="phone", phone=PHONE, wants_reply=wish != "none", reply_by=wish)
    number = (await either_store.write(lambda work: receive(work, told, Judged(), rules))).case_no
    refuse = Command(number, "reject", make_actor(), fields={"reason": "private", "way": "与邻居协商"})
    await either_store.write(lambda work: perform(work, refuse, rules))
    replies = await either_store.read(lambda work: work.find(Reply, case_no=number))
    assert [reply.route for reply in replies] == [route]
    tasks = await either_store.read(lambda work: work.find(Task, case_no=number, state="open"))
    assert [one.kind for one in tasks] == ([task] if task else [])
    rows = await either_store.read(lambda work: work.find(OutboxRow, case_no=number))
    assert [row.channel for row in rows] == (["sms"] if wish == "sms" else [])
