"""Rows of erased users in an archive, which came into it from elsewhere: they are deleted before a restore begins."""

from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from operations.erasure import places, users
from operations.erasure.archived_columns import followers
from operations.findings import Finding
from operations.rollback import checks


def sweep(connection: psycopg.Connection[Any], archive: str) -> Finding | None:
    """Delete them, on a session in autocommit mode; None: nobody was ever erased here."""
    if connection.execute("SELECT to_regclass('sidb.erased_user') IS NOT NULL").fetchone() != (True,):
        return None
    if connection.execute("SELECT EXISTS (SELECT FROM sidb.erased_user)").fetchone() != (True,):
        return None
    rows = 0
    with connection.transaction():
        archived = [table for table in places.tables(connection) if table.schema == archive]
        users.remember(connection, users.identify(connection, archived, None))
        for table in archived:
            rows += _deleted(connection, table)
        connection.execute("DROP TABLE pg_temp.erasing_user")
    if not rows:
        return checks.ERASED.ok("the archive holds nothing of theirs")
    return checks.ERASED.ok(f"{rows:,} rows of theirs were deleted from the archive, and not restored")


def _deleted(connection: psycopg.Connection[Any], table: places.Table) -> int:
    following = followers(connection, table)
    statement = SQL(
        "WITH gone AS (DELETE FROM {} AS t USING pg_temp.erasing_user AS u WHERE t.user_id = u.user_id"
        " RETURNING {}){} SELECT count(*) FROM gone"
    ).format(
        table.identifier,
        SQL(", ").join(SQL("t.{}").format(Identifier(name)) for name in following.columns or ["user_id"]),
        SQL("").join(following.statements),
    )
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])
