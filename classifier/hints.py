"""The best classes for a text somebody is typing, each with the words that spoke for it and the condition they name."""

from classifier.classify import TextClassifier
from intake.hint import Hint

MOST, MOST_WORDS = 3, 3


def hints_of(classifier: TextClassifier, text: str, *, most: int = MOST) -> tuple[Hint, ...]:
    """At most `most` hints, best first; none for a text that says nothing. Never raises for any text."""
    return tuple(
        Hint(one.subclass, round(one.confidence, 4), tuple(why.text for why in one.why[:MOST_WORDS]), one.condition)
        for one in classifier.candidates(text, most=most)
    )
