"""A table without those of others that inherit from it: their rows are theirs, and no key of ours refers to them."""

from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from operations.queries import query


def only(connection: psycopg.Connection[Any], table: Identifier) -> Composed:
    """How a statement names the table's own rows; a partitioned one has them in its partitions, and is named whole."""
    row = connection.execute(query("rollback/is_partitioned"), {"relation": table.as_string()}).fetchone()
    return SQL("{}" if row == (True,) else "ONLY {}").format(table)
