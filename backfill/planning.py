"""Planning: what there is to do, cut into ranges; what is done over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backfill.errors import BackfillError
from backfill.job import Job
from backfill.pacing import MOST_ROWS
from backfill.progress import FROM_THE_START, RECENT
from backfill.tables import Control, JobState, Range, SetAside, StagedEvent, alone, drop_staged


def begin(connection: Connection, jobs: Sequence[Job], now: datetime, as_of: datetime | None, days: int) -> Control:
    """Cut the sources into ranges; gives the backfill's one row, made at first use.

    A given `as_of` replaces the one that stands there; what was computed as of that is then computed anew.
    BackfillError: the schema that is to be filled is not there.
    """
    alone(connection, "plan")
    if not connection.scalar(select(func.to_regclass("analytics.niche_daily_activity").is_not(None))):
        raise BackfillError("Schema analytics is not there, or only in part.", "alembic upgrade head")
    deadline = now + timedelta(days=days)
    made = upsert(Control).values(as_of=as_of or now, started_at=now, deadline=deadline).on_conflict_do_nothing()
    connection.execute(made)
    moved = False
    if as_of is not None:
        moved = bool(connection.execute(update(Control).where(Control.as_of != as_of).values(as_of=as_of)).rowcount)
        if moved:  # what is recent, and what not, is cut anew where nobody was yet
            connection.execute(delete(Range).where(Range.rows_read == 0, Range.done_at.is_(None)))
    row = connection.execute(select(Control.__table__)).one()
    plan(connection, jobs, row.as_of, {job.name for job in jobs} if moved else set())
    return Control(**row._mapping)


def plan(connection: Connection, jobs: Sequence[Job], as_of: datetime, stale: set[str]) -> None:
    """Ranges that are new or grew are walked, and those of the jobs that need a stale job are walked again."""
    for job in jobs:
        connection.execute(upsert(JobState).values(job=job.name).on_conflict_do_nothing())
        if _cut(connection, job, as_of - RECENT):
            connection.execute(update(JobState).where(JobState.job == job.name).values(verified_at=None))
            stale.add(job.name)
    spread(connection, jobs, stale)


def spread(connection: Connection, jobs: Sequence[Job], stale: set[str]) -> None:
    """Walk the jobs again that need a stale one, and those that need these."""
    for job in jobs:
        if job.needs in stale:
            reopen(connection, job, true())
            stale.add(job.name)


@dataclass
class _Part:
    """Adjacent parts of a source: one range, known by `range_id` or new."""

    lower: Any
    upper: Any
    rows: int = 0
    newest: datetime | None = None
    range_id: int | None = None
    planned: int = 0

    def add(self, rows: int, newest: datetime | None) -> None:
        self.rows += rows
        self.newest = max(filter(None, (self.newest, newest)), default=None)


def _cut(connection: Connection, job: Job, recent: datetime) -> int:
    """How many ranges are new or have grown. A new one is a batch at least, and recent or not as a whole."""
    cut = job.lower().label("cut")
    found = select(cut, func.count().label("rows"), func.max(job.time).label("newest")).group_by(cut).subquery()
    known = _known(connection, job)
    parts: list[_Part] = []
    for row in connection.execute(select(found).where(found.c.cut.is_not(None)).order_by(found.c.cut)):
        while known and known[0].upper <= row.cut:
            parts.append(known.pop(0))
        if known and known[0].lower <= row.cut:
            known[0].add(row.rows, row.newest)
            continue
        last = parts[-1] if parts and parts[-1].range_id is None else None
        if last is None or last.rows + row.rows > MOST_ROWS or _is(recent, last.newest) != _is(recent, row.newest):
            last = _Part(row.cut, row.cut)
            parts.append(last)
        last.upper = row.cut + job.width
        last.add(row.rows, row.newest)
    parts += known
    new = [part for part in parts if part.range_id is None]
    grown = [part for part in parts if part.range_id is not None and job.grows and part.rows > part.planned]
    for part in grown:
        again = update(Range).where(Range.range_id == part.range_id)
        connection.execute(again.values(planned=part.rows, newest=part.newest, **FROM_THE_START))
    if new:
        rows = [
            {
                "job": job.name,
                "lower": job.stored(part.lower),
                "upper": job.stored(part.upper),
                "newest": part.newest,
                "planned": part.rows,
            }
            for part in new
        ]
        connection.execute(insert(Range), rows)
    return len(new) + len(grown)


def _known(connection: Connection, job: Job) -> list[_Part]:
    ranges = select(Range.lower, Range.upper, Range.range_id, Range.planned).where(Range.job == job.name)
    parts = [
        _Part(job.bound(lower), job.bound(upper), range_id=range_id, planned=planned)
        for lower, upper, range_id, planned in connection.execute(ranges)
    ]
    return sorted(parts, key=lambda part: part.lower)


def _is(recent: datetime, newest: datetime | None) -> bool:
    return newest is None or newest >= recent


def reopen(connection: Connection, job: Job, which: ColumnElement[bool]) -> int:
    """Walk ranges of a job again from their start; the number of ranges."""
    connection.execute(update(JobState).where(JobState.job == job.name).values(verified_at=None))
    again = update(Range).where(Range.job == job.name, which).values(**FROM_THE_START, attempts=0, suspect=0)
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


def finish(connection: Connection, jobs: Sequence[Job]) -> int:
    """Drop the staging table; what is staged after this is new. The number of rows that go."""
    rows = drop_staged(connection)
    staged = [job.name for job in jobs if job.source is StagedEvent]
    connection.execute(update(Range).where(Range.job.in_(staged)).values(planned=0))
    return rows
