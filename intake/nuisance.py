"""Nuisance marks on those who write (骚扰): made by a person on the evidence of a case, expiring by themselves, lifted by the
shift leader (switchboard_marks.py holds the marks on those who call; they are the same marks).

A mark costs a writer the automatic answers and nothing else: every message is taken in as before, because among a hundred
empty ones may be the one that matters, and words of danger are answered whoever wrote them.
"""

from collections.abc import Mapping

from intake.call import Mark
from intake.effects import Facts
from intake.errors import BadInput
from intake.model import Actor, Case
from intake.ports import Work
from intake.records import Contact
from intake.rules import Rules


def mark_reporters(
    work: Work, rules: Rules, case: Case, facts: Facts, values: Mapping[str, object], actor: Actor
) -> None:
    """Mark everybody who reported this case by a number or an account; raises BadInput where nobody can be marked."""
    contacts = [work.get(Contact, one.contact_id) for one in facts.reporters if one.left_at is None and one.contact_id]
    numbers = {contact.phone or contact.address for contact in contacts if contact} - {""}
    if not numbers:
        raise BadInput("reason", "反映人没有留下号码或账号，不能标记。")
    reason = str(values["reason"])[:200]
    work.add(*(Mark(work.new_id(), number, 0, reason, actor.user_id, work.now, work.now + rules.mark_lasts, case_no=case.case_no)
               for number in sorted(numbers)))  # fmt: skip


def standing(work: Work, number_hash: str) -> list[Mark]:
    """Marks against a number or account that have neither expired nor been lifted."""
    found = work.find(Mark, number_hash=number_hash) if number_hash else []
    return [mark for mark in found if mark.lifted_at is None and mark.expires_at > work.now]
