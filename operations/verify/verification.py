"""The run: every check in a transaction of its own, or in several, and what to do next."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import psycopg
from alembic_online.database import engine, shown
from alembic_online.errors import OnlineError
from alembic_online.held import AGAIN, is_missed, reason
from alembic_online.messages import first_line
from alembic_online.sessions import driver
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy import URL, NullPool
from sqlalchemy.exc import DBAPIError

from operations import rights
from operations.findings import Check, Finding, Findings
from operations.health import throttle
from operations.scope import QUALIFIED
from operations.verify import (
    access,
    backfilled,
    constraints,
    derived,
    in_force,
    indexes,
    on_replicas,
    partitions,
    phase1,
    readers,
    schema,
    sequences,
)
from operations.verify.subject import Look, Looks, Subject

LOOKS: Looks = {
    check: look
    for file in (schema, partitions, in_force, access, constraints, indexes, sequences, derived, phase1, backfilled)
    for check, look in file.LOOKS.items()
}
CHECKS = (*LOOKS, readers.READERS, on_replicas.READERS_ON_REPLICAS)

WRITES = (schema.CATALOG,)
"""Checks that may build the models in a transaction that is rolled back."""
IN_PIECES = (
    indexes.KEYS,
    indexes.INDEXES,
    *constraints.LOOKS,
    derived.MATERIALIZED_VIEWS,
    *backfilled.PROVES,
)
"""Checks that read a relation, or a range, after the other, each in a transaction of its own."""
REFRESHED = (derived.HOT_NICHES, derived.MATERIALIZED_VIEWS, backfilled.HOT_TRENDS)
"""Checks that read what is filled anew. A snapshot older than a TRUNCATE or a REFRESH finds the table empty, or rows in
the view that are newer than itself, when the lock is given up: what fails counts when it fails in a second one, too."""


def verify(
    url: URL,
    percent: float,
    console: Console,
    *,
    with_readers: bool = False,
    replicas: Sequence[URL] = (),
    share: float = 1.0,
) -> Findings:
    """Look at everything, or at such a percentage of the rows. Raises OnlineError.

    Changes nothing, but for views that are refreshed where `replicas` are named: readers are measured there meanwhile.
    `share`: what part of the time it reads while the application is at work.
    """
    opened = engine(url, poolclass=NullPool, execution_options=QUALIFIED)
    with opened.connect() as connection, _progress(console, len(LOOKS)) as (say, done):
        subject = Subject(connection, percent, say, throttle(connection, share))
        with subject.transaction():
            if not subject.there("public.features"):
                raise OnlineError(
                    f"There is nothing to verify in {shown(url)}: it has no table public.features.",
                    "point DATABASE_URL at the database of Phase 1, or build a sample: sidb demo.",
                )
        findings: list[Finding] = []
        for check, look in LOOKS.items():
            say(check.name)
            found = look_at(subject, check, look)
            if found is not None:
                findings.append(found)
            done()
        if with_readers:
            findings += readers.within_budget(subject)
        if replicas:
            findings += on_replicas.readers_there(url, replicas, say)
    return Findings(findings, _next(findings))


def accept_rights(url: URL) -> int:
    """Write down the rights on Phase 1's relations as they are now; their number. Raises OnlineError."""
    opened = engine(url, changing=True, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with opened.connect() as connection:
            return rights.take(driver(connection), before_upgrade=False)
    except (psycopg.Error, DBAPIError) as error:
        step = AGAIN if is_missed(error) else "run it as the role that migrated, on the primary"
        raise OnlineError(
            f"The rights could not be written down in {shown(url)}: {reason(error, url)}",
            f"{step}.",
        ) from None


def look_at(subject: Subject, check: Check, look: Look) -> Finding | None:
    """What a check finds; what it may not look at, or what is not there to be looked at, is unknown."""
    found = _look(subject, check, look)
    if found is not None and found.verdict == "failed" and check in REFRESHED:
        return _look(subject, check, look)
    return found


def _look(subject: Subject, check: Check, look: Look) -> Finding | None:
    try:
        with nullcontext() if check in IN_PIECES else subject.piece(writable=check in WRITES):
            return look(subject)
    except (psycopg.Error, DBAPIError) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        assert isinstance(original, psycopg.Error)
        if _lost(original):
            raise OnlineError(
                f"The connection was lost while {check.name} was looked at: {first_line(original)}",
                "see that the server runs, then run it again; nothing was changed.",
            ) from None
        return _unread(check, original, subject)


def _lost(error: psycopg.Error) -> bool:
    """Whether the server is gone, or has thrown us out; the driver's own errors have no SQLSTATE."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return False
    broken = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return broken and (error.sqlstate or "08")[:2] in ("08", "57")


def _unread(check: Check, error: psycopg.Error, subject: Subject) -> Finding:
    """It could not be looked at, for the reason that PostgreSQL gives."""
    why = reason(error, subject.connection)
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return check.unknown(why, "run it as the role that migrated, or grant this one what the line says")
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return check.unknown(why, AGAIN)
    return check.unknown(why, "see what `catalog` says about it")


def _next(findings: list[Finding]) -> str:
    """What to type: what failed is for a person to judge, what is pending or unknown has a command or a reason."""
    if any(finding.verdict == "failed" for finding in findings):
        return "correct what failed, from the top; then sidb verify"
    for verdict in ("warning", "unknown"):
        for finding in findings:
            if finding.verdict == verdict:
                return f"{finding.remedy.rstrip(';.')}; then sidb verify"
    return "sidb monitor, from now on"


@contextmanager
def _progress(console: Console, checks: int) -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """Two functions: what is being looked at, and that a check is done."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=checks)
        yield lambda text: bar.update(task, description=text), lambda: bar.advance(task)
