"""What a citizen is told of his case: state in plain words, the way it went, the replies. One view for web, phone, SMS.

Pure. Nothing of other reporters, of staff or of the unit's people is in it; the unit is not named, because it may still
change and the citizen's partner is the hotline.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from intake.ledger import REPLY_WORDS
from intake.model import Case, Inbound, State
from intake.records import Debt, HistoryEntry, Remark, Reply
from intake.replies import place_words
from intake.taxonomy import Taxonomy

CITIZEN_WORDS: dict[State, str] = {
    State.REPORTED: "已收到，等待受理",
    State.ACCEPTED: "已受理，正在审核",
    State.VERIFYING: "正在现场核实",
    State.FILED: "已立案，正在安排责任单位",
    State.DISPATCHED: "已派往责任单位",
    State.HANDLING: "责任单位正在处理",
    State.SUSPENDED: "暂时无法解决，已登记跟踪",
    State.DONE: "责任单位已处理，等待核查",
    State.CHECKING: "正在核查处理结果",
    State.CLOSED: "已结案",
    State.ARCHIVED: "已结案",
    State.ANSWERED: "已答复",
    State.REDIRECTED: "已转交其他部门",
    State.REJECTED: "不予受理",
    State.MERGED: "与他人反映的同一问题合并办理",
    State.VOID: "已作废",
}
STEP_WORDS: dict[str, str] = {
    "receive": "收到您的反映",
    "accept": "热线受理",
    "verify": "安排现场核实",
    "verified": "完成现场核实",
    "file": "立案",
    "dispatch": "派往责任单位",
    "withdraw": "重新安排责任单位",
    "take": "责任单位开始处理",
    "feedback": "责任单位报告处理完成",
    "check": "安排核查",
    "close": "核查通过，结案",
    "settle": "现场处置完毕，结案",
    "rework": "核查未通过，责任单位继续处理",
    "decide_suspension": "暂时无法解决，登记跟踪",
    "resume": "恢复处理",
    "reopen": "重新办理",
    "merge": "与同一问题合并办理",
    "unmerge": "单独办理",
    "answer": "答复",
    "redirect": "转交其他部门",
    "reject": "不予受理",
    "review": "复核后恢复受理",
    "void": "作废",
    "urge": "收到催办",
    "supplement": "收到补充信息",
    "withdraw_complaint": "收到撤诉",
    "rate": "收到您的评价",
}
"""Steps a citizen is shown; the others are the office's own business."""


@dataclass(frozen=True, slots=True)
class ToldReply:
    """A reply as the citizen reads it on the status page. `at` is when it was given its final words."""

    kind: str
    label: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """The public view of one case."""

    case_no: int
    state: State
    words: str
    subclass: str
    place: str
    received_at: datetime
    timeline: tuple[tuple[datetime, str], ...]
    replies: tuple[ToldReply, ...]
    may_rate: bool
    rating: int
    may_add: bool


OTHERS_OWN = frozenset({"urge", "supplement", "withdraw_complaint", "rate"})
"""Steps of a main case that one of its reporters took for himself; whoever was joined to it is not shown them."""


def joined_history(own: Iterable[HistoryEntry], main: Iterable[HistoryEntry]) -> list[HistoryEntry]:
    """The course of a merged case: its own steps up to the merge, then what happened to the main case."""
    lines = list(own)
    joined_at = max((line.at for line in lines if line.step == "merge"), default=None)
    return lines + [
        line for line in main if joined_at is not None and line.at >= joined_at and line.step not in OTHERS_OWN
    ]  # fmt: skip


def status_of(
    case: Case, *, own: Case, history: Iterable[HistoryEntry], debts: Iterable[Debt], replies: Iterable[Reply],
    answers: Iterable[Remark], taxonomy: Taxonomy, signature: str, reporter_ids: Iterable[int],
) -> Status:  # fmt: skip
    """Build the view of `own`, whose matter goes on in `case` (itself, or the main case it was merged into).

    Replies are those of `reporter_ids`, so that two reporters of one case do not read each other's; a direct answer
    (直接答复) is told like a reply.
    """
    mine = set(reporter_ids)
    kinds: Mapping[int, Debt] = {debt.debt_id: debt for debt in debts if debt.reporter_id in mine}
    told = [
        ToldReply(kinds[r.debt_id].kind.value, REPLY_WORDS[kinds[r.debt_id].kind], r.text.removeprefix(signature), r.sent_at)
        for r in replies if r.debt_id in kinds and r.sent_at is not None
    ]  # fmt: skip
    told += [ToldReply("answer", "答复", remark.text, remark.at) for remark in answers]
    over = case.state in (State.CLOSED, State.ARCHIVED)
    return Status(
        case_no=own.case_no,
        state=case.state,
        words=CITIZEN_WORDS[case.state],
        subclass=taxonomy.name(own.subclass or case.subclass),
        place=place_words(own.place),
        received_at=own.received_at,
        timeline=tuple((line.at, STEP_WORDS[line.step]) for line in history if line.step in STEP_WORDS),
        replies=tuple(sorted(told, key=lambda reply: reply.at)),
        may_rate=over and not case.rating,
        rating=case.rating if own.case_no == case.case_no else 0,
        may_add=case.ended_at is None and not over,
    )


def status_of_waiting(case_no: int, inbound: Inbound) -> Status:
    """The view of a report that is safe on disk but not in the database yet."""
    return Status(
        case_no=case_no, state=State.REPORTED, words=CITIZEN_WORDS[State.REPORTED], subclass="",
        place=place_words(inbound.place), received_at=inbound.received_at,
        timeline=((inbound.received_at, STEP_WORDS["receive"]),), replies=(), may_rate=False, rating=0, may_add=False,
    )  # fmt: skip
