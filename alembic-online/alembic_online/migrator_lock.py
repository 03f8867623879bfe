"""One migrator at a time: a session's advisory lock, polled, because a blocking wait deadlocks with CONCURRENTLY."""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from alembic_online.errors import OnlineError
from alembic_online.queries import query

log = logging.getLogger("alembic.online")

KEY = 0x51DB_0000_0A1E_3B1C  # any number that nobody else uses
POLL = (0.05, 0.15)  # seconds


@contextmanager
def sole_migrator(connection: psycopg.Connection[Any], deadline: float) -> Iterator[None]:
    """Hold the migrators' lock on this session; wait at most `deadline` seconds, saying for whom."""
    end = time.monotonic() + deadline
    told = None
    while not _held(connection, "SELECT pg_try_advisory_lock(%s)"):
        with connection.cursor(row_factory=namedtuple_row) as cursor:
            other: Any = cursor.execute(query("run/migrator"), {"key": KEY}).fetchone()
        if other is None:
            continue  # it has just gone
        whom = (
            f"{other.application_name} (session {other.pid} from {other.address or 'the server itself'}, "
            f"since {other.since:%Y-%m-%d %H:%M:%S %Z})"
        )
        if time.monotonic() > end:
            raise OnlineError(
                f"Another migration is running: {whom}; nothing was changed.",
                f"wait for it, or end it: SELECT pg_terminate_backend({other.pid}).",
            )
        if told != other.pid:
            log.info("Waiting for another migration: %s", whom)
            told = other.pid
        time.sleep(random.uniform(*POLL))  # noqa: S311 - jitter, not a secret
    try:
        yield
    finally:
        if not connection.closed and not connection.broken and not _held(connection, "SELECT pg_advisory_unlock(%s)"):
            log.warning("The migrators' lock was lost before the end: another migration may have run beside this one.")


def _held(connection: psycopg.Connection[Any], statement: str) -> bool:
    row = connection.execute(statement, [KEY]).fetchone()
    return bool(row and row[0])
