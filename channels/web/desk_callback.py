"""Call-backs owed, as the queue's tab 待回拨 lists them. The exchange dials them in turn (intake.callback); here they are seen."""

from dataclasses import dataclass
from datetime import datetime

from intake.call import CallBack
from intake.gateway import Gateway
from intake.masking import mask_phone
from intake.ports import Work

MOST = 50
STATE_WORDS = {"owed": "待回拨", "dialling": "正在拨"}


@dataclass(frozen=True, slots=True)
class CallbackRow:
    """A call owed to a number, which is masked. `place_at` is the place in the queue it keeps."""

    phone: str
    line: str
    owed_at: datetime
    place_at: datetime
    attempts: int
    state_words: str


async def callbacks_of(gateway: Gateway) -> tuple[CallbackRow, ...]:
    """Those not settled, in the order in which they keep their places."""

    def ask(work: Work) -> list[CallBack]:
        found = [one for state in STATE_WORDS for one in work.find(CallBack, state=state, order="place_at", limit=MOST)]
        return sorted(found, key=lambda one: one.place_at)[:MOST]

    return tuple(
        CallbackRow(mask_phone(one.number), one.line, one.owed_at, one.place_at, one.attempts, STATE_WORDS[one.state])
        for one in await gateway.store.read(ask)
    )
