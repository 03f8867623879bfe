"""The guard's sessions: how they are opened, what is refused, and how other people's sessions are named."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, namedtuple_row
from sqlalchemy import URL, Connection, Engine, NullPool

from alembic_online import database
from alembic_online.errors import OnlineError
from alembic_online.queries import query

LOCK_TIMEOUT_MS = 20
"""What a statement may wait for a lock that was not asked for beforehand: traffic queues behind it for so long."""

# Stronger than a role's or a database's settings. Given at start-up, so that not even RESET loses them; and set again
# once connected, for poolers that drop the options with which a session is started.
SETTINGS = {
    "lock_timeout": f"{LOCK_TIMEOUT_MS}ms",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "client_connection_check_interval": "500",  # a statement whose migrator was killed ends within this many ms
    # One core of the server and no more: the others are the application's.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
}


@dataclass(frozen=True)
class Session:
    """Somebody's session that is in the way."""

    pid: int
    who: str
    application: str
    backend_type: str
    state: str
    urgent: bool
    transaction_seconds: float
    state_seconds: float
    query_start: datetime | None
    transaction: str
    relation: str | None

    @property
    def is_autovacuum(self) -> bool:
        return self.backend_type == "autovacuum worker"

    def __str__(self) -> str:
        if self.is_autovacuum:
            return f"autovacuum (pid {self.pid}, {self.state}, for {self.transaction_seconds:.1f} s)"
        on = f" on {self.relation}" if self.relation else ""
        started = f", its statement began {self.query_start:%H:%M:%S}" if self.query_start else ""
        return (
            f"pid {self.pid}{on} (user {self.who}, application {self.application or 'unnamed'}, {self.state}, "
            f"transaction open for {self.transaction_seconds:.1f} s{started})"
        )


def client() -> str:
    """Who we are, for people on the other side: host and process."""
    return f"{socket.gethostname()} pid {os.getpid()}"


def engine(url: URL) -> Engine:
    """An engine for the guard's sessions: no pool, the settings above, errors as OnlineError."""
    options = [str(url.query["options"])] if "options" in url.query else []
    options += [f"-c {name}={value}" for name, value in SETTINGS.items()]
    arguments = {"options": " ".join(options), "application_name": f"sidb migrate on {client()}"[:63]}
    return database.engine(url, poolclass=NullPool, connect_args=arguments)


@contextmanager
def session(origin: Engine, *, autocommit: bool) -> Iterator[Connection]:
    """A session with the guard's settings, closed at the end."""
    with origin.connect() as connection:
        _settle(driver(connection))
        try:
            yield connection.execution_options(isolation_level="AUTOCOMMIT") if autocommit else connection
        finally:
            if not connection.invalidated:
                connection.invalidate()  # closed, not returned: it may be broken, and its settings are ours


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's own connection below SQLAlchemy's."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def refuse_unfit(ours: psycopg.Connection[Any], other: psycopg.Connection[Any], where: str) -> None:
    """Raise OnlineError where a migration cannot work: behind a transaction pooler, on a standby, read-only."""
    server = _preflight(ours)
    if server.pid != ours.info.backend_pid and _is_shared(ours, other, server.pid):
        raise OnlineError(
            f"{where} goes through a pooler that changes the server's session with every transaction.",
            "point DATABASE_URL at PostgreSQL itself, or at a pool in session mode.",
        )
    if server.standby:
        raise OnlineError(f"{where} is a standby: it follows another server and cannot be changed.", "use the primary.")
    if server.read_only:
        raise OnlineError(
            f"{where} is read-only (default_transaction_read_only is on).",
            "see ALTER DATABASE … / ALTER ROLE … SET default_transaction_read_only, and who set it and why.",
        )


def named(connection: psycopg.Connection[Any], name: str, parameters: dict[str, Any]) -> list[Session]:
    """The sessions that a query of queries/guard finds."""
    with connection.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(query(f"run/{name}"), parameters).fetchall()


def _settle(connection: psycopg.Connection[Any]) -> None:
    connection.autocommit = True
    connection.execute(query("run/settle_session"), {"names": list(SETTINGS), "values": list(SETTINGS.values())})
    connection.autocommit = False


def _preflight(connection: psycopg.Connection[Any]) -> Any:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query("run/preflight")).fetchone()


def _is_shared(ours: psycopg.Connection[Any], other: psycopg.Connection[Any], before: int) -> bool:
    # Some pooler is there: our first session was free between its transactions if the other one gets it now.
    with other.transaction():
        theirs = _preflight(other).pid
        if theirs == before:
            return True
    return bool(_preflight(ours).pid != before)
