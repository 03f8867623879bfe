"""What is verified: a database as one check sees it, in a transaction of its own."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from alembic_online.sessions import driver
from psycopg.rows import namedtuple_row
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from sqlalchemy import Connection

from backfill.pacing import Throttle
from operations.findings import Check, Finding
from operations.queries import query

PARTS = 10_000
"""A sample of niches is so many of so many parts of all."""
WHOLE = 100.0


@dataclass(frozen=True)
class Subject:
    """A database, how much of it is looked at, and whom to tell what is being looked at."""

    connection: Connection
    percent: float
    say: Callable[[str], None]
    throttle: Throttle = field(default_factory=Throttle)
    seed: int = field(default_factory=lambda: random.getrandbits(31))

    @property
    def driver(self) -> psycopg.Connection[Any]:
        return driver(self.connection)

    @property
    def share(self) -> dict[str, int]:
        """The sample of niches as the queries know it."""
        return {"seed": self.seed, "of_10000": round(self.percent * PARTS / WHOLE)}

    @property
    def sampled(self) -> str:
        """How a detail line says that not everything was looked at."""
        return "" if self.percent == WHOLE else f", a sample of {self.percent:g} %"

    @property
    def blocks(self) -> Composable:
        """The sample of a table's rows: whole blocks, which are all that is read then."""
        return SQL("") if self.percent == WHOLE else SQL("TABLESAMPLE SYSTEM ({})").format(Literal(self.percent))

    def rows(self, name: str, /, **parameters: object) -> list[Any]:
        """What a query of queries/verify gives."""
        with self.driver.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(query(f"verify/{name}"), parameters).fetchall()

    def run(self, statement: Composed) -> list[Any]:
        """What a composed statement gives."""
        with self.driver.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(statement).fetchall()

    @property
    def ours(self) -> dict[str, list[int]]:
        """The relations whose rows are verified, as the queries know them."""
        return {"ours": [row.oid for row in self.rows("ours")]}

    def there(self, *names: str) -> bool:
        """Whether there are all these relations, `schema.name`."""
        return len(self.rows("there", names=list(names))) == len(names)

    @contextmanager
    def transaction(self, *, writable: bool = False) -> Iterator[None]:
        """One snapshot, in which names, settings and time zone are ours; undone at the end."""
        with self.connection.begin() as transaction:
            read_only = "" if writable else ", READ ONLY"
            begun = f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ{read_only}"
            self.driver.execute(f"{begun};\n{query('verify/settings')}".encode())
            try:
                yield
            finally:
                transaction.rollback()

    @contextmanager
    def piece(self, *, writable: bool = False) -> Iterator[None]:
        """A transaction that begins after the rest for the pieces before: neither its snapshot, which holds back
        vacuum, nor its locks, behind which a refresh and all its readers wait, last longer than it.
        """
        with self.throttle.piece(), self.transaction(writable=writable):
            yield


Look = Callable[[Subject], Finding | None]
"""Looks at the subject; None: what it looks at is not there at this revision."""
Looks = Mapping[Check, Look]
"""Of a file of this package, at its end: which check looks how."""


def template(name: str, **parts: Composable) -> Composed:
    """A query of queries/verify with identifiers and expressions filled in; it takes no parameters."""
    text: LiteralString = query(f"verify/{name}")
    return SQL(text).format(**parts)


def rows_of(name: Sequence[str], *, is_partitioned: bool) -> Composed:
    """A table in a statement: a partitioned one whole, others without those of others that inherit from them."""
    return SQL("{}" if is_partitioned else "ONLY {}").format(Identifier(*name))


def columns(names: Sequence[str], alias: LiteralString) -> Composed:
    """Columns of a relation, listed."""
    return SQL(", ").join(SQL(alias + ".{}").format(Identifier(name)) for name in names)


def listed(lines: Sequence[str], most: int = 20) -> str:
    """Lines for a detail, each on its own; of many, the first ones."""
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    return "".join(f"\n  {line}" for line in [*lines[:most], *more])
