"""How well the place of a matter is found: characters found against characters marked, on labelled texts.

Takes any function from text to a span, so that it measures exactly what intake gets.
"""

from collections.abc import Callable, Iterable

from classifier.corpus import Example

Span = tuple[int, int]


def place_scores(find: Callable[[str], Span | None], examples: Iterable[Example]) -> dict[str, float]:
    """`place_overlap` is the mean of shared over joined characters, `place_found` the share with any span at all.

    Over the texts that name a place; none at all give no figures. Shares 0..1.
    """
    marked = [example for example in examples if example.place and example.place in example.text]
    if not marked:
        return {}
    found = [(find(example.text), _marked(example)) for example in marked]
    overlaps = [_overlap(span, truth) if span else 0.0 for span, truth in found]
    return {
        "place_overlap": sum(overlaps) / len(marked),
        "place_found": sum(span is not None for span, _ in found) / len(marked),
    }


def _marked(example: Example) -> Span:
    start = example.text.index(example.place)
    return start, start + len(example.place)


def _overlap(one: Span, other: Span) -> float:
    shared = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)
