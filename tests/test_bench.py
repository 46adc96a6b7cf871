"""Every measurement can still be started: what it builds on is there. What it measures is not looked at here."""

import importlib

import pytest

from bench.__main__ import QUESTIONS


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_every_question_is_a_module_with_a_way_in(name: str) -> None:
    module = importlib.import_module(f"bench.{name}")
    assert callable(getattr(module, "run", None) or module.main)
