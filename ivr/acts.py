"""The questions a flow may put to the outside: what each is given, the results it can have, the values each result brings.

Every act can also fail (`failed`, nothing brought): the database is away, no answer in time. What answers them stands
in the telephone driver; at the keyboard a table of samples does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

FAILED = "failed"
ANSWER_S = 5
"""Seconds a driver waits for a result before it tells the engine Timeout; nobody is left in silence longer."""


@dataclass(frozen=True, slots=True)
class ActKind:
    """`given` are the names of its arguments; `results` maps each result to the names of the values it brings."""

    given: tuple[str, ...]
    results: Mapping[str, tuple[str, ...]]


ACTS: Mapping[str, ActKind] = {
    # position counts from 1; wait_s is the expected wait in seconds. closed: outside hours; nobody: none logged in.
    "queue_position": ActKind((), {"free": (), "waiting": ("position", "wait_s"), "closed": (), "nobody": ()}),
    # cases: at most eight case numbers joined by ";", newest first; without any detail, the query code is still asked.
    "cases_of_caller": ActKind(("caller",), {"some": ("cases",), "none": ()}),
    "pick_case": ActKind(("choice", "cases"), {"picked": ("case_no",), "unknown": ()}),
    # wrong does not tell number and code apart; locked: too many wrong codes for this case or from this number.
    "case_status": ActKind(
        ("case_no", "code"),
        {"found": ("received_at", "place", "subclass", "words"), "wrong": (), "locked": ()},
    ),
    "save_message": ActKind(("recording",), {"saved": ("case_no",)}),
    "request_callback": ActKind(("number",), {"kept": (), "already": (), "refused": ()}),
    "save_rating": ActKind(("rating",), {"saved": (), "already": ()}),
    "save_answer": ActKind(("case_no", "answer"), {"saved": ()}),
    # Tells the duty and writes down who was told and when (先通知后补单).
    "emergency": ActKind((), {"duty": (), "nobody": ()}),
    "transfer": ActKind(("target",), {"ready": (), "refused": ()}),
    "dial_citizen": ActKind(("phone",), {"answered": (), "no_answer": (), "busy": (), "refused": ()}),
}


def results_of(act: str) -> Mapping[str, tuple[str, ...]]:
    """Every result of an act with the values it brings, `failed` among them; empty for an unknown act."""
    kind = ACTS.get(act)
    return {} if kind is None else {**kind.results, FAILED: ()}
