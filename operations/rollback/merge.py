"""Brings rows of an archive back into tables that hold rows already: in batches by key, each recorded with its end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from alembic_online import OnlineError, Session
from alembic_online.acquisition import retried
from alembic_online.retry import RetryPolicy
from psycopg.sql import SQL, Composable, Composed, Identifier

from backfill.pacing import Throttle
from backfill.phase1_columns import ChangedError
from operations.queries import query
from operations.rollback import kept_columns, kept_rows
from operations.rollback.conflicts import Table
from operations.rollback.records import Archived, Rollback

BATCH = 10_000
BEFORE_ALL = -(2**63)
"""A key that no row is behind of."""

Report = Callable[[str, int], None]
"""Is told a relation and how many rows a batch had."""
Write = Callable[[int, int], tuple[int, int]]
"""Brings back the rows behind a key, up to another; how many there were, and how many are in their table now."""


@dataclass(frozen=True)
class Merge:
    """Brings rows back on a session in autocommit mode. `skip`: rows that conflict stay in the archive; `renumber`:
    a row whose id a newer one has gets the next free id. `path` is the application's search path, on which others'
    triggers find what they name."""

    session: Session
    path: str
    rollback: Rollback
    skip: bool
    renumber: bool
    report: Report
    throttle: Throttle
    deadline: float
    """Seconds for which a batch is tried that does not get its locks."""

    @property
    def connection(self) -> psycopg.Connection[Any]:
        return self.session.connection

    def table(self, merged: Table, archived: Archived) -> None:
        """All rows behind the place that was reached."""
        assert merged.key is not None
        self._beyond_the_archive(merged, merged.key)
        kept = self._rows(merged)
        try:
            self._batches(archived, partial(kept_rows.write, self.session, kept, kept.statement), merged.key, BATCH)
        except kept_rows.ChangedError as changed:
            number = self.rollback.rollback_id
            raise kept_rows.refusal(self.session, merged.relation, changed, number, beforehand=False) from None

    def try_table(self, merged: Table, archived: Archived) -> None:
        """Insert the first rows of it, and undo it. Raises OnlineError where they would not be as they were kept."""
        kept = self._rows(merged)
        place = archived.place if archived.place is not None else BEFORE_ALL
        try:
            self._undone(partial(kept_rows.write, self.session, kept, kept.few, place, place))
        except kept_rows.NOT_YET:
            return  # each batch is compared all the same
        except kept_rows.ChangedError as changed:
            number = self.rollback.rollback_id
            raise kept_rows.refusal(self.session, merged.relation, changed, number, beforehand=True) from None

    def _rows(self, merged: Table) -> kept_rows.KeptRows:
        return kept_rows.plan(self.connection, merged, skip=self.skip, renumber=self.renumber)

    def columns(self, archived: Archived, written: Mapping[str, Composable]) -> None:
        """The columns of rows in which they still have their defaults; what was written since stays.

        `written`: by column, the condition that a row `f` holds a value that somebody wrote. Raises OnlineError where
        a batch changed others' columns, too.
        """
        kept = kept_columns.plan(self.session, archived.relation, self._aside(archived), written)
        write = partial(kept_columns.write, self.session, kept, kept.statement)
        try:
            if kept.key is None:
                self._retried(partial(self._batch, archived, write, 0, 0))
            else:
                self._batches(archived, write, kept.key, kept_columns.FEW)
        except ChangedError as changed:
            number = self.rollback.rollback_id
            raise kept_columns.refusal(self.session, kept, changed, number, beforehand=False) from None

    def try_columns(self, archived: Archived, written: Mapping[str, Composable]) -> None:
        """Write the first rows of them, and undo it. Raises OnlineError where that changes others' columns."""
        kept = kept_columns.plan(self.session, archived.relation, self._aside(archived), written)
        try:
            self._undone(partial(kept_columns.write, self.session, kept, kept.few, 0, 0))
        except ChangedError as changed:
            number = self.rollback.rollback_id
            raise kept_columns.refusal(self.session, kept, changed, number, beforehand=True) from None

    def _undone(self, write: Callable[[], object]) -> None:
        """Do it in a transaction that is rolled back."""

        def tried() -> None:
            with self._transaction() as trying:
                write()
                self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at the end of a batch
                raise psycopg.Rollback(trying)

        self._retried(tried)

    def _retried(self, batch: Callable[[], None]) -> None:
        """Rest, and try until the deadline; attempts that missed a lock were no work, and nobody rests from them."""
        self.throttle.rest_now()

        def piece() -> None:
            with self.throttle.piece():
                batch()

        retried(piece, RetryPolicy(self.deadline), self.session.url)

    def _aside(self, archived: Archived) -> Identifier:
        return Identifier(self.rollback.archive, archived.kept_as)

    def _batches(self, archived: Archived, write: Write, key: str, rows: int) -> None:
        for place, upper in self._bounds(archived, key, rows):
            self._retried(partial(self._batch, archived, write, place, upper))

    def _bounds(self, archived: Archived, key: str, rows: int) -> Iterator[tuple[int, int]]:
        """Between which keys each batch lies that is still to come: behind one, up to the other."""
        following = SQL(
            "SELECT max({key})"
            " FROM (SELECT {key} FROM {aside} WHERE {key} > %s ORDER BY {key} LIMIT {rows}) AS following"
        ).format(key=Identifier(key), aside=self._aside(archived), rows=rows)
        place = archived.place if archived.place is not None else BEFORE_ALL
        while (upper := self._value(following, place)) is not None:
            yield place, upper
            place = upper

    def _value(self, statement: Composed, place: int) -> int | None:
        row = self.connection.execute(statement, [place]).fetchone()
        return row[0] if row else None

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Transaction]:
        """One with the application's search path."""
        with self.connection.transaction() as begun:
            self.connection.execute("SELECT set_config('search_path', %s, true)", [self.path])
            yield begun

    def _batch(self, archived: Archived, write: Write, place: int, upper: int) -> None:
        """The rows behind `place`, up to `upper`. Both sides of a join are told, so that no plan reads whole tables."""
        try:
            with self._transaction():
                read, written = write(place, upper)
                keep(
                    self.connection,
                    self.rollback,
                    archived.kept_as,
                    "merging",
                    place=upper,
                    restored=written,
                    left=read - written,
                )
        except psycopg.errors.UniqueViolation as error:
            raise OnlineError(
                f"{archived.relation}: {error.diag.message_detail} It was written just now.",
                f"`sidb restore {self.rollback.rollback_id} --renumber`, or --skip; it continues where it stopped.",
            ) from None
        self.report(archived.relation, read)

    def _beyond_the_archive(self, merged: Table, key: str) -> None:
        """New rows get ids behind those of the archive from here on."""
        statement = SQL(
            "SELECT setval(sequence, highest) FROM (SELECT pg_get_serial_sequence({relation}, {key}) AS sequence,"
            " (SELECT max({column}) FROM {aside}) AS highest) AS known WHERE highest > nextval(sequence)"
        ).format(relation=merged.relation, key=key, column=Identifier(key), aside=merged.aside)
        self.connection.execute(statement)


def keep(
    connection: psycopg.Connection[Any],
    rollback: Rollback,
    kept_as: str,
    state: str,
    *,
    place: int | None = None,
    restored: int = 0,
    left: int = 0,
) -> None:
    """Write down how far a table of the archive is, in the open transaction if there is one."""
    parameters = {
        "rollback_id": rollback.rollback_id,
        "kept_as": kept_as,
        "state": state,
        "place": place,
        "restored": restored,
        "left": left,
    }
    written = connection.execute(query("rollback/restored"), parameters)
    assert written.rowcount == 1, f"nothing is recorded of {kept_as}"
