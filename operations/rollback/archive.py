"""Moving aside what a downgrade would drop: tables whole and at once, columns copied by key.

It is the guard's `Aside`: tables move in the downgrade's own transaction, so that they are in the archive if, and only
if, the step is applied. Columns are copied before, without a lock; a trigger names the rows that change meanwhile, and
only those are copied again with the lock held.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from alembic.script import Script
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import URL

from operations.guard import loss, sessions
from operations.guard.asking import InTheWay, ask
from operations.guard.patience import Patience
from operations.queries import query
from operations.rollback.records import Rollback

KEY = "niche_id"
"""The key of Phase 1's tables, by which columns are copied."""

FOLLOW = "sidb_follow_columns"
CHANGES = "changed_niches"


class Archive:
    """Keeps what the downgrades of one rollback would drop, in the rollback's schema."""

    def __init__(self, url: URL, rollback: Rollback) -> None:
        self.url = url
        self.rollback = rollback
        self.schema = rollback.archive
        self.copied: set[str] = set()

    def prepare(self, script: Script, patience: Patience, in_the_way: InTheWay) -> None:
        """Copy the columns that the step drops and nothing can compute again; follow their changes from then on."""
        with sessions.session(sessions.engine(self.url), autocommit=True) as session:
            connection = sessions.driver(session)
            blockers = InTheWay(in_the_way.observer, connection.info.backend_pid, in_the_way.end_idle_after)
            for relation, columns in self._not_computed(connection, script).items():
                if relation not in self.copied:
                    self._follow(connection, relation, columns, patience, blockers)
                    self._copy(connection, relation, columns)
                    self.copied.add(relation)

    def move(self, connection: psycopg.Connection[Any], script: Script) -> None:
        """Move the tables that the step drops, and finish the copies, in the step's transaction."""
        tables = sorted(loss.dropped_tables(script))
        columns = loss.dropped_columns(connection, script)
        if not tables and not columns:
            return
        self._make_schema(connection)
        for relation in tables:
            self._move(connection, relation)
        followed = self._not_computed(connection, script)
        for relation, names in columns.items():
            if relation in followed:
                self._copy_changes(connection, relation, names)
                unfollow(connection, relation, self.schema)
            else:
                self._copy(connection, relation, names)
            self._record(connection, relation, names, [])

    def _make_schema(self, connection: psycopg.Connection[Any]) -> None:
        number, target = self.rollback.rollback_id, self.rollback.target
        comment = f"Put aside by the rollback to {target}: sidb restore {number}, or sidb restore --drop {number}"
        connection.execute(self._sql("CREATE SCHEMA IF NOT EXISTS {schema}"))
        connection.execute(SQL("COMMENT ON SCHEMA {} IS {}").format(Identifier(self.schema), comment))

    def _move(self, connection: psycopg.Connection[Any], relation: str) -> None:
        path = connection.execute("SELECT current_setting('search_path')").fetchone()
        connection.execute("SELECT set_config('search_path', '', true)")  # so that names are printed in full
        found = connection.execute(query("rollback/foreign_keys_and_triggers"), {"relation": relation}).fetchall()
        connection.execute("SELECT set_config('search_path', %s, true)", path)
        for removal, _ in found:
            connection.execute(removal)
        move = SQL("ALTER TABLE IF EXISTS {} SET SCHEMA {}").format(
            Identifier(*relation.split(".")), Identifier(self.schema)
        )
        connection.execute(move)
        self._record(connection, relation, None, [definition for _, definition in found])

    def _follow(
        self,
        connection: psycopg.Connection[Any],
        relation: str,
        columns: Sequence[str],
        patience: Patience,
        blockers: InTheWay,
    ) -> None:
        names = {"function": Identifier(self.schema, FOLLOW), "changes": Identifier(self.schema, CHANGES)}
        with connection.transaction():
            self._make_schema(connection)
            connection.execute(self._sql("CREATE TABLE IF NOT EXISTS {schema}.{changes} (niche_id bigint NOT NULL)"))
            connection.execute(SQL(query("rollback/note_change")).format(**names))
        with connection.transaction():
            ask(connection, {relation: "ShareRowExclusiveLock"}, patience, blockers, f"copy of {relation}")
            connection.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER {} AFTER INSERT OR UPDATE OF {} ON {} FOR EACH ROW EXECUTE FUNCTION {}()"
                ).format(Identifier(FOLLOW), _list(columns), Identifier(*relation.split(".")), names["function"])
            )

    def _copy(self, connection: psycopg.Connection[Any], relation: str, columns: Sequence[str]) -> None:
        """From rows that hold a value; a copy that was interrupted is made anew."""
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
        with connection.transaction():
            connection.execute(SQL("DROP TABLE IF EXISTS {copy}").format(**parts))
            connection.execute(SQL("CREATE TABLE {copy} AS SELECT {columns} FROM {relation} LIMIT 0").format(**parts))
            connection.execute(SQL("ALTER TABLE {copy} ADD PRIMARY KEY ({key})").format(**parts))
            connection.execute(
                SQL(
                    "INSERT INTO {copy} SELECT DISTINCT ON ({key}) {columns} FROM {relation}"
                    " WHERE ({values}) AND {key} IS NOT NULL ORDER BY {key}"
                ).format(**parts)
            )
            connection.execute(SQL("ANALYZE {copy}").format(**parts))

    def _copy_changes(self, connection: psycopg.Connection[Any], relation: str, columns: Sequence[str]) -> None:
        changed = SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(column)) for column in columns)
        connection.execute(
            SQL(
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
        )

    def _not_computed(self, connection: psycopg.Connection[Any], script: Script) -> dict[str, list[str]]:
        computed = loss.computed(script)
        return {
            relation: columns
            for relation, columns in loss.dropped_columns(connection, script).items()
            if not all(f"{relation}.{column}" in computed for column in columns)
        }

    def _default(self, connection: psycopg.Connection[Any], relation: str, column: str) -> SQL:
        row = connection.execute(query("guard/column_default"), {"relation": relation, "column": column}).fetchone()
        assert row is not None
        return SQL(row[0])  # an expression as PostgreSQL prints it

    def _record(
        self, connection: psycopg.Connection[Any], relation: str, columns: list[str] | None, definitions: list[str]
    ) -> None:
        parameters = {
            "rollback_id": self.rollback.rollback_id,
            "relation": relation,
            "kept_columns": columns,
            "definitions": definitions,
        }
        connection.execute(query("rollback/archive"), parameters)

    def _sql(self, text: str) -> Composed:
        return SQL(text).format(schema=Identifier(self.schema), changes=Identifier(CHANGES))


def unfollow(connection: psycopg.Connection[Any], relation: str, schema: str) -> None:
    """Take the trigger off that follows changes, in a transaction that holds the table for itself."""
    connection.execute(
        SQL("DROP TRIGGER IF EXISTS {} ON {}").format(Identifier(FOLLOW), Identifier(*relation.split(".")))
    )
    connection.execute(SQL("DROP FUNCTION IF EXISTS {}()").format(Identifier(schema, FOLLOW)))
    connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(schema, CHANGES)))


def _list(columns: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, columns))
