"""How well condition and urgency are told, on labelled texts that mark them: given the right class.

Takes the tables that serve (conditions.py, urgency.py). Whether the class itself is found is evaluate.py's matter.
"""

from collections.abc import Iterable, Sequence

from classifier.conditions import condition_of
from classifier.corpus import Example
from classifier.decide import choice
from classifier.urgency import urgency_of
from intake.model import Urgency
from intake.taxonomy import Taxonomy


def told_scores(examples: Iterable[Example], taxonomy: Taxonomy) -> dict[str, float]:
    """`condition` is the share told as marked; `emergency_recall` and `emergency_precision` those of emergencies.

    Shares 0..1. Texts that mark nothing give no figure; where any text marks an urgency, the others are taken for none, so
    that the precision is a lower bound where not every emergency was marked.
    """
    held = list(examples)
    return _conditions([each for each in held if each.condition], taxonomy) | (
        _emergencies(held, taxonomy) if any(each.urgency for each in held) else {}
    )


def _conditions(marked: Sequence[Example], taxonomy: Taxonomy) -> dict[str, float]:
    right = [_condition(each, taxonomy) == each.condition for each in marked]
    return {"condition": sum(right) / len(right)} if right else {}


def _emergencies(examples: Sequence[Example], taxonomy: Taxonomy) -> dict[str, float]:
    marked = {place for place, each in enumerate(examples) if each.urgency == Urgency.EMERGENCY}
    said = {place for place, each in enumerate(examples) if _urgency(each, taxonomy) is Urgency.EMERGENCY}
    both = len(marked & said)
    return {"emergency_recall": both / max(len(marked), 1), "emergency_precision": both / max(len(said), 1)}


def _condition(example: Example, taxonomy: Taxonomy) -> str:
    subclass = choice(example.label, taxonomy)
    return condition_of(example.text, subclass, taxonomy).condition if subclass else ""


def _urgency(example: Example, taxonomy: Taxonomy) -> Urgency:
    return urgency_of(example.text, choice(example.label, taxonomy), _condition(example, taxonomy), taxonomy).level
