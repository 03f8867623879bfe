"""The acts that bring history in and prove it: load, backfill, what Phase 2 computes itself, verification."""

import time
from datetime import UTC, datetime
from typing import Any

from alembic_online.errors import OnlineError
from sqlalchemy import func, select, text

from backfill import planning, verification
from backfill.job import Batch
from backfill.jobs import JOBS
from backfill.pacing import Brake
from backfill.progress import Scope
from backfill.runner import Runner
from backfill.tables import Pause
from models import AnalyticsEvent
from operations import maintenance
from operations.health import Health
from operations.monitor.thresholds import FIRST_ROWS
from operations.rehearsal import volume
from operations.rehearsal.stage import Backfilled, Growth, Held, Stage
from operations.settings import BackfillSettings

SIGN_OF_LIFE = 5.0
"""Seconds between two lines about a batch."""
EXPIRED = 10_000  # cache entries deleted in a transaction, as `sidb maintain` does


def load(stage: Stage) -> str:
    """The history into staging."""
    events = stage.script.events
    volume.stage_history(stage.engine, events, lambda done: stage.say(f"  {done:,} of {events:,} events staged"))
    return f"{events:,} generated events of {volume.DAYS} days"


def backfill(stage: Stage) -> str:
    """All jobs, off-peak or not, while the nightly scorer runs."""
    stage.traffic.score()
    stage.notes.backfilled = done = _backfill(stage)
    stage.traffic.wait_for_scorer()
    return f"{done.rows:,} rows, {done.events_per_second:,.0f} events a second"


def _backfill(stage: Stage) -> Backfilled:
    settings = BackfillSettings.from_environment()
    as_of = _begin(stage, datetime.now(UTC))
    began = {job.name: 0.0 for job in JOBS}
    ended, read, since = dict(began), dict.fromkeys(began, 0), time.monotonic()
    every = max(1, stage.script.events // 10)
    said = since

    def report(job: Any, batch: Batch) -> None:
        nonlocal said
        now = time.monotonic()
        began[job.name] = began[job.name] or now - batch.seconds
        ended[job.name] = now
        before, read[job.name] = read[job.name], read[job.name] + batch.read
        if now - said > SIGN_OF_LIFE:
            said = now
            stage.say(f"  {job.name}: {read[job.name]:,} rows")
        if job.name == JOBS[0].name and before // every != read[job.name] // every:
            stage.notes.growth.append(_grown(stage))

    summary = Runner(stage.engine, _brake(stage), report=report).run(Scope(as_of))
    if summary.refused:
        raise OnlineError(f"{summary.refused:,} rows were set aside.", "see sidb.backfill_set_aside.")
    seconds = time.monotonic() - since
    history = JOBS[0].name
    rate = read[history] / (ended[history] - began[history]) if read[history] else 0.0
    others = seconds - (ended[history] - began[history])
    slower = stage.script.share / settings.share
    return Backfilled(
        rows=summary.written,
        seconds=round(seconds, 2),
        events=read[history],
        events_per_second=round(rate, 1),
        pauses=_pauses(stage),
        share=settings.share,
        needed_hours=round((FIRST_ROWS / rate + others) * slower / 3600, 2) if rate else 0.0,
        window_hours=round(settings.window.hours() * settings.days, 1),
        deadline_days=settings.days,
    )


def _begin(stage: Stage, as_of: datetime | None) -> datetime:
    """Cut what there is to do; gives the backfill's "now"."""
    days = BackfillSettings.from_environment().days
    with stage.engine.begin() as connection:
        return planning.begin(connection, JOBS, datetime.now(UTC), as_of, days).as_of


def catch_up(stage: Stage) -> datetime:
    """Backfill what has come since; gives the backfill's "now"."""
    as_of = _begin(stage, None)
    Runner(stage.engine, _brake(stage)).run(Scope(as_of))
    return as_of


def _brake(stage: Stage) -> Brake:
    return Brake(Health(beside_application=stage.script.share), window=None)


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
    as_of = catch_up(stage)
    proofs = verification.verify(stage.engine, JOBS, as_of)
    stage.traffic.seeder(on=True)
    for proof in proofs:
        for each in proof.differences:
            notes.missing.append(f"{proof.job}: missing {each.missing}, too much {each.extra}")
        if proof.unfinished or proof.set_aside:
            notes.missing.append(f"{proof.job}: {proof.unfinished} ranges open, {proof.set_aside} rows set aside")
        # Nobody deletes or changes history in a rehearsal: what others may rightly do elsewhere is a loss here.
        notes.missing += [f"{proof.job}: {line}" for line in proof.told()]
    differing = [len({*each.missing, *each.extra}) for proof in proofs for each in proof.differences]
    lost = sum(max(1, rows) for rows in differing) + sum(
        proof.unfinished + proof.set_aside + sum(count.rows for count in proof.allowed.values()) for proof in proofs
    )
    notes.missing_rows = (notes.missing_rows or 0) + lost
    compared = sum(proof.rows for proof in proofs)
    return f"{compared:,} rows compared: " + (f"{lost} are wrong" if lost else "all there, once")
