"""The page about the API for people, made from the same operations as the OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from channels.web.json_body import Body
from channels.web.openapi import API_DOCUMENT, Operation
from channels.web.render import page

PLACES = {"query": "查询串", "header": "请求头", "path": "路径"}
TYPES = {
    "string": "文字",
    "number": "数字",
    "integer": "整数",
    "boolean": "是否",
    "array": "列表",
    "object": "对象",
    "null": "",
}
ACCESS = {
    "bearer": "Authorization: Bearer 令牌",
    "session": "登录后的浏览器",
    "csrf": "X-CSRF-Token",
    "query_code": "查询码",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a shape."""

    name: str
    type: str
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A body as a table."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ParameterRow:
    name: str
    where: str
    meaning: str


@dataclass(frozen=True, slots=True)
class OperationView:
    """One route as the page shows it."""

    method: str
    path: str
    summary: str
    parameters: tuple[ParameterRow, ...]
    shapes: tuple[Shape, ...]
    access: str


def operation_view(one: Operation) -> OperationView:
    shapes = [shape_of("请求内容", one.request)] if one.request else []
    told: dict[type[Body], list[int]] = {}
    for status, model in one.responses.items():
        if model:
            told.setdefault(model, []).append(status)
    shapes += [shape_of(f"答复 {'、'.join(map(str, statuses))}", model) for model, statuses in told.items()]
    parameters = tuple(ParameterRow(p.name, PLACES[p.place], p.meaning) for p in one.parameters)
    access = "；或 ".join(" + ".join(ACCESS.get(name, name) for name in each) for each in one.security)
    return OperationView(one.method, one.path, one.summary, parameters, tuple(shapes), access)


def shape_of(title: str, model: type[Body]) -> Shape:
    schema = model.model_json_schema()
    required = schema.get("required", ())
    rows = (
        Row(name, type_words(part, schema.get("$defs", {})), name in required, part.get("description", ""))
        for name, part in schema.get("properties", {}).items()
    )
    return Shape(title, tuple(rows))


def type_words(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """A field's type in a word; an object of ours is told by its keys."""
    if "anyOf" in part:
        words = (type_words(each, definitions) for each in part["anyOf"])
        return " / ".join(word for word in words if word)
    if "$ref" in part:
        inner = definitions[part["$ref"].rpartition("/")[2]]
        return "{" + "、".join(inner.get("properties", {})) + "}"
    if "enum" in part:
        return "、".join(map(str, part["enum"]))
    if part.get("type") == "array":
        return "列表 " + type_words(part.get("items", {}), definitions)
    if part.get("format") == "date-time":
        return "时间"
    return TYPES.get(part.get("type", "object"), "对象")


async def show_docs(request: web.Request) -> web.Response:
    operations = request.app[API_DOCUMENT].operations
    return page(request, "api_docs.html", operations=[operation_view(one) for one in operations])


ROUTES = [web.get("/api/docs", show_docs)]
