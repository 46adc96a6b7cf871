"""Help for tests of the telephone: a board on a store that can be cut off, and calls that ring, wait and end."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from intake.admission import Admission
from intake.call import Call, OperatorLine
from intake.errors import Unavailable
from intake.feed import Feed
from intake.gateway import Gateway
from intake.model import Prediction, Scored, Subclass
from intake.profile import City
from intake.receive import Judged
from intake.spool import Spool
from intake.switchboard import Switchboard
from intake.telephony import Ring
from intake.vault import Vault
from intake.wiring import AnyStore
from ivr.position import Outcome, Recording
from tests.fake_telephony import FakeTelephony
from tests.fakes import FakeClock

CALLER, CALLER_E164 = "19900000001", "+8619900000001"
LANDLINE, LANDLINE_E164 = "0990-5559001", "+869905559001"
RUBBISH = Subclass.parse("event:0102")


def judge(text: str) -> Judged:
    known = "垃圾" in text
    top = (Scored(RUBBISH, 0.93),) if known else ()
    return Judged(Prediction(top, abstained=not known), ("煤气味",) if "煤气" in text else ())


class CutStore:
    """The store, with the database behind it away whenever the test says so."""

    def __init__(self, store: AnyStore) -> None:
        self._store, self.away = store, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, unit: Any) -> Any:
        if self.away:
            raise Unavailable
        return await self._store.write(unit)

    async def read(self, question: Any) -> Any:
        if self.away:
            raise Unavailable
        return await self._store.read(question)


class Hall:
    """A switchboard with its exchange, and what happens to it."""

    def __init__(self, store: AnyStore, city: City, vault: Vault, clock: FakeClock, folder: Path) -> None:
        self.store, self.clock, self.folder = CutStore(store), clock, folder
        spool = Spool(folder / "spool", vault)
        spool.open()
        rules = city.rules(offered=("sms",))
        self.admission = Admission(self.store, rules, spool, judge)
        self.gateway = Gateway(self.store, city, rules, judge, vault, clock, Feed(self.store), self.admission)
        self.exchange = FakeTelephony()
        self._legs = 0
        self.board = self.restarted()

    def restarted(self) -> Switchboard:
        """The switchboard as it stands after the gateway was killed and started again."""
        self.board = Switchboard(self.gateway, media=self.folder / "media", spool=self.folder / "spool")
        self.board.open()
        self.board.connect(self.exchange)
        return self.board

    async def ring(self, caller: str = CALLER, *, line: str = "12319", name: str = "") -> Call:
        self._legs += 1
        return await self.board.ring(Ring("pbx", f"leg-{self._legs}", line, caller, self.clock(), name))

    async def seat(self, user_id: int = 7, extension: str = "8001") -> OperatorLine:
        """An operator who is ready."""
        await self.board.lines.log_in(user_id, extension)
        return await self.board.lines.ready(user_id)

    async def abandoned(self, caller: str = CALLER, *, after_s: float = 20) -> Call:
        """A citizen who queued so long and hung up."""
        call = await self.ring(caller)
        await self.board.queued(call.call_id, "hotline")
        self.clock.pass_time(seconds=after_s)
        await self.board.hung_up(call.call_id, self.clock())
        return await self.board.finish(call.call_id, ended("abandoned", how="hung_up", queued=True))

    async def served(self, caller: str = CALLER, *, extension: str = "8001") -> Call:
        """A citizen whom an operator spoke with for a minute."""
        call = await self.ring(caller)
        await self.board.queued(call.call_id, "hotline")
        await self.board.ringing(call.call_id, extension)
        await self.board.answered(call.call_id, extension)
        self.clock.pass_time(seconds=60)
        await self.board.left(call.call_id, "citizen")
        return await self.board.finish(call.call_id, ended("served", queued=True, served=True))

    async def spoken(self, call: Call, *, seconds: float = 12, name: str = "message") -> str:
        """A take recorded at the exchange; returns its reference."""
        ref = f"message/{call.call_id}-{name}"
        await self.board.recorded(call.call_id, name, ref, seconds)
        return ref

    async def rows(self, kind: type[Any], /, **where: Any) -> list[Any]:
        return await self.store._store.read(lambda work: work.find(kind, **where))

    def night(self) -> None:
        """22:30 of the city's day."""
        self.clock.at = self.clock.at.replace(hour=14, minute=30)

    def morning(self) -> None:
        """08:30 of the following day."""
        self.clock.at = self.clock.at.replace(hour=0, minute=30) + timedelta(days=1)


def ended(end: str, *, how: str = "finished", flow: str = "hotline", **changes: Any) -> Outcome:
    """How a flow ended."""
    usual: dict[str, Any] = {"node": "", "answers": {}, "recordings": (), "taken_in": False, "call_back": False,
                             "queued": False, "served": False}  # fmt: skip
    return Outcome(flow=flow, end=end, how=how, **usual | changes)


def take(ref: str, *, seconds: float = 12, saved: bool = False, name: str = "message") -> Recording:
    return Recording(name, ref, seconds, saved)
