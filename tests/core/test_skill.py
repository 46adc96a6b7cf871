"""Skills in the queue: who can serve a caller, who is before him there, and how long that takes. Pure."""

import pytest

from intake.skill import Outlook, able, outlook, queue_for

PLAIN, DIALECT, ELDER = frozenset[str](), frozenset({"dialect"}), frozenset({"elder"})


def test_only_those_with_the_skill_can_serve_a_caller_who_needs_it() -> None:
    seats = [PLAIN, DIALECT, DIALECT | ELDER]
    assert able("", seats) == {0, 1, 2}
    assert able("dialect", seats) == {1, 2}
    assert able("elder", seats) == {2}
    assert able("language", seats) == frozenset()


@pytest.mark.parametrize(("position", "seats", "talk_s", "wait_s"), [(1, 1, 180, 180), (3, 2, 60, 90), (4, 3, 100, 134)])
def test_without_skills_everybody_is_before_and_everybody_serves(position: int, seats: int, talk_s: int, wait_s: int) -> None:
    before = [""] * (position - 1)
    assert outlook("", before=before, seats=[PLAIN] * seats, talk_s=talk_s) == Outlook(position, wait_s)


def test_a_caller_with_a_skill_waits_for_fewer_operators() -> None:
    """Two general callers before him go to any of four operators, so that half a call comes to the one who speaks his dialect."""
    seats = [PLAIN, PLAIN, PLAIN, DIALECT]
    assert outlook("dialect", before=["", ""], seats=seats, talk_s=100) == Outlook(3, 150)
    assert outlook("", before=["", ""], seats=seats, talk_s=100) == Outlook(3, 75)


def test_who_waits_for_other_operators_is_not_before_him() -> None:
    seats = [DIALECT, ELDER]
    assert outlook("dialect", before=["elder", "elder"], seats=seats, talk_s=60) == Outlook(1, 60)
    assert outlook("dialect", before=["elder", "dialect"], seats=seats, talk_s=60) == Outlook(2, 120)


def test_a_general_caller_waits_for_what_the_skilled_operators_do_before() -> None:
    assert outlook("", before=["dialect"], seats=[PLAIN, DIALECT], talk_s=60) == Outlook(2, 60)


@pytest.mark.parametrize("skill", ["", "dialect", "elder"])
def test_one_caller_more_before_never_shortens_the_wait(skill: str) -> None:
    seats, before = [PLAIN, DIALECT, ELDER | DIALECT], list[str]()
    waits = []
    for more in ("", "dialect", "elder", "", "dialect"):
        found = outlook(skill, before=before, seats=seats, talk_s=90)
        assert found is not None
        waits.append((found.position, found.wait_s))
        before.append(more)
    assert waits == sorted(waits)


def test_nobody_who_can_serve_him_is_no_wait_at_all() -> None:
    assert outlook("language", before=[], seats=[PLAIN, DIALECT], talk_s=60) is None
    assert outlook("", before=[], seats=[], talk_s=60) is None


def test_a_skill_nobody_has_logged_in_with_leads_to_everybodys_queue() -> None:
    assert queue_for("dialect", [PLAIN, DIALECT]) == "hotline-dialect"
    assert queue_for("dialect", [PLAIN]) == "hotline"
    assert queue_for("", [DIALECT]) == "hotline"
