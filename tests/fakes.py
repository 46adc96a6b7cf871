"""Fakes of what is outside the process: the clock here, providers beside it later. Our own code is never faked."""

from datetime import datetime, timedelta

from tests.make import NOON


class FakeClock:
    """Time moves only when the test moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_time(self, **amount: float) -> None:
        self.at += timedelta(**amount)
