"""A step's form: its fields with choices in groups, what is typed in them, what is wrong with them, and the way back.

Pure. Which steps and fields are offered is intake.offers' word; this arranges them for a page and reads the page's form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from channels.web.desk_reply import Draft
from intake.fields import KINDS
from intake.model import Case, Subclass
from intake.offers import Asked, Offer
from intake.rules import Rules
from intake.taxonomy import Taxonomy
from intake.workflow import Group

GROUP_WORDS = {Group.MOVE: "流转", Group.REQUEST: "申请", Group.DECISION: "审批", Group.ACT: "记录"}
FIRST_CHOICE = (
    "acknowledge", "verified", "accept", "file", "dispatch", "take", "feedback", "check", "checked", "close", "resume",
)  # fmt: skip
"""Which step's form a case opens with: the first of these that is offered, after decisions that wait."""
HINTS = {
    "description": "只在需要更正时修改。",
    "forwarded_text": "责任单位看到的描述；保密件必填，不要写入任何能认出反映人的内容。",
    "unit": "已按派遣目录给出建议。",
    "hold_reply": "勾选后先不发送，列入“回复待发送”。",
    "main_case": "填写主案的受理编号。",
    "until": "按本市时间填写。",
    "reply_text": "不改则按模板发送。",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices under one heading; the heading may be empty."""

    label: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field as it stands in the form. `error` is what was wrong with it last time."""

    name: str
    label: str
    type: str
    required: bool
    groups: tuple[Choices, ...]
    value: str
    max_chars: int
    hint: str
    error: str


@dataclass(frozen=True, slots=True)
class FormView:
    """The form of one step. `shown_class` is the class its conditions belong to."""

    step: str
    label: str
    fields: tuple[FieldView, ...]
    draft: Draft | None
    shown_class: str
    has_conditions: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a form came back: words for the whole, and for one field where there is one."""

    message: str = ""
    field: str = ""


def form_view(
    offer: Offer,
    case: Case,
    *,
    rules: Rules,
    typed: Mapping[str, str],
    draft: Draft | None,
    trouble: Trouble | None = None,
) -> FormView:
    """Arrange an offer; what is typed wins over what the case answers."""
    trouble = trouble or Trouble()
    chosen = typed.get("subclass") or str(case.subclass or "")
    asked = tuple(_with_conditions(one, chosen, taxonomy=rules.taxonomy) for one in offer.fields)
    return FormView(
        step=offer.step.name,
        label=offer.step.label,
        fields=tuple(
            _field(one, case, typed=typed, draft=draft, trouble=trouble, taxonomy=rules.taxonomy) for one in asked
        ),
        draft=draft,
        shown_class=chosen,
        has_conditions=any(one.type == "condition" for one in asked),
    )


def _with_conditions(asked: Asked, chosen: str, *, taxonomy: Taxonomy) -> Asked:
    """A class chosen in the form brings its own filing conditions."""
    if asked.type != "condition":
        return asked
    conditions = conditions_of(chosen, taxonomy)
    value = asked.value if asked.value in conditions else ""
    value = conditions[0] if len(conditions) == 1 else value
    return replace(asked, choices=tuple((text, text) for text in conditions), value=value, required=not value)


def conditions_of(chosen: str, taxonomy: Taxonomy) -> tuple[str, ...]:
    try:
        return taxonomy.conditions(Subclass.parse(chosen))
    except ValueError:
        return ()


def _field(
    asked: Asked, case: Case, *, typed: Mapping[str, str], draft: Draft | None, trouble: Trouble, taxonomy: Taxonomy
) -> FieldView:
    return FieldView(
        name=asked.name,
        label=asked.label,
        type=asked.type,
        required=asked.required,
        groups=_groups(asked, taxonomy),
        value=typed.get(asked.name, _present(asked, case, draft=draft)),
        max_chars=asked.max_chars,
        hint=HINTS.get(asked.name, ""),
        error=trouble.message if trouble.field == asked.name else "",
    )


def _present(asked: Asked, case: Case, *, draft: Draft | None) -> str:
    """What stands in a field before anybody typed. A draft with gaps is shown beside the field, not in it."""
    match asked.name:
        case "description":
            return case.description
        case "urgency":
            return case.urgency.value
        case "reply_text":
            return draft.text if draft and draft.complete else ""
    return asked.value


def _groups(asked: Asked, taxonomy: Taxonomy) -> tuple[Choices, ...]:
    if asked.type == "subclass":
        return class_choices(taxonomy)
    return (Choices("", asked.choices),) if asked.choices else ()


def class_choices(taxonomy: Taxonomy) -> tuple[Choices, ...]:
    """Every class that may be chosen, under kind and category."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for entry in taxonomy.in_use:
        group = groups.setdefault(f"{KINDS[entry.subclass.kind]} · {entry.major}", [])
        group.append((str(entry.subclass), f"{entry.name}（{entry.subclass.code}）"))
    return tuple(Choices(label, tuple(items)) for label, items in groups.items())


def fields_of(offer: Offer, case: Case, *, typed: Mapping[str, str], shown_draft: str) -> dict[str, object]:
    """What the form says, for a command: blanks, an unchanged description and an unread draft are left out.

    An unchanged draft is left out so that the reply is drafted again from the case as it is then, and nobody is written
    down as its editor.
    """
    unchanged = {"description": case.description, "reply_text": shown_draft}
    given = {asked.name: typed[asked.name] for asked in offer.fields if typed.get(asked.name, "").strip()}
    return {name: value for name, value in given.items() if not is_same(value, unchanged.get(name))}


def is_same(value: str, shown: str | None) -> bool:
    """Browsers send line ends as CR LF."""
    return shown is not None and value.replace("\r\n", "\n").strip() == shown.replace("\r\n", "\n").strip()


def wants_other_conditions(offer: Offer, typed: Mapping[str, str], *, shown_class: str, taxonomy: Taxonomy) -> bool:
    """True when the class was changed in a form whose conditions belong to another class, so that one must be chosen."""
    if not any(asked.type == "condition" for asked in offer.fields):
        return False
    chosen = typed.get("subclass") or shown_class
    conditions = conditions_of(chosen, taxonomy)
    return chosen != shown_class and len(conditions) > 1 and typed.get("condition") not in conditions


def opening_step(offers: tuple[Offer, ...], wanted: str) -> str:
    """The step whose form is open: the wanted one if offered, else what usually comes next; empty when there is none."""
    names = [offer.step.name for offer in offers]
    decisions = [offer.step.name for offer in offers if offer.step.group is Group.DECISION]
    usual = [name for name in (*decisions, *FIRST_CHOICE) if name in names]
    return wanted if wanted in names else next(iter(usual), "")
