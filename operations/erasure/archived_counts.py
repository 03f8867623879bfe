"""Counts that a rollback has put aside go down with the events that they count."""

from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from models import PARTITIONS
from operations.erasure.places import Table
from operations.queries import query

COLUMNS = ("niche_id", "event_timestamp", "event_type", "created_at")
"""Of the events that go, what tells where they are counted."""


def lowering(connection: psycopg.Connection[Any], table: Table) -> list[Composed]:
    """CTEs that go on behind one called `gone`, of deleted rows of a table with these columns; none where it holds no
    events, or events that stay counted: those of a partition that was detached."""
    if not table.holds_events or table.schema == PARTITIONS or not set(COLUMNS) <= set(table.columns):
        return []
    if connection.execute("SELECT to_regclass('sidb.rollback_archived') IS NOT NULL").fetchone() != (True,):
        return []
    found = connection.execute(query("erasure/counting_archives"), {"schema": table.schema}).fetchall()
    return [
        SQL(query("erasure/lower_archived")).format(
            name=Identifier(f"lowered_in_{archive}"), archive=Identifier(archive), since=Literal(since)
        )
        for archive, since in found
    ]
