"""What is stored of the telephone: calls, recordings, call-backs owed, operators' lines, marks, who was told in danger.

Each record has one table in store/tables_phone.py. Numbers, names and what a caller keyed are sealed there and looked up
by keyed hashes, as contacts are. The words of every stored value stand here too; decisions stand in callback.py.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

SUMMARIES: dict[str, str] = {
    "new_case": "新诉求", "urge": "催办", "supplement": "补充信息", "progress": "查询进度", "enquiry": "咨询",
    "withdraw": "撤诉", "dissatisfied": "对结果不满", "praise": "表扬", "advice": "建议", "transferred": "转接",
    "nuisance": "骚扰", "silent": "无声", "wrong": "误拨", "internal": "内部来电", "test": "测试",
}  # fmt: skip
"""来电小结: how a call or message ends (docs/process.md). Only 新诉求 makes a case."""
OWN_ENDS: dict[str, str] = {
    "message": "留言成件", "self_served": "自助查询", "abandoned": "放弃等待，须回电", "gave_up": "放弃等待",
    "callback": "预约回电", "unserved": "未能接通，须回电", "out": "外呼",
}  # fmt: skip
"""How a call ends that no person has summed up."""
PURPOSES: dict[str, str] = {"in": "来电", "reply": "答复", "revisit": "回访", "contact": "先行联系", "callback": "回电",
                            "voice": "语音答复"}  # fmt: skip
RESULTS: dict[str, str] = {"reached": "接通", "unreached": "未接", "declined": "拒访"}
PAUSE_REASONS: dict[str, str] = {"meal": "用餐", "rest": "小休", "training": "培训", "meeting": "会议", "case": "处理案件",
                                 "callback": "回电", "no_answer": "未应答"}  # fmt: skip
FINISHED, HUNG_UP, LIMIT, LOST = "finished", "hung_up", "limit", "lost"


class LineState(StrEnum):
    """What an operator's line is doing."""

    OFFLINE = "offline"
    READY = "ready"
    PAUSED = "paused"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


LINE_WORDS: dict[LineState, str] = {
    LineState.OFFLINE: "离线", LineState.READY: "示闲", LineState.PAUSED: "小休", LineState.RINGING: "振铃",
    LineState.TALKING: "通话", LineState.WRAP_UP: "话后整理",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One telephone call. `caller` is the citizen's number in normal form, also of calls made by us; "" when withheld.

    `position` is where the flow stands (ivr/position.py), with what was keyed. `queued_at` is the place in the queue and
    never changes; `end` is the flow's outcome; `emergency_at` is when somebody was told of a danger on account of it.
    `giving`: he was given to another telephone and nobody has him, ringing or the result; `transfers` stand in transfer.py.
    """

    call_id: int
    purpose: str
    server: str
    leg_id: str
    line: str
    started_at: datetime
    flow: str = "hotline"
    caller: str = ""
    caller_kind: str = ""
    name: str = ""
    position: str = ""
    queue: str = ""
    queued_at: datetime | None = None
    answered_at: datetime | None = None
    left_at: datetime | None = None
    ended_at: datetime | None = None
    extension: str = ""
    operator_id: int = 0
    cause: str = ""
    end: str = ""
    how: str = ""
    summary: str = ""
    summed_by: int = 0
    note: str = ""
    case_no: int = 0
    debt_id: int = 0
    callback_id: int = 0
    ref: str = ""
    result: str = ""
    rating: int = 0
    emergency_at: datetime | None = None
    emergency_to: str = ""
    transfers: str = ""
    giving: str = ""

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None

    @property
    def was_served(self) -> bool:
        """Somebody talked with the citizen, and did not give him to a telephone that nobody picked up."""
        return self.answered_at is not None and not self.giving


@dataclass(frozen=True, slots=True)
class Waits:
    """A citizen who waits for an operator now; `queued_at` is his place, `queue` everybody's or that of a skill."""

    call_id: int
    queued_at: datetime
    queue: str


@dataclass(frozen=True, slots=True)
class CallRecording:
    """A message or talk. `ref` is Asterisk's name of it, `token` the unguessable name of our sealed copy; `size` is 0
    until the audio is here and again after it was erased. `transcript` is a machine's draft, never the original."""

    recording_id: int
    call_id: int
    name: str
    kind: str
    ref: str
    token: str
    server: str
    duration_ms: int
    made_at: datetime
    sha256: str = ""
    size: int = 0
    mime: str = "audio/wav"
    stored_at: datetime | None = None
    erased_at: datetime | None = None
    case_no: int = 0
    attempts: int = 0
    error: str = ""
    transcript: str = ""
    confidence_pct: int = 0
    transcribed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallBack:
    """A call owed to a number: one open for each. `place_at` is the place in the queue it keeps.

    `state`: owed, dialling, done (he was spoken to), settled (he rang again and was served), given_up, cancelled.
    """

    callback_id: int
    call_id: int
    number: str
    line: str
    reason: str
    owed_at: datetime
    place_at: datetime
    next_at: datetime
    state: str = "owed"
    attempts: int = 0
    operator_id: int = 0
    dialled_at: datetime | None = None
    outcome: str = ""
    closed_at: datetime | None = None
    closed_by: int = 0

    @property
    def is_open(self) -> bool:
        return self.state in ("owed", "dialling")


@dataclass(frozen=True, slots=True)
class OperatorLine:
    """Where an operator sits and what he does; a row, so that a restart of gateway or Asterisk knows it."""

    user_id: int
    extension: str
    state: LineState
    since_at: datetime
    reason: str = ""
    call_id: int = 0
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineSpell:
    """How long a line was in one state: written when the state ends, for the figures of a shift."""

    spell_id: int
    user_id: int
    state: LineState
    reason: str
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """A number or account marked as nuisance (骚扰), with the call or case that is the evidence. It expires by itself; it
    never stops an emergency, nor that number from being answered. `confirmed_at`: the shift leader has looked at it and
    lets it stand."""

    mark_id: int
    number: str
    call_id: int
    reason: str
    made_by: int
    made_at: datetime
    expires_at: datetime
    lifted_by: int = 0
    lifted_at: datetime | None = None
    confirmed_by: int = 0
    confirmed_at: datetime | None = None
    case_no: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """Who was told of a danger by telephone, and when: written before any filing (先通知后补单). `case_no` is 0 until the
    call has a case."""

    told_id: int
    call_id: int
    target: str
    at: datetime
    by: int = 0
    person: str = ""
    result: str = "told"
    case_no: int = 0


@dataclass(frozen=True, slots=True)
class Playback:
    """Somebody listened to a recording: who, when, why. Never changed."""

    playback_id: int
    recording_id: int
    call_id: int
    user_id: int
    at: datetime
    reason: str


def forgotten(recording: CallRecording, at: datetime) -> CallRecording:
    """A recording after its period: that it was, and how long, stays; the sound and its words do not."""
    return replace(recording, size=0, sha256="", transcript="", confidence_pct=0, erased_at=at)
