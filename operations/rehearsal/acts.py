"""The acts: the plan's deployment, in its order, each by the code that its command runs."""

import time
from dataclasses import replace
from typing import Any

from alembic_online import Options
from alembic_online.errors import OnlineError
from psycopg import Error as PostgresError
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from backfill.errors import BackfillError
from operations import backfilling, monitor, upgrade
from operations.findings import Findings
from operations.preflight import run as preflight
from operations.preflight.surroundings import Request
from operations.rehearsal import place, volume
from operations.rehearsal.filling import backfill, catch_up, fill, load, prove
from operations.rehearsal.reading import ask_all
from operations.rehearsal.stage import Act, Stage
from operations.rollback import archives
from operations.rollback import restore as restoring
from operations.rollback import run as rollback
from operations.verify import run as verifying

OPTIONS = Options(deadline=300, now=True)  # the plan alerts on steps that exceed five minutes
PHASE_1 = "1.0.0"
QUIET = Console(quiet=True)
NO_TIME_YET = ("bloat", "autovacuum")
"""What monitor finds where autovacuum has had minutes instead of days: shown, but no reason to fail."""
WHOLE = 100.0  # percent


def before(stage: Stage) -> str:
    """The application alone, then beside its own nightly scorer."""
    stage.notes.sizes_before = volume.sizes(stage.engine)
    time.sleep(stage.script.quiet_seconds)
    stage.traffic.score()
    stage.traffic.wait_for_scorer()
    return f"{stage.script.rate / 2:g} statements a second of Phase 1"


def prepare(stage: Stage) -> str:
    """Is the database fit? It is a copy itself: nobody asks for a backup of it."""
    role = stage.place.application.username
    request = Request(stage.script.events or 1, backup_command="true", applications=(role,) if role else ())
    return _checked(stage, preflight.run(stage.place.owner, request, QUIET), expected=_expected(stage))


def _expected(stage: Stage) -> tuple[str, ...]:
    return ("application's role",) if stage.place.shared else ()


def _checked(stage: Stage, found: Findings, expected: tuple[str, ...] = ()) -> str:
    """Note what a command found, for the gate and the report; a line about it."""
    counted: dict[str, int] = {}
    for each in found.findings:
        verdict = "warning" if each.verdict == "failed" and each.check in expected else each.verdict
        stage.notes.checks.append(replace(each, verdict=verdict))
        counted[verdict] = counted.get(verdict, 0) + 1
    return ", ".join(f"{number} {verdict}" for verdict, number in counted.items())


def migrate(stage: Stage) -> str:
    """To the newest revision, step by step, while the nightly scorer runs; then Phase 2 goes live."""
    stage.traffic.score()
    steps = _upgrade(stage)
    stage.traffic.wait_for_scorer()
    go_live(stage)
    return f"{steps} steps, Phase 2 is live"


def _upgrade(stage: Stage) -> int:
    return len(upgrade.run(stage.place.owner, "head", OPTIONS, QUIET).steps)


def go_live(stage: Stage) -> None:
    """Let Phase 2's application in."""
    place.grant_phase2(stage.place)
    stage.traffic.phase2(on=True)


def verify(stage: Stage) -> str:
    """Schema and rows, whole. The seeder rests again, and what it added meanwhile is backfilled."""
    stage.traffic.seeder(on=False)
    catch_up(stage)
    found = verifying.verify(stage.place.owner, WHOLE, QUIET)
    stage.traffic.seeder(on=True)
    return _checked(stage, found)


def read(stage: Stage) -> str:
    """Every reader's query at this volume."""
    stage.notes.answers = ask_all(stage.engine)
    stage.notes.sizes_after = volume.sizes(stage.engine)
    slowest = max(stage.notes.answers, key=lambda answer: answer.p95_ms / answer.budget_ms)
    return f"slowest beside its budget: {slowest.reader}, {slowest.p95_ms:g} of {slowest.budget_ms} ms"


def watch(stage: Stage) -> str:
    """A look at the new tables, minutes after all their rows were written."""
    return _checked(stage, monitor.look(stage.place.owner), expected=NO_TIME_YET)


def roll_back(stage: Stage) -> str:
    """Phase 2's release goes first, then everything to Phase 1; what was collected is kept aside."""
    stage.traffic.phase2(on=False)
    owner = stage.place.owner
    prepared = rollback.prepare(owner, PHASE_1)
    return _checked(stage, rollback.run(owner, prepared, OPTIONS, QUIET))


def migrate_again(stage: Stage) -> str:
    """The same steps once more."""
    return f"{_upgrade(stage)} steps"


def bring_back(stage: Stage) -> str:
    """What the rollback kept, into the new tables; then Phase 2 is live again."""
    owner = stage.place.owner
    newest = max(line.archive for line in archives.archives(owner).tables)
    found = restoring.restore(owner, newest, restoring.Choice(skip=False, renumber=False), QUIET)
    backfilling.pause(stage.engine, False)
    go_live(stage)
    return _checked(stage, found)


def after(stage: Stage) -> str:
    """The application on the new schema, and beside its nightly scorer."""
    time.sleep(stage.script.quiet_seconds)
    stage.traffic.score()
    stage.traffic.wait_for_scorer()
    return f"{stage.script.rate:g} statements a second"


def _told(play: Any) -> Any:
    """The act, with what the server refuses as an error for people."""

    def told(stage: Stage) -> str:
        try:
            return str(play(stage))
        except BackfillError as error:
            raise OnlineError(error.what, error.next_step) from error
        except (DBAPIError, PostgresError) as error:
            reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
            raise OnlineError(f"{play.__name__}: {reason}", "see the server's log.") from error

    return told


def act(name: str, title: str, play: Any, *, closes: bool = False, migrates: bool = False) -> Act:
    """An act whose failures are OnlineError."""
    return Act(name, title, _told(play), closes, migrates)


ACTS = (
    act("before", "The application before", before),
    act("preflight", "Preflight", prepare),
    act("upgrade", "Upgrade", migrate, migrates=True),
    act("load", "Load the history", load),
    act("backfill", "Backfill", backfill),
    act("fill", "Phase 2 fills its tables", fill),
    act("prove", "Verify the backfill", prove),
    act("verify", "Verify", verify),
    act("readers", "Readers' queries", read),
    act("monitor", "Monitor", watch),
    act("rollback", "Rollback", roll_back, closes=True, migrates=True),
    act("again", "Upgrade again", migrate_again, migrates=True),
    act("restore", "Restore", bring_back),
    act("reverify", "Verify again", verify),
    act("after", "The application after", after),
)
