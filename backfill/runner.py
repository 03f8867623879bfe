"""The runner: takes the next batch of the next job, in one transaction with its progress, until the scope is done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from backfill import progress
from backfill.errors import BackfillError
from backfill.job import Job
from backfill.jobs import JOBS
from backfill.pacing import Brake, Pace, Trouble, begin_pause, end_pause
from backfill.progress import Batch, Scope
from backfill.tables import Range

BUSY = (LockNotAvailable, DeadlockDetected, SerializationFailure)
WAIT = 0.1
"""Seconds between looks, while other workers hold all there is or something speaks against going on."""

# Far below deadlock_timeout: where a foreign key or a unique index makes a batch wait, it lets go long before the
# server would have to look for a deadlock. A batch and its progress are one transaction: a crash takes both or neither,
# so that no batch has to wait for the disk.
SETTINGS = text(
    "SELECT set_config('lock_timeout', '50ms', true), set_config('timezone', 'UTC', true), "
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
    brake: Brake
    pace: Pace = field(default_factory=Pace)
    jobs: Sequence[Job] = JOBS
    stop: Event = field(default_factory=Event)
    """Set it to end after the present batch."""
    wait_for_window: bool = True
    report: Callable[[Job, Batch], None] | None = None
    held: Callable[[Trouble], None] | None = None

    def run(self, scope: Scope, share: int | None = None) -> Summary:
        """Work until the scope is done, or `share` rows are. BackfillError: a job was stopped, or the server went."""
        summary = Summary()
        try:
            with self.engine.connect() as connection:
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
        while not self.stop.is_set():
            if share is not None and summary.read >= share:
                return "enough"
            with connection.begin():
                job = progress.current(connection, self.jobs, scope)
                trouble = self.brake.trouble(connection, job) if job else None
            if job is None:
                return "done"
            if trouble is not None:
                if trouble.reason == "window" and not self.wait_for_window:
                    return "window"
                self._hold(connection, job, trouble)
            elif (batch := self._batch(connection, job, scope, summary)) is not None:
                summary.read += batch.read
                summary.written += batch.written
                if self.report:
                    self.report(job, batch)
                self.stop.wait(batch.rest)
            else:
                self.stop.wait(WAIT)
        return "asked"

    def _hold(self, connection: Connection, job: Job, trouble: Trouble) -> None:
        with connection.begin():
            pause = begin_pause(connection, job, trouble)
        if self.held:
            self.held(trouble)
        still: Trouble | None = trouble
        while still is not None and still.reason == trouble.reason and not self.stop.wait(self.brake.again):
            with connection.begin():
                still = self.brake.trouble(connection, job)
        with connection.begin():
            end_pause(connection, pause)

    def _batch(self, connection: Connection, job: Job, scope: Scope, summary: Summary) -> Batch | None:
        """Take a range, do a batch of it, and commit both; None: nothing was to be had."""
        if job.before is not None:
            with connection.begin():
                connection.execute(job.before)
        with connection.begin():
            connection.execute(SETTINGS)
            range = progress.claim(connection, job, scope)
            if range is None:
                return None
            asked = progress.size(range, self.pace.rows(job))
            since = time.monotonic()
            try:
                with connection.begin_nested():
                    batch = self._write(connection, job, range, scope.as_of, asked)
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise
                return self._fail(connection, job, range, error, asked, time.monotonic() - since, summary)
            batch.seconds = time.monotonic() - since
            batch.rest = self.brake.rest(batch.seconds)
            progress.record(connection, range, batch, asked)
            if not range.suspect:
                self.pace.learn(job, batch.read, batch.seconds)
            return batch

    def _write(self, connection: Connection, job: Job, range: Range, as_of: datetime, asked: int) -> Batch:
        if job.instead is not None and job.instead(connection):
            return Batch(read=0, written=range.planned, present=0, skipped=0)
        listed = progress.next_rows(job, range, asked, *job.table.c).cte("listed")
        batch = listed
        slice = job.slice(range.lower, range.upper, as_of)
        if job.locks:
            prepared = job.prepare(listed, slice) if job.prepare else listed
            added = [column for column in prepared.c if column.key not in job.table.c]
            taken = select(job.table, *added).join(prepared, prepared.c[job.key.key] == job.key)
            batch = taken.with_for_update(of=job.table, skip_locked=True, key_share=True).cte("batch")
        written = job.write(batch, slice)
        names = [column.key for column in job.order]
        last = select(*(listed.c[name] for name in names)).order_by(*(listed.c[name] for name in names)).limit(1)
        counts = [select(func.count()).select_from(each).scalar_subquery() for each in (listed, batch, written[0])]
        end = last.subquery()
        counted = select(*counts, *end.c).select_from(select(text("1")).subquery().outerjoin(end, text("true")))
        read, taken_rows, rows, *position = connection.execute(counted.add_cte(*written)).one()
        return Batch(
            read=read,
            written=rows,
            present=taken_rows - rows,
            skipped=read - taken_rows,
            cut=job.stored(position[0]) if read else None,
            key=position[-1],
        )

    def _fail(
        self,
        connection: Connection,
        job: Job,
        range: Range,
        error: DBAPIError,
        asked: int,
        seconds: float,
        summary: Summary,
    ) -> Batch:
        reason = str(error.orig).strip().partition("\n")[0]
        if asked > 1 or range.attempts + 1 < progress.ATTEMPTS:
            progress.failed(connection, range, reason, asked, seconds)
            return Batch(read=0, written=0, present=0, skipped=0)
        row = connection.execute(progress.next_rows(job, range, 1, *job.order)).one()
        cut, key = job.stored(row[0]), row[-1]
        if isinstance(error.orig, BUSY):
            left = Batch(read=1, written=0, present=0, skipped=1, seconds=seconds, cut=cut, key=key)
            progress.record(connection, range, left, asked)
            return left
        progress.set_aside(connection, range, cut, key, reason)
        summary.refused += 1
        return Batch(read=1, written=0, present=0, skipped=0)
