"""How fast are likely repeats found among 100,000 open cases of one city, and how much memory does the index take?

Run with `python -m bench.repeats [CASES]` or `python bench/repeats.py`. The texts are those of data/corpus/train.jsonl with
made-up places of one city before them; subclasses are their labels, inner views are random vectors of the model's width
(what they hold makes no difference to the time). Prints milliseconds for a question and megabytes for the index.
"""

import gc
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from classifier.corpus import Example, read_split
from classifier.repeats import RepeatIndex
from classifier.repeats_report import Report
from intake.model import Place
from intake.taxonomy import load_taxonomy

CASES, QUESTIONS, WIDTH, SEED = 100_000, 300, 256, 12319
ROADS, ESTATES, DAYS = 400, 1500, 120
START = datetime(2026, 1, 1, tzinfo=UTC)
# One case in three comes with a point, as on the web; the city is about 20 by 20 km.
WITH_POINT, WEST, SOUTH, SIDE_DEG = 1 / 3, 114.2, 30.5, 0.2
_SYLLABLES = "安北昌春东丰福工光广海和华汇建江金锦景康乐丽龙明南宁平青庆泉仁瑞盛胜泰天通文西祥新兴学雅阳怡永玉园云长中"


class City:
    """Made-up places, the same at every run."""

    def __init__(self) -> None:
        self._chance = random.Random(SEED)
        self._roads = [self._name() + self._chance.choice(("路", "街", "大道")) for _ in range(ROADS)]
        self._estates = [self._name() + self._chance.choice(("小区", "花园", "新村", "家园")) for _ in range(ESTATES)]

    def report(self, case_no: int, example: Example) -> Report:
        """An example at a random place and time."""
        chance = self._chance
        where = f"{chance.choice(self._roads)}{chance.randint(1, 400)}号{chance.choice(self._estates)}"
        point = (WEST + chance.random() * SIDE_DEG, SOUTH + chance.random() * SIDE_DEG)
        lon, lat = point if chance.random() < WITH_POINT else (None, None)
        sense = np.random.default_rng(case_no).standard_normal(WIDTH).astype(np.float32)
        return Report(
            case_no,
            f"{where}，{example.text}",
            START + timedelta(days=chance.random() * DAYS),
            Place(lon=lon, lat=lat),
            {example.label: 0.8, "event:0504": 0.1},
            sense / np.float32(np.linalg.norm(sense)),
        )

    def _name(self) -> str:
        return "".join(self._chance.choices(_SYLLABLES, k=2))


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed_ms(index: RepeatIndex, report: Report, clock: Callable[[], float]) -> float:
    began = clock()
    index.candidates(report)
    return (clock() - began) * 1000


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    examples = read_split("train", load_taxonomy())
    city, index = City(), RepeatIndex()
    gc.collect()
    before, began = memory_mb(), time.perf_counter()
    for case_no in range(cases):
        index.add(city.report(case_no, examples[case_no % len(examples)]))
    print(
        f"{cases} cases in, {(time.perf_counter() - began) / cases * 1000:.2f} ms each, {memory_mb() - before:.0f} MB"
    )
    asked = [city.report(cases + number, examples[number * 37 % len(examples)]) for number in range(QUESTIONS)]
    # The processor's own time too, because it stays true on a machine that others use at the same time.
    for clock in (time.perf_counter, time.process_time):
        spent = sorted(timed_ms(index, report, clock) for report in asked)
        middle, late = statistics.median(spent), spent[len(spent) * 99 // 100]
        print(f"question p50 {middle:.1f} ms, p99 {late:.1f} ms ({clock.__name__})")
    began = time.perf_counter()
    for case_no in range(QUESTIONS):
        index.remove(case_no)
    print(f"removal {(time.perf_counter() - began) / QUESTIONS * 1000:.2f} ms")


if __name__ == "__main__":
    main()
