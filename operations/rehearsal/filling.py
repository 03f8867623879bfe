"""The tasks that bring history in and prove it: load, backfill, what Phase 2 computes itself, verification."""

import time
from datetime import UTC, datetime
from typing import Any

from alembic_online.errors import OnlineError
from sqlalchemy import func, select, text

from backfill import planning, verification
from backfill.job import Batch
from backfill.jobs import JOBS
from backfill.pacing import BatchThrottle
from backfill.progress import Scope
from backfill.runner import Runner
from models import AnalyticsEvent
from operations import maintenance
from operations.health import Health, throttle
from operations.monitor.thresholds import FIRST_ROWS
from operations.rehearsal import volume
from operations.rehearsal.context import Backfilled, Context, Growth
from operations.reporting.collecting import pauses
from operations.settings import BackfillSettings

SIGN_OF_LIFE = 5.0
"""Seconds between two lines about a batch."""


def load(context: Context) -> str:
    """The history into staging."""
    events = context.parameters.events
    volume.stage_history(context.engine, events, lambda done: context.say(f"  {done:,} of {events:,} events staged"))
    return f"{events:,} generated events of {volume.DAYS} days"


def backfill(context: Context) -> str:
    """All jobs, off-peak or not, while the nightly scorer runs."""
    context.traffic.score()
    context.notes.backfilled = done = _backfill(context)
    context.traffic.wait_for_scorer()
    return f"{done.rows:,} rows, {done.events_per_second:,.0f} events a second"


def _backfill(context: Context) -> Backfilled:
    settings = BackfillSettings.from_environment()
    as_of = _begin(context, datetime.now(UTC))
    began = {job.name: 0.0 for job in JOBS}
    ended, read, since = dict(began), dict.fromkeys(began, 0), time.monotonic()
    every = max(1, context.parameters.events // 10)
    said = since

    def report(job: Any, batch: Batch) -> None:
        nonlocal said
        now = time.monotonic()
        began[job.name] = began[job.name] or now - batch.seconds
        ended[job.name] = now
        before, read[job.name] = read[job.name], read[job.name] + batch.read
        if now - said > SIGN_OF_LIFE:
            said = now
            context.say(f"  {job.name}: {read[job.name]:,} rows")
        if job.name == JOBS[0].name and before // every != read[job.name] // every:
            context.notes.growth.append(_grown(context))

    summary = Runner(context.engine, _brake(context), report=report).run(Scope(as_of))
    if summary.refused:
        raise OnlineError(f"{summary.refused:,} rows were set aside.", "see sidb.backfill_set_aside.")
    seconds = time.monotonic() - since
    history = JOBS[0].name
    rate = read[history] / (ended[history] - began[history]) if read[history] else 0.0
    others = seconds - (ended[history] - began[history])
    slower = context.parameters.share / settings.share
    return Backfilled(
        rows=summary.written,
        seconds=round(seconds, 2),
        events=read[history],
        events_per_second=round(rate, 1),
        pauses=pauses(context.engine),
        share=settings.share,
        needed_hours=round((FIRST_ROWS / rate + others) * slower / 3600, 2) if rate else 0.0,
        window_hours=round(settings.window.hours() * settings.days, 1),
        deadline_days=settings.days,
    )


def _begin(context: Context, as_of: datetime | None) -> datetime:
    """Cut what there is to do; gives the backfill's "now"."""
    days = BackfillSettings.from_environment().days
    with context.engine.begin() as connection:
        return planning.begin(connection, JOBS, datetime.now(UTC), as_of, days).as_of


def catch_up(context: Context) -> datetime:
    """Backfill what has come since; gives the backfill's "now"."""
    as_of = _begin(context, None)
    Runner(context.engine, _brake(context)).run(Scope(as_of))
    return as_of


def _brake(context: Context) -> BatchThrottle:
    return BatchThrottle(Health(beside_application=context.parameters.share), window=None)


def _grown(context: Context) -> Growth:
    size = text(
        "SELECT sum(pg_total_relation_size(t.relid))::bigint FROM pg_partition_tree('analytics.analytics_events') AS t"
    )
    with context.engine.connect() as connection:
        events = connection.scalar(select(func.count()).select_from(AnalyticsEvent))
        return Growth(int(events or 0), int(connection.scalar(size) or 0))


def fill(context: Context) -> str:
    """What Phase 2's application computes, and the upkeep that cron runs."""
    rows = volume.fill_contents(context.engine)
    maintenance.run(context.place.owner)
    return f"{rows:,} recommendations, insights, correlations and metrics; views refreshed"


def prove(context: Context) -> str:
    """Every row of history is there, once. The seeder rests, so that its newest niches are in too."""
    notes = context.notes
    context.traffic.seeder(on=False)
    as_of = catch_up(context)
    proofs = verification.verify(
        context.engine, JOBS, as_of, throttle=lambda each: throttle(each, context.parameters.share)
    )
    context.traffic.seeder(on=True)
    for proof in proofs:
        for each in proof.differences:
            notes.missing.append(f"{proof.job}: missing {each.missing}, extra {each.extra}")
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
