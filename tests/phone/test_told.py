"""Events in which a caller has written: his number is printed by Asterisk as it came."""

import pytest
from panoramisk.message import Message  # type: ignore[import-untyped]

from channels.phone.told import is_forged

BEFORE = "Event: Hangup\r\nChannel: PJSIP/carrier-1\r\nCallerIDNum: 199"
BEHIND = "\r\nCallerIDName: x\r\nConnectedLineNum: <unknown>\r\nUniqueid: own\r\nChanVariable: CALL_ID=\r\nChanVariable: A=1"


@pytest.mark.parametrize("written", [
    "\r\nUniqueid: another", "\r\nDestChanVariable: CALL_ID=7", "\r\nCallerIDName: y\r\nChanVariable: CALL_ID=7",
    "\r\nCallerIDNum: 2", "\r\nnonsense: 1",
])  # fmt: skip
def test_what_a_caller_writes_into_an_event_is_noticed(written: str) -> None:
    assert is_forged(Message.from_line(BEFORE + written + BEHIND))


def test_an_event_inside_an_event_is_neither() -> None:
    """An empty line ends a message, so it arrives as two."""
    first, second = (BEFORE + "\r\n\r\nEvent: Hangup\r\nUniqueid: another" + BEHIND).split("\r\n\r\n")
    assert is_forged(Message.from_line(first))
    assert is_forged(Message.from_line(second))


@pytest.mark.parametrize("text", [BEFORE + BEHIND, "Event: FullyBooted\r\nStatus: Fully Booted", "Response: Success\r\nPing: Pong"])
def test_what_asterisk_tells_by_itself_is_taken(text: str) -> None:
    assert not is_forged(Message.from_line(text))
