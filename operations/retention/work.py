"""What a run that lets rows go works with: its session, its share of the time beside the application, its records."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from alembic_online import Session
from alembic_online.composed import Printed
from alembic_online.retry import RetryPolicy
from psycopg.rows import namedtuple_row
from psycopg.sql import SQL, Composed

from backfill.pacing import Throttle
from models import PARTITIONS
from operations.health import Health, share_now
from operations.queries import query
from operations.retention.tables import Kept
from operations.status.half_way import blocking

BATCH = 2_000  # rows deleted in a transaction
LOOKED_AT = 10_000  # rows of a table without an index on their age, in a transaction
EXPIRED = "_expired_"
WAIT = 10.0  # s, for the locks of an exchange: what is held for longer is left for the next run
ASKED_EVERY = 0.5  # s


class HeldBackError(Exception):
    """Something speaks against going on now; the next run does."""


class RowsHeldError(HeldBackError):
    """Some rows, or a table set aside, could not go; others can."""


@dataclass
class Work:
    """`directory`: where rows are exported to before they go; None: nowhere. `share`: of the time, beside others."""

    session: Session
    share: float
    directory: Path | None = None
    throttle: Throttle = field(init=False)
    _asked: float = -ASKED_EVERY

    def __post_init__(self) -> None:
        self.throttle = Throttle(partial(share_now, self.session.observer, self.share))

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """In autocommit mode."""
        return self.session.connection

    @property
    def policy(self) -> RetryPolicy:
        """For one exchange."""
        return RetryPolicy(min(WAIT, self.session.options.deadline))

    def look(self, kept: Kept) -> None:
        """Raise HeldBackError where something speaks against going on now; looked at again after a while."""
        if time.monotonic() - self._asked >= ASKED_EVERY:
            self.refuse_half_way()
            if (found := Health().trouble(self.session.observing, [kept.relation])) is not None:
                raise HeldBackError(f"held back: {found.detail}")
            self._asked = time.monotonic()

    def refuse_half_way(self) -> None:
        """Raise HeldBackError while a rollback or a restore is half-way, which looks for what is where."""
        if begun := blocking(self.session.observer):
            raise HeldBackError(f"held back: {begun.what}")

    @contextmanager
    def piece(self, kept: Kept) -> Iterator[None]:
        """A piece of work, after the rest for those before. Raises HeldBackError."""
        self.look(kept)
        with self.throttle.piece():
            yield

    def rows(self, name: str, **parameters: object) -> list[Any]:
        """What a query of queries/retention gives."""
        with self.connection.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(query(f"retention/{name}"), parameters).fetchall()

    def one(self, statement: Composed | SQL, **parameters: object) -> Any:
        """The one row that a statement gives."""
        with self.connection.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(statement, parameters).fetchone()

    def begin(self, kept: Kept, aside: str | None, kept_from: date, rows: int = 0) -> int:
        """Write down that something is to go; gives the key of the record."""
        directory = None if self.directory is None else str(self.directory)
        names = {"relation": kept.name, "aside": aside, "kept_from": kept_from, "directory": directory, "rows": rows}
        [(expiry_id,)] = self.rows("begin", **names)
        return int(expiry_id)

    def finish(self, expiry_id: int, rows: int | None = None) -> None:
        """Write down that it has gone."""
        statement = (
            "UPDATE sidb.expiry SET finished_at = now(), rows = coalesce(%s, rows) WHERE expiry_id = %s"
            " AND finished_at IS NULL"
        )
        self.connection.execute(statement, [rows, expiry_id])


def qualified(name: str) -> Printed:
    """A relation, `schema.name`, quoted where SQL wants it so."""
    return Printed(name)


def aside_name(kept: Kept, expiry_id: int) -> str:
    """Where rows are gathered that are exported before they go."""
    return f"{PARTITIONS}.{kept.name}{EXPIRED}{expiry_id}"
