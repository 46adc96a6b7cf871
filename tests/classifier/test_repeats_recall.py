"""True repeats stand in the list: floors on data/corpus/repeats.jsonl, a little below what is reached.

`repeats-tune.jsonl` and half of the groups of `repeats.jsonl` were used for fitting the weights; the other half was not.
With the full model they are measured in test_evaluate_floors.py, which has trained one.
"""

from functools import cache

import pytest

from classifier.corpus import CORPUS_FOLDER
from classifier.repeats import Candidate
from classifier.repeats_measure import Told, is_held_out, lists, read_told, recall
from classifier.repeats_report import Reporter
from intake.taxonomy import load_taxonomy

TOLD = CORPUS_FOLDER / "repeats.jsonl"


@cache
def by_words() -> tuple[tuple[Told, ...], list[tuple[Candidate, ...]]]:
    told = read_told(TOLD)
    return told, lists(told, Reporter(None, load_taxonomy(optional_on=())))


@pytest.mark.parametrize(("held_out", "at_5", "first"), [(False, 0.75, 0.62), (True, 0.68, 0.5)])
def test_without_a_model_most_repeats_are_found_by_their_words(held_out: bool, at_5: float, first: float) -> None:
    told, found = by_words()
    reached = recall(told, found, counts=lambda group: is_held_out(group) == held_out)
    assert reached.at_5 >= at_5
    assert reached.first >= first


def test_reports_stand_in_time_order_and_both_halves_have_groups() -> None:
    told = read_told(TOLD)
    assert [each.at for each in told] == sorted(each.at for each in told)
    halves = {group: is_held_out(group) for group in {each.group for each in told if each.group}}
    assert min(sum(halves.values()), len(halves) - sum(halves.values())) >= 20


def test_recall_counts_earlier_members_only() -> None:
    told = [
        Told(text, read_told(TOLD)[0].at, group) for text, group in (("甲", "G"), ("乙", ""), ("丙", "G"), ("丁", "G"))
    ]
    found = [(), (Candidate(0, 1.0),), (Candidate(1, 0.9), Candidate(0, 0.5)), (Candidate(2, 0.9),)]
    reached = recall(told, found)
    assert (reached.asked, reached.at_5, reached.any_at_5, reached.first) == (2, 2 / 3, 1.0, 0.5)
