"""The reply ledger: which replies a case owes to whom, by which route they go, how each debt may end, when it is late.

Source: "Which replies are owed" (docs/process.md) and the two required replies 立案回复 and 结案回复. A debt is
(case, reporter, kind, round). Pure decisions only; usecases.py stores them and outbox.py sends.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from intake.model import Case, ReplyKind
from intake.phone import is_landline, is_personal
from intake.records import Debt, Reporter
from intake.workflow import Step

REPLY_WORDS = {
    ReplyKind.FILING: "立案告知",
    ReplyKind.CLOSING: "结案告知",
    ReplyKind.REFUSAL: "不予受理告知",
    ReplyKind.REDIRECT: "转办告知",
    ReplyKind.PROGRESS: "进展告知",
    ReplyKind.VOID: "作废告知",
}
END_WORDS = {"delivered": "已送达", "published": "已在查询页公布", "upstream": "由来源方答复", "excused": "免予回复"}
EXCUSE_WORDS = {
    "no_contact": "无联系方式",
    "refused": "反映人明确不需回复",
    "every_route_failed": "各种方式均未送达且已电话联系",
    "merged": "已并入其他编号一并答复",
    "reviewed": "复核后恢复受理",
    "reopened": "已重新办理",
    "voided": "案件作废，另行告知",
    "unmerged": "撤销并单",
}
DUE_AFTER = timedelta(hours=24)
RECEIPT_WAIT = timedelta(hours=72)
"""A delivery report may come up to 72 hours later, or never; then the next route is taken."""

PAGE, CALL, VOICE, SOURCE = "page", "call", "phone", "upstream"
"""`phone` is the automatic voice reply, offered only where the city switched it on (voice_reply.py)."""
BY_NUMBER = frozenset({"sms", VOICE})
LADDERS: dict[str, tuple[str, ...]] = {
    "web": ("sms", VOICE, CALL),
    "sms": ("sms", VOICE, CALL),
    "phone": ("sms", VOICE, CALL),
    "telegram": ("telegram", "sms", CALL),
    "wechat": ("wechat", "wechat_template", "sms", CALL),
}
"""Routes by the channel a reporter came by, first choice first; a rung the gateway does not offer is passed over."""

WISHES: Mapping[str, str] = {"sms": "短信", "call": "电话", "none": "不需回复"}
"""Ways a reporter may wish to be answered, as staff read them: the first rung of his ladder, or no message at all."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A debt about to be opened, before it has a number."""

    reporter_id: int
    kind: ReplyKind
    round: int
    template: str


def owed_by(step: Step, case: Case, *, reporters: Iterable[Reporter], debts: Collection[Debt]) -> tuple[Owed, ...]:
    """The debts a step opens for the reporters of `case` (already in its new state), each kind once a round."""
    known = {(debt.reporter_id, debt.kind, debt.round) for debt in debts}
    template_of = {"merge": "merged"}
    return tuple(
        Owed(reporter.reporter_id, kind, case.round, template_of.get(step.name, kind.value))
        for kind in step.owes
        for reporter in reporters
        if reporter.left_at is None and (reporter.reporter_id, kind, case.round) not in known
    )


def route_for(
    reporter: Reporter, *, has_phone: bool, has_address: bool, offered: Collection[str], tried: Sequence[str] = ()
) -> str:
    """The next route for a reply: a channel kind, `page` (the status page is the reply), `call` (a person rings) or
    `upstream` (who sent the order answers the citizen: by its setting, or because only it knows him).

    Who gave no way to be reached, or said that he will look himself or needs no reply, is answered on the status page. The
    way he wished comes first; when it cannot be had, the usual ladder holds. A confidential reporter is never rung by a
    machine: `call` is always an operator's task.
    """
    if reporter.channel == SOURCE and not (reporter.wants_reply and has_phone):
        return SOURCE
    if (not has_phone and not has_address) or reporter.reply_by == "none":
        return PAGE
    if reporter.channel == "web" and not reporter.wants_reply:
        return PAGE
    usable = {CALL} if has_phone else set()
    usable.update(kind for kind in offered if (has_phone if kind in BY_NUMBER else has_address))
    rungs = (reporter.reply_by, *LADDERS.get(reporter.channel, (reporter.channel, "sms", CALL)))
    return next((rung for rung in rungs if rung in usable and rung not in tried), CALL)


def offered_to(offered: Iterable[str], *, number: str, confidential: bool) -> frozenset[str]:
    """The channels that may be tried for one person: no text message to a landline, no machine's voice to a number that
    is no person's, and never where confidentiality was asked for."""
    unfit = {"sms"} if is_landline(number) else set()
    if confidential or not is_personal(number):
        unfit.add(VOICE)
    return frozenset(offered) - unfit


def is_open(debt: Debt) -> bool:
    return not debt.end


def may_archive(case: Case, debts: Iterable[Debt]) -> bool:
    """The system move `archive` demands that no debt is open."""
    return case.state.value == "closed" and not any(is_open(debt) for debt in debts)


def is_overdue(debt: Debt, *, sent_at: datetime | None, now: datetime) -> bool:
    """Late when the due time passed and no message is on its way within the 72 hours a receipt may take."""
    if not is_open(debt) or now < debt.due_at:
        return False
    return sent_at is None or now - sent_at >= RECEIPT_WAIT
