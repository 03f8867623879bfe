"""Verification: whether the targets hold what the sources say, row by row, in one snapshot.

A range is compared by the number of its rows and the sum of their hashes, which no order changes; where they differ the
rows are compared in both directions. What others have done to rows since, which is their right, is told apart.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from threading import Event
from typing import Any

from sqlalchemy import Connection, Engine, exists, func, select, text, true, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from backfill import erased, expired, identity, planning
from backfill.files import half_loaded
from backfill.job import Job, Part, Rows, table_of
from backfill.locks import Tell, staging, watched
from backfill.pacing import Throttle
from backfill.tables import JobState, LoadedFile, Range, SetAside, StagedEvent

ALLOWED = {
    "deleted": "rows were deleted since, and stay so",
    "changed": "rows were changed since, and stay so",
    "equal to a staged event": "rows of others equal a staged event",
    "another Phase 1 scoring of the niche": "rows of others are further scorings of their niches",
}
"""What others have rightly done: what the jobs call it, and what people read."""
NAMED = 10
"""Keys that are named for each range."""


@dataclass(frozen=True)
class Difference:
    """A range whose source and target differ, and keys of rows that are missing in the target, or extra there."""

    lower: str
    upper: str
    missing: list[int]
    extra: list[int]
    range_id: int


@dataclass
class Count:
    """So many rows, and the keys of some of them."""

    rows: int = 0
    keys: list[int] = field(default_factory=list)

    def add(self, rows: int, keys: list[int]) -> None:
        self.rows += rows
        self.keys = (self.keys + keys)[:NAMED]


@dataclass
class Proof:
    """What was found for a job: rows compared, what keeps the proof from holding, and what others have rightly done.

    Against it: ranges not done (or grown since), rows set aside, files half loaded, targets that are other ones than
    those filled, differences, and `lost` rows: staged, and gone since, so that nothing says what the target has to
    hold. `allowed` are rows deleted or changed since, and rows of others that look alike.
    `left_out` are ranges that a sample did not look at, `erased` records of files whose users were erased,
    `expired` ones whose time is over.
    """

    job: str
    rows: int = 0
    unfinished: int = 0
    set_aside: int = 0
    lost: int = 0
    left_out: int = 0
    erased: int = 0
    expired: int = 0
    half_loaded: list[str] = field(default_factory=list)
    another_table: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    allowed: dict[str, Count] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        against = (self.unfinished, self.set_aside, self.lost, self.half_loaded, self.another_table, self.differences)
        return not any(against)

    @property
    def deleted(self) -> int:
        """Rows that were moved, and that somebody has deleted from the target since."""
        return self.allowed["deleted"].rows if "deleted" in self.allowed else 0

    def told(self) -> Iterator[str]:
        """What others have done, a line for each kind."""
        for what, count in self.allowed.items():
            more = ", …" if count.rows > len(count.keys) else ""
            yield f"{count.rows:,} {ALLOWED[what]}: {', '.join(map(str, count.keys))}{more}"
        if self.erased:
            yield f"{self.erased:,} records of its files are left out: their users were erased"
        if self.expired:
            yield f"{self.expired:,} records of its files are left out, or gone: their time is over"


Report = Callable[[Job, int], None]


def verify(
    engine: Engine,
    jobs: Sequence[Job],
    as_of: datetime,
    report: Report | None = None,
    tell: Tell = lambda _: None,
    throttle: Callable[[Connection], Throttle] | None = None,
) -> list[Proof]:
    """Compare everything in one repeatable-read snapshot; jobs that hold are done from then on, and ranges that differ
    are walked again by the next run. `report` hears of each range's rows, `tell` for whom it waits; `throttle` makes
    what rests between ranges."""
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with snapshot.connect() as connection, watched(connection, tell, Event()):
        proofs = prove_all(connection, jobs, as_of, report, throttle(connection) if throttle else None)
    with engine.connect() as connection, watched(connection, tell, Event()), connection.begin():
        keep(connection, jobs, proofs)
    return proofs


def prove_all(
    connection: Connection,
    jobs: Sequence[Job],
    as_of: datetime,
    report: Report | None,
    throttle: Throttle | None = None,
) -> list[Proof]:
    """The proofs of the jobs, on a session in repeatable read; staging stays while they are made."""
    with staging(connection, "verify"):
        transaction = connection.begin()
        connection.execute(text(f"LOCK TABLE {table_of(StagedEvent)} IN ACCESS SHARE MODE"))
    try:
        piece = throttle.piece if throttle else nullcontext
        return [prove(connection, job, as_of, report, piece=piece) for job in jobs]
    finally:
        transaction.close()


def keep(connection: Connection, jobs: Sequence[Job], proofs: Sequence[Proof]) -> None:
    """Write down what was proved, and what is to be walked again."""
    for job, proof in zip(jobs, proofs, strict=True):
        if proof.holds:
            done = update(JobState).where(JobState.job == job.name).values(verified_at=func.now())
            connection.execute(done)
        elif proof.differences:
            wrong = Range.range_id.in_([each.range_id for each in proof.differences])
            if planning.reopen(connection, job, wrong):
                planning.spread(connection, jobs, {job.name})


_SETTINGS = select(func.set_config("timezone", "UTC", True), func.set_config("work_mem", "64MB", True))


Piece = Callable[[], AbstractContextManager[None]]
"""Encloses what is compared at a time: a rest before it, or a transaction of its own."""


def prove(
    connection: Connection,
    job: Job,
    as_of: datetime,
    report: Report | None = None,
    share: float = 1.0,
    piece: Piece = nullcontext,
) -> Proof:
    """Compare a job's ranges, or such a share of them; changes nothing. Each range, what is read before them and what
    after are a `piece`: of the caller's transaction, or in one of its own, with its own snapshot.
    """

    @contextmanager
    def settled() -> Iterator[None]:
        with piece():
            connection.execute(_SETTINGS)
            yield

    with settled():
        proof, ranges = _begun(connection, job)
    done = [each for each in ranges if each.done_at is not None]
    proof.unfinished = len(ranges) - len(done)
    chosen = done if share >= 1 else random.sample(done, ceil(len(done) * share))
    proof.left_out = len(done) - len(chosen)
    compared = 0
    for each in chosen:
        with settled():
            rows = _compare_now(connection, job, as_of, each.range_id, proof)
        if rows is None:
            proof.unfinished += 1
            continue
        compared += 1
        proof.rows += rows
        if report:
            report(job, rows)
    with settled():
        proof.set_aside = connection.scalar(select(func.count()).where(SetAside.job == job.name)) or 0
        if (
            job.writes_once
            and compared == len(ranges)
            and _rows(connection, job, true()) > proof.rows + proof.set_aside
        ):
            proof.unfinished += 1  # rows have come since the ranges were cut
        if proof.lost:
            proof.lost = _unexplained(connection, proof)
    return proof


def _unexplained(connection: Connection, proof: Proof) -> int:
    """How many of the staged rows that are gone nobody has counted: counts are read after the rows, so that an erasure
    or expiry meanwhile is among them. A load with --replace takes rows uncounted: where there was one, none is known.
    """
    if connection.scalar(select(exists().where(LoadedFile.digest.startswith("replaced ")))):
        return 0
    counted = erased.of_files(connection) + expired.of_files(connection) + proof.set_aside
    return max(0, proof.lost - counted)


def _begun(connection: Connection, job: Job) -> tuple[Proof, list[Range]]:
    """A proof without comparisons, and the job's ranges, the newest first."""
    proof = Proof(job.name, half_loaded=[file.name for file in half_loaded(connection)])
    proof.erased = erased.of_files(connection) if job.source is StagedEvent else 0
    proof.expired = expired.of_files(connection) if job.source is StagedEvent else 0
    proof.another_table = identity.another(connection, [job]).get(job.name, [])
    found = connection.execute(select(Range.__table__).where(Range.job == job.name).order_by(Range.newest.desc()))
    return proof, [Range(**row._mapping) for row in found]


def _compare_now(connection: Connection, job: Job, as_of: datetime, range_id: int, proof: Proof) -> int | None:
    """Compare a range as this snapshot has it: the number of its rows; None: it is to be walked again since."""
    row = connection.execute(select(Range.__table__).where(Range.range_id == range_id)).one_or_none()
    if row is None or row.done_at is None:
        return None
    known = Range(**row._mapping)
    part = Part(job, int(known.lower), int(known.upper), as_of, known.walked)
    rows = _compare(connection, job, part, known, proof)
    if job.source is StagedEvent and rows < known.planned:
        proof.lost += max(0, known.planned - _rows(connection, job, part.of(job.partition_column)))
    return rows


def _compare(connection: Connection, job: Job, part: Part, known: Range, proof: Proof) -> int:
    """Compare a part; the number of its rows."""
    _allow(connection, job.others(part), proof)
    rows, differs = _sums(connection, job, part)
    if not differs:
        return rows
    if _allow(connection, job.since(part), proof):
        return rows
    if job.grows and _rows(connection, job, part.of(job.partition_column)) > known.planned:
        proof.unfinished += 1
        return rows
    expected, actual = _hashed(job.expected(part)), _hashed(job.actual(part))

    def only_in(one: Any, other: Any) -> list[int]:
        return list(connection.scalars(select(one).except_all(select(other)).order_by("key").limit(NAMED)))

    bounds = job.shown(part.lower), job.shown(part.upper)
    keys = only_in(expected, actual), only_in(actual, expected)
    proof.differences.append(Difference(*bounds, *keys, known.range_id))
    return rows


def _sums(connection: Connection, job: Job, part: Part) -> tuple[int, bool]:
    """Rows of the part's source, and whether its target differs."""
    sides = []
    for side in (job.expected, job.actual):
        hashed = _hashed(side(part))
        sides.append(select(func.count(), func.sum(hashed.c.hash)).select_from(hashed).subquery())
    rows, *others = connection.execute(select(*sides).select_from(sides[0].join(sides[1], true()))).one()
    return rows, (rows, others[0]) != (others[1], others[2])


def _hashed(side: Rows) -> Any:
    values = side.subquery()
    return select(values.c.key, func.hash_record_extended(func.row(*values.c), 0).label("hash")).subquery()


def _allow(connection: Connection, found: Rows | None, proof: Proof) -> bool:
    """Count what others have done; whether there is any, and all that differs is explained by it."""
    if found is None:
        return False
    each = found.subquery()
    keys = func.array_agg(aggregate_order_by(each.c.key, each.c.key))[1:NAMED]
    counted = select(each.c.what, func.count(), keys).group_by(each.c.what)
    rows = connection.execute(counted).all()
    for what, count, some in rows:
        proof.allowed.setdefault(what, Count()).add(count, some)
    return bool(rows)


def _rows(connection: Connection, job: Job, meant: Any) -> int:
    return connection.scalar(job.read(func.count()).where(job.partition_column.is_not(None), meant)) or 0
