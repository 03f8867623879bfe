"""Noticing values that are written into columns while a step is about to drop them.

A table may be large: its rows are read before the step, while the application goes on. A trigger that nothing passes by
(COPY, MERGE, other triggers, session_replication_role) notes whether a value was written since, so that nothing has to
be read again while the table is locked.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier

from alembic_online.acquisition import acquire
from alembic_online.bookkeeping import Component, bring_up_to_date
from alembic_online.parts import Part, written
from alembic_online.queries import query
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import Session, open_session

COMPONENT = Component("following", [query("following/create")])
TRIGGER = "alembic_online_following"


class Following:
    """The tables whose columns are followed in one run."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tables: dict[int, str] = {}

    def begin(self, columns: Sequence[Part], policy: RetryPolicy) -> None:
        """From now on, note values written into these columns of one table."""
        table, scope = columns[0], self.session.scope
        with self._own_session() as own:
            connection = own.connection
            bring_up_to_date(connection, scope.bookkeeping, COMPONENT)
            conditions = [written(connection, part.table_name, str(part.column_name), SQL("new")) for part in columns]
            condition = SQL(" OR ").join(condition for condition in conditions if condition is not None)
            with connection.transaction():
                acquire(own, {table.table_name: "ShareRowExclusiveLock"}, f"following {table.table_name}", policy)
                connection.execute(self._sql(query("following/forget")), {"relation": table.oid})
                self._create(connection, table.table, condition)
        self.tables[table.oid] = table.table_name

    def end(self, session: Session, columns: Sequence[Part]) -> bool | None:
        """In a transaction that has the table for itself: stop, and say whether a value was written; None: not known,
        the table was not followed, or another one inherits from it."""
        table = columns[0]
        if self.tables.pop(table.oid, None) is None:
            return None
        row = session.connection.execute(self._sql(query("following/written")), {"relation": table.oid}).fetchone()
        session.connection.execute(_drop(table.table))
        return row[0] if row else None

    def clear(self) -> None:
        """Take off the triggers that this run, or a killed one, left; the next one does, if the server is gone."""
        if self.session.observer.closed:
            return
        left = self.session.observer.execute(query("following/leftovers"), {"trigger": TRIGGER}).fetchall()
        for (table_name,) in left:
            with self._own_session() as own, own.connection.transaction():
                acquire(own, {table_name: "AccessExclusiveLock"}, f"end of following {table_name}")
                own.connection.execute(_drop(SQL(table_name)))
        self.tables.clear()

    def _create(self, connection: psycopg.Connection[Any], table: Composable, condition: Composable) -> None:
        names = {
            "trigger": Identifier(TRIGGER),
            "table": table,
            "condition": condition,
            "function": Identifier(self.session.scope.bookkeeping, "note_written_value"),
        }
        connection.execute(
            SQL(
                "CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT OR UPDATE ON {table}"
                " FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {function}()"
            ).format(**names)
        )
        connection.execute(SQL("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}").format(**names))

    @contextmanager
    def _own_session(self) -> Iterator[Session]:
        """The migration's own session is in the middle of Alembic's transaction."""
        url, scope, options = self.session.url, self.session.scope, self.session.options
        with open_session(url, scope, options, replicas=self.session.replicas) as own:
            yield own

    def _sql(self, statement: str) -> bytes:
        return COMPONENT.sql(statement, self.session.scope.bookkeeping)


def _drop(table: Composable) -> Composed:
    return SQL("DROP TRIGGER IF EXISTS {} ON {}").format(Identifier(TRIGGER), table)
