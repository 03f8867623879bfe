"""Progress: which ranges there are, who is at which, and what came of them. All of it commits with the rows moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import ColumnElement, Connection, exists, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from backfill.errors import BackfillError
from backfill.job import Batch, Job
from backfill.tables import JobState, Range, SetAside

RECENT = timedelta(days=90)
ATTEMPTS = 3
FAILURES = 5
LONGEST_WAIT = "3s"
HELD = "the application holds what the row refers to"
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


def next_pass(files: list[int] | None) -> dict[str, Any]:
    """What a range has before a pass. By files, the rows that earlier passes walked are not read again."""
    start = {"done_at": None, "cursor_cut": None, "cursor_key": None, "skipped": 0, "ready_at": func.now()}
    return start | ({"passed": 0} if files is None else {"files": files})


def current(connection: Connection, jobs: Sequence[Job], scope: Scope) -> Job | None:
    """The first job that has something left in the scope. BackfillError: it was stopped."""
    left = exists().where(Range.job == JobState.job, Range.done_at.is_(None), scope.chosen())
    stopped = {row.job: row.stopped for row in connection.execute(select(JobState.job, JobState.stopped).where(left))}
    job = next((job for job in jobs if job.name in stopped), None)
    if job is not None and stopped[job.name]:
        raise BackfillError(
            f"{job.name} was stopped after {stopped[job.name]}",
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


def wait(connection: Connection, job: Job, scope: Scope) -> None:
    """Wait for the worker that has the newest range, or until one is ready; some seconds at most."""
    held = (
        select(Range.range_id)
        .where(Range.job == job.name, Range.done_at.is_(None), Range.ready_at <= func.now(), scope.chosen())
        .order_by(Range.newest.desc(), Range.range_id)
        .limit(1)
        .with_for_update()
    )
    try:
        with connection.begin():
            connection.execute(select(func.set_config("lock_timeout", LONGEST_WAIT, True)))
            connection.execute(held)
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise


def record(connection: Connection, claimed: Range, batch: Batch) -> None:
    """A batch worked. The pass is over: all is done, but for rows that were left and those that came meanwhile."""
    skipped = claimed.skipped + batch.skipped
    values: dict[str, Any] = {
        "rows_read": Range.rows_read + batch.read,
        "rows_written": Range.rows_written + batch.written,
        "rows_present": Range.rows_present + batch.present,
        "seconds": Range.seconds + batch.seconds,
        "rested": Range.rested + batch.rest,
        "attempts": 0,
        "suspect": max(0, claimed.suspect - batch.read),
        "passed": claimed.passed + batch.read - batch.skipped,
        "skipped": skipped,
    }
    if batch.key is not None:
        values |= _cursor(claimed, batch.position, batch.key)
    if batch.over:
        values |= _pass_over(connection, claimed, skipped)
    cleared = update(JobState).where(JobState.job == claimed.job, JobState.failures > 0).values(failures=0)
    reached = update(Range).where(Range.range_id == claimed.range_id).values(values)
    connection.execute(reached.add_cte(cleared.returning(JobState.job).cte("cleared")))


def _cursor(claimed: Range, position: str | None, key: int) -> dict[str, Any]:
    """The cursor after a row. BackfillError: it was there before, so that the pass would never end."""
    if (position, key) == (claimed.cursor_cut, claimed.cursor_key):
        raise BackfillError(
            f"{claimed.job} read row {key} at {position} twice in one pass: an error of this program.",
            "report it; the batch was rolled back, and what was done before it stays done.",
        )
    return {"cursor_cut": position, "cursor_key": key}


def _pass_over(connection: Connection, claimed: Range, skipped: int) -> dict[str, Any]:
    """What becomes of a range whose pass is over."""
    by_files = claimed.files is not None
    following = (claimed.waiting or []) if by_files else None
    reached = {"walked": [*(claimed.walked or ()), *(claimed.files or ())], "waiting": None} if by_files else {}
    again = exists().where(SetAside.job == claimed.job, SetAside.range_id == claimed.range_id, SetAside.again)
    if skipped or connection.scalar(select(again)):
        return reached | next_pass(following) | {"ready_at": func.now() + COME_BACK}
    if following:
        return reached | next_pass(following)
    return reached | {"done_at": func.now(), "error": None}


def failed(connection: Connection, claimed: Range, error: str, asked: int, seconds: float) -> None:
    """A batch failed: again as it was up to three times, then halved, down to the row."""
    attempts = claimed.attempts + 1
    halve = claimed.suspect > 0 or attempts >= ATTEMPTS
    values = {
        "attempts": attempts,
        "error": error,
        "seconds": Range.seconds + seconds,
        "suspect": asked if halve else 0,
    }
    connection.execute(update(Range).where(Range.range_id == claimed.range_id).values(values))


def size(claimed: Range, wanted: int) -> int:
    """How many rows to take: what the pace allows, or half of those among which one fails."""
    return max(1, claimed.suspect // 2) if claimed.suspect else wanted


def set_aside(connection: Connection, claimed: Range, position: str, key: int, aside: int, error: str) -> None:
    """A single row fails: put it aside, under a key of its own, and go on after where it was; after five in a row the
    job is stopped."""
    row = {"job": claimed.job, "key": aside, "range_id": claimed.range_id, "error": error}
    refused = insert(SetAside).values(**row)
    again = {"error": error, "again": False}
    connection.execute(refused.on_conflict_do_update(index_elements=["job", "key"], set_=again))
    values = {"rows_refused": Range.rows_refused + 1, "error": error, "attempts": 0, "suspect": 0}
    after = _cursor(claimed, position, key) | {"passed": claimed.passed + 1}
    connection.execute(update(Range).where(Range.range_id == claimed.range_id).values(**values, **after))
    failures = connection.scalar(
        update(JobState)
        .where(JobState.job == claimed.job)
        .values(failures=JobState.failures + 1)
        .returning(JobState.failures)
    )
    if failures is not None and failures >= FAILURES:
        stop(connection, claimed.job, f"{FAILURES} failures in a row, the last: {error}")


def stop(connection: Connection, job: str, after: str) -> None:
    """The job goes no further until it is retried; after what, people read."""
    connection.execute(update(JobState).where(JobState.job == job).values(stopped=after))


def leave(connection: Connection, claimed: Range, position: str, key: int) -> None:
    """A single row is held by the application: go on after it, and come back to it in the next pass."""
    row = {"job": claimed.job, "key": key, "range_id": claimed.range_id, "error": HELD, "again": True}
    connection.execute(insert(SetAside).values(**row).on_conflict_do_nothing())
    values = {"rows_refused": Range.rows_refused + 1, "attempts": 0, "suspect": 0}
    after = _cursor(claimed, position, key)
    connection.execute(update(Range).where(Range.range_id == claimed.range_id).values(**values, **after))
