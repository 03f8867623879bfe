"""A chunk of a file on its way into staging: COPY splits it into texts, then one statement reads all its values.

No value is read here. Where one cannot be read, the server says so record by record; where COPY itself refuses, lines
that are no record are taken out first, and what else it refuses is found by halving.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from backfill import erased
from backfill.errors import BackfillError
from backfill.files import incoming
from backfill.formats.base import Bad, Format, Piece, Record
from backfill.queries import query

MOST_LINES = 250_000
"""Of a chunk, at most: where all of many short ones are refused, each takes more memory than its bytes."""
PATIENCE = 60.0
"""Seconds that a load tries to create niches while other sessions hold the same phrases."""

Refusal = (DBAPIError, psycopg.Error)
UNREADABLE = ("22", "54")
"""Classes of SQLSTATE with which a value is refused, wherever it goes."""
REFUSES_ROWS = (*UNREADABLE, "23", "P0")
"""Those with which a table refuses a row: constraints, and what triggers of others raise."""


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """One in which every value is read alike, whatever the session or its role is set to."""
    with connection.begin():
        connection.execute(text("SET LOCAL timezone = 'UTC'"))
        connection.execute(text("SET LOCAL datestyle = 'ISO, YMD'"))
        connection.execute(text("SET LOCAL search_path = pg_catalog"))
        yield


def open_session(connection: Connection, file_id: int, format: Format) -> None:
    """Make what a load keeps in its session, which must be new."""
    with connection.begin():  # a chunk as texts
        connection.execute(text("SET work_mem = '32MB'"))
        with suppress(DBAPIError), connection.begin_nested():  # a worker's session has used temporary tables before
            connection.execute(text("SET temp_buffers = '32MB'"))
    with transaction(connection):
        connection.execute(query("load_records"))
        connection.execute(text(f"CREATE TEMPORARY VIEW backfill_texts AS {format.texts}"))
        for name in ("reading", "refuse_one_by_one"):
            connection.execute(query(name))
        columns = f"SELECT * FROM {incoming(file_id)}"  # noqa: S608 - a number
        connection.execute(text(f"CREATE TEMPORARY VIEW backfill_incoming AS {columns}"))


@dataclass
class Chunk:
    """Some of a file's records: whole ones to be copied, and those that are none."""

    format: Format
    pieces: list[Piece] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    after: int = 0
    is_last: bool = True
    _sifted: list[Record] | None = None

    @classmethod
    def take(cls, format: Format, items: Iterator[Piece | Bad], most: int) -> "Chunk":
        """The next pieces, until they are so many bytes, or MOST_LINES."""
        chunk, size, lines = cls(format), 0, 0
        for each in items:
            if isinstance(each, Bad):
                chunk.bad.append(each)
            else:
                chunk.pieces.append(each)
            chunk.after = each.after
            size += len(each.content)
            lines += each.after - each.line
            if size >= most or lines >= MOST_LINES:
                chunk.is_last = False
                break
        return chunk

    def copy(self, connection: Connection) -> int:
        """Have COPY split all into texts; the number of records it took."""
        self._empty(connection)
        if not any(self.format.ends_copy(piece.content) for piece in self.pieces):
            try:
                with connection.begin_nested():
                    contents = (self.format.encoded(piece.content) for piece in self.pieces)
                    copied = self._copy(connection, self.format.columns, contents)
                if copied == self._lines or not any(self.format.runs_together(each.content) for each in self.pieces):
                    return copied
            except Refusal as error:
                if not is_refused(error):
                    raise
        self._empty(connection)
        self._sifted = []
        for piece in self.pieces:
            for each in self.format.sift(piece):
                if isinstance(each, Bad):
                    self.bad.append(each)
                else:
                    self._sifted.append(each)
        return self._copy_around(connection, 1, self._sifted)

    def _copy_around(self, connection: Connection, number: int, records: list[Record]) -> int:
        """Copy all but the records that COPY refuses, which are found by halving."""
        try:
            with connection.begin_nested():
                numbered = (self.format.numbered(number + index, each) for index, each in enumerate(records))
                return self._copy(connection, ("number", *self.format.columns), numbered)
        except Refusal as error:
            if not is_refused(error):
                raise
            if len(records) == 1:
                self.bad.append(Bad(records[0].line, said(error), records[0].content))
                return 0
        half = len(records) // 2
        first = self._copy_around(connection, number, records[:half])
        return first + self._copy_around(connection, number + half, records[half:])

    @property
    def _lines(self) -> int:
        return sum(piece.after - piece.line for piece in self.pieces)

    def _empty(self, connection: Connection) -> None:
        connection.execute(text("TRUNCATE pg_temp.backfill_records RESTART IDENTITY"))
        connection.execute(text("TRUNCATE pg_temp.backfill_refused"))

    def _copy(self, connection: Connection, columns: Iterable[str], contents: Iterable[bytes]) -> int:
        driver: Any = connection.connection.dbapi_connection
        into = f"COPY pg_temp.backfill_records ({', '.join(columns)}) FROM STDIN ({self.format.options})"
        with driver.cursor() as cursor:
            with cursor.copy(into) as copy:
                for content in contents:
                    copy.write(content)
            return int(cursor.rowcount)

    def drop_erased(self, connection: Connection) -> int:
        """Take out the records of erased users; how many."""
        return readable(connection, lambda: erased.drop_records(connection))

    def stage(self, connection: Connection, file_id: int) -> int:
        """Read the texts into the table of the file; the number of rows. What is refused is in `refused`."""

        def convert() -> int:
            rows: int = connection.execute(query("stage"), {"file_id": file_id}).rowcount
            return rows

        return readable(connection, convert)

    def refused(self, connection: Connection) -> list[Bad]:
        """The records that were refused, by COPY, by a value, or before."""
        found = connection.execute(text("SELECT number, reason FROM pg_temp.backfill_refused")).all()
        if not found:
            return self.bad
        records = self._sifted
        if records is None:
            records = [record for piece in self.pieces for record in self.format.records(piece)]
        refused = [(records[number - 1], reason) for number, reason in found]
        return self.bad + [Bad(record.line, reason, record.content) for record, reason in refused]


def readable(connection: Connection, work: Callable[[], int]) -> int:
    """Do it; where values of the chunk cannot be read, without the records that hold them."""
    try:
        with connection.begin_nested():
            return work()
    except Refusal as error:
        if not is_refused(error):
            raise
    _refuse_one_by_one(connection, only_new_phrases=False)
    return work()


def _refuse_one_by_one(connection: Connection, *, only_new_phrases: bool) -> None:
    statement = text("SELECT pg_temp.backfill_refuse_one_by_one(:only)")
    connection.execute(statement, {"only": only_new_phrases})


def find_niches(connection: Connection, create: bool) -> None:
    """Look up the niches of the chunk's phrases; unknown phrases become niches, where their records are valid."""
    unknown = text("SELECT FROM pg_temp.backfill_niches WHERE niche_id IS NULL AND refused IS NULL LIMIT 1")
    with transaction(connection):
        readable(connection, lambda: connection.execute(query("learn_phrases")).rowcount)
        new: list[str] = []
        if create and connection.execute(unknown).first() is not None:
            _refuse_one_by_one(connection, only_new_phrases=True)
            new = list(connection.scalars(query("new_phrases")))
    if new:
        _create(connection, new, monotonic() + PATIENCE)
        with transaction(connection):
            connection.execute(query("learn_new_phrases"))


def _create(connection: Connection, phrases: list[str], until: float) -> None:
    """Make niches of the phrases but for those that `features` refuses, which are found by halving, and noted."""
    try:
        _insert(connection, phrases, until)
    except DBAPIError as error:
        if not is_refused(error, REFUSES_ROWS):
            raise
        if len(phrases) == 1:
            refused = text("UPDATE pg_temp.backfill_niches SET refused = :reason WHERE phrase = :phrase")
            with transaction(connection):
                connection.execute(refused, {"reason": said(error), "phrase": phrases[0]})
            return
        half = len(phrases) // 2
        _create(connection, phrases[:half], until)
        _create(connection, phrases[half:], until)


def _insert(connection: Connection, phrases: list[str], until: float) -> None:
    while True:
        try:
            with connection.begin():
                # A seeder that adds the same phrases is not waited for: let go, so that it never waits for this, and
                # try again.
                connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
                connection.execute(query("create_niches"), {"phrases": phrases})
            return
        except DBAPIError as error:
            if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
                raise
            if monotonic() > until:
                raise BackfillError(
                    f"Another session has added a niche of this file and not committed it within {PATIENCE:.0f} s.",
                    "see to that session, then run the same command again: it continues where this stopped.",
                ) from None


def is_refused(error: Exception, classes: tuple[str, ...] = UNREADABLE) -> bool:
    """Whether the server refuses what a record holds, by the SQLSTATE's class; anything else is an error of its own."""
    found = getattr(error, "orig", error)
    return isinstance(found, psycopg.Error) and (found.sqlstate or "")[:2] in classes


def said(error: Exception) -> str:
    """The server's reason with its detail."""
    found = getattr(error, "orig", error)
    parts = (found.diag.message_primary, found.diag.message_detail) if isinstance(found, psycopg.Error) else ()
    return ": ".join(part for part in parts if part) or str(found).strip().partition("\n")[0]
