"""What a person typed or sent for a step, turned into values; every refusal names the field in his words.

One reader for each field type, in a table. Forms and the JSON API use the same readers, so both refuse alike.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import cast

from intake.codes import parse_case_no
from intake.coordinates import to_wgs84
from intake.errors import BadInput, UnknownSubclass
from intake.model import Case, Kind, Place, Role, Subclass
from intake.records import Debt, User
from intake.rules import Rules
from intake.text import normalise
from intake.workflow import Field, Step

Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the readers may look at: the case, the city, who works here, the open debts of the case, and whether all those
    people can be reached."""

    case: Case
    rules: Rules
    staff: tuple[User, ...] = ()
    debts: tuple[Debt, ...] = ()
    reachable: bool = False


def read_fields(step: Step, raw: Mapping[str, object], reading: Reading) -> Values:
    """Read every field of a step. What is left out keeps the value the case already has, where it has one."""
    unknown = raw.keys() - {field.name for field in step.fields}
    if unknown:
        raise BadInput(sorted(unknown)[0][:40], "这一步没有这个栏目。")
    values: Values = {}
    for field in step.fields:
        given = raw.get(field.name)
        if _is_blank(given):
            held = present_value(field, replace(reading, case=_with_values(reading.case, values)))
            if held is None and field.required:
                raise BadInput(field.name, f"请填写“{field.label}”。")
            if held is not None:
                values[field.name] = held
            continue
        narrowed = replace(reading, case=_with_values(reading.case, values))
        values[field.name] = READERS[field.type](field, given, narrowed)
    return values


def present_value(field: Field, reading: Reading) -> object | None:
    """What the case itself answers to a field: its proposed class, its place, the only condition, the proposed unit."""
    case = reading.case
    match field.type:
        case "subclass":
            return case.subclass
        case "place":
            return case.place if case.place.text else None
        case "condition":
            return _only(conditions_of(reading), keep=case.condition)
        case "standard":
            return _only(standards_of(reading), keep=case.standard)
    return (getattr(case, field.keeps) or None) if field.keeps else None


def conditions_of(reading: Reading) -> tuple[str, ...]:
    subclass = reading.case.subclass
    return reading.rules.taxonomy.conditions(subclass) if subclass else ()


def standards_of(reading: Reading) -> tuple[str, ...]:
    """The closing standards (结案标准) of the case's condition; a case without a condition closes on its result."""
    case = reading.case
    if case.subclass is None:
        return ("问题已解决",)
    rows = reading.rules.taxonomy.limits_for(case.subclass, case.condition)
    return tuple(dict.fromkeys(row.close_when for row in rows)) or ("问题已解决",)


def _with_values(case: Case, values: Mapping[str, object]) -> Case:
    subclass = values.get("subclass")
    return replace(case, subclass=subclass) if isinstance(subclass, Subclass) and subclass != case.subclass else case


def _only(choices: tuple[str, ...], *, keep: str) -> str | None:
    if keep in choices:
        return keep
    return choices[0] if len(choices) == 1 else None


def _is_blank(given: object) -> bool:
    return given is None or (isinstance(given, str) and not given.strip()) or given == []


def _text(field: Field, given: object, _: Reading) -> str:
    if not isinstance(given, str):
        raise BadInput(field.name, f"“{field.label}”应当是文字。")
    text = normalise(given).strip()
    if not text:
        raise BadInput(field.name, f"请填写“{field.label}”。")
    if len(text) > field.max_chars:
        raise BadInput(field.name, f"“{field.label}”最多 {field.max_chars} 个字。")
    return text


def _choice(field: Field, given: object, _: Reading) -> str:
    if given not in [value for value, _ in field.choices]:
        raise BadInput(field.name, f"“{field.label}”请从列表中选择。")
    return str(given)


def _bool(field: Field, given: object, _: Reading) -> bool:
    words = {True: True, False: False, "true": True, "false": False, "1": True, "0": False, "on": True, "off": False}
    if isinstance(given, bool | str) and given in words:
        return words[given]
    raise BadInput(field.name, f"“{field.label}”只能是或否。")


def _subclass(_: Field, given: object, reading: Reading) -> Subclass:
    if isinstance(given, Mapping):
        given = f"{given.get('kind')}:{given.get('subclass_code')}"
    try:
        subclass = Subclass.parse(str(given))
    except ValueError:
        raise UnknownSubclass from None
    return reading.rules.taxonomy.entry(subclass).subclass


def _one_of(choices: tuple[str, ...], field: Field, given: object) -> str:
    if given not in choices:
        raise BadInput(field.name, f"“{field.label}”请从列表中选择。")
    return str(given)


def _condition(field: Field, given: object, reading: Reading) -> str:
    return _one_of(conditions_of(reading), field, given)


def _standard(field: Field, given: object, reading: Reading) -> str:
    return _one_of(standards_of(reading), field, given)


def _unit(field: Field, given: object, reading: Reading) -> str:
    return _one_of(tuple(reading.rules.units), field, given)


def _user(field: Field, given: object, reading: Reading) -> int:
    wanted = {"inspector": (Role.INSPECTOR,)}.get(field.name)
    for user in reading.staff:
        if str(given) in (str(user.user_id), user.name) and (wanted is None or user.role in wanted):
            return user.user_id
    raise BadInput(field.name, f"“{field.label}”请从列表中选择。")


def _debt(field: Field, given: object, reading: Reading) -> int:
    for debt in reading.debts:
        if str(given) == str(debt.debt_id):
            return debt.debt_id
    raise BadInput(field.name, "没有这项待回复，或已经答复。")


def _case(field: Field, given: object, _: Reading) -> int:
    number = parse_case_no(str(given))
    if number is None:
        raise BadInput(field.name, "受理编号应为 11 位以上数字。")
    return number


def _moment(field: Field, given: object, reading: Reading) -> datetime:
    return moment_of(field.name, str(given), reading.rules.zone, label=field.label)


def moment_of(name: str, given: str, zone: tzinfo, *, label: str = "时间") -> datetime:
    """A moment as forms write it, in the city's zone where it names none; raises BadInput for `name`."""
    try:
        moment = datetime.fromisoformat(given)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(name, f"“{label}”应写成 2026-11-20T18:00 的样子。") from None


def _place(field: Field, given: object, reading: Reading) -> Place:
    """A place as words, or as {text, lon, lat, coord_sys}. New words without a point drop the old point."""
    if isinstance(given, str):
        text = _text(field, given, reading)
        held = reading.case.place
        return held if text == held.text else reading.rules.locate(Place(text=text))
    if not isinstance(given, Mapping):
        raise BadInput(field.name, f"“{field.label}”应当是文字。")
    text = _text(field, given.get("text") or reading.case.place.text, reading)
    lon, lat = given.get("lon"), given.get("lat")
    if lon is None and lat is None:
        return reading.rules.locate(Place(text=text))
    return reading.rules.locate(point_place(text, lon, lat, coord_sys=str(given.get("coord_sys") or "wgs84")))


def point_place(text: str, lon: object, lat: object, *, coord_sys: str) -> Place:
    """Turn given coordinates into ours once, and keep the given ones beside them; raises BadInput naming the field."""
    for name, value in (("lon", lon), ("lat", lat)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadInput(name, "坐标应当是数字，经度和纬度要一起给出。")
    given_lon, given_lat = float(cast("float", lon)), float(cast("float", lat))
    ours_lon, ours_lat = to_wgs84(given_lon, given_lat, system=coord_sys)
    return Place(text, ours_lon, ours_lat, given_lon=given_lon, given_lat=given_lat, coord_sys=coord_sys)


READERS: dict[str, Callable[[Field, object, Reading], object]] = {
    "text": _text, "longtext": _text, "choice": _choice, "bool": _bool, "subclass": _subclass, "condition": _condition,
    "standard": _standard, "unit": _unit, "user": _user, "debt": _debt, "case": _case, "moment": _moment,
    "place": _place,
}  # fmt: skip
KINDS = {Kind.EVENT: "事件", Kind.COMPONENT: "部件"}
