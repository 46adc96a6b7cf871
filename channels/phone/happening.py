"""What Asterisk's events mean for our calls: pure, one event to at most one happening.

Calls are known by the channel variable CALL_ID, which every event carries (manager.conf, channelvars) and which operators'
legs inherit. The leg that a call began with is the one whose Uniqueid is its Linkedid.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from channels.phone.destination import DIALLED
from channels.phone.extension import extension_of
from channels.phone.told import Told

VARIABLE = "CALL_ID"
DIALLING = "hotline-dial"
"""The dialplan context in which Dial runs; Queue tells of its own rings by agent events."""
OUT, ROOMS = "hotline-out", ("conference", "hold")
ACTION, THIRD = "call", "third"
"""How the names of our Originate actions begin; the unique id of a leg that was called in begins with THIRD, too."""


@dataclass(frozen=True, slots=True)
class Happening:
    """`kind`: ringing, not_answered, answered, gone, joined, unqueued, room (a leg of it has ended, others may stay), third
    (what came of a telephone that was called in; `cause` is answered, busy, no_answer or refused), rang (the same a moment
    earlier, with the true reason, of one that did not come).
    `cause` is else Asterisk's number for a hang-up; `in_room`: that leg was in the call's conference or on hold;
    `queue`: the one a caller joins or leaves."""

    kind: str
    call_id: int
    extension: str = ""
    cause: str = ""
    in_room: bool = False
    queue: str = ""


def happening(told: Told) -> Happening | None:
    """None for what is no business of a call of ours."""
    meaning = MEANINGS.get(told.event)
    return meaning(told) if meaning else None


def call_of(told: Told) -> int:
    """The call of the leg, or of the leg it rings; 0 for none."""
    given = told.variable(VARIABLE) or told.variable(VARIABLE, prefix="dest")
    return number(given)


def number(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0


def _at_telephone(kind: str) -> Callable[[Told], Happening | None]:
    def meaning(told: Told) -> Happening | None:
        call_id, extension = call_of(told), extension_of(told["DestChannel"]) or extension_of(told["Interface"])
        return Happening(kind, call_id, extension) if call_id and extension else None

    return meaning


def _in_queue(kind: str) -> Callable[[Told], Happening | None]:
    return lambda told: Happening(kind, call_of(told), queue=told["Queue"]) if call_of(told) else None


def _dial_began(told: Told) -> Happening | None:
    """An operator's telephone rings because we asked for it; a citizen's concerns no screen."""
    ours = not told["Channel"] or told["Context"] == DIALLING
    return _at_telephone("ringing")(told) if ours else None


def _dial_ended(told: Told) -> Happening | None:
    if told["DestUniqueid"].startswith(THIRD):
        return _third_did_not_come(told)
    if not told["Channel"]:
        ringing = _at_telephone("not_answered")(told)
        return None if told["DialStatus"] == "ANSWER" else ringing
    if told["Context"] != DIALLING or not call_of(told):
        return None
    if told["DialStatus"] != "ANSWER":
        return _at_telephone("not_answered")(told)
    return Happening("answered", call_of(told), extension_of(told["DestChannel"]) or extension_of(told["Channel"]))


def _third_did_not_come(told: Told) -> Happening | None:
    """Why, which the answer to our action does not tell: it is 0 for a busy telephone, too. That answer comes afterwards."""
    status, call_id = told["DialStatus"].lower(), call_of(told)
    if status == "answer" or not call_id:
        return None
    return Happening("rang", call_id, extension_of(told["DestChannel"]), DIALLED.get(status, "no_answer"))


def _hung_up(told: Told) -> Happening | None:
    """The end of the leg a call began with is the end of the call; others matter only where legs meet in a room."""
    call_id, in_room = call_of(told), told["Context"] == OUT and told["Exten"] in ROOMS
    is_third = told["Uniqueid"].startswith(THIRD)
    if not call_id:
        return None
    if told["Uniqueid"] == told["Linkedid"] and not is_third:
        return Happening("gone", call_id, extension_of(told["Channel"]), told["Cause"], in_room)
    return Happening("room", call_id, in_room=True) if in_room or is_third else None


def _originated(told: Told) -> Happening | None:
    """A leg that never came to be has no hang-up; the action's own name tells whose it was."""
    kind, _, rest = told["ActionID"].partition("/")
    call_id, failed = number(rest.partition("/")[0]), told["Response"] == "Failure"
    if not call_id or kind not in (ACTION, THIRD):
        return None
    if kind == THIRD:
        return Happening("third", call_id, cause=REASONS.get(told["Reason"], "no_answer") if failed else "answered")
    if not failed:
        return None
    return Happening("gone", call_id, extension_of(told["Channel"]), f"originate-{told['Reason']}")


REASONS: Mapping[str, str] = {"0": "refused", "5": "busy", "8": "refused"}
"""Why an Originate failed; everything else (it rang until time was over, was declined) is no answer."""
MEANINGS: Mapping[str, Callable[[Told], Happening | None]] = {
    "AgentCalled": _at_telephone("ringing"), "AgentRingNoAnswer": _at_telephone("not_answered"),
    "AgentConnect": _at_telephone("answered"), "DialBegin": _dial_began, "DialEnd": _dial_ended, "Hangup": _hung_up,
    "OriginateResponse": _originated, "QueueCallerJoin": _in_queue("joined"), "QueueCallerLeave": _in_queue("unqueued"),
}  # fmt: skip
"""Event to what it means; hundreds of others are none of our business."""
