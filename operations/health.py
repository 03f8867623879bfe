"""The database's health, as far as bulk work must mind it. Each question is an SQL file in ``queries/health``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, text

from backfill.pacing import Trouble
from operations.queries import query


@dataclass(frozen=True)
class Health:
    """Limits beyond which bulk work holds back. What the role may not see (it needs pg_monitor) counts as well."""

    lag_seconds: float = 1.5
    waiting_segments: int = 3
    lock_wait_seconds: float = 0.1
    connections_share: float = 0.8
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
        return self.beside_application if connection.scalar(_query("at_work")) else 1.0


def _query(name: str) -> TextClause:
    return text(query(f"health/{name}"))
