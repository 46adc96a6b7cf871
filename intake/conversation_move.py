"""An operator corrects where a citizen's words were put: to another case, or to a new one of their own.

The same tables as ever decide who may: it is a 补充信息 on the one case and a note on the other.
"""

from intake.errors import NotAllowed, NotFound
from intake.model import Actor, Case, Inbound, Role
from intake.ports import Work
from intake.receive import Judged, Talking, receive
from intake.records import Contact, Remark, Reporter
from intake.rules import Rules
from intake.usecases import Command, perform
from intake.workflow import HALL

MOVED = "moved"
UNJUDGED = Judged()


def move_words(
    work: Work, remark_id: int, actor: Actor, rules: Rules, *, to: int = 0, judged: Judged = UNJUDGED
) -> int:
    """Put a citizen's words to case `to`, or (0) make a new report of them for the same reporter; returns its number.

    Moving the same words to a new report twice gives the first number. Raises NotFound for words no citizen wrote.
    """
    if actor.role not in HALL:
        raise NotAllowed
    remark = work.get(Remark, remark_id)
    case = work.get(Case, remark.case_no) if remark else None
    if remark is None or case is None or remark.actor_role is not Role.CITIZEN:
        raise NotFound("没有找到这段来信。")
    number = to or _anew(work, remark, case, rules, judged)
    if to:
        perform(work, Command(to, "supplement", actor, fields={"text": remark.text}), rules)
    perform(work, Command(case.case_no, "note", actor, fields={"text": f"来信一段已移至编号{number}"}), rules)
    return number


def _anew(work: Work, remark: Remark, case: Case, rules: Rules, judged: Judged) -> int:
    reporters = work.find(Reporter, case_no=case.case_no, joined_from=None, limit=1)
    reporter = reporters[0] if reporters else None
    contact = work.get(Contact, reporter.contact_id) if reporter and reporter.contact_id else None
    inbound = Inbound(
        channel=case.channel, provider_id=f"moved:{remark.remark_id}", received_at=remark.at, text=remark.text,
        address=contact.address if contact else "", phone=contact.phone if contact else "",
        confidential=case.confidential, wants_reply=bool(reporter and reporter.wants_reply),
        reply_by=reporter.reply_by if reporter else "",
    )  # fmt: skip
    return receive(work, inbound, judged, rules, talking=Talking(contact, MOVED)).case_no
