"""The ear of the call tests: it must know the shipped prompts from each other, also where packets came late."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from intake.commands.prompts import SHIPPED
from tests.asterisk import hearing

NAMES = (
    "greeting_12319", "greeting_96310", "recording_notice", "connecting", "waiting_choices", "message_speak", "message_review",
    "ask_case_no", "ask_code", "callback_kept", "rating_ask", "goodbye",
)  # fmt: skip
"""Prompts without a sentence in common; where two share one, its sound is the same and both are rightly heard."""


@pytest.fixture(scope="module")
def prompts() -> dict[str, hearing.Samples]:
    return hearing.prompts(SHIPPED, NAMES)


def test_each_prompt_is_heard_where_it_was_said_and_no_other_is(prompts: dict[str, hearing.Samples]) -> None:
    quiet, said = np.zeros(hearing.RATE), NAMES[::2]
    recording = np.concatenate([part for name in said for part in (quiet, prompts[name])])
    heard = hearing.which(recording, prompts)
    assert tuple(one.name for one in heard) == said
    for one, after in pairwise(heard):
        assert after.at_s - one.at_s == pytest.approx(1 + hearing.seconds(prompts[one.name]), abs=0.05)


def test_a_prompt_with_gaps_is_heard(prompts: dict[str, hearing.Samples]) -> None:
    said = prompts["greeting_12319"]
    torn = np.concatenate([part for at in range(0, len(said), 5600) for part in (said[at : at + 5600], np.zeros(160))])
    found = hearing.find(torn, said)
    assert found is not None
    assert found.share < 1


def test_a_sound_played_again_and_again_is_heard_whole() -> None:
    said, pause = hearing.voice(1, 3), np.zeros(2 * hearing.RATE)
    found = hearing.find(np.concatenate([pause, said] * 4), said)
    assert found is not None
    assert found.share == 1


def test_voices_differ() -> None:
    one, another = hearing.voice(1, 3), hearing.voice(2, 3)
    assert hearing.find(one, another) is None
    assert hearing.find(np.concatenate([np.zeros(800), one]), one) is not None


def test_loudness_and_silence(tmp_path: Path) -> None:
    tone = 16384 * np.sin(np.arange(hearing.RATE) * 2 * np.pi * 400 / hearing.RATE)
    kept = hearing.read(hearing.write(tmp_path / "tone.wav", np.concatenate([tone, np.zeros(2 * hearing.RATE), tone])))
    assert hearing.seconds(kept) == 4
    assert hearing.loudness(kept) == pytest.approx(-9.03, abs=0.1)
    assert hearing.longest_silence_s(kept) == pytest.approx(2, abs=0.05)
    assert hearing.loudness(np.zeros(800)) == -96
