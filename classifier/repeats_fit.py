"""Fitting the weights of evidence: `python -m classifier.repeats_fit [MODEL]` prints two tables for data/repeats.toml.

From the tuned half of data/corpus/repeats.jsonl and all of repeats-tune.jsonl, each alone and among 1,500 texts of the
training corpus. A true repeat is set against all other earlier reports of its question (conditional logistic regression,
each weight on its side of 0), then the scale is made a probability. Nothing here runs when serving.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier.corpus import CORPUS_FOLDER, read_split
from classifier.registry import default_path
from classifier.repeats import RepeatIndex
from classifier.repeats_evidence import AGAINST, FITTED
from classifier.repeats_measure import Told, is_held_out, read_told
from classifier.repeats_report import Reporter
from intake.taxonomy import load_taxonomy

SEED, BETWEEN = 12319, 1500
ROUNDS, STEP, PENALTY = 400, 1.0, 0.03
# Candidates that calibrate the score: as many as an operator sees.
SHOWN = 5
SIDES = np.array([-1.0 if name in AGAINST else 1.0 for name in FITTED])

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Question:
    """Evidence for all earlier reports, shape (reports, columns), and which of them are true."""

    columns: Floats
    is_true: NDArray[np.bool_]


def main() -> None:
    taxonomy = load_taxonomy(optional_on=())
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else default_path(Path("var"))
    told = [tuple(t for t in read_told(CORPUS_FOLDER / "repeats.jsonl") if not (t.group and is_held_out(t.group)))]
    told.append(read_told(CORPUS_FOLDER / "repeats-tune.jsonl"))
    others = [example.text for example in read_split("train", taxonomy)]
    told += [among(each, others) for each in told]
    for way, reporter in (("full", Reporter.load(model, taxonomy)), ("text", Reporter(None, taxonomy))):
        questions = [question for each in told for question in ask(each, reporter)]
        weights = fit(questions)
        scale, start = calibrate(questions, weights)
        print(f"[weights.{way}]\nstart = {start:.2f}  # scale {scale:.2f}")
        used = np.abs(np.vstack([question.columns for question in questions])).max(axis=0).tolist()
        rows = zip(FITTED, (weights * scale * SIDES).tolist(), used, strict=True)
        print("\n".join(f"{name} = {weight:.2f}" for name, weight, is_used in rows if is_used))


def among(told: Sequence[Told], texts: Sequence[str]) -> tuple[Told, ...]:
    """The same with BETWEEN other texts spread over its time."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable texts, nothing secret
    span = told[-1].at - told[0].at
    spread = [Told(text, told[0].at + chance.random() * span, "") for text in chance.sample(list(texts), BETWEEN)]
    return tuple(sorted([*told, *spread], key=lambda each: each.at))


def ask(told: Sequence[Told], reporter: Reporter) -> Iterator[Question]:
    """A question for each report that has an earlier one of its group within reach of the index."""
    index = RepeatIndex()
    for place, each in enumerate(told):
        report = reporter.report(place, each.text, at=each.at)
        true = {n for n, other in enumerate(told[:place]) if each.group and other.group == each.group}
        if true:
            ids, evidence = index.evidence(report)
            columns = np.stack([evidence[name] for name in FITTED], axis=1) * SIDES
            is_true = np.array([each in true for each in ids])
            if is_true.any():
                yield Question(columns, is_true)
        index.add(report)


def fit(questions: Sequence[Question]) -> Floats:
    """Weights of FITTED times SIDES, none below 0, by projected gradient descent on columns of equal spread."""
    spread = np.maximum(np.vstack([question.columns for question in questions]).std(axis=0), 1e-3)
    even = [Question(question.columns / spread, question.is_true) for question in questions]
    weights = np.ones(len(FITTED))
    for turn in range(ROUNDS):
        slope = sum((_slope(question, weights) for question in even), np.zeros(len(FITTED))) / len(even)
        weights = np.maximum(weights - STEP / (1.0 + turn / 40.0) * (slope + PENALTY * weights), 0.0)
    fitted: Floats = weights / spread
    return fitted


def _slope(question: Question, weights: Floats) -> Floats:
    """Slope of the mean of -log(chance of a true one against all false ones), shape (columns,)."""
    heights = question.columns @ weights
    raised = np.exp(heights - heights.max())
    false, true = raised * ~question.is_true, raised[question.is_true]
    middle = (false @ question.columns) / max(false.sum(), 1e-300)
    missed = false.sum() / (true + false.sum())
    slope: Floats = (missed[:, None] * (middle - question.columns[question.is_true])).mean(axis=0)
    return slope


def calibrate(questions: Sequence[Question], weights: Floats) -> tuple[float, float]:
    """Scale and start that make the heights of the first SHOWN candidates log odds of being true."""
    heights, truths = [], []
    for question in questions:
        found = question.columns @ weights
        best = np.argsort(-found)[:SHOWN]
        heights += found[best].tolist()
        truths += question.is_true[best].tolist()
    columns, truth = np.column_stack((heights, np.ones(len(heights)))), np.array(truths, dtype=np.float64)
    line = np.zeros(2)
    for _ in range(25):
        chances = 1.0 / (1.0 + np.exp(-columns @ line))
        curve = (columns.T * (chances * (1.0 - chances))) @ columns + 1e-6 * np.eye(2)
        line += np.linalg.solve(curve, columns.T @ (truth - chances))
    return float(line[0]), float(line[1])


if __name__ == "__main__":
    main()
