"""The front of the conversation for channels: what is slow or pure before the unit of work, then the unit itself.

Places are found, the text is judged and addresses hashed here; `conversation.hear` and `delivery.record_delivery` do the
rest. Returns only after the commit, so that a channel may then tell its provider that the message is taken.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from intake import delivery
from intake.conversation import Heard, hear
from intake.conversation_acts import Ear, Message
from intake.dialogue_words import Phrases, fold
from intake.errors import Unavailable
from intake.gateway import Gateway
from intake.matching import has_place
from intake.model import DeliveryReport, Inbound, Place
from intake.text import normalise

WRITE_TIMEOUT_S = 10.0
"""Providers wait about 15 s (Twilio); a message that cannot be stored by then is told so and comes again."""


@dataclass(frozen=True, repr=False)
class Listener:
    """Built once by the wiring. `find_place` reads a place out of free text, None where it names none."""

    gateway: Gateway
    phrases: Phrases
    find_place: Callable[[str], str | None]

    async def hear(self, inbound: Inbound, *, takes_photos: bool = False, photos_lost: int = 0) -> Heard:
        """Take in one message of a text channel; returns after it is durable. Raises Unavailable when it cannot be."""
        message = self.prepare(inbound, takes_photos=takes_photos, photos_lost=photos_lost)
        gateway = self.gateway
        ear = Ear(gateway.rules, self.phrases, gateway.vault.code_key)
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                return await gateway.store.write(lambda work: hear(work, message, ear))
        except TimeoutError as error:
            raise Unavailable from error

    def prepare(self, inbound: Inbound, *, takes_photos: bool = False, photos_lost: int = 0) -> Message:
        """The message in normal form with everything known of it before the store is asked."""
        gateway, text = self.gateway, normalise(inbound.text)
        place = inbound.place
        if not has_place(place) and (found := self.find_place(text)):
            place = Place(text=found)
        hashed = gateway.vault.lookup_hash
        return Message(
            inbound=replace(inbound, text=text, place=gateway.city.locate(place)),
            judged=gateway.judge(text),
            thread=hashed(f"{inbound.channel}:{inbound.address}", "thread"),
            address_hash=hashed(inbound.address, "address"),
            phone_hash=hashed(inbound.phone, "phone"),
            digest=hashed(fold(text) or text, "said"),
            takes_photos=takes_photos,
            photos_lost=photos_lost,
        )

    async def record_delivery(self, report: DeliveryReport) -> bool:
        """A provider's delivery report; False when it is about no message of ours."""
        gateway = self.gateway
        return await gateway.store.write(lambda work: delivery.record_delivery(work, report, gateway.rules))
