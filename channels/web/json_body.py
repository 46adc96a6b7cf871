"""JSON in and out: shapes as frozen models that also make the OpenAPI document, read strictly, refused by field name.

The only importer of pydantic and orjson. What values mean (a telephone number, a place) is decided elsewhere.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import models_json_schema

from channels.web.body import bounded_body
from intake.errors import BadInput, BadPayload

__all__ = ["Body", "Field", "bounded_body", "dumps", "json_response", "loads", "read_model", "schemas_of"]

MAX_NAME = 40
_KEY = re.compile(rb'"(\w{1,40})"\s*:')


class Body(BaseModel):
    """A JSON object: no key beyond the named ones, no value changed silently into another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)

# What pydantic calls a fault, in our words; the rest are told as a wrong form.
WORDS = {
    "missing": "缺少这一项。",
    "extra_forbidden": "没有这一项，请检查名称。",
    "string_type": "应当是文字。",
    "float_type": "应当是数字。",
    "int_type": "应当是整数。",
    "finite_number": "应当是有限的数字。",
    "bool_type": "只能是 true 或 false。",
    "model_type": "应当是一个对象。",
    "model_attributes_type": "应当是一个对象。",
    "dict_type": "应当是一个对象。",
    "list_type": "应当是一个列表。",
    "literal_error": "不是可选的值。",
    "enum": "不是可选的值。",
    "string_too_long": "太长。",
    "string_too_short": "太短。",
}


def dumps(value: object) -> bytes:
    """Compact UTF-8; moments become RFC 3339, keys must be text."""
    return orjson.dumps(value)


def json_response(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, headers=headers, content_type="application/json")


def loads(body: bytes) -> object:
    """Read JSON strictly: UTF-8 without errors, no key twice. Raises BadPayload. NaN is left to the models, to name it.

    orjson would keep the last of two equal keys without a word, so that two readers could see two different reports.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = _KEY.findall(body, 0, error.start)
        field = field_name((before[-1].decode(),)) if before else "body"
        raise BadPayload("内容不是正确的 UTF-8 文字。", field=field) from None
    try:
        return json.loads(text, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError):
        raise BadPayload("内容不是正确的 JSON。") from None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in found if names.count(name) > 1)
        raise BadPayload("同一项出现了两次。", field=field_name((twin,)))
    return found


def read_model(kind: type[Model], value: object) -> Model:
    """Check a JSON value against its shape; raises BadInput naming the first field that does not fit."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        # A mistyped key is also a missing one; the name that was given tells more.
        first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
        field = field_name(first["loc"]) or "body"
        raise BadInput(field, f"{field}：{WORDS.get(first['type'], '格式不正确。')}") from None


def field_name(path: Sequence[object]) -> str:
    """`contact.phone` for a path of keys; a name of the caller's own making is cut and stripped of what is not shown."""
    name = ".".join(str(part) for part in path)
    return "".join(char for char in name if char.isprintable())[:MAX_NAME]


def schemas_of(models: Sequence[type[Body]]) -> tuple[dict[type[Body], str], dict[str, object]]:
    """The name of each model under components/schemas, and those schemas."""
    wanted: list[tuple[type[Body], Literal["validation"]]] = [(model, "validation") for model in models]
    names, definitions = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    refs = {model: str(names[model, "validation"]["$ref"]).rpartition("/")[2] for model in models}
    return refs, definitions.get("$defs", {})
