"""The citizen's look at his case: number and query code open it; then he may rate, urge, add or withdraw.

The code travels only in the body of a form, never in an address; the page keeps it in hidden fields for the next step.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from channels.web.client_address import limit_key
from channels.web.form import Form, read_form
from channels.web.problem import problem_of, with_patience
from channels.web.rate import count_use
from channels.web.render import page
from channels.web.setting import gateway_of
from intake.codes import parse_case_no
from intake.errors import BadInput, IllegalMove, IntakeError, NotFound
from intake.model import State
from intake.workflow import LIVE

STEPS = {
    "urge": "已收到您的催办。",
    "supplement": "已收到您的补充。",
    "withdraw_complaint": "已收到您的撤诉，工作人员会核实处理。",
}
NOT_FOUND = "没有找到，请核对受理编号和查询码。"
MAX_NUMBER = 24
RATINGS = {"1": True, "2": False}
RATED = {True: "感谢您的评价。", False: "感谢您的评价，我们会安排回访。"}
STATE_TONES = {"closed": "good", "archived": "good", "answered": "good", "rejected": "plain", "void": "plain",
               "redirected": "plain", "merged": "plain", "suspended": "wait"}  # fmt: skip

AWAITING_REPLY = LIVE - {State.CLOSED}
"""States after which a reply is still to be expected."""

Act = Callable[[web.Request, Form], Awaitable[str]]


async def show_search(request: web.Request) -> web.Response:
    return page(request, "status.html", number=request.query.get("no", "")[:MAX_NUMBER], fault="")


async def show_status(request: web.Request) -> web.Response:
    """The case behind number and code."""
    form = Form()
    try:
        await read_form(request, form=form)
        count_use(request, "status")
        return await _view(request, form)
    except IntakeError as error:
        return _search_again(request, form, error)


async def rate(request: web.Request) -> web.Response:
    """1 满意 or 2 不满意, once."""
    return await _acted(request, _rated)


async def add(request: web.Request) -> web.Response:
    """催办, 补充信息 or 撤诉."""
    return await _acted(request, _added)


async def _acted(request: web.Request, act: Act) -> web.Response:
    form = Form()
    try:
        await read_form(request, form=form)
        count_use(request, "status")
        try:
            return await _view(request, form, notice=await act(request, form))
        except (BadInput, IllegalMove) as refusal:
            return await _view(request, form, fault=refusal.message, status_code=problem_of(refusal).status)
    except IntakeError as error:
        return _search_again(request, form, error)


async def _rated(request: web.Request, form: Form) -> str:
    satisfied = RATINGS.get(form.get("rating"))
    if satisfied is None:
        raise BadInput("rating", "请选择满意或不满意。")
    number = parse_case_no(form.get("case_no"))
    await gateway_of(request).rate(number, form.get("code"), satisfied=satisfied, address=limit_key(request))
    return RATED[satisfied]


async def _added(request: web.Request, form: Form) -> str:
    step = form.get("step")
    if step not in STEPS:
        raise BadInput("step", "请选择要办的事。")
    number = parse_case_no(form.get("case_no"))
    await gateway_of(request).add_as_citizen(
        number, form.get("code"), step, form.get("text"), address=limit_key(request)
    )
    return STEPS[step]


async def _view(
    request: web.Request, form: Form, *, notice: str = "", fault: str = "", status_code: int = 200
) -> web.Response:
    number = parse_case_no(form.get("case_no"))
    status = await gateway_of(request).status(number, form.get("code"), address=limit_key(request))
    tone = STATE_TONES.get(status.state.value, "busy")
    return page(request, "status_view.html", status=status_code, case=status, code=form.get("code"), tone=tone,
                awaits_reply=status.state in AWAITING_REPLY, notice=notice, fault=fault,
                typed=form.get("text") if fault else "")  # fmt: skip


def _search_again(request: web.Request, form: Form, error: IntakeError) -> web.Response:
    """The number stays typed; the code does not."""
    problem = problem_of(error)
    fault = NOT_FOUND if isinstance(error, NotFound) else problem.detail
    number = form.get("case_no")[:MAX_NUMBER]
    return with_patience(page(request, "status.html", status=problem.status, number=number, fault=fault), problem)


ROUTES = [
    web.get("/status", show_search),
    web.post("/status", show_status),
    web.post("/status/rating", rate),
    web.post("/status/step", add),
]
