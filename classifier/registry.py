"""A trained model and its card in one file: a header of JSON, then the arrays as raw little-endian numbers.

No pickle, so that reading a model never runs code; no time and no machine in it, so that the same seed gives the same
bytes. What the numbers mean stands in exact.py, where they come from in train.py.
"""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Thresholds, Trust
from classifier.decide import DecisionRules
from classifier.exact import ExactModel
from intake.errors import Misconfigured

MAGIC = b"intake-model-1\n"
FILE_NAME = "classifier.model"
# The order of the arrays in the file, and how they are kept: half precision where it is many, single where it is few.
ARRAYS = {"weight": "<f4", "rows": "<f2", "bend": "<f4", "second": "<f4", "bias": "<f4"}


@dataclass(frozen=True, slots=True)
class Card:
    """Where a model comes from and what it is worth.

    `texts` counts everything it was fitted on, `corrections` the operators' cases among them, the newest of which was
    confirmed at `learned_until` (ISO form, empty without any). `counts` is texts by label. `scores` were measured on
    what it was calibrated on, `tested` on the frozen test split, `newest` on cases confirmed after `learned_until`.
    """

    corpus_digest: str
    taxonomy_digest: str
    dictionary_digest: str
    texts: int
    rules: DecisionRules
    calibrated_on: str
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    tested: Mapping[str, float] = field(default_factory=dict)
    newest: Mapping[str, float] = field(default_factory=dict)
    corrections: int = 0
    learned_until: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """What a model file holds. `version` is the beginning of the digest of its bytes."""

    model: ExactModel
    card: Card
    version: str


class BadModel(Misconfigured):
    """The model file is missing, cut short or of another format; training anew mends it."""

    code = "bad_model"
    message = "分类模型缺失或已损坏，请运行 python -m intake train。"


def default_path(home: Path) -> Path:
    """Where the gateway keeps its model below INTAKE_HOME."""
    return home / "models" / FILE_NAME


def save(path: Path, *, model: ExactModel, card: Card) -> None:
    """Write a model in one step: readers see the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as stream:
        stream.write(_encode(model, card))
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, path)


def load(path: Path) -> StoredModel:
    """Read a model; raises BadModel."""
    try:
        raw = path.read_bytes()
        return _decode(raw)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadModel from error


def _encode(model: ExactModel, card: Card) -> bytes:
    header = {
        "labels": model.labels,
        "tokens": list(model.tokens),
        "hidden": len(model.bend),
        "sharpness": model.sharpness,
        "card": asdict(card),
    }
    text = json.dumps(header, ensure_ascii=False, sort_keys=True).encode()
    arrays = (getattr(model, name).astype(kind).tobytes() for name, kind in ARRAYS.items())
    return b"".join((MAGIC, len(text).to_bytes(8, "little"), text, *arrays))


def _decode(raw: bytes) -> StoredModel:
    if not raw.startswith(MAGIC):
        raise ValueError("not a model file")
    start = len(MAGIC) + 8
    end = start + int.from_bytes(raw[len(MAGIC) : start], "little")
    header = json.loads(raw[start:end])
    features, labels, hidden = len(header["tokens"]), len(header["labels"]), int(header["hidden"])
    shapes = ((features,), (features, hidden + labels), (hidden,), (hidden, labels), (labels,))
    arrays: dict[str, NDArray[np.float32]] = {}
    for (name, kind), shape in zip(ARRAYS.items(), shapes, strict=True):
        count = math.prod(shape)
        arrays[name] = np.frombuffer(raw, kind, count, end).astype(np.float32).reshape(shape)
        end += count * np.dtype(kind).itemsize
    model = ExactModel(
        labels=tuple(header["labels"]),
        tokens={token: place for place, token in enumerate(header["tokens"])},
        sharpness=float(header["sharpness"]),
        **arrays,
    )
    held = header["card"]
    rules = DecisionRules(Trust(**held["rules"]["trust"]), Thresholds(**held["rules"]["thresholds"]))
    card = Card(**{**held, "rules": rules})
    return StoredModel(model, card, hashlib.sha256(raw).hexdigest()[:12])
