"""Progress: which ranges there are, who is at which, and what came of them. All of it commits with the rows moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from backfill.errors import BackfillError
from backfill.job import Job
from backfill.tables import Control, JobState, Range, SetAside, StagedEvent, alone

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
    cut: str | None = None
    key: int | None = None


def begin(connection: Connection, jobs: Sequence[Job], now: datetime, as_of: datetime | None, days: int) -> Control:
    """Cut the sources into ranges; gives the backfill's one row, made at first use.

    A given `as_of` replaces the one that stands there; what was computed as of that is then computed anew.
    BackfillError: the schema that is to be filled is not there.
    """
    alone(connection, "plan")
    if not connection.scalar(select(func.to_regclass("analytics.niche_daily_activity").is_not(None))):
        raise BackfillError("Schema analytics is not there, or only in part.", "alembic upgrade head")
    deadline = now + timedelta(days=days)
    made = insert(Control).values(as_of=as_of or now, started_at=now, deadline=deadline).on_conflict_do_nothing()
    connection.execute(made)
    moved = False
    if as_of is not None:
        moved = bool(connection.execute(update(Control).where(Control.as_of != as_of).values(as_of=as_of)).rowcount)
    plan(connection, jobs, {job.name for job in jobs} if moved else set())
    row = connection.execute(select(Control.__table__)).one()
    return Control(**row._mapping)


def plan(connection: Connection, jobs: Sequence[Job], stale: set[str]) -> None:
    """Ranges that are new or grew are walked, and those of the jobs that need a stale job are walked again."""
    for job in jobs:
        connection.execute(insert(JobState).values(job=job.name).on_conflict_do_nothing())
        if _cut(connection, job):
            connection.execute(update(JobState).where(JobState.job == job.name).values(verified_at=None))
            stale.add(job.name)
    spread(connection, jobs, stale)


def spread(connection: Connection, jobs: Sequence[Job], stale: set[str]) -> None:
    """Walk the jobs again that need a stale one, and those that need these."""
    for job in jobs:
        if job.needs in stale:
            reopen(connection, job, true())
            stale.add(job.name)


def _cut(connection: Connection, job: Job) -> int:
    """How many ranges are new or have grown."""
    cut = job.lower().label("cut")
    found = select(cut, func.count().label("rows"), func.max(job.time).label("newest")).group_by(cut).subquery()
    known = select(Range.lower, Range.planned).where(Range.job == job.name)
    planned = {lower: rows for lower, rows in connection.execute(known)}  # noqa: C416 - dict() does not know its type
    grown = [
        {
            "job": job.name,
            "lower": lower,
            "upper": job.stored(row.cut + job.width),
            "newest": row.newest,
            "planned": row.rows,
        }
        for row in connection.execute(select(found).where(found.c.cut.is_not(None)).order_by(found.c.cut))
        if (lower := job.stored(row.cut)) not in planned or (job.grows and row.rows > planned[lower])
    ]
    if grown:
        upsert = insert(Range)
        again = {"planned": upsert.excluded.planned, "newest": upsert.excluded.newest, **_FROM_THE_START}
        connection.execute(upsert.on_conflict_do_update(index_elements=["job", "lower"], set_=again), grown)
    return len(grown)


_FROM_THE_START = {
    "done_at": None,
    "cursor_cut": None,
    "cursor_key": None,
    "passed": 0,
    "skipped": 0,
    "ready_at": func.now(),
}


def reopen(connection: Connection, job: Job, which: ColumnElement[bool]) -> int:
    """Walk ranges of a job again from their start; the number of ranges."""
    connection.execute(update(JobState).where(JobState.job == job.name).values(verified_at=None))
    again = update(Range).where(Range.job == job.name, which).values(**_FROM_THE_START, attempts=0, suspect=0)
    return connection.execute(again).rowcount


def retry(connection: Connection, jobs: Sequence[Job]) -> int:
    """Forget the rows set aside and walk their ranges again; jobs that were stopped go on. The number of rows."""
    for job in jobs:
        affected = select(SetAside.range_id).where(SetAside.job == job.name)
        reopen(connection, job, Range.range_id.in_(affected))
    forgotten = connection.scalars(delete(SetAside).returning(SetAside.job)).all()
    spread(connection, jobs, set(forgotten))
    connection.execute(update(JobState).values(stopped=None, failures=0))
    return len(forgotten)


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


def rest(job: Job, range: Range) -> ColumnElement[bool]:
    """Whether a row of the source is in the range, beyond its cursor, and not set aside."""
    inside = and_(job.cut >= job.bound(range.lower), job.cut < job.bound(range.upper))
    if range.cursor_cut is not None:
        cursor = (job.bound(range.cursor_cut), range.cursor_key)
        inside = and_(inside, tuple_(*job.order) > tuple_(*cursor[-len(job.order) :]))
    if range.rows_refused:
        inside = and_(inside, job.key.not_in(select(SetAside.key).where(SetAside.job == job.name)))
    return inside


def record(connection: Connection, range: Range, batch: Batch, asked: int) -> None:
    """A batch worked. Fewer rows than asked for: the pass is over, and all is done but for rows that were left."""
    over = batch.read < asked
    skipped = range.skipped + batch.skipped
    values = {
        "rows_read": Range.rows_read + batch.read,
        "rows_written": Range.rows_written + batch.written,
        "rows_present": Range.rows_present + batch.present,
        "seconds": Range.seconds + batch.seconds,
        "attempts": 0,
        "suspect": max(0, range.suspect - batch.read),
        "passed": range.passed + batch.read - batch.skipped,
        "skipped": skipped,
    }
    if batch.key is not None:
        values |= {"cursor_cut": batch.cut, "cursor_key": batch.key}
    if over and skipped:
        values |= _FROM_THE_START | {"ready_at": func.now() + COME_BACK}
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


def finish(connection: Connection, jobs: Sequence[Job]) -> int:
    """Drop the staging table; what is staged after this is new. The number of rows that go."""
    rows = connection.scalar(select(func.count()).select_from(StagedEvent)) or 0
    StagedEvent.__table__.drop(connection)  # type: ignore[attr-defined]
    staged = [job.name for job in jobs if job.source is StagedEvent]
    connection.execute(update(Range).where(Range.job.in_(staged)).values(planned=0))
    return rows
