"""An exchange that is not there: it accepts and refuses like the real side of the port, and tells nothing by itself.

Honest about faults: not connected, refused by the exchange, an act on a call it does not know. What was asked stands in
`asked`, in order; what a refusal left undone does not.
"""

from collections.abc import Sequence

from intake.errors import Refused, Unavailable
from intake.telephony import NoVoice


class FakeTelephony:
    """Meets intake.telephony.Telephony. `members` maps an extension to whether its queue member is paused."""

    def __init__(self) -> None:
        self.connected = self.speaks = True
        self.refusals: list[str] = []
        self.asked: list[tuple[object, ...]] = []
        self.calls: set[int] = set()
        self.members: dict[str, bool] = {}
        self.citizen_answers = "answered"

    def _take(self, *asked: object) -> None:
        if not self.connected:
            raise Unavailable
        if asked[0] in self.refusals:
            self.refusals.remove(str(asked[0]))
            raise Refused
        self.asked.append(asked)

    def _known(self, what: str, call_id: int, *more: object) -> None:
        if self.connected and call_id not in self.calls:
            raise Refused("没有这个通话。")
        self._take(what, call_id, *more)

    async def call(self, extension: str, number: str, *, call_id: int, kind: str) -> None:
        self._take("call", extension, number, call_id, kind)
        self.calls.add(call_id)

    async def offer_callback(self, extension: str, *, call_id: int) -> None:
        self._take("offer_callback", extension, call_id)
        self.calls.add(call_id)

    async def dial_citizen(self, call_id: int, number: str, *, timeout_s: float) -> str:
        self._known("dial_citizen", call_id, number)
        return self.citizen_answers

    async def prepare_reply(self, words: str, *, case_no: int) -> None:
        if not self.connected:
            raise Unavailable
        if not self.speaks:
            raise NoVoice
        self.asked.append(("prepare_reply", words, case_no))

    async def reply_by_voice(self, number: str, *, call_id: int) -> None:
        self._take("reply_by_voice", number, call_id)
        self.calls.add(call_id)

    async def hang_up(self, call_id: int) -> None:
        self._known("hang_up", call_id)
        self.calls.discard(call_id)

    async def hold(self, call_id: int) -> None:
        self._known("hold", call_id)

    async def unhold(self, call_id: int) -> None:
        self._known("unhold", call_id)

    async def transfer(self, call_id: int, to: str, *, warm: bool) -> None:
        self._known("transfer", call_id, to, warm)

    async def queue_again(self, call_id: int) -> None:
        self._known("queue_again", call_id)

    async def three_way(self, call_id: int, to: str) -> None:
        self._known("three_way", call_id, to)

    async def listen(self, extension: str, call_id: int) -> None:
        self._known("listen", call_id, extension)

    async def whisper(self, extension: str, call_id: int) -> None:
        self._known("whisper", call_id, extension)

    async def log_in(self, extension: str, user_id: int, *, skills: Sequence[str] = ()) -> None:
        self._take("log_in", extension, user_id)
        self.members[extension] = True

    async def log_out(self, extension: str) -> None:
        self._take("log_out", extension)
        self.members.pop(extension, None)

    async def pause(self, extension: str, reason: str) -> None:
        self._take("pause", extension, reason)
        self.members[extension] = True

    async def unpause(self, extension: str) -> None:
        self._take("unpause", extension)
        self.members[extension] = False

    def of(self, what: str) -> list[tuple[object, ...]]:
        """What was asked of one kind."""
        return [asked[1:] for asked in self.asked if asked[0] == what]
