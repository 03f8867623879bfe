"""Pace: how many rows at once, how long to rest after them, and when to hold back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from backfill.job import Job
from backfill.tables import SCHEMA, Pause, PauseOrder
from backfill.windows import Window

MOST_ROWS = 20_000
FIRST_ROWS = 500


@dataclass(frozen=True)
class Trouble:
    """Why to hold back: one word to count by, and the particulars for people."""

    reason: str
    detail: str


class Health(Protocol):
    """What is known of the database's health; the backfill is handed one."""

    def trouble(self, connection: Connection, tables: Sequence[str]) -> Trouble | None:
        """What speaks against writing to these tables now, if anything does."""

    def share(self, connection: Connection) -> float:
        """What part of the time a worker's batches may take now: above 0, and 1 where nobody else is at work."""


@dataclass
class Pace:
    """How many rows a batch of each job takes: what went through in the job's target duration, 20,000 at most."""

    most: int = MOST_ROWS
    _rows: dict[str, int] = field(default_factory=dict)

    def rows(self, job: Job) -> int:
        return min(self.most, self._rows.get(job.name, FIRST_ROWS))

    def learn(self, job: Job, read: int, seconds: float) -> None:
        """At most doubled at once, at most quartered, and unchanged by what is too little to learn from."""
        rows = self.rows(job)
        if read >= min(rows, FIRST_ROWS) / 2 or seconds > job.seconds:
            fitting = round(read * job.seconds / max(seconds, 1e-4))
            self._rows[job.name] = min(self.most, max(1, rows // 4, min(rows * 2, fitting)))


@dataclass
class Brake:
    """Says when to hold back, and how long to rest. Health is asked every half second at most, control before each
    batch."""

    health: Health
    window: Window | None
    every: timedelta = timedelta(seconds=0.5)
    again: float = 1.0
    """Seconds until it is asked anew while it holds."""
    _asked: datetime | None = None
    _share: float = 1.0

    def trouble(self, connection: Connection, job: Job) -> Trouble | None:
        """What speaks against a batch of the job now, if anything does."""
        now = datetime.now(UTC)
        if is_paused(connection):
            return Trouble("paused", "sidb backfill pause was called")
        if self.window is not None and not self.window.is_open(now):
            return Trouble("window", f"{self.window} opens at {self.window.next_opening(now):%Y-%m-%d %H:%M} UTC")
        if self._asked is not None and now - self._asked < self.every:
            return None
        found = self.health.trouble(connection, job.targets)
        if found is None:
            self._asked = now
            self._share = self.health.share(connection)
        return found

    def rest(self, seconds: float) -> float:
        """Seconds to rest after a batch that took so many, so that batches take their share of the time and no more."""
        return seconds * (1 / self._share - 1)


def is_paused(connection: Connection) -> bool:
    """Whether somebody paused the backfill."""
    return bool(connection.scalar(select(exists(select(PauseOrder.order_id)))))


def looks_paused(connection: Connection) -> bool:
    """The same for who only reads, and so may find the bookkeeping of version 2.0.6."""
    if connection.scalar(select(func.to_regclass(f"{SCHEMA}.{PauseOrder.__tablename__}").is_not(None))):
        return is_paused(connection)
    return bool(connection.scalar(text("SELECT count(c.paused_at) > 0 FROM sidb.backfill_control AS c")))


def pause(connection: Connection) -> None:
    """Make every worker hold back from its next batch on; waits for nobody."""
    connection.execute(insert(PauseOrder))


def resume(connection: Connection) -> None:
    """Let the workers go on, however often it was paused."""
    connection.execute(delete(PauseOrder))


def begin_pause(connection: Connection, job: Job, trouble: Trouble) -> int:
    """Record that a worker holds back; gives the key of the record."""
    values = {"job": job.name, "reason": trouble.reason, "detail": trouble.detail}
    return connection.execute(insert(Pause).values(**values).returning(Pause.pause_id)).scalar_one()


def end_pause(connection: Connection, pause_id: int) -> None:
    """Record that it goes on."""
    ended = update(Pause).where(Pause.pause_id == pause_id).values(ended_at=func.clock_timestamp())
    connection.execute(ended)
