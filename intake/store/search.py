"""Search over description, place and number: words plus character pairs, so that any two-character piece is found.

SQLite keeps them in an FTS5 table, PostgreSQL in a tsvector with a GIN index; both hold the same words. How text is cut
into words is handed in (classifier.tokens.search_tokens), because the store may not import the classifier.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from intake.model import Case
from intake.store.statements import ForEach
from intake.text import bigrams, normalise

MAX_TERMS = 8
DDL = {
    "sqlite": (
        "CREATE VIRTUAL TABLE case_search USING fts5(words, detail='none', columnsize=0, tokenize='unicode61')",
    ),
    "postgresql": (
        "CREATE TABLE case_search (case_no BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)",
        "CREATE INDEX ix_case_search_words ON case_search USING GIN (words)",
    ),
}
INSERT = {
    "sqlite": ForEach(sa.text("INSERT INTO case_search (rowid, words) VALUES (:case_no, :words)")),
    "postgresql": ForEach(sa.text(
        "INSERT INTO case_search (case_no, words) VALUES (:case_no, array_to_tsvector(string_to_array(:words, ' ')))"
    )),
}
DELETE = {
    "sqlite": sa.text("DELETE FROM case_search WHERE rowid = :case_no"),
    "postgresql": sa.text("DELETE FROM case_search WHERE case_no = :case_no"),
}
MATCH = {
    "sqlite": "cases.case_no IN (SELECT rowid FROM case_search WHERE case_search MATCH :search_words)",
    "postgresql": "cases.case_no IN (SELECT case_no FROM case_search WHERE words @@ CAST(:search_words AS tsquery))",
}


def text_of(case: Case) -> str:
    """What is searched of a case."""
    return f"{case.description}\n{case.place.text}\n{case.case_no} {case.upstream_no}"


def row(case: Case, words: Callable[[str], Sequence[str]]) -> dict[str, Any]:
    """What the index holds of a case. `words` gives runs of letters and digits in lower case."""
    return {"case_no": case.case_no, "words": " ".join(sorted(set(words(text_of(case)))))}


def insert(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    INSERT[connection.dialect.name].run(connection, rows)


def replace(connection: sa.Connection, new: dict[str, Any]) -> None:
    connection.execute(DELETE[connection.dialect.name], {"case_no": new["case_no"]})
    insert(connection, [new])


def terms_of(query: str) -> list[str]:
    """The pieces a person typed, in normal form, at most eight."""
    return [term.lower() for term in normalise(query)[:200].split()][:MAX_TERMS]


NUMBERS = "cases.case_no || ' ' || cases.upstream_no"
HAYSTACKS = {
    False: f"lower(cases.description || ' ' || cases.place_text || ' ' || {NUMBERS})",
    True: f"lower(CASE WHEN cases.confidential THEN '' ELSE cases.place_text END || ' ' || {NUMBERS})",
}
"""What a piece must stand in, for those who see everything and for those who see citizens' words masked."""


def conditions(query: str, dialect: str, *, masked: bool = False) -> list[sa.ColumnElement[bool]]:
    """Index look-up by character pairs, then the exact piece, so that no pair from elsewhere makes a false hit."""
    terms = terms_of(query)
    pairs = sorted({pair for term in terms for pair in bigrams(term)})
    found: list[sa.ColumnElement[bool]] = []
    if pairs:
        found.append(sa.text(MATCH[dialect]).bindparams(search_words=_match_words(pairs, dialect)))  # type: ignore[arg-type]
    for number, term in enumerate(terms):
        escaped = re.sub(r"([\\%_])", r"\\\1", term)
        exact = sa.text(rf"{HAYSTACKS[masked]} LIKE :term_{number} ESCAPE '\'").bindparams(**{f"term_{number}": f"%{escaped}%"})
        found.append(exact)  # type: ignore[arg-type]
    return found


def _match_words(pairs: list[str], dialect: str) -> str:
    if dialect == "sqlite":
        return " AND ".join(f'"{pair}"' for pair in pairs)
    return " & ".join("'" + pair.replace("\\", "\\\\").replace("'", "''") + "'" for pair in pairs)
