"""Who sees what of a case: a mark is planted in every field, and each post must see exactly its marks and no others."""

import json
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from channels.web.api_staff_view import full_told
from channels.web.desk_view import NO_FORWARDED_TEXT, CaseView, case_view
from channels.web.json_body import dumps
from intake.gateway import CaseFile
from intake.model import Actor, Case, Place, Prediction, ReplyKind, Role, Scored, State, Subclass, Urgency
from intake.permission import STAFF
from intake.profile import City
from intake.records import (
    Attachment,
    Contact,
    Debt,
    HistoryEntry,
    OutboxRow,
    Remark,
    Reply,
    Reporter,
    Request,
    Task,
)  # fmt: skip
from tests.make import NOON, make_actor, make_case

UNIT, OTHER_UNIT = "roads", "lighting"
CASE = make_case(
    state=State.HANDLING, version=9, description="描述标记，我叫张三丰，电话19900000001", place=Place("位置标记"), unit=UNIT,
    subclass=Subclass.parse("event:0102"), forwarded_text="转派标记", dispatched_at=NOON, result="结果标记",
    prediction=Prediction((Scored(Subclass.parse("event:0103"), 0.9),), abstained=False), urgency=Urgency.URGENT,
    due_at=NOON + timedelta(hours=4),
)  # fmt: skip
STEPS: tuple[tuple[str, Role, str, str, str], ...] = (
    ("accept", Role.OPERATOR, "", "opinion", "受理意见标记"),
    ("note", Role.OPERATOR, "", "text", "备注标记"),
    ("supplement", Role.CITIZEN, "", "text", "补充标记"),
    ("urge", Role.CITIZEN, "", "opinion", "催办标记"),
    ("ask_return", Role.UNIT, OTHER_UNIT, "reason", "他单位标记"),
    ("dispatch", Role.DISPATCHER, "", "opinion", "派遣意见标记"),
    ("feedback", Role.UNIT, UNIT, "result", "处置标记"),
    ("rework", Role.OPERATOR, "", "reason", "返工标记"),
    ("send_reply", Role.OPERATOR, "", "text", "回复正文标记"),
)
EVERYBODY = frozenset({
    "描述标记", "位置标记", "转派标记", "结果标记", "受理意见标记", "备注标记", "补充标记", "催办标记", "他单位标记", "派遣意见标记", "处置标记",
    "返工标记", "PHOTO-REPORT", "PHOTO-AFTER",
})  # fmt: skip
LEDGER = {"回复正文标记", "回复草稿标记", "sending"}
REQUESTS = {"本单位申请标记", "作废申请标记"}
REPORTER = {"李*", "199****0777", "sms_reporter"}
EVIDENCE = {"103.5"}
SUGGESTION = {"积存垃圾渣土"}
WHOLE = {"张三丰", "19900000001"}
MASKED = {"张*", "199****0001"}
TASKS = {"电话告知"}
SEEN: dict[Role, frozenset[str]] = {
    Role.OPERATOR: EVERYBODY | LEDGER | REQUESTS | REPORTER | EVIDENCE | SUGGESTION | WHOLE | TASKS,
    Role.SHIFT_LEADER: EVERYBODY | LEDGER | REQUESTS | REPORTER | EVIDENCE | SUGGESTION | WHOLE | TASKS,
    Role.DISPATCHER: EVERYBODY | LEDGER | REQUESTS | SUGGESTION | MASKED | TASKS,
    Role.INSPECTOR: EVERYBODY | REQUESTS | EVIDENCE | SUGGESTION | MASKED,
    Role.AUDITOR: EVERYBODY | LEDGER | REQUESTS | REPORTER | EVIDENCE | SUGGESTION | MASKED,
    Role.ADMINISTRATOR: EVERYBODY | LEDGER | REQUESTS | SUGGESTION | MASKED,
    Role.UNIT: EVERYBODY | {"本单位申请标记"} | REPORTER | MASKED,
}
"""An ordinary case. MASKED is what is left of the name and number in the description for those who need not know."""
SEEN_BY_UNIT_IF_CONFIDENTIAL = frozenset(
    {"位置标记", "转派标记", "结果标记", "派遣意见标记", "处置标记", "返工标记", "PHOTO-AFTER", "本单位申请标记"}
)
MARKS = frozenset().union(*SEEN.values())


def case_file(case: Case = CASE, *, confidential: bool = False) -> CaseFile:
    case = replace(case, confidential=confidential)
    number = case.case_no
    remarks = {
        seq: Remark(seq, number, NOON, kind, f"{words}", seq, role, unit)
        for seq, (_, role, unit, kind, words) in enumerate(STEPS, start=1)
    }
    history = [
        HistoryEntry(number, seq, NOON, step, seq, role, "handling", "handling", 1, unit, {"remarks": [seq]})
        for seq, (step, role, unit, _, _) in enumerate(STEPS, start=1)
    ]
    remarks |= {51: Remark(51, number, NOON, "reason", "本单位申请标记", 9, Role.UNIT, UNIT),
                52: Remark(52, number, NOON, "reason", "作废申请标记", 9, Role.OPERATOR)}  # fmt: skip
    reporter = Reporter(1, number, "sms_reporter", NOON, contact_id=5, confidential=confidential)
    debt = Debt(7, number, 1, ReplyKind.FILING, 1, NOON, NOON + timedelta(days=1))
    return CaseFile(
        case=case,
        history=history,
        remarks=remarks,
        requests=[
            Request(1, number, "extension", "pending", 9, NOON, UNIT, 51),
            Request(2, number, "void", "pending", 9, NOON, "", 52),
        ],
        debts=[debt],
        replies={7: Reply(3, 7, number, "filing", "1", "回复草稿标记", sent_at=None)},
        tasks=[Task(1, "call_reply", number, NOON, Role.OPERATOR)],
        attachments=[photo("PHOTO-REPORT", "report"), photo("PHOTO-AFTER", "after")],
        reporters=[reporter],
        contacts={5: Contact(5, "sms", NOON, name="李四海", phone="+8619900000777")},
        staff={},
        offers=(),
    )


def photo(token: str, usage: str) -> Attachment:
    return Attachment(
        token, CASE.case_no, usage, "0" * 64, "image/jpeg", 10, 10, 10, NOON, taken_at=NOON, lon=103.5, lat=40.2
    )


def actor(role: Role) -> Actor:
    return make_actor(role, unit=UNIT if role is Role.UNIT else "")


def view(city: City, role: Role, *, confidential: bool = False) -> CaseView:
    outbox = [OutboxRow(1, 3, 7, CASE.case_no, 5, "sms", "waiting", NOON, NOON)]
    file = case_file(confidential=confidential)
    return case_view(file, actor(role), rules=city.rules(), now=NOON, outbox=outbox)


def marks_in(seen: CaseView) -> frozenset[str]:
    """Marks in the answer of the API, and the same in everything the page is made from."""
    told = dumps(full_told(seen)).decode()
    given = json.dumps(asdict(seen), default=str, ensure_ascii=False)
    in_answer = frozenset(mark for mark in MARKS if mark in told)
    assert in_answer == frozenset(mark for mark in MARKS if mark in given)
    return in_answer


@pytest.mark.parametrize("role", sorted(STAFF))
def test_each_post_sees_exactly_its_marks(city: City, role: Role) -> None:
    assert marks_in(view(city, role)) == SEEN[role]


def test_a_unit_sees_of_a_confidential_case_only_what_was_written_for_it(city: City) -> None:
    seen = view(city, Role.UNIT, confidential=True)
    assert marks_in(seen) == SEEN_BY_UNIT_IF_CONFIDENTIAL
    assert seen.description == "转派标记"
    assert not seen.sight.reveal
    assert seen.reporters == ()


@pytest.mark.parametrize("role", sorted(STAFF - {Role.UNIT}))
def test_a_confidential_reporter_is_nameless_to_everybody(city: City, role: Role) -> None:
    """Neither masked name nor masked number is left; what he wrote stays with those who work on it."""
    seen = view(city, role, confidential=True)
    assert marks_in(seen) == SEEN[role] - {"李*", "199****0777"}
    assert all(reporter.confidential for reporter in seen.reporters)


@pytest.mark.parametrize("role", sorted(STAFF))
@pytest.mark.parametrize("confidential", [False, True])
def test_who_may_reveal_the_contact(city: City, role: Role, confidential: bool) -> None:
    may = {Role.SHIFT_LEADER} if confidential else {Role.OPERATOR, Role.SHIFT_LEADER, Role.UNIT}
    assert view(city, role, confidential=confidential).sight.reveal == (role in may)


def test_a_confidential_reporter_joined_to_an_open_case_is_hidden_from_the_unit(city: City) -> None:
    file = case_file()
    hidden = Reporter(2, CASE.case_no, "hidden_one", NOON, contact_id=5, confidential=True, joined_from=26112000002)
    file = replace(file, reporters=[*file.reporters, hidden])
    seen = case_view(file, actor(Role.UNIT), rules=city.rules(), now=NOON)
    assert [reporter.channel for reporter in seen.reporters] == ["sms_reporter"]
    assert not seen.sight.reveal


def test_a_confidential_case_without_forwarded_text_shows_the_unit_nothing_of_the_report(city: City) -> None:
    file = case_file(replace(CASE, forwarded_text=""), confidential=True)
    assert case_view(file, actor(Role.UNIT), rules=city.rules(), now=NOON).description == NO_FORWARDED_TEXT


def test_a_unit_without_a_name_does_not_pass_for_the_author_of_the_centres_words(city: City) -> None:
    seen = case_view(case_file(confidential=True), replace(actor(Role.UNIT), unit=""), rules=city.rules(), now=NOON)
    assert "备注标记" not in json.dumps(asdict(seen), default=str, ensure_ascii=False)


def test_a_reporter_who_left_is_not_shown(city: City) -> None:
    file = case_file()
    gone = [replace(reporter, left_at=NOON) for reporter in file.reporters]
    seen = case_view(replace(file, reporters=gone), actor(Role.OPERATOR), rules=city.rules(), now=NOON)
    assert seen.reporters == ()


@pytest.mark.parametrize(
    ("state", "done_after_h", "hours", "late"),
    [(State.HANDLING, None, 5, True), (State.HANDLING, None, 3, False), (State.DONE, 3, 50, False), (State.DONE, 5, 50, True),
     (State.SUSPENDED, None, 50, False), (State.CLOSED, 5, 50, True), (State.VOID, None, 50, False)],
)  # fmt: skip
def test_a_case_is_overdue_only_while_its_limit_ran(
    city: City, state: State, done_after_h: int | None, hours: int, late: bool
) -> None:
    done_at = NOON + timedelta(hours=done_after_h) if done_after_h is not None else None
    file = case_file(replace(CASE, state=state, done_at=done_at))
    seen = case_view(file, actor(Role.AUDITOR), rules=city.rules(), now=NOON + timedelta(hours=hours))
    assert (seen.row.overdue, "超期" in seen.row.flags) == (late, late)
