"""Several complaints in one message: where it would be parted (拆单). Proposed only; an operator parts it. Pure."""

import re

LEAST_CHARS = 6
MOST_PARTS = 6
_MARKS = re.compile(
    r"(?:^|(?<=[\s，。；;,：:]))(?:[(（]?[1-9一二三四五六七八九][)）]|[1-9][.、．](?!\d)|[一二三四五六七八九]、|[①-⑨]|第[一二三四五六1-6](?:个|件)?(?:问题|事)?[，,、是：:])"
    r"|[①-⑨]|(?:^|(?<=[，。；;,\s]))(?:[一二三四]是|其[一二三四][，,、：:]|另外(?:还有)?[，,]|还有一(?:件事|个问题|处)[，,：:]?)"
)


def split_matters(text: str) -> tuple[str, ...]:
    """The parts of a text that numbers its complaints; empty for a single one."""
    starts = [found.end() for found in _MARKS.finditer(text)]
    if not starts:
        return ()
    begins = [found.start() for found in _MARKS.finditer(text)]
    cuts = [(0, begins[0]), *zip(starts, [*begins[1:], len(text)], strict=True)]
    parts = tuple(text[start:end].strip(" ，,。；;：:\n") for start, end in cuts)
    parts = tuple(part for part in parts if len(part) >= LEAST_CHARS)
    return parts[:MOST_PARTS] if len(parts) > 1 else ()
