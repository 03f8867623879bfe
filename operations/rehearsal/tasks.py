"""The tasks of a rehearsal: the plan's deployment, in its order, each by the code that its command runs."""

import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import Any

from alembic_online import Options
from alembic_online.database import engine
from alembic_online.errors import OnlineError
from alembic_online.messages import first_line
from alembic_online.replica import Replica, identity
from alembic_online.sessions import driver
from psycopg import Error as PostgresError
from rich.console import Console
from sqlalchemy import NullPool
from sqlalchemy.exc import DBAPIError

from backfill.errors import BackfillError
from operations import backfilling, monitor, replicas, upgrade
from operations.findings import Findings
from operations.preflight import preflight
from operations.preflight.context import Request
from operations.rehearsal import place
from operations.rehearsal.context import Context, Lag, Task
from operations.rehearsal.filling import backfill, catch_up, fill, load, prove
from operations.rehearsal.readers import ask_all
from operations.reporting.collecting import MONITOR, VERIFY, sizes
from operations.reporting.contents import Looked
from operations.rollback import archives, rollback
from operations.rollback import restore as restoring
from operations.verify import verification as verifying

OPTIONS = Options(deadline=300, now=True)  # the plan alerts on steps that exceed five minutes
PHASE_1 = "1.0.0"
QUIET = Console(quiet=True)
NO_TIME_YET = ("bloat", "autovacuum")
"""What monitor finds where autovacuum has had minutes instead of days: shown, but no reason to fail."""
WHOLE = 100.0  # percent


def before(context: Context) -> str:
    """The application alone, then beside its own nightly scorer."""
    context.notes.sizes_before = sizes(context.engine)
    context.notes.replicas = len(context.place.replicas)
    time.sleep(context.parameters.quiet_seconds)
    context.traffic.score()
    context.traffic.wait_for_scorer()
    return f"{context.parameters.rate / 2:g} statements a second of Phase 1"


def prepare(context: Context) -> str:
    """Is the database fit? It is a copy itself: nobody asks for a backup of it."""
    role = context.place.application.username
    roles = (role,) if role else ()
    request = Request(context.parameters.events or 1, None, "true", roles, context.place.replicas)
    return _checked(
        context, "sidb preflight", preflight.run(context.place.owner, request, QUIET), expected=_expected(context)
    )


def _expected(context: Context) -> tuple[str, ...]:
    return ("application's role",) if context.place.shared else ()


def _checked(context: Context, command: str, found: Findings, expected: tuple[str, ...] = ()) -> str:
    """Note what a command found, for the gate and the report; a line about it."""
    findings = [
        replace(each, verdict="warning") if each.verdict == "failed" and each.check in expected else each
        for each in found.findings
    ]
    context.notes.looked.append(Looked(command, findings))
    counted = Counter(each.verdict for each in findings)
    return ", ".join(f"{number} {verdict}" for verdict, number in counted.items())


def migrate(context: Context) -> str:
    """To the newest revision, step by step, while the nightly scorer runs; then Phase 2 goes live."""
    context.traffic.score()
    steps = _upgrade(context)
    context.traffic.wait_for_scorer()
    go_live(context)
    return f"{steps} steps, Phase 2 is live"


def _upgrade(context: Context) -> int:
    return len(upgrade.run(context.place.owner, "head", _options(context), QUIET).steps)


def _options(context: Context) -> Options:
    return replace(OPTIONS, replicas=context.place.replicas)


def go_live(context: Context) -> None:
    """Let Phase 2's application in."""
    place.grant_phase2(context.place)
    context.traffic.phase2(on=True)


def verify(context: Context) -> str:
    """Schema and rows, whole. The seeder rests again, and what it added meanwhile is backfilled."""
    context.traffic.seeder(on=False)
    catch_up(context)
    found = verifying.verify(context.place.owner, WHOLE, QUIET, share=context.parameters.share)
    context.traffic.seeder(on=True)
    return _checked(context, VERIFY, found)


def read(context: Context) -> str:
    """Every reader's query at this volume."""
    context.notes.answers = ask_all(context.engine, context.parameters.share)
    context.notes.sizes_after = sizes(context.engine)
    slowest = max(context.notes.answers, key=lambda answer: answer.p95_ms / answer.budget_ms)
    return f"slowest beside its budget: {slowest.reader}, {slowest.p95_ms:g} of {slowest.budget_ms} ms"


def watch(context: Context) -> str:
    """A look at the new tables, minutes after all their rows were written."""
    return _checked(context, MONITOR, monitor.look(context.place.owner), expected=NO_TIME_YET)


def roll_back(context: Context) -> str:
    """Phase 2's release goes first, then everything to Phase 1; what was collected is kept aside."""
    context.traffic.phase2(on=False)
    owner = context.place.owner
    prepared = rollback.prepare(owner, PHASE_1, options=_options(context))
    return _checked(context, "sidb rollback", rollback.run(owner, prepared, _options(context), QUIET))


def migrate_again(context: Context) -> str:
    """The same steps once more."""
    return f"{_upgrade(context)} steps"


def bring_back(context: Context) -> str:
    """What the rollback kept, into the new tables; then Phase 2 is live again."""
    owner = context.place.owner
    newest = max(line.archive for line in archives.archives(owner).tables)
    choice = restoring.Choice(skip=False, renumber=False, share=context.parameters.share)
    found = restoring.restore(owner, newest, choice, QUIET, _options(context))
    backfilling.pause(context.engine, False)
    go_live(context)
    return _checked(context, "sidb restore", found)


def after(context: Context) -> str:
    """The application on the new schema, and beside its nightly scorer."""
    time.sleep(context.parameters.quiet_seconds)
    context.traffic.score()
    context.traffic.wait_for_scorer()
    return f"{context.parameters.rate:g} statements a second"


def _note_lags(context: Context, name: str) -> None:
    """How far each replica is behind now that the command has ended."""
    with engine(context.place.owner, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        known = identity(driver(connection))
        for address in context.place.replicas:
            with closing(Replica(address, known, replicas.APPLICATION)) as replica:
                context.notes.lags.append(Lag(name, round(replicas.lag(replica, driver(connection)), 3)))


def _told(run: Any) -> Any:
    """The task, with what the server refuses as an error for people."""

    def told(context: Context) -> str:
        try:
            came_of_it = str(run(context))
            if run in (migrate, roll_back, migrate_again, bring_back):
                _note_lags(context, run.__name__)
            return came_of_it
        except BackfillError as error:
            raise OnlineError(error.what, error.next_step) from error
        except (DBAPIError, PostgresError) as error:
            raise OnlineError(f"{run.__name__}: {first_line(error)}", "see the server's log.") from error

    return told


def task(name: str, title: str, run: Any, **kind: bool) -> Task:
    """A task whose failures are OnlineError."""
    return Task(name, title, _told(run), **kind)


TASKS = (
    task("before", "The application before", before, is_rollout=False),
    task("preflight", "Preflight", prepare),
    task("upgrade", "Upgrade", migrate, migrates=True),
    task("load", "Load the history", load, is_rollout=False),
    task("backfill", "Backfill", backfill),
    task("fill", "Phase 2 fills its tables", fill, is_rollout=False),
    task("prove", "Verify the backfill", prove),
    task("verify", "Verify", verify),
    task("readers", "Readers' queries", read),
    task("monitor", "Monitor", watch),
    task("rollback", "Rollback", roll_back, closes=True, migrates=True),
    task("again", "Upgrade again", migrate_again, migrates=True),
    task("restore", "Restore", bring_back),
    task("reverify", "Verify again", verify),
    task("after", "The application after", after, is_rollout=False),
)
