"""Noticing values that are written into columns while a step is about to drop them.

A table may be large: its rows are read before the step, while the application goes on. A trigger that nothing passes by
(COPY, MERGE, other triggers, session_replication_role) notes whether a value was written since, so that nothing has to
be read again while the table is locked.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier
from sqlalchemy.exc import SQLAlchemyError

from alembic_online.acquisition import acquire
from alembic_online.bookkeeping import Component, bring_up_to_date
from alembic_online.errors import OnlineError
from alembic_online.messages import first_line
from alembic_online.parts import Part, written
from alembic_online.queries import query
from alembic_online.replicas import EXCLUSIVE
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import Session, open_session

COMPONENT = Component("following", [query("following/create")])
TRIGGER = "alembic_online_following"
LARGE = 8 * 2**20  # bytes: reading as much takes some milliseconds, for which traffic may wait
CLEARING = 5.0  # seconds for which triggers that were left are tried to be taken off
FAILED = (OnlineError, psycopg.Error, SQLAlchemyError)

Triggers = frozenset[tuple[Any, ...]]
"""A table and its partitions, each with its file and its trigger."""

log = logging.getLogger("alembic.online")


class Following:
    """The tables whose columns are followed in one run."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.empty: dict[int, frozenset[int]] = {}
        """By table, the columns in which there was no value since they are followed."""
        self.triggers: dict[int, Triggers] = {}
        """By table, what notes the values written into it since then."""

    def is_followed(self, columns: Sequence[Part]) -> bool:
        """Whether nobody need read these columns of one table: they were found empty, and are followed since before."""
        return {part.attnum for part in columns} <= self.empty.get(columns[0].oid, frozenset())

    def begin(self, columns: Sequence[Part], policy: RetryPolicy) -> None:
        """From now on, note values written into these columns of one table, and of it no others."""
        table, scope = columns[0], self.session.scope
        self.empty.pop(table.oid, None)
        with _own_session(self.session) as own:
            connection = own.connection
            bring_up_to_date(connection, scope.bookkeeping, COMPONENT)
            conditions = [written(connection, part.table_name, str(part.column_name), SQL("new")) for part in columns]
            condition = SQL(" OR ").join(condition for condition in conditions if condition is not None)
            with connection.transaction():
                acquire(own, {table.table_name: "ShareRowExclusiveLock"}, f"following {table.table_name}", policy)
                connection.execute(self._sql(query("following/forget")), {"relation": table.oid})
                self._create(connection, table.table, condition)
                self.triggers[table.oid] = _triggers(connection, table)

    def found_empty(self, columns: Sequence[Part]) -> None:
        """The columns of one table hold no value, as was seen since they are followed."""
        self.empty[columns[0].oid] = frozenset(part.attnum for part in columns)

    def is_to_be_read_again(self, session: Session, columns: Sequence[Part]) -> bool:
        """In a transaction that has the table for itself: whether to give that up and read these columns beforehand.

        That is so where a value was perhaps written since, if only for a while, and the table is too large to be read
        now. It is forgotten then that they were followed.
        """
        table = columns[0]
        if not self.is_followed(columns) or self._is_written(session, table) is False:
            return False
        parameters = {"relation": table.oid, "bytes": LARGE}
        if session.connection.execute(query("following/large"), parameters).fetchone() != (True,):
            return False
        self.empty.pop(table.oid)
        return True

    def end(self, session: Session, columns: Sequence[Part]) -> bool | None:
        """In a transaction that has the table for itself: whether a value was written; None: not known.

        That is so where these columns were not followed, or not on all partitions. It is forgotten that they were: the
        transaction takes the trigger off.
        """
        table, is_followed = columns[0], self.is_followed(columns)
        self.empty.pop(table.oid, None)
        return self._is_written(session, table) if is_followed else None

    def _is_written(self, session: Session, table: Part) -> bool | None:
        row = session.connection.execute(self._sql(query("following/written")), {"relation": table.oid}).fetchone()
        assert row is not None
        before, now = self.triggers[table.oid], _triggers(session.connection, table)
        is_noted = now == before and all(trigger is not None for _, _, trigger, _ in now)
        return bool(row[0]) if row[1] and is_noted else None

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

    def _sql(self, statement: str) -> bytes:
        return COMPONENT.sql(statement, self.session.scope.bookkeeping)


def _triggers(connection: psycopg.Connection[Any], table: Part) -> Triggers:
    parameters = {"relation": table.oid, "trigger": TRIGGER}
    return frozenset(connection.execute(query("following/triggers"), parameters).fetchall())


def clear(session: Session) -> None:
    """Take off the triggers that this run, or a killed one, left. Raises nothing, and takes some seconds at most: what
    stays is told, and the next run takes it off.
    """
    left: list[tuple[str]] = []
    with suppress(*FAILED):  # the server is gone, perhaps
        left = session.observer.execute(query("following/leftovers"), {"trigger": TRIGGER}).fetchall()
    policy = RetryPolicy(CLEARING, _until(time.monotonic() + CLEARING))
    for (table_name,) in left:
        try:
            with _own_session(session) as own, own.connection.transaction():
                acquire(own, {table_name: EXCLUSIVE}, f"end of following {table_name}", policy)
                own.connection.execute(drop_trigger(SQL(table_name)))
        except FAILED as error:
            why = first_line(error)
            log.warning("Trigger %s stays on %s for now, and the next run takes it off: %s", TRIGGER, table_name, why)


def _until(end: float) -> Callable[[], None]:
    """What ends waiting, also for replicas, which is no part of a policy's time."""

    def interrupt() -> None:
        if time.monotonic() > end:
            raise OnlineError("It took too long.", "run it again when replicas have caught up.")

    return interrupt


@contextmanager
def _own_session(session: Session) -> Iterator[Session]:
    """The migration's own session is in the middle of Alembic's transaction."""
    with open_session(session.url, session.scope, session.options, replicas=session.replicas) as own:
        yield own


def drop_trigger(table: Composable) -> Composed:
    """The statement that takes the trigger off a table, whoever left it."""
    return SQL("DROP TRIGGER IF EXISTS {} ON {}").format(Identifier(TRIGGER), table)
