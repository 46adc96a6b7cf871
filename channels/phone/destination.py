"""Where a flow hands a caller over to, as what the dialplan is told; and what it tells back, as events.

The gateway leaves AGI for every hand-over: the dialplan queues or dials, and comes back by /resume with a result. So a
talk survives a restart of the gateway.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ivr import events as on
from ivr.commands import HandOver

QUEUE = "hotline"
GIVEN = "given"
"""How a caller comes back whom an operator wants to be served by somebody else."""
OPERATORS, LEADER, DUTY, CITIZEN = "operators", "shift_leader", "duty", "citizen"


def to_queue(asked: HandOver, *, queue: str = QUEUE, place: int = 0, record: bool = True) -> dict[str, str]:
    """Variables that put the caller into a queue; `place` is where, 0 for its end."""
    return {
        "GW_NEXT": "queue", "GW_QUEUE": queue, "GW_TIMEOUT": str(asked.timeout_s), "GW_PLACE": str(place) if place else "",
        "GW_RECORD": "1" if record else "0",
    }  # fmt: skip


def to_dial(target: str, *, timeout_s: int, shown: str, record: bool = True, rated: bool = False) -> dict[str, str]:
    """Variables that ring a dial string; `shown` is the number the called one sees, `rated`: he is a citizen, who comes to
    the rating when the other hangs up."""
    return {
        "GW_NEXT": "dial", "GW_DIAL": target, "GW_AS": shown, "GW_TIMEOUT": str(timeout_s), "GW_RECORD": "1" if record else "0",
        "GW_RATE": "1" if rated else "0",
    }  # fmt: skip


def citizen(digits: str) -> str:
    """A number behind the trunk as a dial string; raises ValueError for anything but digits."""
    if not (digits.isascii() and digits.isdigit() and 2 < len(digits) <= 24):
        raise ValueError("no number")
    return f"PJSIP/{digits}@trunk"


@dataclass(frozen=True, slots=True)
class Came:
    """What the dialplan tells at /resume: `how` queue, dial, key, given or again; `status` Asterisk's word or the key; `who`
    talked."""

    how: str
    status: str
    who: str = ""

    @property
    def is_again(self) -> bool:
        return self.how not in ("queue", "dial", "key")

    @property
    def talked(self) -> bool:
        # Queue says CONTINUE when the operator hung up first; without MEMBERINTERFACE nobody had taken the call.
        return (self.how == "dial" and self.status == "answer") or (self.how == "queue" and self.status == "continue")

    @property
    def left_empty(self) -> bool:
        """Nobody who answers that queue is there, or not any more."""
        return self.how == "queue" and self.status not in ("timeout", "continue")

    def events(self) -> tuple[on.Event, ...]:
        """What a hand-over came to."""
        if self.is_again:
            return (on.Resumed(),)
        if self.how == "key":
            return (on.Digits(self.status[:1]),) if self.status else (on.Resumed(),)
        if self.talked:
            return (on.PersonAnswered(), on.PersonLeft())
        # Everything else: nobody logged in, all left, full, refused, no such destination.
        return (on.Timeout(),) if self.status in ("timeout", "noanswer") else (on.NobodyThere(),)

    def dialled(self) -> str:
        """The result of the act dial_citizen."""
        return "answered" if self.talked else DIALLED.get(self.status, "no_answer")


DIALLED: Mapping[str, str] = {"busy": "busy", "chanunavail": "refused", "congestion": "refused"}
