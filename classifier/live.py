"""The classifier as a running gateway holds it: the champion on disk, taken up anew when it changes, and its shadow.

`classify` costs the champion's own time and a glance at a clock. Loading and the challenger's judging are done by one
thread with a short queue that mostly rests; when it is full, a text goes without a shadow rather than wait.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier import shadow
from classifier.classify import TextClassifier
from classifier.hints import hints_of
from classifier.registry import BadModel
from classifier.versions import Shelf
from intake.gazetteer import Gazetteer
from intake.hint import Hint
from intake.model import Prediction
from intake.taxonomy import Taxonomy

LOOK_EVERY_S = 2.0
WAITING = 32
REST = 9
"""After each text the challenger rests so many times as long as it took: a tenth of a core at most. In a storm of reports
most texts go without a shadow, and the champion keeps its speed."""

Stamp = tuple[int, int, int] | None


class LiveModels:
    """Champion and challenger below a folder. `key_of` is a keyed hash; `tell` hears of changes: event and version."""

    def __init__(
        self,
        folder: Path,
        taxonomy: Taxonomy,
        *,
        key_of: Callable[[str], str],
        tell: Callable[[str, str], None] = lambda _event, _version: None,
        gazetteer: Gazetteer | None = None,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._shelf, self._taxonomy, self._key_of = Shelf(folder), taxonomy, key_of
        self._tell, self._clock, self._rest = tell, clock, rest
        self._gazetteer = gazetteer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="models")
        self._room = threading.BoundedSemaphore(WAITING)
        self._champion: TextClassifier | None = None
        self._challenger: TextClassifier | None = None
        self._stamps: tuple[Stamp, Stamp] = (None, None)
        self._next_look = 0.0
        self._is_failing = False
        self.refresh()

    @property
    def versions(self) -> tuple[str, str]:
        """Versions of champion and challenger, empty where there is none."""
        return _version(self._champion), _version(self._challenger)

    def classify(self, text: str) -> Prediction:
        """The champion's prediction; an abstention without a model."""
        if self._clock() >= self._next_look:
            self._next_look = self._clock() + LOOK_EVERY_S
            if self._stamps != self._now():
                self._later(self.refresh)
        champion = self._champion
        prediction = champion.classify(text) if champion else Prediction()
        if champion and self._challenger:
            self._later(lambda: self._judge_beside(text, prediction))
        return prediction

    def hints(self, text: str) -> tuple[Hint, ...]:
        """The champion's best classes with their words; none without a model."""
        champion = self._champion
        return hints_of(champion, text) if champion else ()

    def view(self, text: str) -> tuple[str, NDArray[np.float32] | None]:
        """The champion's version and its inner view of a text; none without a model or a text."""
        champion = self._champion
        return _version(champion), champion.view(text) if champion and text else None

    def refresh(self) -> None:
        """Take up what has changed on disk; a model that cannot be read is told and the one in force kept."""
        now = self._now()
        if now[0] != self._stamps[0]:
            self._champion = self._loaded(self._shelf.champion, self._champion, "champion")
        if now[1] != self._stamps[1]:
            self._challenger = self._loaded(self._shelf.challenger, None, "challenger")
        self._stamps = now

    def settle(self) -> None:
        """Wait until everything asked for so far is done."""
        self._thread.submit(lambda: None).result()

    def _loaded(self, path: Path, held: TextClassifier | None, who: str) -> TextClassifier | None:
        if not path.exists():
            return held
        try:
            found = TextClassifier.load(path, self._taxonomy, self._gazetteer)
        except BadModel:
            self._tell(f"{who}.unreadable", _version(held))
            return held
        self._tell(f"{who}.loaded", found.version)
        return found

    def _judge_beside(self, text: str, prediction: Prediction) -> None:
        challenger = self._challenger
        if challenger is None or not prediction.model_version or challenger.version == prediction.model_version:
            return
        started = time.perf_counter()
        line = shadow.beside(self._key_of(text), prediction, challenger.classify(text))
        shadow.append(self._shelf.shadow(prediction.model_version, challenger.version), line)
        self._rest(REST * (time.perf_counter() - started))

    def _later(self, job: Callable[[], None]) -> None:
        """Do it in the thread if there is room."""
        if not self._room.acquire(blocking=False):
            return
        try:
            self._thread.submit(self._do, job)
        except RuntimeError:
            # The interpreter is going down and takes no more jobs.
            self._room.release()

    def _do(self, job: Callable[[], None]) -> None:
        """Whatever fails here (a full disk) must not touch a report; it is told once, until something succeeds."""
        try:
            job()
            self._is_failing = False
        except Exception as error:
            if not self._is_failing:
                self._tell("shadow.failed", type(error).__name__)
            self._is_failing = True
        finally:
            self._room.release()

    def _now(self) -> tuple[Stamp, Stamp]:
        return _stamp(self._shelf.champion), _stamp(self._shelf.challenger)


def _stamp(path: Path) -> Stamp:
    """What tells one file from its successor without reading it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _version(classifier: TextClassifier | None) -> str:
    return classifier.version if classifier else ""
