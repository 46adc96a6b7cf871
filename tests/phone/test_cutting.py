"""Long recordings are cut at silences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.phone.speech_pack.cutting import LONGEST_S, windows
from channels.phone.speech_pack.sound import Samples

RATE = 8000


def recording(*parts: tuple[bool, float]) -> Samples:
    """Speech (noise at -20 dBFS) and silence (at -70) of some seconds each."""
    rng = np.random.default_rng(1)
    sizes = [(0.1 if loud else 0.0003, round(seconds * RATE)) for loud, seconds in parts]
    return np.concatenate([size * rng.standard_normal(count) for size, count in sizes]).astype(np.float32)


def test_a_short_message_is_one_window_without_the_silence_around_it() -> None:
    (found,) = windows(recording((False, 3), (True, 5), (False, 4)), RATE)
    assert found.start / RATE == pytest.approx(3, abs=0.3)
    assert found.end / RATE == pytest.approx(8, abs=0.3)


def test_silence_has_no_windows() -> None:
    assert windows(recording((False, 60)), RATE) == []
    assert windows(np.zeros(0, np.float32), RATE) == []


def test_a_cut_lies_in_a_pause() -> None:
    spoken = [(True, 4.0), (False, 0.6)] * 15
    found = windows(recording(*spoken), RATE)
    assert len(found) >= 3
    for cut in found[:-1]:
        assert cut.end / RATE % 4.6 > 3.9


def test_speech_without_a_pause_is_cut_all_the_same() -> None:
    found = windows(recording((True, 100)), RATE)
    assert max(cut.end - cut.start for cut in found) <= LONGEST_S * RATE
    assert sum(cut.end - cut.start for cut in found) == pytest.approx(100 * RATE, rel=0.01)


def test_a_long_pause_inside_is_not_a_window() -> None:
    found = windows(recording((True, 10), (False, 120), (True, 10)), RATE)
    spoken = [cut for cut in found if cut.end > 0]
    assert all(cut.start < 12 * RATE or cut.end > 128 * RATE for cut in spoken)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.05, 40)), max_size=8))
def test_windows_are_short_in_order_and_hold_all_speech(parts: list[tuple[bool, float]]) -> None:
    samples = recording(*parts) if parts else np.zeros(0, np.float32)
    found = windows(samples, RATE)
    ends = [0, *(cut.end for cut in found)]
    assert all(start >= before for before, start in zip(ends, (cut.start for cut in found), strict=False))
    assert all(0 < cut.end - cut.start <= LONGEST_S * RATE for cut in found)
    covered = np.zeros(len(samples), bool)
    for cut in found:
        covered[cut.start : cut.end] = True
    loud = np.abs(samples) > 0.01
    # Less than one frame at the very end of the recording may be left over.
    assert np.count_nonzero(loud & ~covered) <= 160
