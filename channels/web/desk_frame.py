"""What surrounds every page of the desk: menu, the alarm of emergencies nobody has acknowledged, a word on what was done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from channels.web.desk_phone import board_of
from channels.web.desk_timeline import step_label
from channels.web.render import page
from channels.web.setting import gateway_of, signed_in
from intake import permission
from intake.call import LINE_WORDS, LineState, OperatorLine
from intake.model import Actor, Role
from intake.ports import Work
from intake.records import Task
from intake.splitting import SPLIT
from intake.workflow import ROLE_WORDS, STEPS

MAX_ALARMS = 99
Items = tuple[tuple[str, str, str], ...]
MAIN: Items = (
    ("/desk", "案件", "see_queue"), ("/desk/tasks", "待办", "see_tasks"), ("/desk/ledger", "待回复", "see_ledger"),
    ("/desk/orders", "上级工单", "see_orders"), ("/desk/drafts", "草稿箱", "take_calls"),
)  # fmt: skip
"""Address, word and the act that a post must be allowed (permission.ALLOWED)."""
MORE: Items = (
    ("/desk/phone", "话务", "use_phone"), ("/desk/callbacks", "待回拨", "use_phone"), ("/desk/marks", "骚扰标记", "lead_phone"),
    ("/desk/knowledge", "知识库", "take_calls"), ("/desk/notices", "临时公告", "take_calls"),
    ("/desk/paper", "应急登记表", "take_calls"), ("/desk/shift", "交接班", "hand_over"),
)  # fmt: skip
"""What stands behind 更多, so that the menu keeps to one line."""


@dataclass(frozen=True, slots=True)
class NavItem:
    path: str
    label: str


@dataclass(frozen=True, slots=True)
class Frame:
    """`alarms` counts emergencies not acknowledged, for the shift leader only; `last_event` is where live news begin.
    `line` is the state of one's own telephone, None where no exchange is connected; `line_words` are its words."""

    nav: tuple[NavItem, ...]
    more: tuple[NavItem, ...]
    takes_calls: bool
    role_words: str
    alarms: int
    last_event: int
    done: str
    line: LineState | None = None
    line_words: Mapping[LineState, str] = field(default_factory=lambda: LINE_WORDS)


async def desk_page(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """A page of the desk in its frame."""
    actor = signed_in(request).actor
    board = board_of(request)
    on_phone = board is not None and board.telephony is not None and permission.may(actor, "use_phone")
    alarms, last_event, line = await gateway_of(request).store.read(
        lambda work: (_alarms(work, actor), work.last_event_id(), _line(work, actor) if on_phone else None)
    )
    frame = Frame(
        nav=_allowed(MAIN, actor),
        more=_allowed(MORE, actor),
        takes_calls=permission.may(actor, "take_calls"),
        role_words=ROLE_WORDS[actor.role],
        alarms=alarms,
        last_event=last_event,
        done=_done(request.query.get("done", "")),
        line=line,
    )
    return page(request, template, status=status, frame=frame, **values)


def _allowed(items: Items, actor: Actor) -> tuple[NavItem, ...]:
    return tuple(NavItem(path, label) for path, label, act in items if permission.may(actor, act))


def _alarms(work: Work, actor: Actor) -> int:
    if actor.role is not Role.SHIFT_LEADER:
        return 0
    return len(work.find(Task, state="open", kind="emergency", limit=MAX_ALARMS))


def _line(work: Work, actor: Actor) -> LineState:
    held = work.get(OperatorLine, actor.user_id)
    return held.state if held else LineState.OFFLINE


def _done(step: str) -> str:
    """What was just done, from the address after a step: a name of our tables or nothing."""
    return "修改密码" if step == "password" else step_label(step) if step in STEPS or step == SPLIT else ""
