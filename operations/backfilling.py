"""The backfill at the console: the database, the settings and the health it is handed, and how it shows what it did."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from typing import Any

import click
from alembic_online.alerts import Alerts
from alembic_online.database import engine, shown
from alembic_online.errors import OnlineError
from alembic_online.held import AGAIN, is_missed, reason
from alembic_online.messages import AS_WHO_MIGRATES, is_denied
from psycopg import Error as PostgresError
from rich.console import Console
from sqlalchemy import URL, Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from backfill import bookkeeping, finishing, job_status, pacing, planning, tables, verification
from backfill.errors import BackfillError
from backfill.files import half_loaded, load_again
from backfill.job import Batch, Job
from backfill.job_status import JobStatus
from backfill.jobs import JOBS
from backfill.locks import watched
from backfill.pacing import BatchThrottle, Trouble
from backfill.progress import Scope
from backfill.runner import Runner, Summary
from backfill.tables import Control
from backfill.verification import Proof
from operations.database import address
from operations.health import Health, throttle
from operations.scope import QUALIFIED
from operations.settings import BackfillSettings, Settings
from operations.status import amiss


@dataclass(frozen=True)
class Status:
    """The backfill as it stands; instants in UTC, None before the first command that moves rows."""

    as_of: datetime | None
    deadline: datetime | None
    paused: bool
    window: str
    half_loaded: list[str]
    jobs: list[JobStatus]
    last_pauses: list[dict[str, Any]]
    load_again: str = ""
    """What to type where files are half loaded."""


def reach(url: URL, *, changing: bool = True, **arguments: Any) -> Engine:
    """An engine for the backfill's sessions: on the application's path, as they fire others' triggers.

    They are named alike in whatever program they run: a worker would take another's for the application's, and rest.
    """
    named = {"connect_args": {"application_name": "sidb backfill"}}
    return engine(url, path=None, changing=changing, execution_options=QUALIFIED, **named, **arguments)


@contextmanager
def database(*, reading: bool = False) -> Iterator[Engine]:
    """The database, with the backfill's tables in it; what goes wrong is an OnlineError.

    For `reading` nothing is created, and a standby will do; else it is refused.
    """
    url = address(Settings.from_environment())
    (amiss.tell if reading else amiss.refuse)(url)
    opened = reach(url, changing=not reading)
    try:
        if not reading:
            bookkeeping.create(opened)
        yield opened
    except BackfillError as error:
        raise OnlineError(error.what, error.next_step) from error
    except DBAPIError as error:
        if not isinstance(error.orig, PostgresError):
            raise
        again = AGAIN if is_missed(error) else AS_WHO_MIGRATES if is_denied(error) else "correct it"
        step = f"{again}; what was done so far stays done, and running it again is safe."
        raise OnlineError(f"The backfill of {shown(url)} failed: {reason(error, url)}", step) from None
    finally:
        opened.dispose()


def tell(waits: str) -> None:
    """Say for whom a command waits."""
    click.secho(waits, fg="yellow", err=True)


@contextmanager
def session(opened: Engine, stop: Event | None = None) -> Iterator[Connection]:
    """A session whose waits are told, and end when `stop` is set."""
    with opened.connect() as connection, watched(connection, tell, stop or Event()):
        yield connection


@contextmanager
def stopping() -> Iterator[Event]:
    """An event that Ctrl-C and SIGTERM set, so that the present batch is finished first."""
    stop = Event()

    def ask(*_: object) -> None:
        stop.set()

    before = {name: signal.signal(name, ask) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def begin(opened: Engine, as_of: datetime | None, stop: Event | None = None) -> Control:
    """What "now" is and until when all must be in; the ranges cut anew from what is there."""
    days = BackfillSettings.from_environment().days
    with session(opened, stop) as connection, connection.begin():
        return planning.begin(connection, JOBS, datetime.now(UTC), as_of, days)


def work(
    opened: Engine, stop: Event, console: Console, scope: Scope, ignore_window: bool, share: int | None = None
) -> Summary:
    """Run the jobs on the scope; with a share, until that many rows are done or the window closes."""

    def held(trouble: Trouble) -> None:
        console.print(f"Holding back: {trouble.detail}")

    settings = BackfillSettings.from_environment()
    window = None if ignore_window else settings.window
    with console.status("Starting") as shown_status:

        def report(job: Job, batch: Batch) -> None:
            rate = batch.read / (batch.seconds + batch.rest) if batch.seconds else 0
            beside = ", resting for the application" if batch.rest else ""
            shown_status.update(f"{job.name}: {rate:,.0f} rows a second{beside}")

        throttle = BatchThrottle(Health(beside_application=settings.share), window)
        runner = Runner(opened, throttle, stop=stop, wait_for_window=share is None, report=report, held=held, tell=tell)
        return runner.run(scope, share)


def daily_share(opened: Engine, control: Control) -> job_status.Share:
    """What is to be done today."""
    with opened.connect() as connection:
        window = BackfillSettings.from_environment().window
        return job_status.share(connection, JOBS, control, window, datetime.now(UTC))


def alert(what: str) -> None:
    """Tell it on the log, and to SIDB_ALERT_ADDRESSES."""
    options = Settings.from_environment().options
    alerts = Alerts(options.step_alert, options.on_alert, options.alert_addresses)
    alerts.tell(what)
    alerts.close()


def pause(opened: Engine, paused: bool) -> None:
    """Make every worker hold back from its next batch on, or let them go on. Waits for none of them."""
    with session(opened) as connection, connection.begin():
        (pacing.pause if paused else pacing.resume)(connection)


def status(opened: Engine) -> Status:
    """The backfill as it stands. Reads only, and waits for nobody."""
    window = str(BackfillSettings.from_environment().window)
    with opened.connect() as connection:
        connection.execute(select(func.set_config("timezone", "UTC", True), func.set_config("datestyle", "ISO", True)))
        if not connection.scalar(select(func.to_regclass(f"{tables.SCHEMA}.{Control.__tablename__}").is_not(None))):
            return Status(None, None, False, window, [], job_status.nothing_yet(JOBS), [])
        control = connection.execute(select(Control.__table__)).one_or_none()
        pauses = job_status.last_pauses(connection)
        half = half_loaded(connection)
        return Status(
            as_of=control.as_of if control else None,
            deadline=control.deadline if control else None,
            paused=pacing.looks_paused(connection),
            window=window,
            half_loaded=[f"{file.name}: {file.records:,} records" for file in half],
            jobs=job_status.jobs_status(connection, JOBS),
            last_pauses=[dict(zip(("reason", "detail", "since", "until"), each, strict=True)) for each in pauses],
            load_again=load_again([file.name for file in half]) if half else "",
        )


def verify(opened: Engine, console: Console, share: float = 1.0) -> list[Proof]:
    """Compare sources and targets; `share`: what part of the time it reads while the application is at work."""
    control = begin(opened, None)
    with console.status("Verifying") as shown_status:
        rows = 0

        def report(job: Job, compared: int) -> None:
            nonlocal rows
            rows += compared
            shown_status.update(f"{job.name}: {rows:,} rows compared")

        return verification.verify(opened, JOBS, control.as_of, report, tell, lambda each: throttle(each, share))


def finish(opened: Engine, accept_deleted: int | None = None) -> finishing.Finished:
    """Drop the staging table once the history is verified. Raises BackfillError."""
    begin(opened, None)
    with session(opened) as connection:
        return finishing.finish(connection, JOBS, accept_deleted)


def retry(opened: Engine) -> int:
    """Give rows that were set aside another try; the number of rows."""
    with session(opened) as connection, connection.begin():
        return planning.retry(connection, JOBS)


def instant(value: str) -> datetime:
    """ISO 8601, in UTC where no zone is given; a mere date means its end. ValueError."""
    if len(value) == len("2017-10-22"):
        return datetime.combine(date.fromisoformat(value) + timedelta(days=1), time.min, UTC)
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
