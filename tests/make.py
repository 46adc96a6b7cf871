"""Builders of values for tests: a case, a message, an actor, with sensible parts and any part changed by name."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from intake.model import Actor, Case, Inbound, Place, Role, State

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""12:00 in the demo city on a Friday that is a working day."""
PHONE = "+8619900000001"
"""Of a range that no carrier has been given."""


def make_case(**changes: Any) -> Case:
    case = Case(
        case_no=26112000001, version=1, state=State.REPORTED, round=1, channel="web", received_at=NOON, updated_at=NOON,
        description="人民路和中山路交叉口井盖破损", place=Place(text="人民路与中山路交叉口"),
    )  # fmt: skip
    return replace(case, **changes)


def make_inbound(**changes: Any) -> Inbound:
    inbound = Inbound(channel="web", provider_id="", received_at=NOON, text="人民广场北门有一堆垃圾没人清理",
                      place=Place(text="人民广场北门"))  # fmt: skip
    return replace(inbound, **changes)


def make_actor(role: Role = Role.OPERATOR, **changes: Any) -> Actor:
    numbers = {role: number for number, role in enumerate(Role, start=1)}
    return replace(Actor(numbers[role], f"{role.value}1", role), **changes)
