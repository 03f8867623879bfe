"""What the questions of a preflight are asked of, and how an answer becomes one verdict."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from alembic_online.alerts import CONNECTIONS
from alembic_online.database import engine
from alembic_online.quantities import listed
from alembic_online.replica_lag_limits import LAG, LAG_WARNING
from alembic_online.sessions import driver
from psycopg.rows import namedtuple_row
from sqlalchemy import URL, Connection, NullPool

from operations.findings import Check, Finding
from operations.queries import query

# A preflight waits for nobody, and is in nobody's way for long.
SETTINGS = {"lock_timeout": "2s", "statement_timeout": "60s", "synchronous_commit": "on"}


@dataclass(frozen=True)
class Limits:
    """Beyond these a check fails, or, from `warning_share` of them, warns. Times are in seconds."""

    transaction_seconds: float = 600  # as long as a migration's step tries to get its locks
    idle_seconds: float = 60
    lag_seconds: float = LAG
    lag_warning_seconds: float = LAG_WARNING
    lag_bytes: int = 64 * 2**20
    slot_bytes: int = 10**9
    connections_share: float = CONNECTIONS
    free_connections: int = 10  # the migrator's four, two backfill workers, and those who look after them
    archived_seconds: float = 3600
    backup_seconds: float = 24 * 3600
    warning_share: float = 0.1


@dataclass(frozen=True)
class Request:
    """What the caller wants to be looked at: for how many new rows, which backup, whose application, which
    replicas that readers use."""

    rows: int = 10_000_000
    backup: Path | None = None
    backup_command: str | None = None
    applications: tuple[str, ...] = ()
    replicas: tuple[URL, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Context:
    """The server, asked on a session in autocommit mode, and the request."""

    url: URL
    sqlalchemy: Connection
    request: Request

    @property
    def connection(self) -> psycopg.Connection[Any]:
        return driver(self.sqlalchemy)

    @property
    def limits(self) -> Limits:
        return self.request.limits

    def rows(self, name: str, /, **parameters: Any) -> list[Any]:
        """The rows of a query of queries/preflight, by the names of their columns."""
        with self.connection.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(query(f"preflight/{name}"), parameters or None).fetchall()

    def row(self, name: str, /, **parameters: Any) -> Any:
        """Its first row, or None."""
        return next(iter(self.rows(name, **parameters)), None)

    def value(self, name: str, /, **parameters: Any) -> Any:
        """The first column of its first row, or None."""
        row = self.row(name, **parameters)
        return row and row[0]

    def do(self, name: str, /, **parameters: Any) -> None:
        self.connection.execute(query(f"preflight/{name}"), parameters or None)


Question = Callable[[Context], Finding | Sequence[Finding] | None]
"""Asks the server; None: what it asks about is not here, or not wanted."""
Questions = Mapping[Check, Question]
"""Of a file of this package, at its end: which check answers which question."""


@contextmanager
def open_context(url: URL, request: Request) -> Iterator[Context]:
    """A session for the questions; OnlineError where there is no connection."""
    name = {"application_name": "sidb preflight"}
    made = engine(url, settings=SETTINGS, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=name)
    with made.connect() as connection:
        yield Context(url, connection, request)


def judged(
    check: Check, ok: str, failed: Sequence[str] = (), warned: Sequence[str] = (), remedy: str | None = None
) -> Finding:
    """One verdict on all that was seen: the worst, with what speaks for it."""
    if failed:
        return check.failed(listed([*failed, *warned]), remedy)
    return check.warning(listed(warned), remedy) if warned else check.ok(ok)
