"""Collecting a report: what the records of a database say, and what the commands find that look at it.

It reads only, waits for nobody, and works on a standby. What cannot be read is named, and ends nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from alembic_online.errors import OnlineError
from alembic_online.held import reason
from alembic_online.sessions import driver
from psycopg.rows import class_row
from rich.console import Console
from sqlalchemy import URL, Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from backfill import job_status
from backfill.jobs import JOBS
from backfill.tables import Control
from operations import monitor, replicas, upgrade
from operations.findings import Finding, Findings
from operations.fingerprint import BEFORE_UPGRADE
from operations.monitor.growth import forecast
from operations.queries import query
from operations.reporting.contents import (
    Backfill,
    File,
    Growth,
    Looked,
    Pauses,
    Preflight,
    Rollback,
    Rollout,
    Rows,
    Run,
    Server,
    Size,
    Step,
)
from operations.reporting.steps import runs, step
from operations.settings import BackfillSettings
from operations.status.amiss import session
from operations.status.half_way import readable
from operations.status.look import RECORDS, look
from operations.verify import verification as verifying
from operations.verify.readers import READERS

SETTINGS = ("shared_buffers", "max_connections", "fsync", "synchronous_commit", "max_wal_size", "work_mem", "wal_level")
VERIFY, MEASURE, MONITOR, REPLICAS = "sidb verify", "sidb verify --readers", "sidb monitor", "replicas"
DAY = 86_400
T = TypeVar("T")


def check(url: URL, percent: float, console: Console, share: float = 1.0, named: Sequence[URL] = ()) -> list[Looked]:
    """What verify, with the application's queries, and monitor find now, and at the replicas that are named.

    Raises OnlineError where nothing answers.
    """
    verified = _looked(VERIFY, lambda: verifying.verify(url, percent, console, with_readers=True, share=share))
    readers = [each for each in verified.findings if each.check == READERS.name]
    others = [each for each in verified.findings if each.check != READERS.name]
    looked = [
        Looked(VERIFY, others, verified.error),
        Looked(MEASURE, readers, verified.error),
        _looked(MONITOR, lambda: monitor.look(url, keep=False)),
    ]
    if named:
        looked.append(_looked(REPLICAS, lambda: Findings(replicas.findings(url, named), "")))
    return looked


def _looked(command: str, run: Callable[[], Findings]) -> Looked:
    try:
        return Looked(command, list(run().findings))
    except OnlineError as error:
        return Looked(command, [], error.what)


def collect(url: URL, looked: Sequence[Looked]) -> Rollout:
    """Everything that the records say, with what commands found. Raises OnlineError where the database is not there."""
    status = look(url)
    amiss = [str(each) for each in status.amiss] + [f"rights are missing: {each}" for each in status.rights_missing]
    made = Rollout(status.database, status.at, status.standby, status.revision, status.head, amiss)
    made.raised, made.archives, made.found = status.raised, status.archives, status.found
    made.looked, made.unknown = list(looked), list(status.unknown)
    with session(url) as connection:
        there = readable(driver(connection))
        for what, part in _PARTS.items():
            with _part(connection, made, what):
                part(connection, there, made)
    with _unread(made, "the ledger", url):
        script = upgrade.script_directory()
        made.steps = [step(entry, script) for entry in upgrade.history(url).steps]
    made.runs = _runs(made)
    made.growth = _growth(made)
    return made


@contextmanager
def _part(connection: Connection, made: Rollout, what: str) -> Iterator[None]:
    """A part whose failure ends no other."""
    with _unread(made, what, connection.engine.url), connection.begin_nested():
        yield


@contextmanager
def _unread(made: Rollout, what: str, url: URL) -> Iterator[None]:
    try:
        yield
    except OnlineError as error:
        made.unknown.append(f"{what}: {error.what}")
    except (psycopg.Error, DBAPIError) as error:
        made.unknown.append(f"{what}: {reason(error, url)}")


def _server(connection: Connection, _there: frozenset[str], made: Rollout) -> None:
    [made.server] = _rows(connection, Server, "server", names=list(SETTINGS))


def _preflights(connection: Connection, there: frozenset[str], made: Rollout) -> None:
    if "sidb.preflight_run" not in there:
        return
    for at, action, who, client, findings in driver(connection).execute(query("report/preflights")):
        made.preflights.append(Preflight(action, at, who, client, [Finding(**each) for each in findings]))


def _rollbacks(connection: Connection, there: frozenset[str], made: Rollout) -> None:
    if "sidb.rollback" in there:
        made.rollbacks = _rows(connection, Rollback, "rollbacks")


def _niches(connection: Connection, there: frozenset[str], made: Rollout) -> None:
    row = driver(connection).execute("SELECT count(*) FROM ONLY public.features").fetchone()
    made.rows = Rows(now=row[0] if row else None)
    if {"sidb.fingerprint", "sidb.fingerprint_row"} <= there:
        before = driver(connection).execute(query("report/rows_before"), {"moment": BEFORE_UPGRADE}).fetchone()
        if before:
            made.rows = Rows(before[1], before[0], made.rows.now)


def _backfill(connection: Connection, there: frozenset[str], made: Rollout) -> None:
    if not there.issuperset(RECORDS):
        return
    control = connection.execute(select(Control.__table__)).one_or_none()
    window = BackfillSettings.from_environment().window
    late = job_status.share(connection, JOBS, control, window, datetime.now(UTC)).late if control else None  # type: ignore[arg-type]
    made.backfill = Backfill(
        as_of=control.as_of if control else None,
        deadline=control.deadline if control else None,
        late=late.total_seconds() if late else None,
        jobs=job_status.jobs_status(connection, JOBS),
        pauses=_rows(connection, Pauses, "pauses") if "sidb.backfill_pauses" in there else [],
        files=_rows(connection, File, "files") if "sidb.backfill_files" in there else [],
    )


def _sizes(connection: Connection, _there: frozenset[str], made: Rollout) -> None:
    made.sizes = _rows(connection, Size, "sizes")


def sizes(engine: Engine) -> list[Size]:
    """The application's tables and materialized views as they are on disk, the largest first."""
    with engine.connect() as connection:
        return _rows(connection, Size, "sizes")


def pauses(engine: Engine) -> list[Pauses]:
    """What the backfill held back for so far."""
    with engine.connect() as connection:
        return _rows(connection, Pauses, "pauses")


_PARTS: dict[str, Callable[[Connection, frozenset[str], Rollout], None]] = {
    "the server's settings": _server,
    "preflights": _preflights,
    "rollbacks": _rollbacks,
    "Phase 1's rows": _niches,
    "the backfill": _backfill,
    "sizes": _sizes,
}


def _rows(connection: Connection, kind: type[T], name: str, **parameters: Any) -> list[T]:
    with driver(connection).cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query(f"report/{name}"), parameters or None).fetchall()


def _runs(made: Rollout) -> list[Run]:
    """Who ran what from where, in the order of time."""
    found = runs(made.steps)
    found += [Run(f"preflight --{each.action}", each.at, each.at, each.who, each.client) for each in made.preflights]
    found += [
        Run(
            f"rollback, {each.origin} to {each.target} ({each.phase})",
            each.started,
            each.finished,
            each.who,
            each.client,
        )
        for each in made.rollbacks
    ]
    return sorted(found, key=lambda each: each.started)


def upgraded(steps: Sequence[Step]) -> datetime | None:
    """When the upgrade left Phase 1; None: it has not, or not since the way back had undone 2.0.0."""
    began = None
    for each in steps:
        if each.outcome != "applied" or each.revision == "1.0.0":
            continue
        if each.direction == "upgrade":
            began = began or each.started
        elif each.revision == "2.0.0":
            began = None
    return began


def _growth(made: Rollout) -> Growth | None:
    began = upgraded(made.steps)
    new = [each for each in made.sizes if each.relation.startswith("analytics.")]
    if began is None or not new:
        return None
    days = max(0.0, (made.at - began).total_seconds() / DAY)
    rows, size = forecast(days)
    total = sum(each.total_bytes for each in new)
    return Growth(round(days, 4), sum(each.rows for each in new), total, round(rows), round(size))
