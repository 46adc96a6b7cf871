"""How a call ends (来电小结): what each end demands, and what it does. One unit of work each, so that all of it holds or none.

Only 新诉求 makes a case; it is taken in by the gateway like any other message, and registered here. The words of the ends
stand in call.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from intake.call import SUMMARIES
from intake.desk_record import CallSummary, Draft
from intake.drafts import draft_of, typed_of
from intake.errors import BadInput, Unavailable
from intake.model import Actor, Case, Role, State, Subclass
from intake.ports import Work
from intake.records import Remark, Task
from intake.rules import Rules
from intake.usecases import Command, perform, rate
from intake.workflow import ENDED

NEW = "new_case"
STEP_OF: Mapping[str, str] = {"urge": "urge", "supplement": "supplement", "withdraw": "withdraw_complaint"}
"""Ends that are a step on an open case."""
ABOUT_A_CASE = frozenset({*STEP_OF, "dissatisfied"})
"""Ends that must name a case; asking after progress may."""
WAIT_FOR_THE_DATABASE = "数据库暂时无法写入，诉求已安全保存，草稿保留，请稍后再点一次。"


@dataclass(frozen=True, slots=True)
class Ending:
    """A call's end as the form says it. `text` is what the caller added or asked, `article` the answer that was given."""

    outcome: str
    case_no: int = 0
    text: str = ""
    article: str = ""
    caller_key: str = ""


def check_ending(ending: Ending) -> None:
    """Raise BadInput naming the field where something that this end needs is missing."""
    if ending.outcome not in SUMMARIES:
        raise BadInput("outcome", "请选择来电小结。")
    if ending.outcome in ABOUT_A_CASE and not ending.case_no:
        raise BadInput("about", f"“{SUMMARIES[ending.outcome]}”请选择或填写受理编号。")
    if ending.outcome == "supplement" and not ending.text:
        raise BadInput("note", "请写明补充的内容。")


def end_call(work: Work, rules: Rules, actor: Actor, draft_id: int, ending: Ending) -> Draft:
    """End a call that makes no case; the same draft again changes nothing and gives what it was."""
    check_ending(ending)
    draft = draft_of(work, actor, draft_id, lock=True)
    if draft.ended_at is not None:
        return draft
    if ending.outcome in STEP_OF and not _was_done(draft, ending.outcome, ending.case_no):
        act_on_case(work, rules, actor, ending.outcome, case_no=ending.case_no, text=ending.text)
    if ending.outcome == "dissatisfied":
        hear_dissatisfied(work, actor, ending.case_no, text=ending.text)
    return _end(work, actor, draft, ending)


def act_on_case(work: Work, rules: Rules, actor: Actor, act: str, *, case_no: int, text: str) -> Case:
    """催办, 补充信息 or 撤诉 on a case, at the caller's word; no version, because nothing he saw can be stale."""
    field = "text" if act == "supplement" else "opinion"
    return perform(work, Command(case_no, STEP_OF[act], actor, None, {field: text} if text else {}), rules)


def hear_dissatisfied(work: Work, actor: Actor, case_no: int, *, text: str) -> None:
    """对结果不满: the rating where it is still owed, and always a revisit task; nothing is reopened by itself."""
    case = work.get(Case, case_no, lock=True)
    if case is None:
        raise BadInput("about", "没有这个受理编号。")
    if case.state in (State.CLOSED, State.ARCHIVED) and not case.rating:
        rate(work, case_no, satisfied=False)
    elif not work.find(Task, case_no=case_no, state="open", kind="revisit", limit=1):
        work.add(Task(work.new_id(), "revisit", case_no, work.now, Role.OPERATOR))
    if text:
        work.add(Remark(work.new_id(), case_no, work.now, "dissatisfied", text, actor.user_id, actor.role))


def register(work: Work, rules: Rules, actor: Actor, draft_id: int, case_no: int, *, typed: Mapping[str, str],
             ending: Ending) -> Draft:  # fmt: skip
    """Bring a case just taken in as far as was typed: 受理, and 立案 where a reason to file at once was chosen; end the call.

    A case that was registered meanwhile (the same button twice) is left as it is.
    """
    draft = draft_of(work, actor, draft_id, lock=True)
    if draft.ended_at is not None:
        return draft
    case = work.get(Case, case_no, lock=True)
    if case is None:
        raise Unavailable(WAIT_FOR_THE_DATABASE)
    if case.state is State.REPORTED and case.place.text and typed.get("subclass"):
        case = perform(work, Command(case_no, "accept", actor, None, _accepting(case, typed)), rules)
        if typed.get("waive_verify"):
            case = perform(work, Command(case_no, "file", actor, None, _filing(typed)), rules)
    if ending.text and case.state not in ENDED:
        perform(work, Command(case_no, "note", actor, None, {"text": ending.text}), rules)
    return _end(work, actor, draft, replace(ending, case_no=case_no))


def check_new(rules: Rules, typed: Mapping[str, str]) -> None:
    """Refuse what could not be registered, before anything is taken in. Raises BadInput or UnknownSubclass."""
    if not typed.get("what", "").strip():
        raise BadInput("what", "请填写反映的问题。")
    if not typed.get("subclass"):
        if typed.get("waive_verify"):
            raise BadInput("subclass", "立案前请选择问题类别。")
        return
    try:
        subclass = Subclass.parse(typed["subclass"])
    except ValueError:
        raise BadInput("subclass", "请从列表中选择问题类别。") from None
    rules.taxonomy.entry(subclass)
    conditions = rules.taxonomy.conditions(subclass)
    if typed.get("waive_verify") and typed.get("condition") not in conditions and len(conditions) != 1:
        raise BadInput("condition", "立案前请选择立案条件。")
    if typed.get("waive_verify") and not typed.get("place", "").strip():
        raise BadInput("place", "立案前请填写位置。")


def _accepting(case: Case, typed: Mapping[str, str]) -> dict[str, object]:
    fields: dict[str, object] = {"subclass": typed["subclass"]}
    if typed.get("urgency"):
        fields["urgency"] = typed["urgency"]
    if typed["what"].strip() != case.description:
        fields["description"] = typed["what"]
    return fields


def _filing(typed: Mapping[str, str]) -> dict[str, object]:
    return {name: typed[name] for name in ("subclass", "condition", "waive_verify", "urgency") if typed.get(name)}


def _was_done(draft: Draft, act: str, case_no: int) -> bool:
    """Whether the one-key act was already taken during this call."""
    return f"{act}:{case_no}" in typed_of(draft).get("acted", "").split(",")


def _end(work: Work, actor: Actor, draft: Draft, ending: Ending) -> Draft:
    work.add(CallSummary(work.new_id(), draft.draft_id, actor.user_id, work.now, ending.outcome, draft.call_id,
                         ending.case_no, ending.article, ending.caller_key, ending.text))  # fmt: skip
    ended = replace(draft, ended_at=work.now, updated_at=work.now, version=draft.version + 1, outcome=ending.outcome,
                    case_no=ending.case_no, caller="", typed="")  # fmt: skip
    return work.change(draft, ended)
