"""The tables of the process: each row does what it says, every other pair of state and step is refused by name."""

import itertools

import pytest

from intake.errors import IllegalMove, NotAllowed
from intake.model import ReplyKind, Role, State
from intake.workflow import (
    ACTS,
    ENDED,
    LIVE,
    MOVES,
    REQUESTS,
    ROLE_WORDS,
    STATE_WORDS,
    STEPS,
    Step,
    check_step,
)  # fmt: skip
from tests.make import make_actor, make_case

S = State
MOVES_OUT: dict[State, set[str]] = {
    S.REPORTED: {"accept", "answer", "redirect", "reject", "merge", "settle", "return_order"},
    S.ACCEPTED: {"verify", "file", "answer", "redirect", "reject", "merge", "settle", "return_order"},
    S.VERIFYING: {"verified", "merge"},
    S.FILED: {"dispatch", "merge", "void"},
    S.DISPATCHED: {"take", "withdraw", "merge", "void"},
    S.HANDLING: {"feedback", "merge", "void"},
    S.SUSPENDED: {"resume", "void"},
    S.DONE: {"check"},
    S.CHECKING: {"close", "rework"},
    S.CLOSED: {"archive", "reopen"},
    S.ARCHIVED: {"reopen"},
    S.ANSWERED: set(),
    S.REDIRECTED: set(),
    S.REJECTED: {"review"},
    S.MERGED: {"unmerge"},
    S.VOID: set(),
}
"""The column "moves out" of the published process, written down once more so that a slip in the table is seen."""


def test_the_moves_out_of_every_state_are_those_of_the_process() -> None:
    found = {state: {move.name for move in MOVES if state in move.sources} for state in State}
    assert found == MOVES_OUT


TARGETS = {
    "return_order": S.REDIRECTED,
    "accept": S.ACCEPTED, "verify": S.VERIFYING, "verified": S.ACCEPTED, "answer": S.ANSWERED, "redirect": S.REDIRECTED,
    "reject": S.REJECTED, "review": S.ACCEPTED, "file": S.FILED, "dispatch": S.DISPATCHED, "withdraw": S.FILED,
    "take": S.HANDLING, "feedback": S.DONE, "check": S.CHECKING, "close": S.CLOSED, "rework": S.HANDLING,
    "resume": S.HANDLING, "reopen": S.FILED, "settle": S.CLOSED, "merge": S.MERGED, "unmerge": None, "void": S.VOID,
    "archive": S.ARCHIVED,
}  # fmt: skip


def test_every_move_leads_where_the_process_says() -> None:
    assert {move.name: move.target for move in MOVES} == TARGETS


def test_the_replies_owed_are_those_of_the_process() -> None:
    owed = {move.name: move.owes for move in MOVES if move.owes}
    assert owed == {
        "file": (ReplyKind.FILING,), "reopen": (ReplyKind.FILING,), "merge": (ReplyKind.FILING,),
        "close": (ReplyKind.CLOSING,), "settle": (ReplyKind.CLOSING,), "reject": (ReplyKind.REFUSAL,),
        "redirect": (ReplyKind.REDIRECT,), "void": (ReplyKind.VOID,),
    }  # fmt: skip


@pytest.mark.parametrize(("step", "state"), [(s, state) for s in STEPS.values() for state in sorted(s.sources)],
                         ids=lambda value: getattr(value, "name", str(value)))  # fmt: skip
def test_a_row_allows_its_posts_and_no_others(step: Step, state: State) -> None:
    case = make_case(state=state, unit="roads")
    for role in Role:
        actor = make_actor(role, unit="roads")
        if role in step.roles:
            assert check_step(case, step.name, actor) is step
        else:
            with pytest.raises(NotAllowed):
                check_step(case, step.name, actor)


REFUSED = [(step, state) for step, state in itertools.product(STEPS.values(), State) if state not in step.sources]


@pytest.mark.parametrize(("step", "state"), REFUSED, ids=lambda value: getattr(value, "name", str(value)))
def test_every_other_pair_is_refused_by_name(step: Step, state: State) -> None:
    actor = make_actor(sorted(step.roles)[0], unit="roads")
    with pytest.raises(IllegalMove) as caught:
        check_step(make_case(state=state, unit="roads"), step.name, actor)
    assert (caught.value.move, caught.value.state) == (step.name, state)
    assert STATE_WORDS[state] in caught.value.message


def test_a_unit_acts_only_on_its_own_cases() -> None:
    case = make_case(state=S.DISPATCHED, unit="roads", co_unit="water")
    assert check_step(case, "take", make_actor(Role.UNIT, unit="water"))
    with pytest.raises(NotAllowed):
        check_step(case, "take", make_actor(Role.UNIT, unit="gas"))


def test_only_the_system_archives() -> None:
    assert STEPS["archive"].roles == {Role.SYSTEM}


def test_states_are_live_or_ended_and_all_have_words() -> None:
    assert set(State) == LIVE | ENDED
    assert not LIVE & ENDED
    assert set(STATE_WORDS) == set(State)
    assert set(ROLE_WORDS) == set(Role)


def test_step_names_are_unique() -> None:
    assert len(STEPS) == len(MOVES) + len(REQUESTS) + len(ACTS)
