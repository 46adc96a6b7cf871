"""The inverted index: what is added can be found, what is dropped is gone, rare features weigh more than common ones."""

import random

import numpy as np

from classifier.repeats_postings import Postings

SEED = 12319


def test_gathering_is_the_sum_of_shared_rarity() -> None:
    postings = Postings()
    postings.add(0, {"a", "b"})
    postings.add(1, {"a"})
    postings.add(2, {"c"})
    sums = postings.gather({"a", "b", "never"}, slots=3)
    assert sums[0] > sums[1] > sums[2] == 0.0
    assert np.allclose(sums, postings.overlap({"a", "b", "never"}, [0, 1, 2]).shared)


def test_likeness_is_one_with_oneself_and_zero_with_a_stranger() -> None:
    postings = Postings()
    postings.add(0, {"a", "b"})
    postings.add(1, {"c"})
    postings.add(2, ())
    assert np.allclose(postings.overlap({"a", "b"}, [0, 1, 2]).cosine, [1.0, 0.0, 0.0])


def test_any_order_of_adding_and_dropping_leaves_what_is_there() -> None:
    chance = random.Random(SEED)
    print("seed", SEED)
    postings, held = Postings(), dict[int, set[str]]()
    for _ in range(2000):
        slot = chance.randrange(40)
        if slot in held:
            postings.drop(slot)
            del held[slot]
        else:
            held[slot] = {f"f{chance.randrange(1500)}" for _ in range(chance.randrange(20))}
            postings.add(slot, held[slot])
    fresh = Postings()
    for slot, features in held.items():
        fresh.add(slot, features)
    asked = {f"f{number}" for number in range(0, 1500, 3)}
    assert np.allclose(postings.gather(asked, slots=40), fresh.gather(asked, slots=40))
    slots = sorted(held)
    assert np.allclose(postings.overlap(asked, slots).theirs, fresh.overlap(asked, slots).theirs)


def test_nothing_asked_and_nothing_held_give_nothing() -> None:
    postings = Postings()
    assert postings.gather({"a"}, slots=3).tolist() == [0.0, 0.0, 0.0]
    postings.add(0, {"a"})
    assert postings.gather((), slots=1).tolist() == [0.0]
    assert postings.overlap((), [0]).cosine.tolist() == [0.0]
