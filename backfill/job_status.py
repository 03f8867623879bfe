"""The status of jobs: what is left, how fast it goes, and whether the deadline will be met."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, any_, case, exists, func, or_, select

from backfill import expired, identity
from backfill.job import Job
from backfill.progress import Scope
from backfill.tables import Control, JobState, LoadedFile, Pause, Range, SetAside, StagedEvent
from backfill.windows import Window

DAY = timedelta(days=1)
PAUSES = 5  # that are shown
ANOTHER_TABLE = "to be filled anew"
"""Another table stands where the one was that a job filled, as after a downgrade: its progress is not this one's."""


@dataclass(frozen=True)
class JobStatus:
    """A job's rows and pace, None before the first batch: `rate` in rows a second of a worker's time, rests included,
    `seconds_left` at that rate; `rested` is the part of its time in which it left the server to the application."""

    job: str
    state: str
    rows: int
    left: int
    written: int
    present: int
    set_aside: int
    rate: float | None
    rested: float | None
    seconds_left: float | None
    error: str | None


@dataclass(frozen=True)
class Share:
    """What `daily` has to do today: rows of the older history; `late` is by how much the deadline will be missed."""

    rows: int
    left: int
    days_left: int
    late: timedelta | None


def jobs_status(connection: Connection, jobs: Sequence[Job], scope: Scope | None = None) -> list[JobStatus]:
    """Each job as it stands; `scope` restricts the rows that count as left, and leaves out what is not planned yet."""
    left = Range.planned - func.least(Range.passed, Range.planned)
    open_left = func.sum(left).filter(Range.done_at.is_(None), *([scope.chosen()] if scope else []))
    counted = select(
        Range.job,
        func.sum(Range.planned).label("rows"),
        func.coalesce(open_left, 0).label("left"),
        func.sum(Range.rows_written).label("written"),
        func.sum(Range.rows_present).label("present"),
        func.sum(Range.rows_read).label("read"),
        func.sum(Range.seconds + Range.rested).label("seconds"),
        func.sum(Range.rested).label("rested"),
        func.count().filter(Range.done_at.is_(None)).label("open"),
        func.max(case((Range.done_at.is_(None), Range.error))).label("error"),
    ).group_by(Range.job)
    ranges = {row.job: row for row in connection.execute(counted)}
    another = identity.another(connection, jobs)
    set_aside = select(SetAside.job, func.count().label("rows")).group_by(SetAside.job)
    states = {row.job: row for row in connection.execute(select(JobState.__table__))}
    refused = {row.job: row.rows for row in connection.execute(set_aside)}
    return [
        _status(
            job,
            ranges.get(job.name),
            states.get(job.name),
            refused.get(job.name, 0),
            job.name in another,
            0 if scope else _unplanned(connection, job),
        )
        for job in jobs
    ]


def _unplanned(connection: Connection, job: Job) -> int:
    """Rows that were loaded since ranges were cut last, or before they were cut first."""
    if job.source is not StagedEvent or not expired.is_known(connection):
        return 0
    if not connection.scalar(select(func.to_regclass(str(StagedEvent.__table__)).is_not(None))):
        return 0
    in_a_pass = or_(*(LoadedFile.file_id == any_(files) for files in (Range.walked, Range.files, Range.waiting)))
    rows = select(func.coalesce(func.sum(LoadedFile.added), 0)).where(
        LoadedFile.finished_at.is_not(None),
        LoadedFile.added > 0,
        ~exists().where(Range.job == job.name, in_a_pass),
        exists().where(StagedEvent.file_id == LoadedFile.file_id),  # else another file took its place
    )
    return int(connection.scalar(rows) or 0)


def nothing_yet(jobs: Sequence[Job]) -> list[JobStatus]:
    """Each job before anything was begun."""
    return [_status(job, None, None, 0, False, 0) for job in jobs]


def _status(
    job: Job, counted: object, known: object, set_aside: int, is_another_table: bool, unplanned: int
) -> JobStatus:
    def of(name: str) -> float:
        return float(getattr(counted, name, 0) or 0)

    stopped = getattr(known, "stopped", None)
    if is_another_table:
        state = ANOTHER_TABLE
    elif stopped:
        state = "stopped"
    elif of("open") or unplanned:
        state = "begun" if of("read") else "waiting"
    elif getattr(known, "verified_at", None):
        state = "done"
    else:
        state = "moved, to be verified" if counted else "nothing to do" if known else "not begun"
    rate = of("read") / of("seconds") if of("read") and of("seconds") else None
    left = int(of("rows" if is_another_table else "left")) + unplanned
    return JobStatus(
        job=job.name,
        state=state,
        rows=int(of("rows")) + unplanned,
        left=left,
        written=int(of("written")),
        present=int(of("present")),
        set_aside=set_aside,
        rate=float(f"{rate:.3g}") if rate else None,
        rested=round(of("rested") / of("seconds"), 2) if rate else None,
        seconds_left=round(left / rate, 1) if rate else None,
        error=stopped or getattr(counted, "error", None),
    )


def share(connection: Connection, jobs: Sequence[Job], control: Control, window: Window, now: datetime) -> Share:
    """The share of today, what was done today counted in. Jobs without a rate count as fast as the slowest."""
    older = Scope(control.as_of, recent=False)
    statuses = jobs_status(connection, jobs, older)
    left = sum(each.left for each in statuses)
    today = select(func.coalesce(func.sum(Range.planned), 0)).where(older.chosen(), Range.done_at >= window.day(now))
    done_today = int(connection.scalar(today) or 0)
    days_left = max(1, math.ceil((control.deadline - now) / DAY))
    rows = max(0, min(left, math.ceil((left + done_today) / days_left) - done_today))
    rates = [each.rate for each in statuses if each.rate]
    late = None
    if rates and left:
        seconds = sum(each.left / (each.rate or min(rates)) for each in statuses)
        needed = seconds / (window.hours() * 3600) * DAY
        remaining = max(timedelta(0), control.deadline - now)
        late = needed - remaining if needed > remaining else None
    return Share(rows, left, days_left, late)


def last_pauses(connection: Connection) -> list[tuple[str, str, datetime, datetime | None]]:
    """The last few pauses: reason, detail, from and until when."""
    columns = (Pause.reason, Pause.detail, Pause.started_at, Pause.ended_at)
    newest = select(*columns).order_by(Pause.pause_id.desc()).limit(PAUSES)
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(newest)]
