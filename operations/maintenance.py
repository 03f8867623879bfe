"""Upkeep, made for cron: fold activity, refresh stale views, delete expired cache entries, make the months to come, let
go of rows whose time is over.

Each part is a transaction of its own (the deletion: each batch) that waits for no lock longer than LOCK_TIMEOUT, so
that no traffic queues behind it; what it does not get is left for next time. Needs the rights of analytics_writer, and
those of the owner of the events for their months.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path

import psycopg
from alembic_online import Options
from alembic_online.database import engine, shown
from alembic_online.errors import OnlineError
from alembic_online.held import reason
from alembic_online.messages import first_line
from alembic_online.replicas import Replicas, following
from alembic_online.sessions import driver
from psycopg.errors import DeadlockDetected, InsufficientPrivilege, LockNotAvailable
from rich.console import Console
from sqlalchemy import URL, Connection, NullPool, Row, Select, delete, func, select
from sqlalchemy.exc import DBAPIError

from models import TrendCache
from operations import grants, output, partitions, replicas
from operations.findings import Finding, Findings, exit_code, verdicts
from operations.retention import due, expiry
from operations.status.half_way import blocking

BATCH = 10_000  # cache entries deleted in a transaction
LOCK_TIMEOUT = "100ms"
NEVER_WAITING = {"lock_timeout": LOCK_TIMEOUT}

GRANTS = "make up grants"
DRAIN = "fold activity"
REFRESH = "refresh views"
EXPIRE = "expire trends"
MONTHS = "make months"


class Outcome(StrEnum):
    """`postponed`: at least a part was held by another session; the next run does it. `absent`: not migrated so far.
    `due`: it was only asked for. `failed`: somebody has to see to what is said."""

    DONE = "done"
    DUE = "due"
    FAILED = "failed"
    POSTPONED = "postponed"
    ABSENT = "absent"


@dataclass(frozen=True)
class Task:
    """One part of the upkeep; `amount` is the number of deltas, views, entries, months or rows that it dealt with."""

    task: str
    outcome: Outcome
    amount: int
    detail: str


@dataclass(frozen=True)
class Maintenance:
    """What a run did to a database, and how its replicas are after it; on a standby nothing."""

    database: str
    standby: bool
    tasks: list[Task]
    replicas: list[Finding] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0; 1: a task failed, or a replica did; 3: a replica could not be looked at."""
        return 1 if any(task.outcome is Outcome.FAILED for task in self.tasks) else exit_code(self.replicas)


def run(
    url: URL, options: Options | None = None, archive: Path | None = None, *, move_all: bool = False
) -> Maintenance:
    """Do what there is to do, deleting at most BATCH entries in a transaction. Raises OnlineError.

    Rows whose time is over are exported to `archive` before they go, if that is given. The end is when the replicas
    that `options` name have replayed it. `move_all`: make months, however long writers wait for that.
    """
    options = options or Options()
    if not options.replicas:
        return _maintained(url, options, archive, move_all)
    watching = engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with watching.connect() as connection:
        primary = driver(connection)
        with following(options.replicas, primary, "sidb maintain", limit=options.replica_limit) as minded:
            done = _maintained(url, options, archive, move_all, minded)
            if not done.standby:
                minded.wait_until_replayed("maintain")
        return replace(done, replicas=list(replicas.beside(primary, options.replicas)))


def plan(url: URL) -> Maintenance:
    """What rows would go now, and of which tables none go, however old they are. Raises OnlineError."""
    tasks = [
        Task(f"expire {each.table}", Outcome.DUE, each.rows or 0 if each.is_on else 0, str(each))
        for each in due.due_of(url)
    ]
    return Maintenance(shown(url), False, tasks)


def _maintained(
    url: URL, options: Options, archive: Path | None, move_all: bool, minded: Replicas | None = None
) -> Maintenance:
    with engine(url, poolclass=NullPool, settings=NEVER_WAITING).connect() as connection:
        with _transaction(connection):
            found = connection.execute(
                select(
                    func.pg_is_in_recovery().label("standby"),
                    func.now().label("now"),
                    func.to_regprocedure("analytics.drain_niche_daily_activity()").is_not(None).label("drain"),
                    func.to_regprocedure("analytics.refresh_stale_views()").is_not(None).label("refresh"),
                    func.to_regclass("analytics.trend_cache").is_not(None).label("trend_cache"),
                )
            ).one()
        done = [] if found.standby else list(_tasks(connection, found, minded, move_all))
    if not found.standby:
        done += _let_go(url, options, archive)
    return Maintenance(shown(url), found.standby, done)


def show(result: Maintenance, console: Console) -> None:
    """What was done, for people."""
    if result.standby:
        console.print(f"There is nothing to do on a standby, which follows its primary: {result.database}")
        return
    console.print(result.database, style=output.TITLE, soft_wrap=True)
    console.print(output.table(result.tasks))
    if result.replicas:
        console.print(verdicts(Findings(result.replicas, "")))
    outcomes = {task.outcome for task in result.tasks}
    if Outcome.FAILED in outcomes:
        console.print("\nNext: see to what failed; then sidb maintain again, which is safe.")
    elif Outcome.POSTPONED in outcomes:
        console.print("\nNext: the next sidb maintain does what was postponed, once those transactions have ended.")


def _tasks(
    connection: Connection, found: Row[bool, datetime, bool, bool, bool], minded: Replicas | None, move_all: bool
) -> Iterator[Task]:
    yield from _grants(connection)
    yield _or_held_back(connection, DRAIN, _drain) if found.drain else _absent(DRAIN, "2.0.6")
    yield _or_held_back(connection, REFRESH, _refresh) if found.refresh else _absent(REFRESH, "2.0.6")
    expire = partial(_expire, now=found.now)
    yield _or_held_back(connection, EXPIRE, expire) if found.trend_cache else _absent(EXPIRE, "2.0.1")
    yield _or_held_back(connection, MONTHS, partial(_months, minded=minded, move_all=move_all))


def _or_held_back(connection: Connection, name: str, task: Callable[[Connection], Task]) -> Task:
    """The task; while a rollback or a restore is half-way, which may have begun since the last one, only why not."""
    with _transaction(connection):
        begun = blocking(driver(connection))
    return Task(name, Outcome.POSTPONED, 0, f"held back: {begun.what}") if begun else task(connection)


def _absent(task: str, revision: str) -> Task:
    return Task(task, Outcome.ABSENT, 0, f"comes with revision {revision}")


def _grants(connection: Connection) -> Iterator[Task]:
    """Nothing where no group role came late."""
    with _transaction(connection):
        roles = grants.late(driver(connection))
    if not roles:
        return
    with _transaction(connection):
        grants.make_up(driver(connection))
        left = grants.late(driver(connection))
    detail = "got what was left out while it was missing" if not left else "got no rights: sidb upgrade, as the owner"
    yield Task(
        GRANTS, Outcome.POSTPONED if left else Outcome.DONE, len(roles) - len(left), f"{', '.join(roles)} {detail}"
    )


def _drain(connection: Connection) -> Task:
    try:
        with _transaction(connection):
            folded = connection.scalar(select(func.analytics.drain_niche_daily_activity()))
    except _HeldError as held:
        return Task(DRAIN, Outcome.POSTPONED, 0, str(held))
    if folded is None:
        return Task(DRAIN, Outcome.POSTPONED, 0, "another session is at it")
    return Task(DRAIN, Outcome.DONE, folded, "deltas folded")


def _refresh(connection: Connection) -> Task:
    try:
        with _transaction(connection):
            views = connection.scalars(select(func.analytics.refresh_stale_views())).all()
    except _HeldError as held:
        return Task(REFRESH, Outcome.POSTPONED, 0, str(held))
    return Task(REFRESH, Outcome.DONE, len(views), ", ".join(views) or "none was stale")


def _expire(connection: Connection, now: datetime) -> Task:
    deleted = 0
    since = None
    try:
        while True:
            with _transaction(connection):
                count, since = connection.execute(_deletion(now, since)).one()
            if not count:
                break
            deleted += count
        with _transaction(connection):
            expired = select(func.count()).select_from(TrendCache).where(TrendCache.valid_until < now)
            locked = connection.scalar(expired)
    except _HeldError as held:
        return Task(EXPIRE, Outcome.POSTPONED, deleted, f"entries deleted, the rest {held}")
    if locked:
        return Task(EXPIRE, Outcome.POSTPONED, deleted, f"entries deleted, {locked:,} held by another session")
    return Task(EXPIRE, Outcome.DONE, deleted, "entries deleted")


def _months(connection: Connection, minded: Replicas | None, move_all: bool) -> Task:
    try:
        with _refusals(connection):
            made = partitions.make_months(connection, minded, move_all=move_all)
    except _HeldError as held:
        return Task(MONTHS, Outcome.POSTPONED, 0, str(held))
    if made is None:
        return _absent(MONTHS, "2.1.0")
    told = f"{', '.join(made.months)}; {made.moved:,} rows moved there" if made.months else "those to come are there"
    if made.failed or made.left:
        outcome = Outcome.FAILED if made.failed else Outcome.POSTPONED
        return Task(MONTHS, outcome, len(made.months), "; ".join([*made.failed, *made.left]))
    return Task(MONTHS, Outcome.DONE, len(made.months), told)


def _let_go(url: URL, options: Options, archive: Path | None) -> Iterator[Task]:
    """Nothing where no table's rows are to go."""
    for gone in expiry.let_go(url, options, archive):
        outcome = Outcome.FAILED if gone.failed else Outcome.POSTPONED if gone.left else Outcome.DONE
        yield Task(f"expire {gone.table}", outcome, gone.rows, "; ".join(filter(None, [str(gone), gone.left])))


def _deletion(now: datetime, since: datetime | None) -> Select[int, datetime | None]:
    """Deletes the next entries that expired before `now` and are not locked; gives their number and last expiry.

    Beginning at the last batch's expiry spares the index entries that it left behind.
    """
    expired = select(TrendCache.trend_id).where(TrendCache.valid_until < now)
    if since is not None:
        expired = expired.where(TrendCache.valid_until >= since)
    chosen = expired.order_by(TrendCache.valid_until).limit(BATCH).with_for_update(skip_locked=True).cte("chosen")
    deletion = delete(TrendCache).where(TrendCache.trend_id == chosen.c.trend_id)
    deleted = deletion.returning(TrendCache.valid_until).cte("deleted")
    return select(func.count(), func.max(deleted.c.valid_until)).select_from(deleted)


class _HeldError(Exception):
    """Another session holds what a statement needs: which, as a sentence goes on."""


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    with _refusals(connection), connection.begin():
        yield


@contextmanager
def _refusals(connection: Connection) -> Iterator[None]:
    """What another session holds is _HeldError, all else that the server refuses OnlineError."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(original, LockNotAvailable | DeadlockDetected):
            raise _HeldError(reason(error, connection.engine.url)) from None
        url = connection.engine.url
        next_step = "see the server's log; what was done so far stays done, and running it again is safe."
        if isinstance(original, InsufficientPrivilege):
            next_step = f"as an administrator: GRANT analytics_writer TO {url.username or 'that role'}."
            with connection.begin():
                late = ", ".join(grants.late(driver(connection)))
            if late:
                next_step = f"sidb upgrade, as the role that owns schema analytics: {late} got no rights so far."
        raise OnlineError(f"Maintenance of {shown(url)} failed: {first_line(error)}", next_step) from None
