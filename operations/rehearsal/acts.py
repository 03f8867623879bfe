"""The acts: the plan's deployment, in its order, each by the code that its command runs."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from psycopg import Error as PostgresError
from rich.console import Console
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from backfill import planning, verification
from backfill.errors import BackfillError
from backfill.jobs import JOBS
from backfill.pacing import Brake
from backfill.progress import Batch, Scope
from backfill.runner import Runner
from backfill.tables import Pause
from models import AnalyticsEvent
from operations import backfilling, maintenance, monitor, preflight, upgrade
from operations.errors import SidbError
from operations.findings import Findings
from operations.health import Health
from operations.monitor.thresholds import FIRST_ROWS
from operations.rehearsal import place, volume
from operations.rehearsal.reading import ask_all
from operations.rehearsal.stage import Act, Backfilled, Growth, Held, Stage
from operations.rollback import archives
from operations.rollback import restore as restoring
from operations.rollback import run as rollback
from operations.settings import BackfillSettings
from operations.verify import run as verifying

DEADLINE = "5min"  # the plan alerts on steps that exceed it
PHASE_1 = "1.0.0"
QUIET = Console(quiet=True)
NO_TIME_YET = ("bloat", "autovacuum")
"""What monitor finds where autovacuum has had minutes instead of days: shown, but no reason to fail."""
WHOLE = 100.0  # percent
EXPIRED = 10_000  # cache entries deleted in a transaction, as `sidb maintain` does


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
    request = preflight.Request(stage.script.events or 1, backup_command="true", applications=(role,) if role else ())
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
    return len(upgrade.run(stage.place.owner, "head", {"deadline": DEADLINE, "now": "yes"}, QUIET).steps)


def go_live(stage: Stage) -> None:
    """Let Phase 2's application in."""
    place.grant_phase2(stage.place)
    stage.traffic.phase2(on=True)


def load(stage: Stage) -> str:
    """The history into staging."""
    events = stage.script.events
    volume.stage_history(stage.engine, events, lambda done: stage.say(f"  {done:,} of {events:,} events staged"))
    return f"{events:,} generated events of {volume.DAYS} days"


def backfill(stage: Stage) -> str:
    """All jobs, off-peak or not, while the nightly scorer runs."""
    stage.traffic.score()
    try:
        stage.notes.backfilled = done = _backfill(stage)
    except BackfillError as error:
        raise SidbError(error.what, error.next_step) from error
    stage.traffic.wait_for_scorer()
    return f"{done.rows:,} rows, {done.events_per_second:,.0f} events a second"


def _backfill(stage: Stage) -> Backfilled:
    settings = BackfillSettings.from_environment()
    as_of = _begin(stage, datetime.now(UTC))
    began = {job.name: 0.0 for job in JOBS}
    ended, read, since = dict(began), dict.fromkeys(began, 0), time.monotonic()
    every = max(1, stage.script.events // 10)

    def report(job: Any, batch: Batch) -> None:
        now = time.monotonic()
        began[job.name] = began[job.name] or now - batch.seconds
        ended[job.name] = now
        before, read[job.name] = read[job.name], read[job.name] + batch.read
        if before // every != read[job.name] // every:
            stage.say(f"  {job.name}: {read[job.name]:,} rows")
            if job.name == JOBS[0].name:
                stage.notes.growth.append(_grown(stage))

    runner = Runner(stage.engine, Brake(Health(), window=None), report=report)
    summary = runner.run(Scope(as_of))
    if summary.refused:
        raise SidbError(f"{summary.refused:,} rows were set aside.", "see sidb.backfill_set_aside.")
    seconds = time.monotonic() - since
    history = JOBS[0].name
    rate = read[history] / (ended[history] - began[history]) if read[history] else 0.0
    others = seconds - (ended[history] - began[history])
    return Backfilled(
        rows=summary.written,
        seconds=round(seconds, 2),
        events=read[history],
        events_per_second=round(rate, 1),
        pauses=_pauses(stage),
        needed_hours=round((FIRST_ROWS / rate + others) / 3600, 2) if rate else 0.0,
        window_hours=round(settings.window.hours() * settings.days, 1),
        deadline_days=settings.days,
    )


def _begin(stage: Stage, as_of: datetime | None) -> datetime:
    """Cut what there is to do; gives the backfill's "now"."""
    days = BackfillSettings.from_environment().days
    with stage.engine.begin() as connection:
        return planning.begin(connection, JOBS, datetime.now(UTC), as_of, days).as_of


def _catch_up(stage: Stage) -> datetime:
    """Backfill what has come since; gives the backfill's "now"."""
    as_of = _begin(stage, None)
    Runner(stage.engine, Brake(Health(), window=None)).run(Scope(as_of))
    return as_of


def _grown(stage: Stage) -> Growth:
    size = text("SELECT pg_total_relation_size('analytics.analytics_events')")
    with stage.engine.connect() as connection:
        events = connection.scalar(select(func.count()).select_from(AnalyticsEvent))
        return Growth(int(events or 0), int(connection.scalar(size) or 0))


def _pauses(stage: Stage) -> list[Held]:
    seconds = func.sum(func.extract("epoch", func.coalesce(Pause.ended_at, func.now()) - Pause.started_at))
    grouped = select(Pause.reason, func.count(), seconds).group_by(Pause.reason).order_by(Pause.reason)
    with stage.engine.connect() as connection:
        return [Held(reason, times, round(float(total), 2)) for reason, times, total in connection.execute(grouped)]


def fill(stage: Stage) -> str:
    """What Phase 2's application computes, and the upkeep that cron runs."""
    rows = volume.fill_contents(stage.engine)
    maintenance.run(stage.place.owner, EXPIRED)
    return f"{rows:,} recommendations, insights, correlations and metrics; views refreshed"


def prove(stage: Stage) -> str:
    """Every row of history is there, once. The seeder rests, so that its newest niches are in too."""
    notes = stage.notes
    stage.traffic.seeder(on=False)
    as_of = _catch_up(stage)
    proofs = verification.verify(stage.engine, JOBS, as_of)
    stage.traffic.seeder(on=True)
    for proof in proofs:
        for each in proof.differences:
            notes.missing.append(f"{proof.job}: missing {each.missing}, too much {each.extra}")
        if proof.unfinished or proof.set_aside:
            notes.missing.append(f"{proof.job}: {proof.unfinished} ranges open, {proof.set_aside} rows set aside")
    lost = sum(max(1, len({*each.missing, *each.extra})) for proof in proofs for each in proof.differences) + sum(
        proof.unfinished + proof.set_aside for proof in proofs
    )
    notes.missing_rows = (notes.missing_rows or 0) + lost
    compared = sum(proof.rows for proof in proofs)
    return f"{compared:,} rows compared: " + (f"{lost} are wrong" if lost else "all there, once")


def verify(stage: Stage) -> str:
    """Schema and rows, whole. The seeder rests again, and what it added meanwhile is backfilled."""
    stage.traffic.seeder(on=False)
    _catch_up(stage)
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
    return _checked(stage, rollback.run(owner, prepared, {"deadline": DEADLINE}, QUIET))


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
        except (DBAPIError, PostgresError) as error:
            reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
            raise SidbError(f"{play.__name__}: {reason}", "see the server's log.") from error

    return told


def act(name: str, title: str, play: Any, *, closes: bool = False, migrates: bool = False) -> Act:
    """An act whose failures are SidbError."""
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
