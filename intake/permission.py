"""Who may do what beside the steps of a case: one table. Steps carry their own roles in workflow.py."""

from intake.errors import NotAllowed
from intake.model import Actor, Role

STAFF = frozenset(Role) - {Role.SYSTEM, Role.CITIZEN}
CENTRE = frozenset({Role.OPERATOR, Role.SHIFT_LEADER})
ALLOWED: dict[str, frozenset[Role]] = {
    "see_queue": STAFF,
    "see_case": STAFF,
    "see_feed": STAFF,
    "see_ledger": STAFF - {Role.UNIT, Role.INSPECTOR},
    "see_tasks": CENTRE | {Role.DISPATCHER},
    "see_evidence_place": CENTRE | {Role.INSPECTOR, Role.AUDITOR},
    "reveal_contact": CENTRE | {Role.UNIT},
    "add_photo": STAFF - {Role.AUDITOR, Role.ADMINISTRATOR},
    "manage_users": frozenset({Role.ADMINISTRATOR}),
}


def may(actor: Actor, act: str) -> bool:
    return actor.role in ALLOWED[act]


def demand(actor: Actor, act: str) -> None:
    """Raise NotAllowed unless the post may do it."""
    if not may(actor, act):
        raise NotAllowed
