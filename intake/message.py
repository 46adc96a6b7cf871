"""Messages in and out, with the place, the pictures and the receipts that belong to them, in our normal forms.

Every channel reads a provider's words into these and sends these; what becomes of them is decided elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where the matter is. Coordinates are CGCS2000/WGS-84; what the sender gave is kept beside them."""

    text: str = ""
    lon: float | None = None
    lat: float | None = None
    given_lon: float | None = None
    given_lat: float | None = None
    coord_sys: str = ""
    grid_code: str = ""
    community: str = ""
    street: str = ""
    district: str = ""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture already re-encoded, waiting to be bound to its case; bytes live under the media folder."""

    token: str
    sha256: str
    mime: str
    width: int
    height: int
    size: int
    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Sound:
    """A voice note already sealed below the media folder, waiting to be bound to its case. `size` (bytes) and `sha256` are
    those of the sound itself."""

    token: str
    sha256: str
    mime: str
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """Which piece of a long message this is: `number` of `total`, counted from 1, under the sender's `ref`. All empty where
    a provider hands pieces on without saying so, so that only length and time can tell (joining.py)."""

    ref: str = ""
    number: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Inbound:
    """One thing said by one contact on one channel, in our normal forms. `provider_id` makes repeats harmless.

    `media` are the provider's addresses of pictures not fetched yet, `voices` those of voice notes; `photos` and `sounds`
    what was fetched; `request_type` (诉求类型) is empty for a complaint. `answerable` is False for the news that somebody
    left: nothing can be said back. `part` is set for a piece of a long message that the provider hands on unjoined; `order`
    for an order from above (order.py). `reply_by` is the way he wishes to be answered (ledger.WISHES), empty for the usual one.
    """

    channel: str
    provider_id: str
    received_at: datetime
    text: str
    place: Place = field(default_factory=Place)
    address: str = ""
    name: str = ""
    phone: str = ""
    anonymous: bool = False
    confidential: bool = False
    wants_reply: bool = False
    photos: tuple[Photo, ...] = ()
    body_digest: str = ""
    request_type: str = ""
    media: tuple[str, ...] = ()
    answerable: bool = True
    voices: tuple[str, ...] = ()
    part: Part | None = None
    order: Mapping[str, str] = field(default_factory=dict)
    sounds: tuple[Sound, ...] = ()
    reply_by: str = ""


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to send. `ref` is ours and stable over retries, so a provider that de-duplicates can use it.

    `choices` are words he may answer with, for channels that have buttons; `case_no` and `subject` (立案告知) are what the
    message is about, for channels that send forms filled in instead of free words.
    """

    ref: str
    channel: str
    address: str
    parts: tuple[str, ...]
    choices: tuple[str, ...] = ()
    case_no: int = 0
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider's word that it took a message; `provider_id` finds the delivery report later."""

    provider_id: str
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A provider's later word about a message. `outcome` is one of outbox.OUTCOMES."""

    channel: str
    provider_id: str
    outcome: str
    at: datetime
    code: str = ""
