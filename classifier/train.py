"""From a corpus to a model with its card: fit, calibrate, choose thresholds, measure.

Calibration needs texts the model has not seen: the dev split where there is one, else a share of the training split
held out from a first fit. The model itself is always fitted on the whole training split. Settings stand in model.py.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier import corpus, evaluate
from classifier.calibration import choose_thresholds, fit_sharpness, fit_trust
from classifier.compare import measured_by
from classifier.corpus import NONE, Example
from classifier.decide import Decider, DecisionRules, choice, is_outside
from classifier.estimators import Fitted, ModelSettings
from classifier.evaluate import Answer, Report
from classifier.exact import ExactModel, softmax
from classifier.learning import Lessons
from classifier.model import decision, exact_form, fit, terms_of
from classifier.registry import Card, StoredModel
from classifier.tokens import own_words
from intake.errors import BadInput
from intake.taxonomy import Taxonomy

FEWEST_LABELS = 3
FEWEST_FOR_A_REDIRECT = 8

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Scores (texts, labels) of texts the scoring model was not fitted on."""

    examples: tuple[Example, ...]
    labels: tuple[str, ...]
    scores: NDArray[np.float64]


def train(
    examples: Sequence[Example],
    dev: Sequence[Example],
    *,
    taxonomy: Taxonomy,
    settings: ModelSettings | None = None,
    progress: Progress = lambda _: None,
) -> tuple[ExactModel, Card]:
    """Train on `examples`, calibrate on `dev`, or on a held-out share when it is empty.

    Raises BadInput on too small a corpus. `progress` is told the name of each stage as it begins; `stages` counts them.
    """
    settings = settings or ModelSettings()
    if len({example.label for example in examples}) < FEWEST_LABELS:
        raise BadInput("corpus", f"语料至少要有{FEWEST_LABELS}个类别，才能训练分类模型。")
    found, terms = with_common_redirects(examples), terms_of(taxonomy)
    held = None if dev else _held_out_share(found, terms, settings=settings, progress=progress)
    progress("拟合模型")
    pipeline = fit(found, terms, settings)
    held = held or score(pipeline, dev)
    progress("校准置信度")
    model, rules, measured = _calibrated(
        exact_form(pipeline, sharpness=1.0), held, taxonomy=taxonomy, precision=settings.precision
    )
    card = Card(
        corpus_digest=corpus.digest(found),
        taxonomy_digest=corpus.digest(terms),
        dictionary_digest=_digest("\n".join(own_words())),
        texts=len(found),
        counts=dict(sorted(Counter(example.label for example in found).items())),
        rules=rules,
        calibrated_on="dev" if dev else f"held-out 1/{settings.folds}",
        settings=asdict(settings),
        versions={name: version(name) for name in ("jieba", "numpy", "scikit-learn")},
        scores=evaluate.rounded(measured),
    )
    return model, card


def stages(folder: Path = corpus.CORPUS_FOLDER) -> int:
    """How many stages `train_from` will announce."""
    return 3 if (folder / "dev.jsonl").exists() else 4


def train_from(
    folder: Path, taxonomy: Taxonomy, *, lessons: Lessons | None = None, progress: Progress = lambda _: None
) -> tuple[ExactModel, Card]:
    """Train on the `train` and `dev` files of a corpus folder and on what operators taught.

    The card also says how the model does on the frozen `test` file and on the newest confirmed cases. The frozen file is
    always measured with all optional classes off, so that the figures of cities can be compared.
    """
    taught = lessons or Lessons()
    train_split, dev, test = (corpus.read_split(split, taxonomy, folder=folder) for split in ("train", "dev", "test"))
    model, card = train((*train_split, *taught.learned), dev, taxonomy=taxonomy, progress=progress)
    progress("在测试语料上评测")
    stored = StoredModel(model, card, "")
    card = replace(
        card,
        tested=measured_by(stored, test, replace(taxonomy, optional_on=frozenset())),
        newest=measured_by(stored, taught.newest, taxonomy),
        corrections=len(taught.learned),
        learned_until=taught.until,
    )
    return model, card


def with_common_redirects(examples: Sequence[Example]) -> list[Example]:
    """Merge destinations with too few texts to be learned into `none:`, which names no number."""
    counts = Counter(example.label for example in examples)
    return [
        replace(example, label=f"{NONE}:")
        if is_outside(example.label) and counts[example.label] < FEWEST_FOR_A_REDIRECT
        else example
        for example in examples
    ]


def score(pipeline: Fitted, examples: Sequence[Example]) -> HeldOut:
    """Score examples by a pipeline that was fitted without them."""
    texts = [example.text for example in examples]
    return HeldOut(tuple(examples), tuple(map(str, pipeline.classes_)), decision(pipeline, texts))


def _held_out_share(
    examples: Sequence[Example], terms: Sequence[Example], *, settings: ModelSettings, progress: Progress
) -> HeldOut:
    """Score each label's every n-th text by a model fitted on the others."""
    progress("拟合校准用模型")
    dealt = list(zip(examples, corpus.fold_of(examples, settings.folds), strict=True))
    pipeline = fit([example for example, fold in dealt if fold], terms, settings)
    return score(pipeline, [example for example, fold in dealt if not fold])


def _calibrated(
    model: ExactModel, held: HeldOut, *, taxonomy: Taxonomy, precision: float
) -> tuple[ExactModel, DecisionRules, Report]:
    """Fit sharpness, trust and thresholds in turn on held-out texts, then measure on them with all three in place."""
    decider = Decider.of(held.labels, taxonomy)
    group = {name: place for place, name in enumerate(decider.choices)}
    truths = [choice(example.label, taxonomy) for example in held.examples]
    known = [place for place, truth in enumerate(truths) if truth in group]
    truth = np.array([group[truths[place]] for place in known])
    sharpness = fit_sharpness(held.scores[known], truth, group_of=decider.choice_of)
    chances = dict(zip((example.text for example in held.examples), softmax(held.scores, sharpness), strict=True))

    def answers(rules: DecisionRules) -> list[Answer]:
        return evaluate.judge_all(lambda text: decider.judge(chances[text], rules), held.examples, taxonomy)

    first = answers(DecisionRules())
    trust = fit_trust(np.array([answer.confidence for answer in first]), _right(first))
    second = answers(DecisionRules(trust))
    best, gap = (np.array(column) for column in zip(*((a.confidence, a.gap) for a in second), strict=True))
    rules = DecisionRules(trust, choose_thresholds(best, gap, _right(second), precision=precision))
    return replace(model, sharpness=sharpness), rules, evaluate.report(answers(rules))


def _right(answers: Sequence[Answer]) -> NDArray[np.bool_]:
    return np.array([answer.is_right for answer in answers])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
