"""Verification: whether the targets hold what the sources say, row by row, in one snapshot.

A range is compared by the number of its rows and the sum of their hashes, which no order changes; where they differ it
is halved until it is small, and the rows are compared in both directions.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, select, true, update

from backfill import planning
from backfill.job import Job, Slice
from backfill.tables import JobState, Range, SetAside

SMALL = 1_000
"""Rows among which differing keys are looked for one by one."""
NAMED = 10
"""Keys that are named for each range."""


@dataclass(frozen=True)
class Difference:
    """A range whose source and target differ, and keys of rows that are missing in the target, or are too much."""

    lower: str
    upper: str
    missing: list[int]
    extra: list[int]


@dataclass
class Proof:
    """What was found for a job: rows compared, ranges not done (or grown since), rows set aside, and differences.

    `left_out` are ranges that a sample did not look at.
    """

    job: str
    rows: int = 0
    unfinished: int = 0
    set_aside: int = 0
    left_out: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.unfinished or self.set_aside or self.differences)


def verify(
    engine: Engine, jobs: Sequence[Job], as_of: datetime, report: Callable[[Job, int], None] | None = None
) -> list[Proof]:
    """Compare everything in one repeatable-read snapshot; jobs that hold are done from then on, and ranges that differ
    are walked again by the next run. `report` hears of each range's rows."""
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with snapshot.connect() as connection:
        proofs = [prove(connection, job, as_of, report) for job in jobs]
    with engine.begin() as connection:
        for job, proof in zip(jobs, proofs, strict=True):
            if proof.holds:
                done = update(JobState).where(JobState.job == job.name).values(verified_at=func.now())
                connection.execute(done)
            else:
                wrong = Range.lower.in_([each.lower for each in proof.differences])
                if planning.reopen(connection, job, wrong):
                    planning.spread(connection, jobs, {job.name})
    return proofs


_SETTINGS = select(func.set_config("timezone", "UTC", True), func.set_config("work_mem", "64MB", True))


def prove(
    connection: Connection,
    job: Job,
    as_of: datetime,
    report: Callable[[Job, int], None] | None = None,
    share: float = 1.0,
) -> Proof:
    """Compare a job's ranges, or such a share of them, in the caller's transaction, which it changes nothing in."""
    connection.execute(_SETTINGS)
    proof = Proof(job.name)
    found = select(Range.lower, Range.upper, Range.done_at, Range.planned).where(Range.job == job.name)
    ranges = connection.execute(found.order_by(Range.newest.desc())).all()
    done = [each for each in ranges if each.done_at is not None]
    proof.unfinished = len(ranges) - len(done)
    chosen = done if share >= 1 else random.sample(done, ceil(len(done) * share))
    proof.left_out = len(done) - len(chosen)
    for lower, upper, _, planned in chosen:
        whole = job.slice(lower, upper, as_of)
        rows, _ = compared = _compare(connection, job, whole)
        proof.rows += rows
        if compared[1] and job.grows and _rows(connection, job, whole) > planned:
            proof.unfinished += 1
        elif compared[1]:
            missing, extra = _keys(connection, job, whole, rows)
            proof.differences.append(Difference(lower, upper, missing, extra))
        if report:
            report(job, rows)
    proof.set_aside = connection.scalar(select(func.count()).where(SetAside.job == job.name)) or 0
    return proof


def _rows(connection: Connection, job: Job, slice: Slice) -> int:
    return connection.scalar(select(func.count()).select_from(job.table).where(slice.of(job.cut))) or 0


def _compare(connection: Connection, job: Job, slice: Slice) -> tuple[int, bool]:
    """Rows of the slice's source, and whether its target differs."""
    sides = []
    for side in (job.expected, job.actual):
        hashed = _hashed(side(slice))
        sides.append(select(func.count(), func.sum(hashed.c.hash)).select_from(hashed).subquery())
    rows, *others = connection.execute(select(*sides).select_from(sides[0].join(sides[1], true()))).one()
    return max(rows, others[1]), (rows, others[0]) != (others[1], others[2])


def _hashed(side: Select[*tuple[Any, ...]]) -> Any:
    values = side.subquery()
    return select(values.c.key, func.hash_record_extended(func.row(*values.c), 0).label("hash")).subquery()


def _keys(connection: Connection, job: Job, slice: Slice, rows: int) -> tuple[list[int], list[int]]:
    """Some keys that are missing in the target, and that are too much there."""
    halves = _halves(slice)
    if rows > SMALL and halves:
        missing: list[int] = []
        extra: list[int] = []
        for half in halves:
            within, differs = _compare(connection, job, half)
            if differs and len(missing) + len(extra) < NAMED:
                found = _keys(connection, job, half, within)
                missing += found[0]
                extra += found[1]
        return missing[:NAMED], extra[:NAMED]
    expected, actual = _hashed(job.expected(slice)), _hashed(job.actual(slice))

    def only_in(one: Any, other: Any) -> list[int]:
        return list(connection.scalars(select(one).except_all(select(other)).order_by("key").limit(NAMED)))

    return only_in(expected, actual), only_in(actual, expected)


def _halves(slice: Slice) -> tuple[Slice, Slice] | None:
    lower: Any = slice.lower
    upper: Any = slice.upper
    middle = lower + (upper - lower) / 2 if isinstance(lower, datetime) else (lower + upper) // 2
    if not lower < middle < upper:
        return None
    return Slice(lower, middle, slice.as_of), Slice(middle, upper, slice.as_of)
