"""Tables of orders from above. What a source's list says of people is sealed."""

from typing import Any

import sqlalchemy as sa

from intake.order import News, Order, SheetHeld
from intake.store.mapping import RecordTable


def order_tables(metadata: sa.MetaData) -> tuple[RecordTable[Any], ...]:
    """Every table of orders, on the shared metadata."""
    return (
        RecordTable(Order, "orders", metadata, key=["order_id"], references={"case_no": "cases.case_no"},
                    extra=[sa.UniqueConstraint("source", "number"), sa.Index(None, "case_no")]),
        RecordTable(News, "order_news", metadata, key=["news_id"], references={"order_id": "orders.order_id"},
                    extra=[sa.Index(None, "state", "next_at", "news_id"), sa.Index(None, "source", "news_id"),
                           sa.Index(None, "order_id")]),
        RecordTable(SheetHeld, "order_sheets", metadata, key=["user_id"], sealed={"sealed": ("lines",)}),
    )  # fmt: skip
