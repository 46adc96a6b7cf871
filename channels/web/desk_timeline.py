"""The flow record of a case in words: each step with who took it, what was chosen and what was written.

Pure. Which lines and remarks a person reads at all is decided in desk_sight.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.web.desk_row import URGENCY_WORDS, words_for
from channels.web.desk_sight import Sight, sees_line, sees_remark
from intake.gateway import CaseFile
from intake.model import Actor, Role, State, Subclass, Urgency
from intake.records import HistoryEntry, Remark, User
from intake.rules import Rules
from intake.timers import FIRINGS
from intake.workflow import ROLE_WORDS, STATE_WORDS, STEPS, Field

OTHER_STEPS = {"receive": "上报", "join": "并入他单", "part": "撤出并单", "rate": "市民评价", "alarm": "时限提醒",
               "recompute": "重算时限",
               "archive": "归档", "erase": "删除个人信息", "transcribe": "录音转写（机器草稿）", "split": "拆单"}  # fmt: skip
OTHER_REMARKS = {"whole": "原来的内容", "reveal": "理由"}
RATING_WORDS = {1: "满意", 2: "不满意"}


@dataclass(frozen=True, slots=True)
class Said:
    """Words typed at a step; `label` names the field they were typed in."""

    kind: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the case. `details` are the choices made, as (label, words)."""

    seq: int
    at: datetime
    step: str
    label: str
    actor: str
    role: Role
    role_words: str
    unit: str
    from_words: str
    to_words: str
    to_state: str
    round: int
    details: tuple[tuple[str, str], ...]
    remarks: tuple[Said, ...]


def timeline(file: CaseFile, actor: Actor, *, sight: Sight, rules: Rules) -> tuple[Line, ...]:
    """The steps this person reads, oldest first."""
    return tuple(
        _line(line, file, actor=actor, sight=sight, rules=rules) for line in file.history if sees_line(sight, line)
    )


def _line(line: HistoryEntry, file: CaseFile, *, actor: Actor, sight: Sight, rules: Rules) -> Line:
    written = _written(line, file.remarks)
    return Line(
        seq=line.seq,
        at=line.at,
        step=line.step,
        label=step_label(line.step),
        actor=person_words(line.actor_id, line.actor_role, staff=file.staff),
        role=line.actor_role,
        role_words=ROLE_WORDS[line.actor_role],
        unit=unit_name(line.unit, rules),
        from_words=STATE_WORDS[State(line.from_state)] if line.from_state else "",
        to_words=STATE_WORDS[State(line.to_state)],
        to_state=line.to_state,
        round=line.round,
        details=_details(line, file.staff, rules=rules),
        remarks=tuple(_said(r, line, actor=actor) for r in written if sees_remark(sight, actor, remark=r, line=line)),
    )


def step_label(step: str) -> str:
    return STEPS[step].label if step in STEPS else OTHER_STEPS.get(step, step)


def person_words(user_id: int, role: Role, *, staff: Mapping[int, User]) -> str:
    """A colleague's name; citizens and the system by what they are."""
    return staff[user_id].display_name if user_id in staff else ROLE_WORDS[role]


def unit_name(unit: str, rules: Rules) -> str:
    return rules.units[unit].name if unit in rules.units else unit


def _written(line: HistoryEntry, remarks: Mapping[int, Remark]) -> tuple[Remark, ...]:
    ids = line.refs.get("remarks")
    return tuple(remarks[i] for i in ids if i in remarks) if isinstance(ids, list) else ()


def _said(remark: Remark, line: HistoryEntry, *, actor: Actor) -> Said:
    step = STEPS.get(line.step)
    labels = {field.name: field.label for field in step.fields} if step else {}
    own = bool(actor.unit) and remark.unit == actor.unit
    label = labels.get(remark.kind) or OTHER_REMARKS.get(remark.kind, remark.kind)
    return Said(remark.kind, label, remark.text if own else words_for(remark.text, actor))


def _details(line: HistoryEntry, staff: Mapping[int, User], *, rules: Rules) -> tuple[tuple[str, str], ...]:
    """The codes kept in history, in words; a code no table knows is left out."""
    step = STEPS.get(line.step)
    found = [
        (f.label, _chosen(f, line.refs[f.name], staff=staff, rules=rules))
        for f in (step.fields if step else ())
        if f.name in line.refs
    ]
    if line.step == "split":
        found.append(("拆出", "、".join(str(number) for number in _listed(line.refs.get("cases")))))
    if "main_case" in line.refs:
        found.append(("主案编号", str(line.refs["main_case"])))
    if line.step in ("join", "part"):
        found.append(("案件编号", str(line.refs.get("from", ""))))
    if "was" in line.refs:
        found.append(("原为", _was(str(line.refs["was"]), rules)))
    if line.step == "alarm":
        found.append(("提醒", FIRINGS[kind].words if (kind := str(line.refs.get("kind"))) in FIRINGS else ""))
    if "rating" in line.refs:
        found.append(("评价", RATING_WORDS.get(int(str(line.refs["rating"])), "")))
    return tuple((label, words) for label, words in dict(found).items() if words)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _chosen(field: Field, value: object, *, staff: Mapping[int, User], rules: Rules) -> str:
    match field.type:
        case "choice":
            return dict(field.choices).get(str(value), "")
        case "unit":
            return unit_name(str(value), rules)
        case "user":
            return staff[value].display_name if isinstance(value, int) and value in staff else ""
        case "subclass":
            return rules.taxonomy.name(Subclass.parse(str(value)))
        case "condition" | "standard":
            return str(value)
    return ""


def _was(value: str, rules: Rules) -> str:
    if value in tuple(Urgency):
        return URGENCY_WORDS[Urgency(value)]
    return rules.taxonomy.name(Subclass.parse(value)) if ":" in value else value
