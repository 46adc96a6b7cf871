"""The OpenAPI 3.1 document, made from the types the routes really use. Its page for people is api_docs.py's.

Each module of routes lists its OPERATIONS beside its ROUTES; server.build_app hands them all in here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any

from aiohttp import web

from channels.web.json_body import Body, dumps, schemas_of
from channels.web.session import COOKIE, CSRF_HEADER

SECURITY = {
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
    "bearer": {"type": "http", "scheme": "bearer"},
    "query_code": {"type": "apiKey", "in": "header", "name": "X-Query-Code"},
}
STAFF: tuple[dict[str, list[str]], ...] = ({"bearer": []}, {"session": [], "csrf": []})
"""Staff routes take either a token, or the cookie together with the CSRF header (the latter for changes only)."""


class ProblemBody(Body):
    """application/problem+json (RFC 9457). `detail` is plain Chinese; `field` names what cannot be taken."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    request_id: str
    current_version: int | None = None
    changes: list[dict[str, object]] | None = None
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value outside the body. `place` is query, path or header."""

    name: str
    place: str
    meaning: str
    required: bool = False
    kind: str = "string"


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as the document tells it. `responses` without a model have no JSON body (an event stream, a picture)."""

    method: str
    path: str
    summary: str
    request: type[Body] | None
    responses: Mapping[int, type[Body] | None]
    security: tuple[Mapping[str, Sequence[str]], ...]
    parameters: tuple[Parameter, ...] = ()
    multipart: bool = False
    content_type: str = "application/json"


def operation(method: str, path: str, summary: str, *, request: type[Body] | None = None,
              responses: Mapping[int, type[Body] | None], security: Sequence[Mapping[str, Sequence[str]]] = (),
              parameters: Sequence[Parameter] = (), multipart: bool = False,
              content_type: str = "application/json") -> Operation:  # fmt: skip
    """Describe a route. Refusals (4xx) are added by themselves as problem+json; name only what is particular."""
    return Operation(
        method, path, summary, request, responses, tuple(security), tuple(parameters), multipart, content_type
    )


Names = Mapping[type[Body], str]


def document(operations: Sequence[Operation], *, title: str) -> dict[str, object]:
    """The whole document."""
    models = {model for one in operations for model in (one.request, *one.responses.values()) if model}
    names, schemas = schemas_of([ProblemBody, *sorted(models, key=lambda model: model.__name__)])
    paths: dict[str, dict[str, object]] = {}
    for one in operations:
        told = _told(one, names)
        if one.request:
            told["requestBody"] = {"required": True, "content": _request_content(one, one.request, names, schemas)}
        paths.setdefault(one.path, {})[one.method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1",
            "description": "城市管理热线受理接口。拒绝一律为 application/problem+json。",
        },
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": SECURITY},
    }


def _told(one: Operation, names: Names) -> dict[str, object]:
    path_names = [part.strip("{}") for part in one.path.split("/") if part.startswith("{")]
    stated = {parameter.name for parameter in one.parameters}
    parameters = [Parameter(name, "path", "受理编号" if name == "case_no" else name, True)
                  for name in path_names if name not in stated]  # fmt: skip
    return {
        "summary": one.summary,
        "operationId": f"{one.method.lower()}_{one.path.strip('/').replace('/', '_').replace('{', '').replace('}', '')}",
        "parameters": [_parameter(parameter) for parameter in (*parameters, *one.parameters)],
        "responses": {str(status): _response(status, model, one, names) for status, model in one.responses.items()}
        | {"4XX": _refusal(names)},
        "security": [dict(each) for each in one.security],
    }


def _request_content(one: Operation, model: type[Body], names: Names, schemas: Mapping[str, Any]) -> dict[str, object]:
    content: dict[str, object] = {"application/json": {"schema": _ref(names[model])}}
    if one.multipart:
        photos = {"type": "array", "items": {"type": "string", "contentMediaType": "image/*"}}
        schema = schemas[names[model]]
        with_photos = schema | {"properties": schema["properties"] | {"photos": photos}}
        content["multipart/form-data"] = {"schema": with_photos}
    return content


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {"name": parameter.name, "in": parameter.place, "description": parameter.meaning,
            "required": parameter.required, "schema": {"type": parameter.kind}}  # fmt: skip


def _response(status: int, model: type[Body] | None, one: Operation, names: Names) -> dict[str, object]:
    told: dict[str, object] = {"description": HTTPStatus(status).phrase}
    if model:
        media = "application/problem+json" if status >= 400 else "application/json"
        told["content"] = {media: {"schema": _ref(names[model])}}
    elif one.content_type != "application/json" and status < 400:
        told["content"] = {one.content_type: {}}
    return told


def _refusal(names: Names) -> dict[str, object]:
    return {"description": "拒绝", "content": {"application/problem+json": {"schema": _ref(names[ProblemBody])}}}


def _ref(name: str) -> dict[str, object]:
    return {"$ref": f"#/components/schemas/{name}"}


@dataclass(frozen=True)
class ApiDocument:
    """What the API offers. The document is written when it is first asked for, so that starting stays quick."""

    operations: tuple[Operation, ...]
    title: str

    @cached_property
    def text(self) -> bytes:
        return dumps(document(self.operations, title=self.title))


API_DOCUMENT = web.AppKey("api_document", ApiDocument)


async def show_document(request: web.Request) -> web.Response:
    return web.Response(body=request.app[API_DOCUMENT].text, content_type="application/json")


ROUTES = [web.get("/api/openapi.json", show_document)]
