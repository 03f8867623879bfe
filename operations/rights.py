"""The rights on Phase 1's relations, written down before anything touches them, to find later what was taken away.

Phase 1's programs run unchanged through the rollout: what they were allowed to do before the upgrade, they must be
allowed to do after it, see the same rows, and need no more columns to insert one. What was granted since is not looked
at.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from operations.bookkeeping import RIGHTS, open_records
from operations.queries import query


@dataclass(frozen=True)
class Taken:
    """When they were written down; `before_upgrade`: else somebody accepted them as they were then."""

    taken_at: datetime
    before_upgrade: bool


@dataclass(frozen=True)
class Missing:
    """An owner or a privilege that is no longer so; "" as `grantee` is PUBLIC, as `column_name` the whole relation."""

    relation: str
    column_name: str
    grantee: str
    privilege: str
    owner: str | None
    statement: str

    def __str__(self) -> str:
        if self.privilege == "OWNER":
            return f"{self.relation} belongs to {self.owner}, and belonged to {self.grantee}: {self.statement}"
        of = f" ({self.column_name})" if self.column_name else ""
        return f"{self.grantee or 'PUBLIC'} has lost {self.privilege}{of} on {self.relation}: {self.statement}"


@dataclass(frozen=True)
class Lost:
    """A default that is gone, or row security (of the whole relation: "" as `column_name`) that now hides rows."""

    relation: str
    column_name: str
    setting: str
    statement: str

    def __str__(self) -> str:
        if self.setting == "default":
            return f"{self.relation}.{self.column_name} has lost its default, which INSERTs rely on: {self.statement}"
        return f"{self.relation} has row security, which hides rows, and did not have it so: {self.statement}"


def take(connection: psycopg.Connection[Any], *, before_upgrade: bool) -> int:
    """Write down who may do what now; the number of rights. It replaces what was written down before, or nothing."""
    with connection.transaction():
        open_records(connection, RIGHTS)
        connection.execute(query("rights/begin"), {"before_upgrade": before_upgrade})
        connection.execute("DELETE FROM sidb.phase1_right")
        connection.execute("DELETE FROM sidb.phase1_setting")
        connection.execute("SET LOCAL search_path = pg_catalog")  # names in defaults are written down qualified
        connection.execute(f"INSERT INTO sidb.phase1_setting {query('rights/settings')}".encode())
        return connection.execute(f"INSERT INTO sidb.phase1_right {query('rights/held')}".encode()).rowcount


def taken(connection: psycopg.Connection[Any]) -> Taken | None:
    """When they were written down; None: never. Raises psycopg's errors."""
    there = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'sidb' AND tablename = 'phase1_rights')"
    if connection.execute(there).fetchone() != (True,):
        return None
    with connection.cursor(row_factory=class_row(Taken)) as cursor:
        return cursor.execute(query("rights/taken")).fetchone()


def missing(connection: psycopg.Connection[Any]) -> list[Missing]:
    """What was written down and is no longer so."""
    with connection.cursor(row_factory=class_row(Missing)) as cursor:
        statement = f"WITH held AS ({query('rights/held')}) {query('rights/missing')}"
        return cursor.execute(statement.encode()).fetchall()


def settings_taken(connection: psycopg.Connection[Any]) -> bool:
    """Whether settings were written down, too: versions before this table wrote down rights alone."""
    there = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'sidb' AND tablename = 'phase1_setting')"
    return connection.execute(there).fetchone() == (True,)


def lost_settings(connection: psycopg.Connection[Any]) -> list[Lost]:
    """What was written down of defaults and row security, and is no longer so."""
    with connection.cursor(row_factory=class_row(Lost)) as cursor:
        statement = f"WITH now_set AS ({query('rights/settings')}) {query('rights/lost_settings')}"
        return cursor.execute(statement.encode()).fetchall()
