"""`GET /api/v1/cases/{case_no}`: the public view of a case for whoever holds its query code."""

from datetime import datetime

from aiohttp import web

from channels.web.client_address import limit_key
from channels.web.json_body import Body, Field, json_response
from channels.web.openapi import Parameter, operation
from channels.web.rate import count_use
from channels.web.setting import gateway_of
from intake.codes import parse_case_no
from intake.status import Status


class ReplyTold(Body):
    """A reply as the citizen reads it."""

    kind: str
    label: str
    text: str
    at: datetime


class StepTold(Body):
    """One step of the way the case went, in plain words."""

    at: datetime
    text: str


class CaseStatus(Body):
    """Where a case stands."""

    case_no: str
    state: str
    state_words: str = Field(description="状态的通俗说法")
    subclass: str = Field(description="小类名称，未定时为空")
    place: str
    received_at: datetime
    replies: list[ReplyTold]
    timeline: list[StepTold]


async def show_case(request: web.Request) -> web.Response:
    """The status; a wrong code and an unknown number are told alike."""
    count_use(request, "status")
    code = request.headers.get("X-Query-Code") or request.query.get("code", "")
    number = parse_case_no(request.match_info["case_no"])
    status = await gateway_of(request).status(number, code, address=limit_key(request))
    return json_response(told(status))


def told(status: Status) -> dict[str, object]:
    """The answer as CaseStatus describes it."""
    return {
        "case_no": str(status.case_no),
        "state": status.state.value,
        "state_words": status.words,
        "subclass": status.subclass,
        "place": status.place,
        "received_at": status.received_at,
        "replies": [{"kind": r.kind, "label": r.label, "text": r.text, "at": r.at} for r in status.replies],
        "timeline": [{"at": at, "text": words} for at, words in status.timeline],
    }


OPERATIONS = (
    operation("GET", "/api/v1/cases/{case_no}", "查询办理进度", responses={200: CaseStatus},
              parameters=[Parameter("X-Query-Code", "header", "查询码"), Parameter("code", "query", "查询码，可代替请求头")],
              security=({"query_code": []},)),
)  # fmt: skip
ROUTES = [web.get("/api/v1/cases/{case_no}", show_case)]
