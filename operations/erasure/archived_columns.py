"""Values that a rollback has copied from rows of users go with these rows: a copy of columns knows only their keys."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from models import ANALYTICS, PARTITIONS
from operations.erasure.archived_counts import COLUMNS, lowering
from operations.erasure.places import WITH_USERS, Table
from operations.queries import query

EVENTS = "analytics_events"
ARCHIVED = """
    SELECT EXISTS (
        SELECT FROM pg_class AS c
        INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE
            n.nspname = 'sidb'
            AND c.relname = 'rollback_archived'
            AND has_schema_privilege(n.oid, 'USAGE')
            AND has_table_privilege(c.oid, 'SELECT')
    )
"""
"""Whether there are records of archives that this role may read. Who may not is refused for want of more than that."""


@dataclass(frozen=True)
class Followers:
    """What goes in archives with rows of a table: CTEs behind one called `gone`, which has to give these columns."""

    statements: list[Composed]
    columns: list[str]


def followers(connection: psycopg.Connection[Any], table: Table) -> Followers:
    """Counts of the rows, and copies of their columns."""
    statements = lowering(connection, table)
    columns = list(COLUMNS) if statements else []
    for number, (archive, kept_as, keys) in enumerate(_copies(connection, table)):
        same = SQL(" AND ").join(SQL("k.{0} = g.{0}").format(Identifier(key)) for key in keys)
        deletion = SQL(", {} AS (DELETE FROM {} AS k USING gone AS g WHERE {})")
        statements.append(deletion.format(Identifier(f"copied_{number}"), Identifier(archive, kept_as), same))
        columns += keys
    return Followers(statements, list(dict.fromkeys(columns)))


def _copies(connection: psycopg.Connection[Any], table: Table) -> list[Any]:
    if table.is_staged or connection.execute(ARCHIVED).fetchone() != (True,):
        return []
    relation = EVENTS if table.schema == PARTITIONS and table.holds_events else table.relation
    parameters = {"schema": table.schema, "relation": f"{ANALYTICS}.{relation}", "columns": table.columns}
    return connection.execute(query("erasure/column_copies"), parameters).fetchall()


def names(connection: psycopg.Connection[Any]) -> list[str]:
    """The copies of columns of tables that hold ids of users."""
    if connection.execute(ARCHIVED).fetchone() != (True,):
        return []
    parameters = {"relations": [f"{ANALYTICS}.{name}" for name in WITH_USERS]}
    return [row[0] for row in connection.execute(query("erasure/copies_of"), parameters)]
