"""Made-up reports with the seed that makes them: texts of the corpus at made-up places, the same at every run.

A text of the training corpus is taken as it is and its place is replaced by one of the city's; two of three get a
sentence of another citizen's way of speaking, so that few texts are equal. Nobody real stands in them.
"""

import json
import random
from dataclasses import dataclass
from functools import lru_cache

from bench.process import ROOT
from intake.gazetteer import Gazetteer
from intake.profile import CITIES

TAILS = (
    "请尽快处理。", "已经反映过一次了。", "晚上经过很不方便。", "希望派人来看看。", "影响周围居民休息。", "老人小孩路过有危险。",
    "持续好几天了。", "味道很大。", "每天早晚最严重。", "麻烦回复一下结果。",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """One report as a citizen would give it."""

    text: str
    place: str


@lru_cache(maxsize=1)
def _parts() -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    lines = (ROOT / "data" / "corpus" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    texts = tuple((row["text"], row.get("place", "")) for row in map(json.loads, lines))
    places = tuple(row.name for row in Gazetteer.load(CITIES / "demo" / "gazetteer.csv").rows)
    return texts, places


def made(dice: random.Random) -> Made:
    """The next report of these dice."""
    texts, places = _parts()
    text, place = dice.choice(texts)
    where = f"{dice.choice(places)}{dice.choice(('附近', '门口', '北侧', '路口', '对面', ''))}"
    if place and place in text:
        text = text.replace(place, where, 1)
    else:
        text = f"{where}，{text}"
    if dice.random() < 2 / 3:
        text += dice.choice(TAILS)
    return Made(text, where)


def bodies(count: int, seed: int = 12319) -> str:
    """Bodies for POST /api/v1/reports, one a line."""
    dice = random.Random(seed)
    found = (made(dice) for _ in range(count))
    return "\n".join(json.dumps({"text": one.text, "place": one.place}, ensure_ascii=False) for one in found)
