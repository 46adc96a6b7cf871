"""Parts of the case page: pictures before and after, recordings, why this unit, who was told first, what a decision rests on.

Pure; each is made for one person from what he may see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.web.case_beside import Beside
from channels.web.case_course import length_words
from channels.web.desk_row import URGENCY_WORDS
from channels.web.desk_view import CaseView, PhotoView, RequestView
from intake.call import CallRecording
from intake.gateway import CaseFile, Gateway
from intake.model import Actor, Case, Role
from intake.permission import may
from intake.routing import RoutingRule
from intake.taxonomy import Taxonomy
from intake.workflow import HALL, MAX_RETURNS

BEFORE = frozenset({"report", "verify", "before"})
SOUND_WORDS = {"message": "留言", "talk": "通话"}
UNLOCKED_FOR = timedelta(minutes=30)
"""So long a reason to listen holds for one person and one recording."""
MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures on the two sides of the handling."""

    before: tuple[PhotoView, ...]
    after: tuple[PhotoView, ...]


@dataclass(frozen=True, slots=True)
class SoundView:
    """A recording. `playable` when the sound is here, `unlocked` when this person said lately why he listens."""

    token: str
    title: str
    made_at: datetime
    length: str
    playable: bool
    unlocked: bool
    state_words: str
    transcript: str


@dataclass(frozen=True, slots=True)
class DispatchView:
    """Whose matter it is and why. `duty_phone` is for the centre only; `other` names the unit the catalogue proposes, where
    a person chose another."""

    unit: str
    unit_name: str
    duty_phone: str
    co_unit_name: str
    co_duty_phone: str
    rule: str
    why: tuple[str, ...]
    other: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision on a request rests on, beside its form."""

    request: RequestView
    facts: tuple[tuple[str, str], ...]


def pictures_of(view: CaseView) -> Pictures:
    return Pictures(tuple(p for p in view.photos if p.usage in BEFORE), tuple(p for p in view.photos if p.usage not in BEFORE))


def sounds_of(file: CaseFile, beside: Beside, actor: Actor, *, now: datetime) -> tuple[SoundView, ...]:
    """The recordings of a case, newest first; none for a post that may not hear any."""
    if not may(actor, "hear_recording"):
        return ()
    hidden = file.case.confidential or any(one.confidential for one in file.reporters)
    refused = hidden and actor.role is not Role.SHIFT_LEADER
    lately = {p.recording_id for p in beside.playbacks if p.user_id == actor.user_id and now - p.at < UNLOCKED_FOR}
    return tuple(_sound(one, refused=refused, unlocked=one.recording_id in lately) for one in reversed(beside.recordings))


def _sound(held: CallRecording, *, refused: bool, unlocked: bool) -> SoundView:
    is_here = held.stored_at is not None and held.size > 0
    why = "已按期限删除" if held.erased_at else "" if is_here else "还没有从电话系统取回"
    return SoundView(
        token=held.token,
        title=SOUND_WORDS.get(held.kind, "录音"),
        made_at=held.made_at,
        length=length_words(held.duration_ms) if held.duration_ms else "",
        playable=is_here and not refused,
        unlocked=is_here and not refused and unlocked,
        state_words="保密件的录音须由值班长收听" if refused else why,
        transcript="" if refused else held.transcript,
    )


def dispatch_of(case: Case, actor: Actor, gateway: Gateway) -> DispatchView | None:
    """The unit with its reason; none for posts that do not dispatch, and while nobody is named."""
    if actor.role not in HALL or not case.unit:
        return None
    city = gateway.city
    unit, co_unit = city.units.get(case.unit), city.units.get(case.co_unit)
    named = next((rule for rule in city.routing if rule.name == case.routing_rule), None)
    proposed = city.route(case, gateway.now()).unit if case.subclass else case.unit
    return DispatchView(
        unit=case.unit,
        unit_name=unit.name if unit else case.unit,
        duty_phone=unit.duty_phone if unit else "",
        co_unit_name=co_unit.name if co_unit else "",
        co_duty_phone=co_unit.duty_phone if co_unit else "",
        rule="派遣员指定" if case.routing_rule == MANUAL else case.routing_rule,
        why=why_of(named, case, city.taxonomy) if named else (),
        other=city.units[proposed].name if proposed in city.units and proposed != case.unit else "",
    )


def why_of(rule: RoutingRule, case: Case, taxonomy: Taxonomy) -> tuple[str, ...]:
    """What of the case made a rule fit, in plain words; a rule that asks nothing is the last resort."""
    found = {
        f"类别是“{taxonomy.name(case.subclass)}”": bool(rule.codes or rule.prefixes),
        f"立案条件是“{case.condition}”": bool(rule.conditions),
        f"紧急程度是“{URGENCY_WORDS[case.urgency]}”": bool(rule.urgencies),
        "在规则规定的时段内": bool(rule.hours),
        f"位置在{case.place.district}{case.place.street}（网格 {case.place.grid_code}）": bool(rule.area or rule.units),
    }
    told = tuple(words for words, asked in found.items() if asked)
    return told or (("属于事件类" if rule.kind == "event" else "属于部件类" if rule.kind else "其他规则都不适用，按兜底规则"),)


def evidence_of(step: str, file: CaseFile, view: CaseView) -> Evidence | None:
    """What lies before him who decides on a return, an extension or a suspension."""
    kind = step.removeprefix("decide_") if step.startswith("decide_") else ""
    asked = next((one for one in view.requests if one.kind == kind and one.state == "pending"), None)
    if asked is None:
        return None
    case = file.case
    facts = [("单位", view.row.unit_name), ("派遣规则", "派遣员指定" if case.routing_rule == MANUAL else case.routing_rule)]
    if kind == "return":
        basis = _words_of(file, kind, "basis")
        facts += [("依据", basis), ("已退单", f"{case.return_count} 次（满 {MAX_RETURNS} 次由值班长裁定）")]
    else:
        facts += [("已延期", f"{case.extension_count} 次"), ("已催办", f"{case.urge_count} 次")]
    return Evidence(asked, tuple((label, words) for label, words in facts if words))


def _words_of(file: CaseFile, kind: str, name: str) -> str:
    """The words typed in a field of the last step that asked."""
    line = next((one for one in reversed(file.history) if one.step == f"ask_{kind}"), None)
    ids: Sequence[object] = line.refs.get("remarks", ()) if line else ()  # type: ignore[assignment]
    found = (file.remarks[int(str(one))] for one in ids if int(str(one)) in file.remarks)
    return next((remark.text for remark in found if remark.kind == name), "")
