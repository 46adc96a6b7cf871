"""知识库 and 口径: answers an operator reads out to a question, agreed wording, and phrases that calm a caller.

Read from data/knowledge/ and, where there is one, knowledge.toml of the city profile: there the same id replaces an
article, and its phrases stand first. Search is by what citizens say; nothing here makes a case.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intake.errors import Misconfigured
from intake.text import bigrams, normalise

FOLDER = Path(__file__).resolve().parent.parent / "data" / "knowledge"
OF_THE_CITY = "knowledge.toml"
PHRASE_WORDS = {"wording": "口径", "calm": "安抚用语", "close": "结束语"}
MOST = 5
WORD_SAID, TITLE_SAID = 3.0, 2.0
LEAST_SCORE = 0.5


@dataclass(frozen=True, slots=True)
class Article:
    """One answer. `number` is whom else to call, empty where the matter is ours."""

    id: str
    title: str
    words: tuple[str, ...]
    answer: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that may be said as they stand."""

    kind: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything of one city."""

    articles: tuple[Article, ...]
    phrases: tuple[Phrase, ...]

    def article(self, article_id: str) -> Article | None:
        return next((one for one in self.articles if one.id == article_id), None)

    def search(self, text: str, *, limit: int = MOST) -> tuple[Article, ...]:
        """Articles that answer what was said, best first; none where nothing fits."""
        asked = normalise(text).strip()
        scored = ((_score(one, asked), one) for one in self.articles) if asked else ()
        fitting = [(score, one) for score, one in scored if score >= LEAST_SCORE]
        return tuple(one for _, one in sorted(fitting, key=lambda pair: -pair[0])[:limit])


def _score(article: Article, asked: str) -> float:
    """Whole words of citizens count most, then the title, then shared pairs of characters."""
    said = sum(WORD_SAID for word in article.words if word in asked or asked in word)
    titled = TITLE_SAID if asked in article.title or article.title in asked else 0.0
    pairs = Counter(bigrams(asked))
    shared = (pairs & Counter(bigrams(" ".join((article.title, *article.words))))).total()
    return said + titled + shared / max(pairs.total(), 1)


def load_knowledge(city_folder: Path, folder: Path = FOLDER) -> Knowledge:
    """Read the shipped files and the city's own; raises Misconfigured with what is wrong."""
    try:
        own = _toml(city_folder / OF_THE_CITY) if (city_folder / OF_THE_CITY).is_file() else {}
        shipped = [*map(_article, _toml(folder / "articles.toml")["articles"])]
        articles = {one.id: one for one in (*shipped, *map(_article, own.get("articles", ())))}
        phrases = _phrases((*own.get("phrases", ()), *_toml(folder / "phrases.toml")["phrases"]))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise Misconfigured(f"知识库无法读取：{type(error).__name__} {error}") from error
    return Knowledge(tuple(articles.values()), phrases)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _article(row: Mapping[str, Any]) -> Article:
    words = tuple(str(word) for word in row.get("words", ()))
    return Article(str(row["id"]), str(row["title"]), words, str(row["answer"]), str(row.get("number", "")))


def _phrases(rows: Iterable[Mapping[str, Any]]) -> tuple[Phrase, ...]:
    found = tuple(Phrase(str(row["kind"]), str(row["title"]), str(row["text"])) for row in rows)
    if unknown := {one.kind for one in found} - PHRASE_WORDS.keys():
        raise ValueError(f"phrase kind {sorted(unknown)[0]!r}")
    return found
