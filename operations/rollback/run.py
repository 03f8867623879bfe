"""A rollback, phase by phase. Each is recorded when it is finished; the next run goes on behind the last one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from alembic import command
from alembic_online import sessions
from alembic_online.acquisition import Blockers, ask
from alembic_online.database import engine, shown
from alembic_online.errors import OnlineError, UsageError
from alembic_online.options import Options
from alembic_online.retry import RetryPolicy
from rich.console import Console
from sqlalchemy import URL, NullPool

from operations import fingerprint, upgrade
from operations.findings import Finding, Findings
from operations.queries import query
from operations.rollback import access, checks, proof
from operations.rollback.archive import FOLLOW, Archive, unfollow
from operations.rollback.plan import Way, between, refuse_users, revision, way
from operations.rollback.records import Records, Rollback, alone, reading

FEATURES = "public.features"


@dataclass(frozen=True)
class Prepared:
    """The way back, and the rollback that was interrupted on it, if one was."""

    way: Way
    interrupted: Rollback | None


def prepare(url: URL, target: str | None) -> Prepared:
    """Find the way back, or the rollback to go on with; changes nothing. OnlineError where it must not be begun."""
    with reading(url) as records:
        pending = records.pending()
        if pending is not None:
            if target not in (None, pending.target):
                raise UsageError(
                    f"The rollback to {pending.target} that began {pending.started:%Y-%m-%d %H:%M} is not finished.",
                    "finish it with `sidb rollback`, or give it up with `sidb rollback --abort`.",
                )
            return Prepared(between(pending.origin, pending.target), pending)
        if target is None:
            raise UsageError("To which revision?", "sidb rollback 1.0.0 goes back to Phase 1.")
        with sessions.session(sessions.engine(url), autocommit=True) as other:
            sessions.refuse_unfit(records.connection, sessions.driver(other), shown(url))
        back = way(url, target)
        refuse_users(url, back)
        access.refuse_what_cannot_be_opened(records.connection, back.remembered)
        return Prepared(back, None)


def run(url: URL, prepared: Prepared, options: Mapping[str, str], console: Console) -> Findings:
    """Roll back, or go on with it. `options` are those of `alembic -x`."""
    back = prepared.way
    with alone(url) as records:
        rollback = records.pending()
        if rollback is None:
            with console.status("Taking the fingerprint of Phase 1's data"):
                fingerprint.take(records.connection, fingerprint.BEFORE_ROLLBACK)
            rollback = records.begin(back.current, back.target)
        with _said_if_it_stops(console):
            found = list(_phases(url, records, rollback, back, options, console))
    next_step = (
        f"when the cause is mended, `sidb upgrade` and `sidb restore {rollback.rollback_id}`; the backfill stays "
        "paused until `sidb backfill resume`."
    )
    return Findings(found, next_step)


def abort(url: URL, console: Console) -> Findings:
    """Give up the rollback that was interrupted: access as it was, the backfill too. Steps that are undone stay so."""
    with alone(url) as records:
        rollback = records.pending()
        if rollback is None:
            raise UsageError("No rollback was interrupted.", "there is nothing to abort.")
        stop_following(url, rollback)
        validated = _validate_last_step(url, console)
        found = [*validated, _resume_backfill(records, rollback), access.open_again(records, rollback, "aborted")]
        kept = records.archived(rollback)
    next_step = "there is nothing more to do: the database is as it was before."
    if kept:
        names = ", ".join(each.relation for each in kept)
        next_step = f"{names} had moved already: `sidb upgrade`, then `sidb restore {rollback.rollback_id}`."
    return Findings(found, next_step)


def stop_following(url: URL, rollback: Rollback) -> None:
    """Take off what an interrupted copy of columns left on features, asking for the lock as the guard does."""
    opened = sessions.engine(url)
    with sessions.session(opened, autocommit=True) as session, sessions.session(opened, autocommit=True) as observer:
        connection = sessions.driver(session)
        if connection.execute("SELECT FROM pg_trigger WHERE tgname = %s", [FOLLOW]).fetchone() is None:
            return
        in_the_way = Blockers(sessions.driver(observer), connection.info.backend_pid, None)
        with connection.transaction():
            patience = RetryPolicy(Options().deadline)
            ask(connection, {FEATURES: "AccessExclusiveLock"}, patience, in_the_way, "end of an interrupted copy")
            unfollow(connection, FEATURES, rollback.archive)


def _validate_last_step(url: URL, console: Console) -> Iterator[Finding]:
    """A step that was killed behind its commit is validated while the tables are still closed, as they were then."""
    try:
        current = str(revision(url))
        upgrade.migrate(
            lambda config: command.upgrade(config, current),
            {"now": "yes"},
            console,
            connection=engine(url, poolclass=NullPool),
        )
    except OnlineError as error:  # access is opened whatever it says
        yield checks.MOVED.failed(error.what, error.next_step)


def _phases(
    url: URL, records: Records, rollback: Rollback, back: Way, options: Mapping[str, str], console: Console
) -> Iterator[Finding]:
    connection = records.connection
    if not rollback.has_reached("paused"):
        console.print("Stopping the backfill")
        yield _pause_backfill(records, rollback)
    if not rollback.has_reached("closed"):
        console.print("Closing the tables to applications")
        yield access.close(records, rollback, back)
    if not rollback.has_reached("moved"):
        yield access.end_sessions(connection, back.applications)
        stop_following(url, rollback)
        console.print("Moving aside, step by step")
        upgrade.migrate(
            lambda config: command.downgrade(config, back.target),
            {**options, "now": "yes"},  # whoever rolls back does not wait for a maintenance window
            console,
            aside=Archive(url, rollback),
            connection=engine(url, poolclass=NullPool),
        )
        records.reached(rollback, "moved")
    kept = [each.relation for each in records.archived(rollback)]
    yield checks.MOVED.ok(f"{', '.join(kept)} to {rollback.archive}" if kept else "there was nothing to keep")
    console.print("Verifying")
    yield proof.catalog(url, connection, back)
    yield proof.phase1_data(connection)
    if not rollback.has_reached("opened"):
        console.print("Opening access again")
        yield access.open_again(records, rollback, "opened")
    yield proof.smoke(url)
    records.reached(rollback, "done")


def _pause_backfill(records: Records, rollback: Rollback) -> Finding:
    connection = records.connection
    was_paused = None
    with connection.transaction():
        if connection.execute("SELECT to_regclass('sidb.backfill_control') IS NOT NULL").fetchone() == (True,):
            row = connection.execute(query("rollback/pause_backfill")).fetchone()
            was_paused = row[0] if row else None
        records.paused(rollback, was_paused)
        records.reached(rollback, "paused")
    said = {None: "there is none", True: "was paused already", False: "paused"}
    return checks.BACKFILL.ok(said[was_paused])


def _resume_backfill(records: Records, rollback: Rollback) -> Finding:
    if rollback.was_paused is not False:
        return checks.BACKFILL.ok("left as it is")
    records.connection.execute("UPDATE sidb.backfill_control SET paused_at = NULL")
    return checks.BACKFILL.ok("goes on, as before")


@contextmanager
def _said_if_it_stops(console: Console) -> Iterator[None]:
    """Whoever reads why it stopped has to know that the tables may be closed."""
    step = "go on with `sidb rollback`, or open the tables again with `sidb rollback --abort`."
    try:
        yield
    except OnlineError as error:
        raise OnlineError(error.what, f"{error.next_step}\nThen {step}") from error
    except KeyboardInterrupt:
        console.print(f"Tables may be closed to applications now: {step}")
        raise
