"""The life of a case as literal tables: moves, requests and acts, who may do each, what it demands, what it owes.

Source: the process of digital city management, its states, moves and replies owed (docs/process.md). The tables are
the law; steps.py carries a step out and usecases.py stores what came of it. Nothing here touches a database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from intake.errors import IllegalMove, NotAllowed
from intake.model import Actor, Case, ReplyKind, Role, State

S, R = State, Role
STATE_WORDS: dict[State, str] = {
    S.REPORTED: "待受理", S.ACCEPTED: "待立案", S.VERIFYING: "核实中", S.FILED: "待派遣", S.DISPATCHED: "待签收",
    S.HANDLING: "处置中", S.SUSPENDED: "挂账", S.DONE: "待核查", S.CHECKING: "核查中", S.CLOSED: "已结案·待答复",
    S.ARCHIVED: "已归档", S.ANSWERED: "已直接答复", S.REDIRECTED: "已转办", S.REJECTED: "不予受理", S.MERGED: "已并单",
    S.VOID: "作废",
}  # fmt: skip
ROLE_WORDS: dict[Role, str] = {
    R.OPERATOR: "受理员", R.SHIFT_LEADER: "值班长", R.DISPATCHER: "派遣员", R.INSPECTOR: "监督员", R.UNIT: "专业部门",
    R.AUDITOR: "督查员", R.ADMINISTRATOR: "管理员", R.SYSTEM: "系统", R.CITIZEN: "市民",
    R.SOURCE: "来源方",
}  # fmt: skip
ENDED = frozenset({S.ARCHIVED, S.ANSWERED, S.REDIRECTED, S.REJECTED, S.MERGED, S.VOID})
LIVE = frozenset(S) - ENDED
WITH_UNIT = frozenset({S.DISPATCHED, S.HANDLING, S.SUSPENDED, S.DONE, S.CHECKING})


class Group(StrEnum):
    """Moves change the state; requests wait for a decision; acts are recorded beside the state."""

    MOVE = "move"
    REQUEST = "request"
    DECISION = "decision"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a step asks for. `type`: text, longtext, subclass, condition, place, unit, user, moment, case, bool,
    standard, debt or choice among `choices` (stored value, word on the screen). `keeps` names the column of the case
    that answers when the field is left empty."""

    name: str
    label: str
    type: str = "text"
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    max_chars: int = 1000
    keeps: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the tables. `target` is None for acts and for unmerge (back to where it was)."""

    name: str
    label: str
    group: Group
    sources: frozenset[State]
    target: State | None
    roles: frozenset[Role]
    why: str
    fields: tuple[Field, ...] = ()
    owes: tuple[ReplyKind, ...] = ()


CENTRE = frozenset({R.OPERATOR, R.SHIFT_LEADER})
COMMAND = frozenset({R.DISPATCHER, R.SHIFT_LEADER})
HALL = CENTRE | COMMAND
BEFORE_FILING = frozenset({S.REPORTED, S.ACCEPTED})

OPINION = Field("opinion", "意见", "longtext", required=False)
REASON = Field("reason", "理由", "longtext")
RESULT = Field("result", "处理结果（告知市民）", "longtext", max_chars=120)
RESULT_KEPT = Field("result", "处理结果（告知市民）", "longtext", max_chars=120, keeps="result")
DESCRIPTION = Field("description", "问题描述", "longtext", required=False, max_chars=2000)
PLACE = Field("place", "位置", "place", max_chars=256)
SUBCLASS = Field("subclass", "问题类别", "subclass")
CONDITION = Field("condition", "立案条件", "condition")
URGENCIES = (("routine", "一般"), ("urgent", "紧急"), ("emergency", "特急"))
URGENCY = Field("urgency", "紧急程度", "choice", required=False, choices=URGENCIES)
WAIVE = Field("waive_verify", "免核实理由", "choice", required=False, choices=(
    ("clear_evidence", "证据清楚"), ("emergency", "情况紧急"), ("night", "夜间无法核实"), ("caller_confirmed", "与反映人电话确认"),
    ("upstream", "上级工单已核实")))  # fmt: skip
VERIFY_RESULT = Field("verify_result", "核实结果", "choice", choices=(
    ("exists", "问题属实"), ("not_found", "未发现问题"), ("unclear", "无法判定")))  # fmt: skip
CHECK_METHOD = Field("check_method", "核查方式", "choice", choices=(
    ("site", "现场核查"), ("photo", "照片核查"), ("callback", "回访反映人"), ("video", "视频核查")))  # fmt: skip
CHECK_PASSED = Field("check_result", "核查结果", "choice", choices=(("pass", "通过"),), keeps="check_result")
CHECK_RESULT = Field("check_result", "核查结果", "choice", choices=(("pass", "通过"), ("fail", "不通过")))
REFUSAL_REASON = Field("reason", "不予受理理由", "choice", choices=(
    ("out_of_scope", "不属于城市管理职责范围"), ("not_found", "现场核实未发现问题"), ("no_place", "位置不清且无法联系"),
    ("private", "属于私人纠纷"), ("court", "已进入司法、仲裁或信访程序"), ("not_met", "未达到立案标准")))  # fmt: skip
TOLD_REASON = Field("told_reason", "告知市民的原因", "choice", required=False, choices=(
    ("complex", "情况较为复杂"), ("weather", "天气原因"), ("material", "需更换设施或材料"), ("joint", "需多个单位配合"),
    ("ownership", "需核实权属"), ("plan", "需列入改造计划")))  # fmt: skip
VOID_REASON = Field("told_reason", "告知市民的原因", "choice", required=False, choices=(
    ("mistaken", "立案有误"), ("not_found", "现场未发现问题"), ("repeated", "重复立案"), ("withdrawn", "反映人撤诉")))  # fmt: skip
DECISION = Field("decision", "决定", "choice", choices=(("grant", "同意"), ("refuse", "驳回")))
INSPECTOR = Field("inspector", "监督员", "user", required=False)
BASIS = Field("basis", "依据", max_chars=200)
UNTIL = Field("until", "期限至", "moment")
CALL_RESULTS = (("reached", "接通"), ("unreached", "未接"), ("declined", "拒访"))
CALLED_AT = Field("called_at", "联系市民的时间", "moment", required=False)
REPLY_TEXT = Field("reply_text", "回复内容（可修改）", "longtext", required=False, max_chars=300)
HOLD_REPLY = Field("hold_reply", "回复稍后再发", "bool", required=False)
REPLYING = (REPLY_TEXT, HOLD_REPLY)


def _move(name: str, label: str, sources: Iterable[State], target: State | None, roles: Iterable[Role], why: str,
          *fields: Field, owes: tuple[ReplyKind, ...] = ()) -> Step:  # fmt: skip
    return Step(name, label, Group.MOVE, frozenset(sources), target, frozenset(roles), why, fields, owes)


MOVES: tuple[Step, ...] = (
    _move("accept", "受理", {S.REPORTED}, S.ACCEPTED, CENTRE, "what and where are filled",
          SUBCLASS, PLACE, DESCRIPTION, URGENCY, OPINION),
    _move("verify", "派核实", {S.ACCEPTED}, S.VERIFYING, CENTRE, "an inspector looks before filing", INSPECTOR, OPINION),
    _move("verified", "核实反馈", {S.VERIFYING}, S.ACCEPTED, {R.INSPECTOR, R.SHIFT_LEADER}, "what was found on the spot",
          VERIFY_RESULT, OPINION),
    _move("answer", "直接答复", BEFORE_FILING, S.ANSWERED, CENTRE, "a question answered needs no two replies",
          Field("answer", "答复内容", "longtext")),
    _move("redirect", "转办", BEFORE_FILING, S.REDIRECTED, CENTRE, "outside this hotline's duty, passed on with record",
          Field("body", "承办单位", max_chars=60), Field("other", "对方电话", max_chars=20), OPINION, *REPLYING,
          owes=(ReplyKind.REDIRECT,)),
    _move("reject", "不予受理", BEFORE_FILING, S.REJECTED, CENTRE, "does not meet the filing standard",
          REFUSAL_REASON, Field("way", "建议途径", max_chars=100), OPINION, *REPLYING, owes=(ReplyKind.REFUSAL,)),
    _move("return_order", "退回上级", BEFORE_FILING, S.REDIRECTED, HALL, "an order that is not ours goes back with the basis",
          REASON, BASIS),
    _move("review", "复核", {S.REJECTED}, S.ACCEPTED, {R.SHIFT_LEADER}, "a refusal looked at again", REASON),
    _move("file", "立案", {S.ACCEPTED}, S.FILED, CENTRE, "meets the filing standard",
          SUBCLASS, CONDITION, PLACE, URGENCY, WAIVE, DESCRIPTION, OPINION, *REPLYING, owes=(ReplyKind.FILING,)),
    _move("dispatch", "派遣", {S.FILED}, S.DISPATCHED, COMMAND, "names the responsible unit; its limit starts",
          Field("unit", "责任单位", "unit", keeps="unit"), Field("co_unit", "协办单位", "unit", required=False),
          Field("forwarded_text", "转派描述", "longtext", required=False, max_chars=2000), OPINION),
    _move("withdraw", "撤回", {S.DISPATCHED}, S.FILED, COMMAND, "dispatched to the wrong unit", REASON),
    _move("take", "签收", {S.DISPATCHED}, S.HANDLING, {R.UNIT}, "the unit has it", OPINION),
    _move("feedback", "处置反馈", {S.HANDLING}, S.DONE, {R.UNIT}, "the unit says solved", RESULT, OPINION),
    _move("check", "派核查", {S.DONE}, S.CHECKING, CENTRE, "looked at before closing", CHECK_METHOD, INSPECTOR, OPINION),
    _move("close", "结案", {S.CHECKING}, S.CLOSED, CENTRE, "passed; the time of closing for every rate",
          RESULT_KEPT, Field("standard", "结案标准", "standard"), CHECK_PASSED, OPINION, *REPLYING, owes=(ReplyKind.CLOSING,)),
    _move("rework", "返工", {S.CHECKING}, S.HANDLING, CENTRE, "failed the check", REASON),
    _move("resume", "恢复处置", {S.SUSPENDED}, S.HANDLING, COMMAND, "can be handled again", REASON),
    _move("reopen", "重新办理", {S.CLOSED, S.ARCHIVED}, S.FILED, {R.SHIFT_LEADER}, "a new round of the same case", REASON,
          *REPLYING, owes=(ReplyKind.FILING,)),
    _move("settle", "快速处置", BEFORE_FILING, S.CLOSED, {R.INSPECTOR, *CENTRE}, "settled on the spot, counted apart",
          SUBCLASS, PLACE, RESULT, OPINION, *REPLYING, owes=(ReplyKind.CLOSING,)),
    _move("merge", "并单", {S.REPORTED, S.ACCEPTED, S.VERIFYING, S.FILED, S.DISPATCHED, S.HANDLING}, S.MERGED, HALL,
          "same matter as another open case", Field("main_case", "并入编号", "case"), REASON, *REPLYING,
          owes=(ReplyKind.FILING,)),
    _move("unmerge", "撤销并单", {S.MERGED}, None, CENTRE, "merged in error; back to where it was", REASON),
    _move("void", "作废", {S.FILED, S.DISPATCHED, S.HANDLING, S.SUSPENDED}, S.VOID, {R.SHIFT_LEADER},
          "filed in error or cannot be found; the second person", REASON, VOID_REASON, *REPLYING, owes=(ReplyKind.VOID,)),
    _move("archive", "归档", {S.CLOSED}, S.ARCHIVED, {R.SYSTEM}, "all replies settled"),
)  # fmt: skip

REQUEST_WORDS = {"return": "退单", "extension": "延期", "suspension": "挂账", "void": "作废"}
REQUEST_SOURCES: dict[str, frozenset[State]] = {
    "return": frozenset({S.DISPATCHED, S.HANDLING}),
    "extension": frozenset({S.HANDLING}),
    "suspension": frozenset({S.HANDLING}),
    "void": frozenset({S.FILED, S.DISPATCHED, S.HANDLING, S.SUSPENDED}),
}

def _request(kind: str, roles: Iterable[Role], why: str, *fields: Field) -> Step:
    sources = REQUEST_SOURCES[kind]
    label = f"申请{REQUEST_WORDS[kind]}"
    return Step(f"ask_{kind}", label, Group.REQUEST, sources, None, frozenset(roles), why, fields)


def _decision(kind: str, roles: Iterable[Role], why: str, *fields: Field) -> Step:
    label = f"审批{REQUEST_WORDS[kind]}"
    sources = REQUEST_SOURCES[kind]
    return Step(f"decide_{kind}", label, Group.DECISION, sources, None, frozenset(roles), why, (DECISION, REASON, *fields))


REQUESTS: tuple[Step, ...] = (
    _request("return", {R.UNIT}, "not this unit's matter; at most twice, then the shift leader rules", REASON, BASIS),
    _decision("return", COMMAND, "granted: back to 待派遣, the returning time is not the unit's"),
    _request("extension", {R.UNIT}, "asked before expiry", REASON, UNTIL),
    _decision("extension", COMMAND, "granted: the limit moves", TOLD_REASON, *REPLYING),
    _request("suspension", {R.UNIT}, "cannot be solved for now; needs a review date", REASON, UNTIL),
    _decision("suspension", COMMAND, "granted: the clock stops until the review date", TOLD_REASON, *REPLYING),
    _request("void", HALL, "the first of the two persons a voiding needs", REASON),
)


def _act(name: str, label: str, sources: Iterable[State], roles: Iterable[Role], why: str, *fields: Field) -> Step:
    return Step(name, label, Group.ACT, frozenset(sources), None, frozenset(roles), why, fields)


ACTS: tuple[Step, ...] = (
    _act("urge", "催办", LIVE, {*HALL, R.CITIZEN, R.SOURCE}, "the same person asks again about an open case", OPINION),
    _act("supplement", "补充信息", LIVE, {*HALL, R.INSPECTOR, R.CITIZEN, R.SOURCE}, "more is known now",
         Field("text", "补充内容", "longtext")),
    _act("withdraw_complaint", "撤诉", LIVE, {*HALL, R.CITIZEN, R.SOURCE}, "the problem may still need handling", OPINION),
    _act("alert", "先通知", LIVE - {S.CLOSED}, HALL, "emergency: told by phone before any filing",
         Field("unit", "通知单位", "unit"), Field("person", "接听人", max_chars=40), OPINION),
    _act("acknowledge", "知悉警情", frozenset(S), {R.SHIFT_LEADER}, "alerted until he acknowledges"),
    _act("supervise", "督办", LIVE, {R.SHIFT_LEADER, R.AUDITOR}, "watched from above", REASON),
    _act("unsupervise", "解除督办", LIVE, {R.SHIFT_LEADER, R.AUDITOR}, "no longer watched", OPINION),
    _act("set_urgency", "调整紧急程度", LIVE, HALL, "lower than the default: shift leader only",
         Field("urgency", "紧急程度", "choice", choices=URGENCIES), REASON),
    _act("reclassify", "更正类别", LIVE - {S.CLOSED, S.REPORTED}, HALL, "the class was wrong", SUBCLASS, CONDITION, OPINION),
    _act("transfer", "移交", LIVE, HALL, "another operator goes on", Field("operator", "受理员", "user"), OPINION),
    _act("checked", "核查反馈", {S.CHECKING}, {R.INSPECTOR, *CENTRE}, "what the check found", CHECK_RESULT, OPINION),
    _act("note", "备注", frozenset(S), {*HALL, R.INSPECTOR, R.UNIT}, "for colleagues", Field("text", "备注内容", "longtext")),
    _act("send_reply", "发送回复", frozenset(S), CENTRE, "words a person has read",
         Field("debt", "回复事项", "debt"), Field("text", "回复内容", "longtext", max_chars=300)),
    _act("told_by_phone", "电话告知", frozenset(S), CENTRE, "an operator told him",
         Field("debt", "回复事项", "debt"), Field("call_result", "通话结果", "choice", choices=CALL_RESULTS)),
    _act("excuse_reply", "免予回复", frozenset(S), {R.SHIFT_LEADER, R.OPERATOR}, "nobody can be told; reason and person kept",
         Field("debt", "回复事项", "debt"), Field("excuse", "理由", "choice", choices=(
             ("no_contact", "无联系方式"), ("refused", "反映人明确不需回复"), ("every_route_failed", "各种方式均未送达且已电话联系")))),
    _act("revisited", "回访", frozenset({S.CLOSED, S.ARCHIVED}), CENTRE, "an operator hears an unsatisfied citizen",
         Field("revisit_result", "回访结果", "choice", choices=(
             ("satisfied", "满意"), ("basically", "基本满意"), ("unsatisfied", "不满意"), ("unreached", "未接通"), ("declined", "拒访"))),
         OPINION),
    _act("sign_order", "签收上级工单", LIVE, HALL, "the source knows that we have it", OPINION),
    _act("contact_order", "先行联系", LIVE, HALL, "the citizen was rung before handling, as the source asks",
         CALLED_AT, Field("call_result", "联系结果", "choice", choices=CALL_RESULTS), OPINION),
    _act("extend_order", "向上级申请延期", LIVE, HALL, "the source's limit is the source's to move", REASON, UNTIL),
    _act("order_extended", "上级答复延期", LIVE, {*HALL, R.SOURCE}, "granted: the source's limit moves",
         DECISION, Field("until", "新的办结时限", "moment", required=False), OPINION),
    _act("answer_order", "回单", ENDED | {S.CLOSED}, HALL, "result, photos and the call to the citizen go back to the source",
         Field("text", "回单内容", "longtext", keeps="result"), CALLED_AT,
         Field("call_result", "联系结果", "choice", required=False, choices=CALL_RESULTS)),
    _act("order_rated", "来源方评价", frozenset(S), {*HALL, R.SOURCE}, "the source's satisfaction, kept apart from ours",
         Field("satisfaction", "评价", "choice", choices=(
             ("satisfied", "满意"), ("basically", "基本满意"), ("unsatisfied", "不满意"), ("none", "未评价"))), OPINION),
    _act("mark_nuisance", "标记骚扰", frozenset(S), CENTRE, "who writes nonsense on and on gets no more automatic answers", REASON),
    _act("rotate_code", "更换查询码", frozenset(S), {R.SHIFT_LEADER, R.OPERATOR}, "the code became known to others"),
)  # fmt: skip

STEPS: dict[str, Step] = {step.name: step for step in (*MOVES, *REQUESTS, *ACTS)}
MAX_RETURNS = 2
EVERY_UNIT = "*"


def permitted(actor: Actor, step: Step) -> bool:
    """True when the post may take the step at all."""
    return actor.role in step.roles


def acts_for(actor: Actor, case: Case) -> bool:
    """A unit's person acts for his own unit's cases; `*` is a hall account that acts for all units."""
    return actor.role is not Role.UNIT or actor.unit in (case.unit, case.co_unit, EVERY_UNIT)


def check_step(case: Case, name: str, actor: Actor) -> Step:
    """Find a step and refuse it by name unless state, post and unit allow it."""
    step = STEPS.get(name)
    if step is None:
        raise IllegalMove(name, case.state, "没有这项操作。")
    if not permitted(actor, step):
        raise NotAllowed
    if not acts_for(actor, case):
        raise NotAllowed("这件案件不在本单位。")
    if case.state not in step.sources:
        words = f"案件处于“{STATE_WORDS[case.state]}”，不能{step.label}。"
        raise IllegalMove(name, case.state, words)
    return step


def steps_open_to(case: Case, actor: Actor) -> tuple[Step, ...]:
    """The steps whose state and post fit; finer guards (pending requests, verification) stand in steps.py."""
    if not acts_for(actor, case):
        return ()
    return tuple(step for step in STEPS.values() if case.state in step.sources and permitted(actor, step))
