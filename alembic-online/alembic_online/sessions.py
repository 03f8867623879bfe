"""The engine's sessions: how they are opened, and what is refused before anything is changed."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import URL, Connection, Engine, NullPool

from alembic_online import database
from alembic_online.blockers import Blockers
from alembic_online.database import shown
from alembic_online.errors import OnlineError
from alembic_online.migrator_lock import sole_migrator
from alembic_online.options import Options
from alembic_online.queries import query
from alembic_online.scope import Scope

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
    """A session that changes the database, and beside it one that sees who is in its way."""

    scope: Scope
    options: Options
    sqlalchemy: Connection
    observing: Connection
    connection: psycopg.Connection[Any] = field(init=False)
    """The driver's own connection below `sqlalchemy`."""
    observer: psycopg.Connection[Any] = field(init=False)
    """That below `observing`, in autocommit mode."""
    blockers: Blockers = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "connection", driver(self.sqlalchemy))
        object.__setattr__(self, "observer", driver(self.observing))
        blockers = Blockers(self.observer, self.connection.info.backend_pid, self.options.end_idle_after)
        object.__setattr__(self, "blockers", blockers)

    @property
    def url(self) -> URL:
        return self.observing.engine.url


@contextmanager
def open_session(
    url: URL,
    scope: Scope,
    options: Options | None = None,
    *,
    engine: Engine | None = None,
    autocommit: bool = True,
    sole: bool = False,
) -> Iterator[Session]:
    """A session with the engine's settings, closed at the end; `sole`: while no migration runs.

    `engine` is one of the caller's that reaches the same database, on which the session is then opened. Raises
    OnlineError where nothing can be changed: behind a transaction pooler, on a standby, read-only.
    """
    options = options or Options()
    with ExitStack() as stack:
        opened = migration_engine(url, scope)
        observing = stack.enter_context(settled(opened, autocommit=True))
        working = stack.enter_context(settled(engine or opened, autocommit=autocommit))
        refuse_unfit(driver(observing), driver(working), shown(url))
        if sole:
            stack.enter_context(sole_migrator(driver(observing), options.deadline))
        yield Session(scope, options, working, observing)


def client() -> str:
    """Who we are, for people on the other side: host and process."""
    return f"{socket.gethostname()} pid {os.getpid()}"


def migration_engine(url: URL, scope: Scope) -> Engine:
    """An engine for the engine's sessions: no pool, the settings above, errors as OnlineError."""
    options = [str(url.query["options"])] if "options" in url.query else []
    options += [f"-c {name}={value}" for name, value in SETTINGS.items()]
    arguments = {"options": " ".join(options), "application_name": f"{scope.name} migrate on {client()}"[:63]}
    return database.engine(url, poolclass=NullPool, connect_args=arguments)


@contextmanager
def settled(origin: Engine, *, autocommit: bool) -> Iterator[Connection]:
    """A connection with the settings above, closed at the end."""
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
            "point the database URL at PostgreSQL itself, or at a pool in session mode.",
        )
    if server.standby:
        raise OnlineError(f"{where} is a standby: it follows another server and cannot be changed.", "use the primary.")
    if server.read_only:
        raise OnlineError(
            f"{where} is read-only (default_transaction_read_only is on).",
            "see ALTER DATABASE … / ALTER ROLE … SET default_transaction_read_only, and who set it and why.",
        )


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
