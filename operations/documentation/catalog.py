"""What the schema reference reads of a database: the queries in queries/documentation."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from operations.queries import query


def read(connection: Connection, source: str, **parameters: object) -> Sequence[Row[Any]]:
    """What one of the queries finds."""
    return connection.exec_driver_sql(query(f"documentation/{source}"), parameters).all()


def qualified(relation: Row[Any]) -> str:
    """A relation's name with its schema."""
    return f"{relation.schema}.{relation.name}"
