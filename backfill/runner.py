"""The runner: takes the next batch of the next job, in one transaction with its progress, until the scope is done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure
from sqlalchemy import Connection, Engine, Text, cast, text
from sqlalchemy.exc import DBAPIError

from backfill import erased, progress
from backfill.batch_size import BatchSize
from backfill.errors import BackfillError
from backfill.job import Batch, Job, NotWrittenError
from backfill.jobs import JOBS
from backfill.locks import Tell, watched
from backfill.pacing import BatchThrottle, Trouble, begin_pause, end_pause
from backfill.phase1_columns import ChangedError
from backfill.progress import Scope
from backfill.tables import Range

BUSY = (LockNotAvailable, DeadlockDetected, SerializationFailure)
WAIT = 0.1
"""Seconds between looks, while other workers hold all there is or something speaks against going on."""
PATIENT = 1.0
"""Seconds after which it waits for one of these workers in particular, so that it can say which."""

# Far below deadlock_timeout: where a foreign key or a unique index makes a batch wait, it lets go long before the
# server would have to look for a deadlock. A batch and its progress are one transaction: a crash takes both or neither,
# so that no batch has to wait for the disk.
SETTINGS = text(
    "SELECT set_config('lock_timeout', '50ms', true), set_config('timezone', 'UTC', true), "
    "set_config('datestyle', 'ISO, YMD', true), set_config('work_mem', '32MB', true), "
    "set_config('jit', 'off', true), set_config('synchronous_commit', 'off', true)"
)


def _plan_each_time(connection: Connection) -> None:
    """Plans for "the first n rows" must know n. plan_cache_mode would also plan each row's foreign key check anew."""
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    assert driver is not None
    driver.prepare_threshold = None


@dataclass
class Summary:
    """What a run did, and why it ended: done, enough (the share is done), window, or asked (to stop)."""

    ended: str = "done"
    read: int = 0
    written: int = 0
    refused: int = 0


@dataclass
class Runner:
    """One worker. Any number of them, on any number of machines, share the work through the progress rows."""

    engine: Engine
    throttle: BatchThrottle
    pace: BatchSize = field(default_factory=BatchSize)
    jobs: Sequence[Job] = JOBS
    stop: Event = field(default_factory=Event)
    """Set it to end after the present batch."""
    wait_for_window: bool = True
    report: Callable[[Job, Batch], None] | None = None
    held: Callable[[Trouble], None] | None = None
    tell: Tell = field(default=lambda _: None)
    """Hears for whom it waits."""

    def run(self, scope: Scope, share: int | None = None) -> Summary:
        """Work until the scope is done, or `share` rows are. BackfillError: a job was stopped, or the server went."""
        summary = Summary()
        try:
            with self.engine.connect() as connection, watched(connection, self.tell, self.stop):
                _plan_each_time(connection)
                summary.ended = self._work(connection, scope, share, summary)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            reason = str(error.orig).strip().partition("\n")[0]
            raise BackfillError(
                f"The connection was lost: {reason}",
                "run it again when the server is back; nothing is lost or doubled.",
            ) from error
        return summary

    def _work(self, connection: Connection, scope: Scope, share: int | None, summary: Summary) -> str:
        """Batch after batch; why it ended."""
        idle = 0
        while not self.stop.is_set():
            if share is not None and summary.read >= share:
                return "enough"
            with connection.begin():
                job = progress.current(connection, self.jobs, scope)
                trouble = self.throttle.trouble(connection, job) if job else None
            if job is None:
                return "done"
            if trouble is not None:
                if trouble.reason == "window" and not self.wait_for_window:
                    return "window"
                self._hold(connection, job, trouble)
            elif (batch := self._batch(connection, job, scope, summary)) is not None:
                idle = 0
                summary.read += batch.read
                summary.written += batch.written
                if self.report:
                    self.report(job, batch)
                self.stop.wait(batch.rest)
            elif (idle := idle + 1) * WAIT < PATIENT:
                self.stop.wait(WAIT)
            else:
                progress.wait(connection, job, scope)
        return "asked"

    def _hold(self, connection: Connection, job: Job, trouble: Trouble) -> None:
        with connection.begin():
            pause = begin_pause(connection, job, trouble)
        if self.held:
            self.held(trouble)
        still: Trouble | None = trouble
        while still is not None and still.reason == trouble.reason and not self.stop.wait(self.throttle.again):
            with connection.begin():
                still = self.throttle.trouble(connection, job)
        with connection.begin():
            end_pause(connection, pause)

    def _batch(self, connection: Connection, job: Job, scope: Scope, summary: Summary) -> Batch | None:
        """Take a range, do a batch of it, and commit both; None: nothing was to be had."""
        if job.before is not None:
            with connection.begin():
                connection.execute(job.before)
        with connection.begin():
            connection.execute(SETTINGS)
            claimed = progress.claim(connection, job, scope)
            if claimed is None:
                return None
            asked = progress.size(claimed, self.pace.rows(job))
            since = time.monotonic()
            erased.share(connection)  # until the commit: an error that is written down may name a user
            try:
                with connection.begin_nested():
                    batch = job.batch(connection, claimed, scope.as_of, asked)
            except ChangedError as error:
                progress.stop(connection, job.name, str(error))
                return Batch(read=0, written=0, present=0, skipped=0)
            except (DBAPIError, NotWrittenError) as error:
                if isinstance(error, DBAPIError) and error.connection_invalidated:
                    raise
                failure = _Failure(error, asked, time.monotonic() - since)
                return self._fail(connection, job, claimed, scope, failure, summary)
            batch.seconds = time.monotonic() - since
            batch.rest = self.throttle.rest(batch.seconds)
            if batch.over and claimed.rows_refused:
                job.forget_gone(connection, claimed)
            progress.record(connection, claimed, batch)
            if not claimed.suspect:
                self.pace.learn(job, batch.read, batch.seconds)
            return batch

    def _fail(
        self, connection: Connection, job: Job, claimed: Range, scope: Scope, failure: "_Failure", summary: Summary
    ) -> Batch:
        if failure.asked > 1 or claimed.attempts + 1 < progress.ATTEMPTS:
            progress.failed(connection, claimed, failure.reason, failure.asked, failure.seconds)
            return Batch(read=0, written=0, present=0, skipped=0)
        place = [cast(job.partition_column, Text), job.key]
        row = connection.execute(job.next_rows(claimed, scope.as_of, 1, *place)).one_or_none()
        if row is None:  # somebody has deleted it since
            return Batch(read=0, written=0, present=0, skipped=0)
        position, key = row
        if failure.is_busy:
            progress.leave(connection, claimed, position, key)
            return Batch(read=1, written=0, present=0, skipped=1, seconds=failure.seconds, position=position, key=key)
        progress.set_aside(connection, claimed, position, key, job.key_aside(connection, position, key), failure.reason)
        summary.refused += 1
        return Batch(read=1, written=0, present=0, skipped=0)


@dataclass(frozen=True)
class _Failure:
    """Why a batch of so many rows failed, after so many seconds."""

    error: DBAPIError | NotWrittenError
    asked: int
    seconds: float

    @property
    def reason(self) -> str:
        said = self.error.orig if isinstance(self.error, DBAPIError) else self.error
        return str(said).strip().partition("\n")[0]

    @property
    def is_busy(self) -> bool:
        return isinstance(self.error, DBAPIError) and isinstance(self.error.orig, BUSY)
