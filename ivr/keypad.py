"""Keys as they come in, cut into answers: shared by every driver, so that the same keys mean the same everywhere."""

from dataclasses import dataclass

from ivr.commands import Collect

FLOOD = 64
"""Keys after which a number counts as ended; a line stuck on one tone must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """`keys` answer the question at once when `complete`; `rest` was keyed ahead and belongs to the next one."""

    keys: str
    rest: str
    complete: bool


def gather(typed: str, asked: Collect) -> Gathered:
    """Cut what was typed so far. Incomplete keys answer all the same once `between_s` has passed without another."""
    if typed.startswith(asked.menu) or not asked.terminator:
        # Many people end every answer with #; behind a single key it means nothing.
        return Gathered(typed[:1], typed[1:].removeprefix("#"), complete=bool(typed))
    keys, ended, rest = typed.partition(asked.terminator)
    # Even a number of fixed length waits for its terminator, which would otherwise answer the next question.
    return Gathered(keys[:FLOOD], rest, complete=bool(ended) or len(keys) >= FLOOD)
