"""The demo's history: generated events, loaded, backfilled and verified as a user would do it."""

import csv
import gzip
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from alembic_online.errors import OnlineError
from sqlalchemy import Engine, func, select

from backfill import bookkeeping, job_status, planning, verification
from backfill.jobs import JOBS
from backfill.loading import load
from backfill.pacing import BatchThrottle
from backfill.progress import Scope
from backfill.runner import Runner
from backfill.source import Source
from models import Feature, HotNicheToday
from operations.health import Health

EVENTS = 40_000
OLDEST_DAYS = 120
DEADLINE_DAYS = 7
HEADER = ("event_type", "event_source", "event_timestamp", "event_data", "niche_id")


def backfill(demo: Engine, say: Callable[[str], None], events: int = EVENTS) -> int:
    """Generate, load, run and verify what is not yet; the number of rows written. Raises OnlineError."""
    bookkeeping.create(demo)
    with demo.connect() as connection:
        if all(each.state == "done" for each in job_status.jobs_status(connection, JOBS)):
            return 0
        scored_at, niches = connection.execute(select(func.max(Feature.updated_at), func.count(Feature.niche_id))).one()
        hot = [niche for niche in connection.scalars(select(HotNicheToday.niche_id).order_by("niche_id")) if niche]
    assert scored_at is not None  # the scorer ran
    with tempfile.TemporaryDirectory(prefix="sidb-demo-") as directory:
        path = Path(directory, "history.csv.gz")
        with gzip.open(path, "wt", newline="") as file:
            csv.writer(file).writerows([HEADER, *_events(scored_at, niches, hot, events)])
        loaded = load(demo, Source(path, path.name))
    say(f"  load    {loaded.records:,} generated events of {OLDEST_DAYS} days")
    with demo.begin() as connection:
        control = planning.begin(connection, JOBS, datetime.now(UTC), scored_at, DEADLINE_DAYS)
    summary = Runner(demo, BatchThrottle(Health(), window=None)).run(Scope(control.as_of))
    say(f"  run     {summary.written:,} rows written: history, scores, trends, hot niches")
    proofs = verification.verify(demo, JOBS, control.as_of)
    wrong = [proof.job for proof in proofs if not proof.holds]
    if wrong:
        raise OnlineError(f"The backfill of the demo is not proved: {', '.join(wrong)}.", "run the demo again.")
    say(f"  verify  {sum(proof.rows for proof in proofs):,} rows compared: all there, once")
    return summary.written


def _events(scored_at: datetime, niches: int, hot: list[int], others: int) -> Iterator[tuple[str, ...]]:
    """The same events for the same niches: the hot ones rise, fall or hold over a month, the others have a few."""
    chance = random.Random(2)  # noqa: S311 - a sample, nothing secret
    today = datetime.combine(scored_at.astimezone(UTC).date(), time.min, UTC)

    def event(niche: int, days_ago: int) -> tuple[str, ...]:
        at = today - timedelta(days=days_ago) + timedelta(seconds=chance.randrange(86_400))
        kind = chance.choice(("view", "view", "search", "like"))
        return kind, "demo", at.isoformat(), json.dumps({"views": chance.randrange(10_000)}), str(niche)

    for number, niche in enumerate(hot):
        slope = (0.12, 0.0, -0.12)[number % 3]
        for days_ago in range(1, 31):
            expected = 9 * (1 + slope * (7 - min(days_ago, 14)))
            for _ in range(max(0, round(expected + chance.uniform(-1, 1)))):
                yield event(niche, days_ago)
    for _ in range(others):
        yield event(chance.randrange(niches) + 1, 1 + int(OLDEST_DAYS * chance.random() ** 2))
