"""One replica, reached at its own address: what it is, what is at work on it, and what it has replayed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import URL, Engine, NullPool, PoolProxiedConnection

from alembic_online.blockers import Blocker, Blockers
from alembic_online.database import engine, shown
from alembic_online.errors import AddressError, OnlineError
from alembic_online.queries import query
from alembic_online.retry import LONG

PATIENCE: Mapping[str, Any] = {  # a host that is gone does not answer for minutes
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
SETTINGS = {"statement_timeout": "10s"}
BACKGROUND = ("startup", "autovacuum worker")
"""Who replays, as a role sees it that may see all, and as one that may not."""


class NoStandbyError(OnlineError):
    """The address leads to no standby of the primary: it never was one, or it was promoted."""


@dataclass(frozen=True)
class Identity:
    """Which cluster and database a server is."""

    cluster: str
    standby: bool
    name: str
    database: int


@dataclass(frozen=True)
class Replay:
    """`seconds`: for how long nothing that was committed on the primary has arrived, which may be for want of it."""

    standby: bool
    replayed: bool
    paused: bool
    seconds: float


def identity(connection: psycopg.Connection[Any]) -> Identity:
    """That of the server at the other end."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return Identity(*cursor.execute(query("replicas/identity")).fetchone() or ())


class Replica:
    """A standby of `primary`, on a session of its own that is opened again where it was lost."""

    def __init__(self, url: URL, primary: Identity, application: str) -> None:
        self.url = url
        self.primary = primary
        arguments = {**PATIENCE, "application_name": application}
        self.engine: Engine = engine(url, settings=SETTINGS, poolclass=NullPool, connect_args=arguments)
        self.pooled: PoolProxiedConnection | None = None
        self.seen: dict[str, float] = {}

    def __str__(self) -> str:
        return shown(self.url)

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """Its session. Raises OnlineError where it cannot be reached, or is no standby of the primary."""
        found = self.pooled and self.pooled.driver_connection
        if isinstance(found, psycopg.Connection) and not found.closed:
            return found
        self.close()
        self.pooled = self.engine.raw_connection()
        connection = self.pooled.driver_connection
        assert isinstance(connection, psycopg.Connection)
        connection.autocommit = True
        self.refuse_others(identity(connection))
        return connection

    def refuse_others(self, found: Identity) -> None:
        """Raise NoStandbyError where this is not a standby of the primary, or another database of it."""
        why = None
        if found.cluster != self.primary.cluster:
            why = f"it is another cluster (system identifier {found.cluster}, not {self.primary.cluster})"
        elif not found.standby:
            why = "it follows no server: it is the primary itself, or was promoted"
        elif found.database != self.primary.database:
            why = f"it is database {found.name}, not {self.primary.name}"
        if why:
            raise NoStandbyError(
                f"Replica {self} is no standby of the database that is meant: {why}.",
                "correct its address, or leave it out.",
            )

    def replay(self, lsn: str) -> Replay:
        """How far it is, beside what the primary had written: an LSN. Raises NoStandbyError once it is promoted."""
        with self.connection.cursor(row_factory=namedtuple_row) as cursor:
            found = Replay(*cursor.execute(query("replicas/replayed"), {"lsn": lsn}).fetchone() or ())
        if not found.standby:
            raise self._promoted()
        return found

    def readers(self, locks: Mapping[str, str], older: float = LONG) -> list[Blocker]:
        """Whose transactions of more than `older` seconds have read what these locks are for, the oldest first.

        Where a transaction's age is hidden from this role, it is as old as it has been seen here; one that is new is
        looked at twice. Raises NoStandbyError once it is promoted.
        """
        found = self._at_work(locks)
        if any(not each.transaction_seconds and not age for each, age in found):
            time.sleep(older)
            found = self._at_work(locks)
        return [each for each, age in found if max(each.transaction_seconds, age) > older]

    def _at_work(self, locks: Mapping[str, str]) -> list[tuple[Blocker, float]]:
        """Who has read it, and for how many seconds that has been seen here."""
        now, connection = time.monotonic(), self.connection
        if connection.execute("SELECT pg_is_in_recovery()").fetchone() != (True,):
            raise self._promoted()
        found = Blockers(connection, 0, None).holders(locks)
        found = [each for each in found if each.backend_type not in BACKGROUND and not each.is_prepared]
        self.seen = {each.transaction: self.seen.get(each.transaction, now) for each in found}
        return [(each, now - self.seen[each.transaction]) for each in found]

    def _promoted(self) -> NoStandbyError:
        return NoStandbyError(f"Replica {self} was promoted: it follows no server any more.", "leave it out.")

    def close(self) -> None:
        if self.pooled is not None:
            self.pooled.invalidate()  # closed, not returned: it may be broken
            self.pooled = None


def reason(error: Exception) -> str:
    """An error's reason in one line: of a failure to connect, the server's own words."""
    if isinstance(error, NoStandbyError):
        return error.what
    lines = (error.what if isinstance(error, OnlineError) else str(error)).strip().splitlines() or ["no reason given"]
    return lines[1].strip() if isinstance(error, AddressError) and len(lines) > 1 else lines[0]
