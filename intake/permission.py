"""Who may do what beside the steps of a case: one table. Steps carry their own roles in workflow.py."""

from intake.errors import NotAllowed
from intake.model import Actor, Role

STAFF = frozenset(Role) - {Role.SYSTEM, Role.CITIZEN, Role.SOURCE}
CENTRE = frozenset({Role.OPERATOR, Role.SHIFT_LEADER})
ALLOWED: dict[str, frozenset[Role]] = {
    "see_queue": STAFF,
    "see_case": STAFF,
    "see_feed": STAFF,
    "see_ledger": STAFF - {Role.UNIT, Role.INSPECTOR},
    "see_tasks": CENTRE | {Role.DISPATCHER},
    "take_calls": CENTRE,
    "hand_over": CENTRE | {Role.DISPATCHER},
    "post_notices": frozenset({Role.SHIFT_LEADER}),
    "see_evidence_place": CENTRE | {Role.INSPECTOR, Role.AUDITOR},
    "reveal_contact": CENTRE | {Role.UNIT},
    "add_photo": STAFF - {Role.AUDITOR, Role.ADMINISTRATOR},
    "hear_recording": CENTRE | {Role.AUDITOR},
    "use_phone": CENTRE,
    "lead_phone": frozenset({Role.SHIFT_LEADER}),
    "contact_citizen": frozenset({Role.UNIT}),
    "see_orders": CENTRE | {Role.DISPATCHER, Role.AUDITOR},
    "enter_orders": CENTRE | {Role.DISPATCHER},
    "send_orders": CENTRE | {Role.DISPATCHER, Role.SOURCE},
    "manage_users": frozenset({Role.ADMINISTRATOR}),
}


def may(actor: Actor, act: str) -> bool:
    return actor.role in ALLOWED[act]


def demand(actor: Actor, act: str) -> None:
    """Raise NotAllowed unless the post may do it."""
    if not may(actor, act):
        raise NotAllowed
