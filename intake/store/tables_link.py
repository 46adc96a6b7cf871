"""The table of links between cases (case_link.py). Nothing personal stands in it."""

from typing import Any

import sqlalchemy as sa

from intake.case_link import CaseLink
from intake.store.mapping import RecordTable


def link_tables(metadata: sa.MetaData) -> tuple[RecordTable[Any], ...]:
    """The one table of links, on the shared metadata."""
    return (
        RecordTable(CaseLink, "case_links", metadata, key=["link_id"],
                    extra=[sa.UniqueConstraint("case_no", "other_no", "kind"), sa.Index(None, "other_no")]),
    )  # fmt: skip
