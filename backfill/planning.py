"""Planning: what there is to do, cut into ranges; what is done over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backfill import identity, locks
from backfill.batch_size import MOST_ROWS
from backfill.errors import BackfillError
from backfill.job import Job, Part
from backfill.pacing import is_paused
from backfill.progress import RECENT, next_pass
from backfill.queries import query
from backfill.tables import Control, JobState, Range, SetAside, StagedEvent, Walked

OLDEST, NEWEST = datetime(1000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Times between these say how recent a range is; of rows beyond, only the side on which they lie counts."""


def begin(connection: Connection, jobs: Sequence[Job], now: datetime, as_of: datetime | None, days: int) -> Control:
    """Cut the sources into ranges; gives the backfill's one row, made at first use.

    A given `as_of` replaces the one that stands there; what was computed as of that is then computed anew. Where other
    tables stand by now, nothing is planned while the backfill is paused: a rollback pauses it, and a restore may bring
    the filled ones back.
    BackfillError: the schema that is to be filled is not there.
    """
    locks.plan_alone(connection)
    if not connection.scalar(select(func.to_regclass("analytics.niche_daily_activity").is_not(None))):
        raise BackfillError("Schema analytics is not there, or only in part.", "alembic upgrade head")
    make_control(connection, now, as_of, days)
    moved = False
    if as_of is not None:
        moved = bool(connection.execute(update(Control).where(Control.as_of != as_of).values(as_of=as_of)).rowcount)
        if moved:  # ranges that nobody has begun are cut anew into recent and older ones
            connection.execute(delete(Range).where(Range.rows_read == 0, Range.done_at.is_(None)))
    row = connection.execute(select(Control.__table__)).one()
    if not is_paused(connection) or not identity.another(connection, jobs):
        stale = {job.name for job in jobs} if moved else set()
        plan(connection, jobs, row.as_of, stale | start_over(connection, jobs))
    return Control(**row._mapping)


def make_control(connection: Connection, now: datetime, as_of: datetime | None, days: int) -> None:
    """Make the backfill's one row, where it is not there yet: its days begin."""
    values = {"as_of": as_of or now, "started_at": now, "deadline": now + timedelta(days=days)}
    connection.execute(upsert(Control).values(values).on_conflict_do_nothing())


def start_over(connection: Connection, jobs: Sequence[Job]) -> set[str]:
    """Forget the progress of jobs whose tables are other ones by now; the names of these jobs."""
    replaced = identity.another(connection, jobs)
    for job in jobs:
        if job.name not in replaced:
            continue
        for table in (Range, SetAside, Walked):
            connection.execute(delete(table).where(table.job == job.name))
        connection.execute(update(JobState).where(JobState.job == job.name).values(verified_at=None, stopped=None))
        if job.source is StagedEvent:
            if not identity.filled_exist(connection, job):
                connection.execute(query("forget_lost_events"))
            connection.execute(query("continue_event_ids"))
    identity.remember(connection, jobs)
    return set(replaced)


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
class _Found:
    """What a part of a source holds: its rows, how many were not walked, the newest, and the files they came with."""

    rows: int = 0
    fresh: int = 0
    newest: datetime | None = None
    files: set[int] = field(default_factory=set)

    def add(self, other: "_Found") -> None:
        self.rows += other.rows
        self.fresh += other.fresh
        self.files |= other.files
        self.newest = max(filter(None, (self.newest, other.newest)), default=None)


@dataclass
class _Part:
    """Adjacent parts of a source: one range, known by its row or new."""

    lower: int
    upper: int
    known: Range | None = None
    found: _Found = field(default_factory=_Found)


def _cut(connection: Connection, job: Job, recent: datetime) -> int:
    """How many ranges are new or have grown. A new one is a batch at least, and recent or not as a whole."""
    known = _known(connection, job)
    parts: list[_Part] = []
    for lower, found in _look(connection, job):
        while known and known[0].upper <= lower:
            parts.append(known.pop(0))
        if known and known[0].lower <= lower:
            known[0].found.add(found)
            continue
        last = parts[-1] if parts and parts[-1].known is None else None
        if (
            last is None
            or last.found.rows + found.rows > MOST_ROWS
            or _is(recent, last.found.newest) != _is(recent, found.newest)
        ):
            last = _Part(lower, lower)
            parts.append(last)
        last.upper = lower + job.width
        last.found.add(found)
    parts += known
    new = [part for part in parts if part.known is None]
    if new:
        connection.execute(insert(Range), [_row(job, part) for part in new])
    grown = [part for part in parts if part.known is not None and job.grows and _grow(connection, job, part)]
    return len(new) + len(grown)


def _look(connection: Connection, job: Job) -> Iterator[tuple[int, _Found]]:
    """The source by the lower bounds of its ranges, in their order; several for one where it came in several files."""
    lower = job.lower().label("lower")
    by = [lower] if job.file is None else [lower, job.file.label("file")]
    newest = func.least(func.greatest(func.max(job.time), literal(OLDEST)), literal(NEWEST))
    new = true() if job.file is not None else job.new(Part(job, 0, 0, NEWEST))
    columns = (func.count(), func.count().filter(new), newest)
    rows = job.read(*columns, *by).where(job.partition_column.is_not(None)).group_by(*by).order_by(*by)
    for count, fresh, at, bound, *file in connection.execute(rows):
        yield bound, _Found(count, fresh, at, set(file))


def _known(connection: Connection, job: Job) -> list[_Part]:
    ranges = connection.execute(select(Range.__table__).where(Range.job == job.name))
    known = [Range(**row._mapping) for row in ranges]
    return sorted((_Part(int(each.lower), int(each.upper), each) for each in known), key=lambda part: part.lower)


def _row(job: Job, part: _Part) -> dict[str, Any]:
    found = part.found
    bounds = {"lower": str(part.lower), "upper": str(part.upper)}
    files = sorted(found.files) if job.file is not None else None
    return {"job": job.name, **bounds, "newest": found.newest, "planned": found.rows, "files": files}


def _grow(connection: Connection, job: Job, part: _Part) -> bool:
    """Whether a known range holds rows that it did not when it was planned: they are walked."""
    assert part.known is not None
    if _growth(job, part.known, part.found) is None:
        return False
    this = Range.range_id == part.known.range_id
    # As it is now, and stays until the commit: a worker may have finished it since it was read.
    row = connection.execute(select(Range.__table__).where(this).with_for_update()).one()
    growth = _growth(job, Range(**row._mapping), part.found)
    if growth is None:
        return False
    connection.execute(update(Range).where(this).values(growth))
    return "planned" in growth


def _growth(job: Job, known: Range, found: _Found) -> dict[str, Any] | None:
    """What a range has from now on, where its source has grown; without `planned`, where that is only noted."""
    is_done = known.done_at is not None
    values: dict[str, Any] = {"planned": max(found.rows, known.planned), "newest": found.newest}
    if job.file is None:
        grown = found.fresh if job.writes_once and is_done else found.rows > known.planned
        return values | next_pass(None) if grown else None
    if is_done and known.walked is None and found.rows <= known.planned:  # by version 2.0.6 or older
        return {"walked": sorted(found.files)}
    if is_done:
        more = sorted(found.files.difference(known.walked or ()))
        return values | next_pass(more) | {"waiting": None} if more else None
    more = sorted(found.files.difference(known.walked or (), known.files or (), known.waiting or ()))
    return values | {"waiting": [*(known.waiting or ()), *more]} if more and known.files is not None else None


def _is(recent: datetime, newest: datetime | None) -> bool:
    return newest is None or newest >= recent


def reopen(connection: Connection, job: Job, which: ColumnElement[bool]) -> int:
    """Walk ranges of a job that are done once more; the number of ranges."""
    connection.execute(update(JobState).where(JobState.job == job.name).values(verified_at=None))
    again = update(Range).where(Range.job == job.name, which)
    if job.writes_once:  # what is under way goes on where it is, and comes to the rest in a next pass
        again = again.where(Range.done_at.is_not(None))
    start = next_pass(None if job.file is None else [])
    return connection.execute(again.values(**start, attempts=0, suspect=0)).rowcount


def retry(connection: Connection, jobs: Sequence[Job]) -> int:
    """Walk the rows set aside again; jobs that were stopped go on. The number of rows."""
    locks.plan_alone(connection)
    tried = connection.scalars(update(SetAside).values(again=True).returning(SetAside.job)).all()
    for job in jobs:
        affected = select(SetAside.range_id).where(SetAside.job == job.name)
        reopen(connection, job, Range.range_id.in_(affected))
    spread(connection, jobs, set(tried))
    connection.execute(update(JobState).values(stopped=None, failures=0))
    return len(tried)
