"""The acts: the plan's deployment, in its order, each by the code that its command runs."""

import time
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
from operations import maintenance, upgrade
from operations.errors import SidbError
from operations.health import Health
from operations.rehearsal import place, volume
from operations.rehearsal.reading import ask_all
from operations.rehearsal.stage import Act, Backfilled, Growth, Held, Stage
from operations.settings import BackfillSettings

DEADLINE = "5min"  # the plan alerts on steps that exceed it
FIRST_MONTH = 10_000_000
EXPIRED = 10_000  # cache entries deleted in a transaction, as `sidb maintain` does


def before(stage: Stage) -> str:
    """The application alone, then beside its own nightly scorer."""
    stage.notes.sizes_before = volume.sizes(stage.engine)
    time.sleep(stage.script.quiet_seconds)
    stage.traffic.score()
    stage.traffic.wait_for_scorer()
    return f"{stage.script.rate / 2:g} statements a second of Phase 1"


def migrate(stage: Stage) -> str:
    """To the newest revision, step by step, while the nightly scorer runs; then Phase 2 goes live."""
    stage.traffic.score()
    steps = _upgrade(stage)
    stage.traffic.wait_for_scorer()
    go_live(stage)
    return f"{steps} steps, Phase 2 is live"


def _upgrade(stage: Stage) -> int:
    console = Console(quiet=True)
    return len(upgrade.run(stage.place.owner, "head", {"deadline": DEADLINE, "now": "yes"}, console).steps)


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
        needed_hours=round((FIRST_MONTH / rate + others) / 3600, 2) if rate else 0.0,
        window_hours=round(settings.window.hours() * settings.days, 1),
        deadline_days=settings.days,
    )


def _begin(stage: Stage, as_of: datetime | None) -> datetime:
    """Cut what there is to do; gives the backfill's "now"."""
    days = BackfillSettings.from_environment().days
    with stage.engine.begin() as connection:
        return planning.begin(connection, JOBS, datetime.now(UTC), as_of, days).as_of


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
    as_of = _begin(stage, None)
    Runner(stage.engine, Brake(Health(), window=None)).run(Scope(as_of))
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


def read(stage: Stage) -> str:
    """Every reader's query at this volume."""
    stage.notes.answers = ask_all(stage.engine)
    stage.notes.sizes_after = volume.sizes(stage.engine)
    slowest = max(stage.notes.answers, key=lambda answer: answer.p95_ms / answer.budget_ms)
    return f"slowest beside its budget: {slowest.reader}, {slowest.p95_ms:g} of {slowest.budget_ms} ms"


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


def act(name: str, title: str, play: Any, *, closes: bool = False) -> Act:
    """An act whose failures are SidbError."""
    return Act(name, title, _told(play), closes)


ACTS = (
    act("before", "The application before", before),
    act("upgrade", "Upgrade", migrate),
    act("load", "Load the history", load),
    act("backfill", "Backfill", backfill),
    act("fill", "Phase 2 fills its tables", fill),
    act("prove", "Verify the backfill", prove),
    act("readers", "Readers' queries", read),
    act("after", "The application after", after),
)
