"""What `serve` runs of the speech pack beside the telephone: the loop that drafts the words of messages.

Without the pack there is none, and messages wait for it; synthesis belongs to the telephone itself.
"""

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import cache

from channels.phone.transcripts import open_transcripts
from intake.echoes import Echoes
from intake.profile import City
from intake.settings import Settings
from intake.wiring import Running

Loops = dict[str, Callable[[], Coroutine[None, None, None]]]


async def transcript_loops(settings: Settings, running: Running, stack: AsyncExitStack) -> Loops:
    """The loop by its name, none without the pack; its worker process ends with the stack."""
    mend = place_mender(running.gateway.city)
    drafting = await stack.enter_async_context(open_transcripts(settings.speech, running.switchboard.audio, mend))
    return {"transcripts": drafting.run} if drafting else {}


def place_mender(city: City) -> Callable[[str], str]:
    """Puts the city's names where something sounds like them; the table is built when first needed."""

    @cache
    def echoes() -> Echoes:
        return Echoes(name for row in city.gazetteer.rows for name in (row.name, *row.aliases))

    return lambda text: echoes().mended(text)
