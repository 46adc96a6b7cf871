"""The index of open cases in a running gateway: read once, kept up by the feed, asked by the case page.

The index belongs to one thread; everything that touches it is done there. While it is being read, nothing is proposed.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

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
PAGE = 500
REST_S = 0.2
"""Changes of so long are taken up together, so that a storm of reports does not become a storm of questions."""
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

    async def run(self) -> None:
        """Read the open cases, then follow the feed until something was missed or the model changed; then return."""
        await self._feed.started.wait()
        async with self._feed.listening() as listener:
            await self._read_open()
            while not listener.lost and self._view("")[0] == self._version:
                numbers = await _heard(listener)
                if numbers:
                    await self._renew(numbers)
                    await asyncio.sleep(REST_S)

    async def likely(self, case: Case) -> tuple[Likely, ...]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, case)

    async def _read_open(self) -> None:
        index = RepeatIndex()
        self._version = self._view("")[0]
        for state in OPEN:
            last = 0
            while cases := await self._page(state, last):
                last = cases[-1].case_no
                await asyncio.get_running_loop().run_in_executor(self._thread, self._put, index, cases)
        self._index = index

    async def _page(self, state: State, last: int) -> list[Case]:
        return await self._store.read(
            lambda work: work.find(Case, order="case_no", limit=PAGE, after=("case_no", last), state=state.value)
        )

    async def _renew(self, numbers: Iterable[int]) -> None:
        found = await self._store.read(lambda work: {number: work.get(Case, number) for number in numbers})
        await asyncio.get_running_loop().run_in_executor(self._thread, self._take_up, found)

    def _take_up(self, found: Mapping[int, Case | None]) -> None:
        assert self._index is not None
        for number, case in found.items():
            if case is None or case.state not in OPEN:
                self._index.remove(number)
            else:
                self._index.add(self._report(case))

    def _put(self, index: RepeatIndex, cases: Iterable[Case]) -> None:
        for case in cases:
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


async def _heard(listener: Listener) -> set[int]:
    """Numbers of the cases that changed, all that wait; none when nothing happened for a while."""
    try:
        told = await asyncio.wait_for(listener.queue.get(), LOOK_EVERY_S)
    except TimeoutError:
        return set()
    numbers = {told.event.case_no}
    while not listener.queue.empty() and len(numbers) < PAGE:
        numbers.add(listener.queue.get_nowait().event.case_no)
    return numbers
