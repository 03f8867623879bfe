"""Pace: how long to rest after a batch, and when to hold back."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from backfill.job import Job
from backfill.tables import SCHEMA, Pause, PauseOrder
from backfill.windows import Window


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
class BatchThrottle:
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
        """Seconds to rest after a batch that took so many."""
        return rest(seconds, self._share)


@dataclass
class Throttle:
    """Keeps whoever reads much to a share of the time: a rest between pieces, as after a batch."""

    share: Callable[[], float] = lambda: 1.0
    """What part of the time may be taken now."""
    wait: Callable[[float], object] = time.sleep
    _owed: float = 0.0
    """Seconds to rest before the next piece; after the last one nobody has to."""
    _spent: float = 0.0
    """Seconds of pieces that are done, and of rests."""

    @contextmanager
    def piece(self) -> Iterator[None]:
        """Rest for the pieces before, then do one in the block; of pieces within pieces each moment counts once."""
        self.rest_now()
        since, spent = time.monotonic(), self._spent
        try:
            yield
        except BaseException:  # it waited for a lock, or all ends: nothing to rest from
            self._spent = spent + time.monotonic() - since
            raise
        took = time.monotonic() - since
        self._owed += rest(took - (self._spent - spent), self.share())
        self._spent = spent + took

    def rest_now(self) -> None:
        """Rest for the pieces before."""
        began = time.monotonic()
        if self._owed:
            self.wait(self._owed)
            self._owed = 0.0
            self._spent += time.monotonic() - began


def rest(seconds: float, share: float) -> float:
    """Seconds to rest after work that took so many, so that it takes its share of the time and no more."""
    return seconds * (1 / share - 1)


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
