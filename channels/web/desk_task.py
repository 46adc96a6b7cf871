"""What waits for a person (待办): emergencies to acknowledge, revisits, calls, failed and held replies."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from channels.web.desk_frame import desk_page
from channels.web.desk_row import CaseRow, case_row
from channels.web.desk_view import TASK_WORDS
from channels.web.session import require
from channels.web.setting import gateway_of, signed_in
from intake.gateway import Gateway
from intake.model import Actor, Case, Role
from intake.ports import Work
from intake.records import Task

MAX_SHOWN = 100
STEP_OF_TASK = {
    "emergency": "acknowledge", "revisit": "revisited", "call_reply": "told_by_phone", "held_reply": "send_reply",
    "send_failed": "told_by_phone", "unknown_fate": "told_by_phone",
    "overdue": "supervise", "upstream_overdue": "supervise", "review_suspension": "resume", "message": "note",
    "order_sign": "sign_order", "order_contact": "contact_order", "order_answer": "answer_order", "order_push": "note",
}  # fmt: skip
"""The step that settles a task; the link opens the case with its form."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task with the case it is about. `may_acknowledge`: the button stands in the list itself."""

    kind: str
    label: str
    opened_at: datetime
    case: CaseRow
    step: str
    may_acknowledge: bool


@dataclass(frozen=True, slots=True)
class TaskTab:
    kind: str
    label: str
    count: int
    is_current: bool


@require("see_tasks")
async def show_tasks(request: web.Request) -> web.StreamResponse:
    """Open tasks, oldest first, all or of one kind."""
    gateway, actor = gateway_of(request), signed_in(request).actor
    wanted = request.query.get("kind", "")

    def ask(work: Work) -> tuple[list[Task], dict[int, Case]]:
        tasks = [task for kind in TASK_WORDS for task in work.find(Task, state="open", kind=kind, limit=MAX_SHOWN)]
        cases = (work.get(Case, number) for number in {task.case_no for task in tasks})
        return tasks, {case.case_no: case for case in cases if case}

    tasks, cases = await gateway.store.read(ask)
    shown = [task for task in tasks if task.case_no in cases and (task.kind == wanted or not wanted)]
    rows = [_row(task, cases[task.case_no], actor=actor, gateway=gateway) for task in shown[:MAX_SHOWN]]
    return await desk_page(request, "desk_tasks.html", rows=rows, tabs=_tabs(tasks, wanted))


def _row(task: Task, case: Case, *, actor: Actor, gateway: Gateway) -> TaskRow:
    return TaskRow(
        kind=task.kind,
        label=TASK_WORDS[task.kind],
        opened_at=task.opened_at,
        case=case_row(case, actor, rules=gateway.rules, now=gateway.now()),
        step=STEP_OF_TASK.get(task.kind, ""),
        may_acknowledge=task.kind == "emergency" and actor.role is Role.SHIFT_LEADER and case.acknowledged_at is None,
    )


def _tabs(tasks: Iterable[Task], wanted: str) -> tuple[TaskTab, ...]:
    kinds = [task.kind for task in tasks]
    whole = TaskTab("", "全部", len(kinds), not wanted)
    return whole, *(TaskTab(kind, words, kinds.count(kind), kind == wanted) for kind, words in TASK_WORDS.items()
                    if kind in kinds or kind == wanted)  # fmt: skip


ROUTES: list[web.RouteDef] = [web.get("/desk/tasks", show_tasks)]
