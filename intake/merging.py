"""Merging and its undoing as far as people are concerned: who stays a reporter of what, and which replies he is owed.

The state of the merged case is a step like any other (workflow.py); this is what follows for the main case.
"""

from collections.abc import Mapping
from dataclasses import replace

from intake import ledger, replies
from intake.effects import Facts
from intake.history import append_entry
from intake.model import Actor, Case, ReplyKind
from intake.ports import Work
from intake.records import Debt, Reporter
from intake.rules import Rules


def main_of(work: Work, case: Case) -> Case:
    """The case in which a matter goes on: itself, or the main case at the end of its merges."""
    seen = {case.case_no}
    while case.main_case_no and case.main_case_no not in seen:
        seen.add(case.main_case_no)
        following = work.get(Case, case.main_case_no)
        if following is None:
            break
        case = following
    return case


def answering_number(work: Work, case_no: int) -> int:
    """The number of the case that takes what a citizen adds or rates under his own."""
    case = work.get(Case, case_no)
    return main_of(work, case).case_no if case else case_no


def join(work: Work, rules: Rules, case: Case, facts: Facts, values: Mapping[str, object], actor: Actor) -> None:
    """After a merge: the reporters stay reporters, of the main case, and are owed its replies."""
    main = facts.main
    if main is None:
        return
    joined = [
        replace(r, reporter_id=work.new_id(), case_no=main.case_no, joined_at=work.now,
                joined_from=r.joined_from or case.case_no)
        for r in facts.reporters if r.left_at is None
    ]  # fmt: skip
    work.add(*joined)
    after = replace(main, version=main.version + 1, updated_at=work.now)
    after, line = append_entry(main.state, after, step="join", actor=actor, at=work.now, refs={"from": case.case_no})
    work.add(line)
    work.change(main, after)
    work.tell(replies.event_of(after, "join", work))
    owed = [ledger.Owed(r.reporter_id, ReplyKind.FILING, main.round, "merged") for r in joined]
    # The joined reporter is told of his own place in his own words, never in the main reporter's.
    slots = {"place": replies.place_words(case.place), "subclass": rules.taxonomy.name(case.subclass or main.subclass)}
    wish = replies.Wish(str(values.get("reply_text", "")), bool(values.get("hold_reply")), slots)
    replies.open_debts(work, rules, after, owed, actor=actor, wish=wish)


def part(work: Work, rules: Rules, case: Case, facts: Facts, values: Mapping[str, object], actor: Actor) -> None:
    """After a merge is undone: the reporters leave the main case, whose replies are no longer owed to them."""
    main = facts.main
    if main is None:
        return
    origins = {case.case_no} | {r.joined_from for r in facts.reporters if r.left_at is None and r.joined_from}
    leaving = [r for r in work.find(Reporter, case_no=main.case_no) if r.joined_from in origins and r.left_at is None]
    for reporter in leaving:
        work.change(reporter, replace(reporter, left_at=work.now))
        for debt in work.find(Debt, case_no=main.case_no, reporter_id=reporter.reporter_id, end=""):
            replies.end_debt(work, debt, "excused", actor=actor, excuse="unmerged")
    after = replace(main, version=main.version + 1, updated_at=work.now)
    after, line = append_entry(main.state, after, step="part", actor=actor, at=work.now, refs={"from": case.case_no})
    work.add(line)
    work.change(main, after)
    work.tell(replies.event_of(after, "part", work))
    replies.archive_if_settled(work, main.case_no)
