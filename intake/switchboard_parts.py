"""What the parts of the switchboard share: gateway, city's telephone rules, calls going on, and the exchange, if any."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from intake.caller import dialled
from intake.errors import Refused, Unavailable
from intake.gateway import Gateway
from intake.phone_profile import PhoneBook
from intake.switchboard_live import LiveCalls
from intake.telephony import Telephony

NOT_CONNECTED = "电话系统没有接通，暂时不能操作电话。"
log = structlog.get_logger()


class Exchange:
    """The telephony port, which may be absent (no telephone configured) and is connected after the gateway is built."""

    def __init__(self) -> None:
        self.telephony: Telephony | None = None

    def required(self) -> Telephony:
        """The port; raises Unavailable when there is none."""
        if self.telephony is None:
            raise Unavailable(NOT_CONNECTED)
        return self.telephony

    async def tell(self, act: Callable[[Telephony], Awaitable[None]]) -> bool:
        """Ask for something that our rows say already: when it fails now, the roster repairs it after reconnecting."""
        if self.telephony is None:
            return False
        try:
            await act(self.telephony)
        except (Unavailable, Refused) as error:
            log.warning("phone.exchange_refused", error=type(error).__name__)
            return False
        return True


@dataclass(frozen=True, repr=False)
class Parts:
    """Handed to each part of the switchboard."""

    gateway: Gateway
    book: PhoneBook
    calls: LiveCalls
    exchange: Exchange

    def dialled(self, number: str) -> str:
        return dialled(number, area_code=self.gateway.city.area_code)

    def number_hash(self, number: str) -> str:
        return self.calls.number_hash(number)
