"""A class proposed to a person who is typing, with the words that led to it. Made by the classifier through a port."""

from dataclasses import dataclass

from intake.model import Subclass


@dataclass(frozen=True, slots=True)
class Hint:
    """`words` stand in the text and spoke for the class, weightiest first; `confidence` is 0..1, 0 where none is known."""

    subclass: Subclass
    confidence: float
    words: tuple[str, ...] = ()
    condition: str = ""


def no_hints(_text: str) -> tuple[Hint, ...]:
    """Where there is no model."""
    return ()
