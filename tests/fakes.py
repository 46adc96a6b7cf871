"""Fakes of what is outside the process: the clock here, providers beside it later. Our own code is never faked."""

from datetime import datetime, timedelta

from intake.errors import SendError
from intake.model import Outbound, Receipt
from tests.make import NOON


class FakeClock:
    """Time moves only when the test moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_time(self, **amount: float) -> None:
        self.at += timedelta(**amount)


class FakeSms:
    """A provider that takes messages: remembers them, fails as told, keeps a list only when asked to."""

    kind = "sms"

    def __init__(self, *, can_look_up: bool = False) -> None:
        self.can_look_up = can_look_up
        self.sent: list[Outbound] = []
        self.failures: list[SendError | BaseException] = []
        self.delivers_at_once = False

    async def send(self, outbound: Outbound) -> Receipt:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(outbound)
        return Receipt(f"SM{len(self.sent)}", delivered=self.delivers_at_once)

    async def find(self, outbound: Outbound) -> Receipt | None:
        taken = [number for number, sent in enumerate(self.sent, 1) if sent.ref == outbound.ref]
        return Receipt(f"SM{taken[0]}") if taken else None
