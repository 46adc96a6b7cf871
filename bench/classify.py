"""How fast is one text classified, in our exact form and by the pipeline it came from, in one run?

Run with `python -m bench.classify` or `python bench/classify.py`; fits on data/corpus/train.jsonl and prints p50 in
microseconds for a text of about 40 characters and one of about 150, with where the time goes; then what explaining
costs: reasons, condition, urgency and place.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from classifier import tokens
from classifier.classify import TextClassifier
from classifier.conditions import condition_of
from classifier.corpus import CORPUS_FOLDER, Example, read_split
from classifier.decide import DecisionRules
from classifier.estimators import ModelSettings
from classifier.explain import reasons
from classifier.features import features
from classifier.model import exact_form, fit, terms_of
from classifier.places import find_place
from classifier.registry import Card, StoredModel
from classifier.rules import danger
from classifier.urgency import urgency_of
from intake.gazetteer import Gazetteer
from intake.model import Subclass
from intake.profile import CITIES
from intake.taxonomy import load_taxonomy

TEXTS = 200
ROUNDS = 5
MANHOLE = Subclass.parse("component:0102")
WIDTHS = {"short": (30, 50), "wide": (120, 180)}


def p50_us(work: Callable[[str], object], texts: list[str]) -> float:
    """The median time of one call over all texts and rounds, in microseconds."""
    spent = []
    for text in texts * ROUNDS:
        began = time.perf_counter_ns()
        work(text)
        spent.append(time.perf_counter_ns() - began)
    return statistics.median(spent) / 1000


def of_width(examples: tuple[Example, ...], least: int, most: int) -> list[str]:
    return [example.text for example in examples if least <= len(example.text) <= most][:TEXTS]


def main() -> None:
    taxonomy = load_taxonomy()
    examples = read_split("train", taxonomy, folder=CORPUS_FOLDER)
    pipeline = fit(examples, terms_of(taxonomy), ModelSettings())
    exact = exact_form(pipeline, sharpness=8.0)
    card = Card(
        corpus_digest="",
        taxonomy_digest="",
        dictionary_digest="",
        texts=len(examples),
        rules=DecisionRules(),
        calibrated_on="",
    )
    gazetteer = Gazetteer.load(CITIES / "demo" / "gazetteer.csv")
    classifier = TextClassifier(StoredModel(exact, card, "bench"), taxonomy, gazetteer)
    forget = exact.table.counts.cache_clear  # a text comes once: what is remembered of it must not help
    steps: dict[str, Callable[[str], object]] = {
        "words": tokens.cut,
        "features (words in them)": features,
        "label and confidence": lambda text: (forget(), classifier.classify(text)),
        "danger words": danger,
        "reasons": lambda text: reasons(exact, text, 0),
        "condition": lambda text: condition_of(text, MANHOLE, taxonomy),
        "urgency": lambda text: urgency_of(text, MANHOLE, "", taxonomy),
        "place": find_place,
        "place with a gazetteer": lambda text: find_place(text, gazetteer),
        "all of explain": lambda text: (forget(), classifier.explain(text)),
        "pipeline.predict": lambda text: pipeline.predict([text]),
    }
    print(f"{len(examples)} texts, {len(exact.tokens)} features, {len(exact.labels)} labels; p50 in us")
    for width, (least, most) in WIDTHS.items():
        texts = of_width(examples, least, most)
        found = {name: p50_us(work, texts) for name, work in steps.items()}
        print(f"{width} ({statistics.median(map(len, texts)):.0f} characters)")
        for name, spent in found.items():
            print(f"  {name:24} {spent:8.0f}")
        print(f"  {'times faster':24} {found['pipeline.predict'] / found['label and confidence']:8.1f}")


if __name__ == "__main__":
    main()
