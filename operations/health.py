"""The database's health, as far as bulk work must mind it. Each question is an SQL file in ``queries/health``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic_online.alerts import CONNECTIONS
from alembic_online.replica_lag_limits import LAG_WARNING
from alembic_online.sessions import driver
from sqlalchemy import Connection, TextClause, text

from backfill.pacing import Throttle, Trouble
from operations.queries import query


@dataclass(frozen=True)
class Health:
    """Limits beyond which bulk work holds back. What the role may not see (it needs pg_monitor) counts as healthy."""

    lag_seconds: float = LAG_WARNING
    waiting_segments: int = 3
    lock_wait_seconds: float = 0.1
    connections_share: float = CONNECTIONS
    beside_application: float = 0.05
    """What part of the time a worker's batches may take while the application is at work."""

    def trouble(self, connection: Connection, tables: Sequence[str]) -> Trouble | None:
        """The first thing that speaks against writing to these tables now; None: all is well."""
        questions: Mapping[str, Mapping[str, object]] = {
            "replica_lag": {"seconds": self.lag_seconds},
            "wal_archiving": {"segments": self.waiting_segments},
            "autovacuum": {"tables": list(tables)},
            "lock_waiters": {"seconds": self.lock_wait_seconds},
            "connections": {"share": self.connections_share},
        }
        for reason, limits in questions.items():
            detail = connection.scalar(_query(reason), limits)
            if detail is not None:
                return Trouble(reason, detail)
        return None

    def share(self, connection: Connection) -> float:
        """What part of the time a worker's batches may take now."""
        return share_now(driver(connection), self.beside_application)


def share_now(connection: psycopg.Connection[Any], beside_application: float) -> float:
    """What part of the time may be taken now: so much beside the application, all of it where it is not at work."""
    if beside_application >= 1:
        return 1.0
    connection.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees who was at work when it first asked
    at_work = connection.execute(query("health/at_work")).fetchone() == (True,)
    return beside_application if at_work else 1.0


def throttle(connection: Connection, beside_application: float) -> Throttle:
    """For reading on this session, in its transaction or between two."""

    def share() -> float:
        if connection.in_transaction():
            return share_now(driver(connection), beside_application)
        with connection.begin():
            return share_now(driver(connection), beside_application)

    return Throttle(share)


def _query(name: str) -> TextClause:
    return text(query(f"health/{name}"))
