"""Moving aside what a downgrade would drop: tables whole and at once, columns copied by key.

It is the engine's `Archiver`: tables move in the downgrade's own transaction, so that they are in the archive if and
only if the step is applied. Columns are copied before, without a lock; a trigger names the rows that change
meanwhile, and only those are copied again with the lock held.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from alembic.script import Script
from alembic_online import Session, acquire, data_loss
from alembic_online.retry import RetryPolicy
from psycopg.sql import SQL, Composed, Identifier

from operations.queries import query
from operations.rollback.records import Rollback

KEY = "niche_id"
"""The key of Phase 1's tables, by which columns are copied."""

FOLLOW = "sidb_follow_columns"
CHANGES = "changed_niches"


class Archive:
    """Keeps what the downgrades of one rollback would drop, in its schema; works on the rollback's session."""

    def __init__(self, session: Session, rollback: Rollback) -> None:
        self.session = session
        self.connection = session.connection
        self.rollback = rollback
        self.schema = rollback.archive
        self.copied: set[str] = set()
        self.moving: Composed = SQL("").format()

    def prepare(self, script: Script, policy: RetryPolicy) -> None:
        """Copy the columns that the step drops and nothing can compute again; follow their changes from then on.

        All that has to be known for the move is looked up here, so that it is one request while the locks are held.
        """
        connection = self.connection
        steps: list[Composed] = []
        for relation in sorted(data_loss.dropped_tables(script)):
            steps += self._move(connection, relation)
        computed = data_loss.computed(script)
        for relation, columns in data_loss.dropped_columns(connection, script).items():
            if all(f"{relation}.{column}" in computed for column in columns):
                steps += self._copying(connection, relation, columns)
            else:
                if relation not in self.copied:
                    self._follow(relation, columns, policy)
                    self._copy(connection, relation, columns)
                    self.copied.add(relation)
                steps += [self._copy_changes(relation, columns), *unfollowing(relation, self.schema)]
            steps.append(self._record(relation, columns, []))
        self.moving = SQL("; ").join([*self._schema(), *steps] if steps else [])

    def move(self, session: Session, script: Script) -> None:
        """Move the tables that the step drops, and finish the copies, in the step's transaction."""
        if self.moving.as_string():
            session.connection.execute(self.moving)

    def _schema(self) -> list[Composed]:
        number, target = self.rollback.rollback_id, self.rollback.target
        comment = f"Put aside by the rollback to {target}: sidb restore {number}, or sidb restore --drop {number}"
        schema = Identifier(self.schema)
        return [
            SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema),
            SQL("COMMENT ON SCHEMA {} IS {}").format(schema, comment),
        ]

    def _move(self, connection: psycopg.Connection[Any], relation: str) -> list[Composed]:
        if connection.execute("SELECT to_regclass(%s)", [relation]).fetchone() == (None,):
            return []
        with connection.transaction():
            connection.execute("SET LOCAL search_path = ''")  # so that names are printed in full
            found = connection.execute(query("rollback/foreign_keys_and_triggers"), {"relation": relation}).fetchall()
        return [
            *(SQL("{}").format(SQL(removal)) for removal, _ in found),
            SQL("ALTER TABLE {} SET SCHEMA {}").format(Identifier(*relation.split(".")), Identifier(self.schema)),
            self._record(relation, None, [definition for _, definition in found]),
        ]

    def _follow(self, relation: str, columns: Sequence[str], policy: RetryPolicy) -> None:
        connection = self.connection
        names = {"function": Identifier(self.schema, FOLLOW), "changes": Identifier(self.schema, CHANGES)}
        with connection.transaction():
            for statement in self._schema():
                connection.execute(statement)
            connection.execute(SQL("CREATE TABLE IF NOT EXISTS {changes} (niche_id bigint NOT NULL)").format(**names))
            connection.execute(SQL(query("rollback/note_change")).format(**names))
        with connection.transaction():
            acquire(self.session, {relation: "ShareRowExclusiveLock"}, f"copy of {relation}", policy)
            connection.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER {} AFTER INSERT OR UPDATE OF {} ON {} FOR EACH ROW EXECUTE FUNCTION {}()"
                ).format(Identifier(FOLLOW), _list(columns), Identifier(*relation.split(".")), names["function"])
            )

    def _copy(self, connection: psycopg.Connection[Any], relation: str, columns: Sequence[str]) -> None:
        """From rows that hold a value; a copy that was interrupted is made anew."""
        with connection.transaction():
            for statement in self._copying(connection, relation, columns):
                connection.execute(statement)

    def _copying(self, connection: psycopg.Connection[Any], relation: str, columns: Sequence[str]) -> list[Composed]:
        values = SQL(" OR ").join(
            SQL("{} IS DISTINCT FROM {}").format(Identifier(column), self._default(connection, relation, column))
            for column in columns
        )
        parts = {
            "copy": Identifier(self.schema, relation.partition(".")[2]),
            "columns": _list([KEY, *columns]),
            "relation": Identifier(*relation.split(".")),
            "values": values,
            "key": Identifier(KEY),
        }
        return [
            SQL("DROP TABLE IF EXISTS {copy}").format(**parts),
            SQL(
                "CREATE TABLE {copy} AS SELECT DISTINCT ON ({key}) {columns} FROM {relation}"
                " WHERE ({values}) AND {key} IS NOT NULL ORDER BY {key}"
            ).format(**parts),
            SQL("ALTER TABLE {copy} ADD PRIMARY KEY ({key})").format(**parts),
            SQL("ANALYZE {copy}").format(**parts),
        ]

    def _copy_changes(self, relation: str, columns: Sequence[str]) -> Composed:
        changed = SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(column)) for column in columns)
        return SQL(
            "INSERT INTO {copy} SELECT {columns} FROM {relation}"
            " WHERE {key} IN (SELECT {key} FROM {changes}) ON CONFLICT ({key}) DO UPDATE SET {changed}"
        ).format(
            copy=Identifier(self.schema, relation.partition(".")[2]),
            columns=_list([KEY, *columns]),
            relation=Identifier(*relation.split(".")),
            key=Identifier(KEY),
            changes=Identifier(self.schema, CHANGES),
            changed=changed,
        )

    def _default(self, connection: psycopg.Connection[Any], relation: str, column: str) -> SQL:
        default = data_loss.column_default(connection, relation, column)
        assert default is not None
        return default

    def _record(self, relation: str, columns: list[str] | None, definitions: list[str]) -> Composed:
        return SQL(
            "INSERT INTO sidb.rollback_archived (rollback_id, relation, kept_columns, definitions)"
            " VALUES ({}, {}, {}::text [], {}::text []) ON CONFLICT (rollback_id, relation) DO NOTHING"
        ).format(self.rollback.rollback_id, relation, columns, definitions)


def unfollow(connection: psycopg.Connection[Any], relation: str, schema: str) -> None:
    """Take the trigger off that follows changes, in a transaction that holds the table for itself."""
    for statement in unfollowing(relation, schema):
        connection.execute(statement)


def unfollowing(relation: str, schema: str) -> list[Composed]:
    return [
        SQL("DROP TRIGGER IF EXISTS {} ON {}").format(Identifier(FOLLOW), Identifier(*relation.split("."))),
        SQL("DROP FUNCTION IF EXISTS {}()").format(Identifier(schema, FOLLOW)),
        SQL("DROP TABLE IF EXISTS {}").format(Identifier(schema, CHANGES)),
    ]


def _list(columns: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, columns))
