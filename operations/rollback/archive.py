"""Moving aside what a downgrade drops: tables whole and at once, columns copied by key.

It is the engine's `Keeper`: a table moves in the downgrade's own transaction, when the downgrade is about to drop it,
so that it is in the archive if and only if the step is applied. An empty table takes its place, to be dropped.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from alembic_online import OnlineError, Session, parts
from alembic_online.parts import Part
from alembic_online.retry import RetryPolicy
from psycopg.sql import SQL, Composed, Identifier

from operations.queries import query
from operations.rollback.copies import Copy, copy_of
from operations.rollback.records import Rollback


class Archive:
    """Keeps what the downgrades of one rollback drop, in its schema; `session` is the rollback's own."""

    def __init__(self, session: Session, rollback: Rollback) -> None:
        self.session = session
        self.rollback = rollback
        self.schema = rollback.archive
        self.copies: dict[int, Copy] = {}

    def prepare(self, columns: Sequence[Part], policy: RetryPolicy) -> None:
        """Copy the columns; their changes are followed from then on. What can be computed again is small: later."""
        oid = columns[0].oid
        if oid in self.copies or all(part.computed for part in columns):
            return
        connection = self.session.connection
        copy = copy_of(connection, columns, self.schema)
        with connection.transaction():
            for statement in self._create_schema():
                connection.execute(statement)
        copy.follow(self.session, policy)
        copy.take(connection)
        self.copies[oid] = copy

    def columns(self, session: Session, columns: Sequence[Part]) -> None:
        """Finish the copy of the columns; without one that is under way, copy them now."""
        connection = session.connection
        copy = self.copies.get(columns[0].oid)
        steps = self._create_schema()
        if copy is None:
            connection.execute(SQL("; ").join(steps))
            copy = copy_of(connection, columns, self.schema)
            copy.take(connection)
            steps = []
        else:
            steps += copy.finish()
        connection.execute(SQL("; ").join([*steps, self._record(columns[0].table_name, copy.names, [])]))

    def table(self, session: Session, table: Part) -> None:
        """Move the table, with its partitions; what triggers fill need not be kept."""
        if table.computed or self._is_kept_already(session.connection, table):
            return
        connection = session.connection
        with connection.transaction() as looking:
            connection.execute("SET LOCAL search_path = ''")  # so that names are printed in full
            parameters = {"relation": table.table_name}
            found = connection.execute(query("rollback/foreign_keys_and_triggers"), parameters).fetchall()
            partitions = connection.execute(query("rollback/partitions"), parameters).fetchall()
            raise psycopg.Rollback(looking)  # the setting would last as long as the step's transaction
        moved = Identifier(self.schema, table.relation)
        steps = [
            *self._create_schema(),
            *(SQL("{}").format(SQL(removal)) for removal, _ in found),
            SQL("ALTER TABLE {} SET SCHEMA {}").format(table.table, Identifier(self.schema)),
            *(SQL("ALTER TABLE {} SET SCHEMA {}").format(SQL(name), Identifier(self.schema)) for (name,) in partitions),
            SQL("CREATE TABLE {} (LIKE {})").format(table.table, moved),
            self._record(table.table_name, None, [definition for _, definition in found]),
        ]
        connection.execute(SQL("; ").join(steps))

    def _is_kept_already(self, connection: psycopg.Connection[Any], table: Part) -> bool:
        """Whether an earlier step of this rollback has kept the table, and left an empty one in its place.

        Raises OnlineError where that holds rows by now.
        """
        kept = SQL("SELECT to_regclass({}) IS NOT NULL").format(f"{self.schema}.{table.relation}")
        if connection.execute(kept).fetchone() != (True,):
            return False
        if parts.holds(connection, table):
            raise OnlineError(
                f"{table.table_name} was written to since it was put aside.",
                f"move its rows elsewhere, or delete them: {self.schema} holds all that there were before.",
            )
        return True

    def close(self) -> None:
        """What an interrupted copy left is taken off when the rollback goes on, or is aborted."""

    def _create_schema(self) -> list[Composed]:
        number, target = self.rollback.rollback_id, self.rollback.target
        comment = f"Put aside by the rollback to {target}: sidb restore {number}, or sidb restore --drop {number}"
        schema = Identifier(self.schema)
        return [
            SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema),
            SQL("COMMENT ON SCHEMA {} IS {}").format(schema, comment),
        ]

    def _record(self, relation: str, columns: list[str] | None, definitions: list[str]) -> Composed:
        return SQL(
            "INSERT INTO sidb.rollback_archived (rollback_id, relation, kept_columns, definitions)"
            " VALUES ({}, {}, {}::text [], {}::text []) ON CONFLICT (rollback_id, relation) DO UPDATE"
            " SET kept_columns = rollback_archived.kept_columns || excluded.kept_columns"
        ).format(self.rollback.rollback_id, relation, columns, definitions)
