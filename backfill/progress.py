"""Progress: which ranges there are, who is at which, and what came of them. All of it commits with the rows moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from backfill.errors import BackfillError
from backfill.job import Job
from backfill.tables import JobState, Range, SetAside

RECENT = timedelta(days=90)
ATTEMPTS = 3
FAILURES = 5
COME_BACK = timedelta(milliseconds=200)
"""How long rows that the application holds are left alone."""


@dataclass(frozen=True)
class Scope:
    """Which ranges are meant: those with rows of the last 90 days, the others, or (None) all."""

    as_of: datetime
    recent: bool | None = None

    def chosen(self) -> ColumnElement[bool]:
        newer = func.coalesce(Range.newest >= self.as_of - RECENT, True)
        return true() if self.recent is None else newer.is_(self.recent)


@dataclass
class Batch:
    """What one batch did: rows read, written, there already, and left because the application holds them."""

    read: int
    written: int
    present: int
    skipped: int
    seconds: float = 0.0
    rest: float = 0.0
    """Seconds to rest after it."""
    cut: str | None = None
    key: int | None = None


FROM_THE_START = {
    "done_at": None,
    "cursor_cut": None,
    "cursor_key": None,
    "passed": 0,
    "skipped": 0,
    "ready_at": func.now(),
}


def current(connection: Connection, jobs: Sequence[Job], scope: Scope) -> Job | None:
    """The first job that has something left in the scope. BackfillError: it was stopped."""
    left = select(Range.job).where(Range.done_at.is_(None), scope.chosen()).distinct()
    names = set(connection.scalars(left))
    job = next((job for job in jobs if job.name in names), None)
    if job is not None:
        stopped = connection.scalar(select(JobState.stopped).where(JobState.job == job.name))
        if stopped:
            raise BackfillError(
                f"{job.name} was stopped after {FAILURES} failures in a row, the last: {stopped}",
                "see to the cause, then: sidb backfill retry",
            )
    return job


def claim(connection: Connection, job: Job, scope: Scope) -> Range | None:
    """The newest range that is neither done nor another worker's; its lock, held until the commit, is the lease."""
    row = connection.execute(
        select(Range.__table__)
        .where(Range.job == job.name, Range.done_at.is_(None), Range.ready_at <= func.now(), scope.chosen())
        .order_by(Range.newest.desc(), Range.range_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return Range(**row._mapping) if row else None


def next_rows(job: Job, range: Range, count: int, *columns: Any) -> Select[*tuple[Any, ...]]:
    """The next rows of the range, newest first: beyond its cursor, and not set aside."""
    rows = select(*columns).where(job.cut >= job.bound(range.lower), job.cut < job.bound(range.upper))
    if range.cursor_cut is not None:
        cursor = (job.bound(range.cursor_cut), range.cursor_key)
        rows = rows.where(tuple_(*job.order) < tuple_(*cursor[-len(job.order) :]))
    if range.rows_refused:
        rows = rows.where(job.key.not_in(select(SetAside.key).where(SetAside.job == job.name)))
    return rows.order_by(*(column.desc() for column in job.order)).limit(count)


def record(connection: Connection, range: Range, batch: Batch, asked: int) -> None:
    """A batch worked. Fewer rows than asked for: the pass is over, and all is done but for rows that were left."""
    over = batch.read < asked
    skipped = range.skipped + batch.skipped
    values = {
        "rows_read": Range.rows_read + batch.read,
        "rows_written": Range.rows_written + batch.written,
        "rows_present": Range.rows_present + batch.present,
        "seconds": Range.seconds + batch.seconds,
        "rested": Range.rested + batch.rest,
        "attempts": 0,
        "suspect": max(0, range.suspect - batch.read),
        "passed": range.passed + batch.read - batch.skipped,
        "skipped": skipped,
    }
    if batch.key is not None:
        values |= {"cursor_cut": batch.cut, "cursor_key": batch.key}
    if over and skipped:
        values |= FROM_THE_START | {"ready_at": func.now() + COME_BACK}
    elif over:
        values |= {"done_at": func.now(), "error": None}
    connection.execute(update(Range).where(Range.range_id == range.range_id).values(values))
    cleared = update(JobState).where(JobState.job == range.job, JobState.failures > 0).values(failures=0)
    connection.execute(cleared)


def failed(connection: Connection, range: Range, error: str, asked: int, seconds: float) -> None:
    """A batch failed: again as it was up to three times, then halved, down to the row."""
    attempts = range.attempts + 1
    halve = range.suspect > 0 or attempts >= ATTEMPTS
    values = {
        "attempts": attempts,
        "error": error,
        "seconds": Range.seconds + seconds,
        "suspect": asked if halve else 0,
    }
    connection.execute(update(Range).where(Range.range_id == range.range_id).values(values))


def size(range: Range, wanted: int) -> int:
    """How many rows to take: what the pace allows, or half of those among which one fails."""
    return max(1, range.suspect // 2) if range.suspect else wanted


def set_aside(connection: Connection, range: Range, cut: str, key: int, error: str) -> None:
    """A single row fails: put it aside and go on after it; after five in a row the job is stopped."""
    row = {"job": range.job, "key": key, "range_id": range.range_id, "error": error}
    refused = insert(SetAside).values(**row).on_conflict_do_update(index_elements=["job", "key"], set_={"error": error})
    connection.execute(refused)
    values = {"rows_refused": Range.rows_refused + 1, "error": error, "attempts": 0, "suspect": 0}
    after = {"cursor_cut": cut, "cursor_key": key, "passed": range.passed + 1}
    connection.execute(update(Range).where(Range.range_id == range.range_id).values(**values, **after))
    failures = connection.scalar(
        update(JobState)
        .where(JobState.job == range.job)
        .values(failures=JobState.failures + 1)
        .returning(JobState.failures)
    )
    if failures is not None and failures >= FAILURES:
        connection.execute(update(JobState).where(JobState.job == range.job).values(stopped=error))
