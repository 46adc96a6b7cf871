"""Where a report says the matter is: the longest span that tells it, its parts, and what the gazetteer makes of it.

Parts of addresses are found in address.py; here they are joined, the joined spans are scored and the best is taken.
Works for any city; a city's own gazetteer, where one is handed in, adds candidates and the unit grid.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from classifier.address import LONGEST_BARE, Anchor, anchors, is_doing, is_new, may_go_on, naming_length
from classifier.address_table import RELATION
from classifier.features import MAX_CHARS
from classifier.fold import legible
from intake.gazetteer import Gazetteer, PlaceMatch

SURE_MATCH = 0.9
"""From this gazetteer score on a name is taken for the place; the same as when a case is placed."""
LEAST_SCORE = 1.3
WELL_KNOWN = 0.75
# A span that scores less may lose to a whole segment that looks like a name (SMS: 井盖没了 大石坝).
WEAK_SCORE = 2.2
CANDIDATES = 5

_JOINT = re.compile(r"[与和跟同及至到/\-—×x ]|那个|这个|我们[那这]个|的那个|[(（]|靠近|靠|近|往")
# What may lead to a name of which the grammar sees only the end: 工业北路|幸福柳|广场.
_LEADING = frozenset(("city", "district", "street", "road", "number"))
_NAMED = frozenset(("common", "noun", "landmark", "community", "road", "bridge"))
_ROADS = frozenset(("road", "bridge"))
_SURE_NAMES = frozenset(("province", "city", "district", "street", "road", "community", "landmark", "bridge", "listed"))
_GAP = re.compile("[\u4e00-\u9fff]{1,5}")
# What may stand between a name and the nameless thing meant: 王家湾|那条|路, 灞桥区纺织城|某|街坊.
_POINTING = re.compile(
    r"(?:的|上的?|里面?的?|里头|旁边?的?|附近的?|后面的?|对面的?|口)?(?:[那这]一?[个条栋家块座段片排]|某[个处条]?|一[家处栋幢所座条间个])?"
)
_POINTS = re.compile(r"的?(?:某|[那这][个条])$")
# 某小区, 一家皮鞋厂: nameless, but it tells which of the things on a road is meant.
_SOME = re.compile(r"(?:的?某|的?一[家处栋幢所座])(?=([\u4e00-\u9fff]{2,8}))")
LONGEST_LEAD = 3
_LEAD = re.compile(r"(?:(?:^)|(?<=[，。！？；、：,.!?;:（）() ]))([\u4e00-\u9fff]{1,3})$")
_REST = re.compile(r"[\u4e00-\u9fff]{2,6}(?=[，。,.；;（）() ]|$)")
_SEGMENT = re.compile(r"[^，。！？；、\s,.!?;:：（）()【】“”\"'…]+")
# What a citizen writes before a place, and what behind a name makes it a body that was called instead.
_INTRODUCED = re.compile(r"(?:地址|地点|位置|位于|在|住|反映|关于|[：:】]|称|来到|路过|经过|到|我们?是|就是)$")
_IS_BODY = re.compile(
    r"政府|办事处|居委会|派出所|城管|环卫|物业|执法|工作人员|回复|答复|说|表示|推|称|人民政府|[局所已]|管委会"
)
_CROSSING = re.compile(
    r"(?:丁字|十字|三岔|三叉|交叉)?(?:路口|叉路口|叉口|交汇[处口]?|交界处?|相交处|交会处|交口|岔路?口|口|拐角处?|转角处?)|十字"
)
_FURTHER = re.compile(r"[往向以朝正东西南北]")
_VAGUE = frozenset(("listed", "common"))
_EDGES = frozenset(" ，,。:：（()）")
# How much a part tells about where something is; measured on the training split.
_WORTH = {
    "province": 1.5, "city": 1.6, "district": 2.2, "street": 2.5, "community": 2.5, "road": 3.0, "bridge": 2.4,
    "landmark": 2.2, "common": 0.3, "noun": 1.2, "number": 0.2, "building": 0.2, "listed": 1.2,
}  # fmt: skip
_PARTS = {
    "city": "district", "district": "district", "street": "street", "road": "road", "number": "number",
    "community": "community", "building": "building", "landmark": "landmark", "bridge": "landmark", "noun": "landmark",
}  # fmt: skip
_PART_OF_KIND = {
    "road": "road",
    "crossing": "road",
    "community": "community",
    "estate": "community",
    "bridge": "bridge",
}


@dataclass(frozen=True, slots=True)
class PlaceFound:
    """A place at `text[start:end]` of the text as given.

    `parts` has some of district, street, road, number, crossing, community, building, landmark, relation. `grid` is the
    unit grid where the gazetteer knows only one place that fits, else empty. `candidates` are best first.
    """

    text: str
    start: int
    end: int
    parts: Mapping[str, str]
    candidates: tuple[PlaceMatch, ...] = ()
    grid: str = ""


@dataclass(frozen=True, slots=True)
class _Span:
    """Joined parts of an address; `end` takes in what follows the last of them (旁边)."""

    chain: Sequence[Anchor]
    start: int
    end: int
    score: float


def find_place(text: str, gazetteer: Gazetteer | None = None) -> PlaceFound | None:
    """The place of the matter, or None where the text names none. Never raises; reads MAX_CHARS characters."""
    folded = legible(text[:MAX_CHARS])
    best = _best_span(folded, ())
    if gazetteer and (best is None or best.score < WEAK_SCORE):
        # The gazetteer is asked for names no grammar tells only where the grammar finds nothing sure: it costs more.
        best = _best_span(folded, _well_known(folded, gazetteer))
    if best is None or best.score < WEAK_SCORE:
        best = max((*_bare_names(folded), *((best,) if best else ())), key=lambda span: span.score, default=None)
    if best is None or best.score < LEAST_SCORE:
        return None
    end = _with_rest(folded, best.end)
    matches = _candidates(text, best.start, end, gazetteer) if gazetteer else ()
    return PlaceFound(text[best.start : end], best.start, end, _parts(folded, best, end), matches, _only_grid(matches))


def _best_span(folded: str, listed: Sequence[Anchor]) -> _Span | None:
    return max(_spans(folded, listed), key=lambda span: (span.score, -span.start), default=None)


def _well_known(folded: str, gazetteer: Gazetteer) -> list[Anchor]:
    """Names of the city's own gazetteer that stand in the text word for word."""
    found = [match for match in gazetteer.find(folded, limit=2 * CANDIDATES) if match.score >= WELL_KNOWN]
    return [Anchor(match.start, match.end, _PART_OF_KIND.get(match.row.kind, "landmark")) for match in found]


def _spans(folded: str, listed: Sequence[Anchor]) -> Iterator[_Span]:
    for whole in _chains(folded, listed):
        chain = _named_part(whole)
        start, end = _from_edge(folded, chain[0].start), chain[-1].end
        for _ in range(2):
            behind = RELATION.match(folded, end)
            end = behind.end() if behind else _with_some(folded, end)
        yield _Span(chain, start, end, _score(folded, chain, start, end))


def _named_part(chain: tuple[Anchor, ...]) -> tuple[Anchor, ...]:
    """The chain without the nameless things before its first name: 工地门口 东站路 is at 东站路."""
    first = next((place for place, anchor in enumerate(chain) if anchor.part in _SURE_NAMES), 0)
    return chain[first:] if all(anchor.part == "common" for anchor in chain[:first]) else chain


def _chains(folded: str, listed: Sequence[Anchor]) -> Iterator[tuple[Anchor, ...]]:
    """Anchors that stand together, of two from the same place the longer; a house number alone begins none."""
    chain: list[Anchor] = []
    for anchor in sorted((*anchors(folded), *listed), key=lambda anchor: (anchor.start, -anchor.end)):
        if chain and anchor.start < chain[-1].end:
            continue
        if chain and not _is_joined(folded, chain[-1], anchor):
            yield tuple(chain)
            chain = []
        if chain or anchor.part not in ("number", "building"):
            chain.append(anchor)
    if chain:
        yield tuple(chain)


def _is_joined(folded: str, last: Anchor, anchor: Anchor) -> bool:
    gap = folded[last.end : anchor.start]
    name = _POINTS.sub("", gap)
    if last.part in _LEADING and anchor.part in _NAMED and _GAP.fullmatch(name) and may_go_on(name):
        return True
    if anchor.part in ("common", "noun") and _POINTING.fullmatch(gap):
        return True
    if anchor.part == "common":
        return False
    if not gap or _JOINT.fullmatch(gap) or (gap == "、" and {last.part, anchor.part} <= _ROADS):
        return True
    relation = RELATION.match(gap)
    return relation is not None and (relation.end() == len(gap) or _JOINT.fullmatch(gap, relation.end()) is not None)


def _score(folded: str, chain: Sequence[Anchor], start: int, end: int) -> float:
    """How sure and how exact: each kind of part once, an introduction, free-standing edges; bodies and late ones less."""
    opens = start == 0 or folded[start - 1] in _EDGES
    closes = end == len(folded) or folded[end] in _EDGES
    score = sum(_WORTH[part] for part in {anchor.part for anchor in chain})
    # 河南焦作 says where, 河南 alone may be anything; so with 步行街肯德基.
    score += 1.0 * (len(chain) > 1 and {anchor.part for anchor in chain} <= _VAGUE)
    score += 0.8 * (_INTRODUCED.search(folded, max(0, start - 6), start) is not None)
    score -= 2.5 * (_IS_BODY.match(folded, end) is not None)
    return score - start / 400 + 0.4 * opens + 0.3 * closes + 0.6 * (opens and closes)


def _bare_names(folded: str) -> Iterator[_Span]:
    """Segments that name something and say nothing; the first and the last may be any noun, the others must be short."""
    segments = list(_SEGMENT.finditer(folded))
    if len(segments) < 2:
        return
    for segment in segments:
        name, is_edge = segment.group(), segment in (segments[0], segments[-1])
        if 2 <= len(name) <= (9 if is_edge else LONGEST_BARE) and not is_doing(name) and (is_edge or is_new(name)):
            score = 1.5 + 0.3 * is_edge + 0.3 * (segment is segments[-1]) + 0.2 * (len(name) <= 5)
            yield _Span((Anchor(*segment.span(), "landmark"),), *segment.span(), score)


def _from_edge(folded: str, start: int) -> int:
    """Where the clause begins, when only a few characters of a name lie between: 和平|巷, 二环|南立交."""
    lead = _LEAD.search(folded, max(0, start - LONGEST_LEAD - 1), start)
    return lead.start(1) if lead and may_go_on(lead[1]) else start


def _with_some(folded: str, end: int) -> int:
    """Take in a nameless thing up to the first verb or particle, at least two characters of it."""
    some = _SOME.match(folded, end)
    length = naming_length(some[1]) if some else 0
    return some.end() + length if some and length >= 2 else end


def _with_rest(folded: str, end: int) -> int:
    """Take in the rest of the clause where it can only be the name's: 雨花区 + 井湾子."""
    rest = _REST.match(folded, end)
    is_closed = RELATION.fullmatch(folded, end - 1, end)
    return rest.end() if rest and not is_closed and may_go_on(rest.group()) else end


def _parts(folded: str, span: _Span, end: int) -> dict[str, str]:
    """The first of each part in simplified half-width writing; two joined roads are a crossing."""
    parts: dict[str, str] = {}
    for anchor in span.chain:
        name = _PARTS.get(anchor.part, "")
        if name and (name not in parts or (anchor.part == "district" and parts[name].endswith(("市", "州")))):
            parts[name] = folded[anchor.start : anchor.end]
    roads = [folded[anchor.start : anchor.end] for anchor in span.chain if anchor.part in _ROADS]
    behind = folded[span.chain[-1].end : span.end].removeprefix("的")
    crossed = _CROSSING.match(behind)
    if len(roads) > 1 and (not behind or crossed or _FURTHER.match(behind)):
        parts["crossing"] = f"{roads[0]}与{roads[1]}"
    elif roads and crossed:
        parts["crossing"] = roads[0] + crossed.group()
    if relation := behind[crossed.end() :] if crossed else behind:
        parts["relation"] = relation
    rest = folded[span.end : end]
    return parts | ({"landmark": rest} if rest and "landmark" not in parts else {})


def _candidates(text: str, start: int, end: int, gazetteer: Gazetteer) -> tuple[PlaceMatch, ...]:
    """What the gazetteer finds in the span, at its place in the whole text."""
    found = gazetteer.find(text[start:end], limit=CANDIDATES)
    return tuple(
        PlaceMatch(match.row, match.score, match.why, match.start + start, match.end + start) for match in found
    )


def _only_grid(matches: Sequence[PlaceMatch]) -> str:
    grids = {match.row.grid_code for match in matches if match.score >= SURE_MATCH}
    return grids.pop() if len(grids) == 1 else ""
