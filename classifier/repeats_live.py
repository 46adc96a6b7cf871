"""The index of open cases in a running gateway: read once, kept up by the feed, asked by the case page.

The index belongs to one thread; everything that touches it is done there. While it is being read, nothing is proposed.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from classifier.repeats import RepeatIndex
from classifier.repeats_evidence import WHY_WORDS
from classifier.repeats_report import Report
from intake.feed import Feed, Listener
from intake.likely import Likely
from intake.model import Case, State
from intake.ports import Store
from intake.workflow import LIVE

OPEN = LIVE - {State.CLOSED}
"""What a case may still be merged into."""
PAGE = 100
REST = 4
"""After each page the index rests so many times as long as it took: a fifth of a core at most, in a storm of reports too.
It then knows of the newest reports a little later."""
LOOK_EVERY_S = 5.0
FEWEST = 0.05
"""Below this nothing is worth a person's look."""

View = Callable[[str], tuple[str, NDArray[np.float32] | None]]
"""The inner view of a text and the version of the model it is of; views of two versions cannot be compared."""


class LiveRepeats:
    """Meets intake.likely.Repeats. `run` must be running for it to know anything."""

    def __init__(self, store: Store, feed: Feed, view: View) -> None:
        self._store, self._feed, self._view = store, feed, view
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="repeats")
        self._index: RepeatIndex | None = None
        self._version = ""
        self._changed: dict[int, None] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Read the open cases, then follow the feed until something was missed or the model changed; then return."""
        await self._feed.started.wait()
        async with self._feed.listening() as listener:
            self._changed.clear()
            hearing = asyncio.create_task(self._hear(listener))
            try:
                await self._read_open()
                while not hearing.done() and self._view("")[0] == self._version:
                    await self._follow()
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)

    async def _hear(self, listener: Listener) -> None:
        """Note which cases changed, at once: the feed lets go of whom it must wait for."""
        while not listener.lost:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    told = await listener.queue.get()
                self._changed[told.event.case_no] = None
                self._wake.set()

    async def _follow(self) -> None:
        """Take up a page of what changed, or wait for something to change."""
        numbers = list(self._changed)[:PAGE]
        if not numbers:
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            return
        for number in numbers:
            del self._changed[number]
        found = await self._store.read(lambda work: {number: work.get(Case, number) for number in numbers})
        await self._at_rest(self._take_up, self._index, found)

    async def _at_rest(self, job: Callable[..., None], *given: object) -> None:
        """Do something in the thread, and let others have the processor for longer than it took."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        await loop.run_in_executor(self._thread, job, *given)
        await asyncio.sleep(REST * (loop.time() - started_s))

    async def likely(self, case: Case) -> tuple[Likely, ...]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, case)

    async def _read_open(self) -> None:
        index = RepeatIndex()
        self._version = self._view("")[0]
        for state in OPEN:
            last = 0
            while cases := await self._page(state, last):
                last = cases[-1].case_no
                await self._at_rest(self._take_up, index, {case.case_no: case for case in cases})
        self._index = index

    async def _page(self, state: State, last: int) -> list[Case]:
        return await self._store.read(
            lambda work: work.find(Case, order="case_no", limit=PAGE, after=("case_no", last), state=state.value)
        )

    def _take_up(self, index: RepeatIndex, found: Mapping[int, Case | None]) -> None:
        for number, case in found.items():
            if case is None or case.state not in OPEN:
                index.remove(number)
            else:
                index.add(self._report(case))

    def _ask(self, case: Case) -> tuple[Likely, ...]:
        if self._index is None:
            return ()
        found = self._index.candidates(self._report(case))
        return tuple(
            Likely(one.id, one.score, tuple(WHY_WORDS[why] for why in one.reasons)) for one in found if one.score >= FEWEST
        )

    def _report(self, case: Case) -> Report:
        kinds = {str(one.subclass): one.confidence for one in case.prediction.top}
        if case.subclass is not None and case.state is not State.REPORTED:
            kinds = {str(case.subclass): 1.0}
        return Report(case.case_no, case.description, case.received_at, case.place, kinds, self._view(case.description)[1])

