"""The engine's sessions: how they are opened, and what is refused before anything is changed."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, NullPool

from alembic_online import database
from alembic_online.blockers import Blockers
from alembic_online.migrator_lock import sole_migrator
from alembic_online.options import Options
from alembic_online.replicas import Replicas, following
from alembic_online.scope import Scope
from alembic_online.settings import PINNED

LOCK_TIMEOUT_MS = 20
"""What a statement may wait for a lock that was not asked for beforehand: traffic queues behind it for so long."""

SETTINGS = {
    "lock_timeout": f"{LOCK_TIMEOUT_MS}ms",
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
    replicas: Replicas
    connection: psycopg.Connection[Any] = field(init=False)
    """The driver's own connection below `sqlalchemy`."""
    observer: psycopg.Connection[Any] = field(init=False)
    """That below `observing`, in autocommit mode."""
    blockers: Blockers = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "connection", driver(self.sqlalchemy))
        object.__setattr__(self, "observer", driver(self.observing))
        blockers = Blockers(self.observer, process(self.sqlalchemy), self.options.end_idle_after)
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
    replicas: Replicas | None = None,
) -> Iterator[Session]:
    """A session with the engine's settings, closed at the end; `sole`: while no migration runs.

    `engine` is one of the caller's that reaches the same database, on which the session is then opened. `replicas` are
    minded already, by another session; else those of the options are, and at the end they have replayed what was done.
    Raises OnlineError where nothing can be changed: behind a transaction pooler, on a standby, read-only.
    """
    options = options or Options()
    with ExitStack() as stack:
        opened = migration_engine(url, scope)
        observing = stack.enter_context(settled(opened, scope, autocommit=True))
        working = stack.enter_context(settled(engine or opened, scope, autocommit=autocommit))
        if sole:
            stack.enter_context(sole_migrator(driver(observing), options.deadline))
        if replicas is not None:
            yield Session(scope, options, working, observing, replicas)
            return
        migrator, name = process(working), application_name(scope)
        minded = stack.enter_context(
            following(options.replicas, driver(observing), name, migrator, options.replica_limit)
        )
        yield Session(scope, options, working, observing, minded)
        if minded.asked:
            minded.wait_until_replayed("the end")


def client() -> str:
    """Who we are, for people on the other side: host and process."""
    return f"{socket.gethostname()} pid {os.getpid()}"


def application_name(scope: Scope) -> str:
    """What the engine's sessions of this process are called."""
    return f"{scope.name} migrate on {client()}"[:63]


def migration_engine(url: URL, scope: Scope) -> Engine:
    """An engine for the engine's sessions: no pool, the settings above, errors as OnlineError."""
    arguments = {"application_name": application_name(scope)}
    return database.engine(
        url, settings=SETTINGS, path=scope.path, changing=True, poolclass=NullPool, connect_args=arguments
    )


@contextmanager
def settled(origin: Engine, scope: Scope, *, autocommit: bool) -> Iterator[Connection]:
    """A connection with the settings above, closed at the end; `origin` may be a program's own engine."""
    with origin.connect() as connection:
        wanted = {**PINNED, **SETTINGS, "search_path": scope.path}
        connection.info[database.PROCESS] = database.settle(driver(connection), wanted, origin.url)
        try:
            yield connection.execution_options(isolation_level="AUTOCOMMIT") if autocommit else connection
        finally:
            if not connection.invalidated:
                database.discard(driver(connection))
                connection.invalidate()  # closed, not returned: it may be broken


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's own connection below SQLAlchemy's."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def process(connection: Connection) -> int:
    """The server's process at the other end; what the driver says of it, of a session of others', may be a pooler's."""
    return int(connection.info.get(database.PROCESS) or driver(connection).info.backend_pid)
