"""The telephone as the desk sees it: the switchboard behind a key of the application, absent where none is set up."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from aiohttp import web

from intake.call import Call, CallRecording, Mark, OperatorLine
from intake.errors import Unavailable
from intake.model import Actor
from intake.telephony import Telephony

NOT_CONNECTED = "电话系统没有接通，暂时不能操作电话。"


class Marks(Protocol):
    async def of_call(self, call_id: int) -> Sequence[Mark]: ...
    async def add(self, call_id: int, actor: Actor, *, reason: str) -> Mark: ...


class Lines(Protocol):
    async def of(self, user_id: int) -> OperatorLine | None: ...
    async def all(self) -> Sequence[OperatorLine]: ...
    async def log_in(self, user_id: int, extension: str, *, skills: Sequence[str] = ()) -> OperatorLine: ...
    async def log_out(self, user_id: int) -> OperatorLine: ...
    async def ready(self, user_id: int) -> OperatorLine: ...
    async def pause(self, user_id: int, reason: str) -> OperatorLine: ...


class Outgoing(Protocol):
    async def place(
        self, actor: Actor, *, case_no: int, purpose: str, reason: str, debt_id: int = 0, reporter_id: int = 0
    ) -> Call: ...
    async def end(
        self, call_id: int, actor: Actor, *, result: str, opinion: str = "", revisit_result: str = ""
    ) -> Call: ...


class Contacts(Protocol):
    async def place(self, actor: Actor, *, case_no: int, reason: str) -> Call: ...
    async def end(self, call_id: int, actor: Actor, *, result: str, opinion: str = "") -> Call: ...
    async def of_case(self, case_no: int, actor: Actor) -> Sequence[Call]: ...
    async def refusal(self, case_no: int, actor: Actor) -> str: ...


class Transfers(Protocol):
    async def to(self, call_id: int, target: str, actor: Actor, *, how: str) -> Call: ...
    async def to_skill(self, call_id: int, skill: str, actor: Actor) -> Call: ...
    async def skills(self, actor: Actor) -> Mapping[str, int]: ...


class Audio(Protocol):
    def part(self, token: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]: ...
    async def unlock(self, token: str, actor: Actor, *, reason: str) -> CallRecording: ...


class Board(Protocol):
    """What the desk asks of intake.switchboard.Switchboard. `telephony` is None while no exchange is connected."""

    @property
    def marks(self) -> Marks: ...
    @property
    def lines(self) -> Lines: ...
    @property
    def outgoing(self) -> Outgoing: ...
    @property
    def transfers(self) -> Transfers: ...
    @property
    def contacts(self) -> Contacts: ...
    @property
    def audio(self) -> Audio: ...
    @property
    def telephony(self) -> Telephony | None: ...
    async def call(self, call_id: int) -> Call: ...
    async def sum_up(self, call_id: int, actor: Actor, *, summary: str, case_no: int = 0, note: str = "") -> Call: ...


class Telephone:
    """Holds the board, if any; the wiring puts it in after the application is built."""

    def __init__(self) -> None:
        self.board: Board | None = None


TELEPHONE = web.AppKey("telephone", Telephone)


def set_up(app: web.Application) -> None:
    app[TELEPHONE] = Telephone()


def board_of(request: web.Request) -> Board | None:
    return request.app[TELEPHONE].board


def connected_board(request: web.Request) -> Board:
    """For what cannot be done without a telephone exchange; raises Unavailable."""
    board = board_of(request)
    if board is None or board.telephony is None:
        raise Unavailable(NOT_CONNECTED)
    return board


ROUTES: list[web.RouteDef] = []
