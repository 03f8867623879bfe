"""What the tests of the backfill share: a history in a file, a database to load it into, and a worker."""

import csv
import gzip
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from backfill import planning, verification
from backfill.batch_size import BatchSize
from backfill.bookkeeping import create
from backfill.jobs import JOBS
from backfill.loading import Loaded, load
from backfill.pacing import BatchThrottle, Trouble
from backfill.progress import Scope
from backfill.runner import Runner, Summary
from backfill.source import Source
from backfill.tables import Control
from backfill.verification import Proof
from backfill.windows import Window

AS_OF = datetime(2025, 6, 1, tzinfo=UTC)
HEADER = ("event_type", "event_source", "event_timestamp", "event_data", "user_id", "niche_id", "phrase")
EVENT = ("view", "web", "2025-05-01T00:00Z", "{}", "")
"""One without a niche: niche_id and phrase come after it."""


class Well:
    """Nothing speaks against going on."""

    def trouble(self, _connection: Connection, _tables: Sequence[str]) -> Trouble | None:
        return None

    def share(self, _connection: Connection) -> float:
        return 1.0


def history(rows: int, seed: int = 1, days: int = 30, niches: int = 200) -> Iterator[tuple[str, ...]]:
    """Events before AS_OF, in no order of time; each tenth twice, equal in everything, each seventh by phrase."""
    chance = random.Random(seed)  # noqa: S311
    row: tuple[str, ...] = ()
    for number in range(rows):
        if number % 10 != 1:
            at = AS_OF - timedelta(seconds=chance.randrange(days * 86_400))
            data = json.dumps({"views": chance.randrange(10**6), "title": 'naïve, "quoted"\n😀'})
            niche = (
                ("", f"new niche {chance.randrange(50)}")
                if number % 7 == 0
                else (str(chance.randrange(niches) + 1), "")
            )
            user = f"u{chance.randrange(99)}" if number % 3 else ""
            row = (chance.choice(("view", "search", "like")), "web", at.isoformat(), data, user, *niche)
        yield row


def write_csv(path: Path, rows: Iterable[tuple[str, ...]], width: int = len(HEADER), **form: Any) -> Path:
    """The first so many columns; the last is the phrase."""
    with gzip.open(path, "wt", newline="") if path.suffix == ".gz" else path.open("w", newline="") as file:
        csv.writer(file, **form).writerows(row[:width] for row in (HEADER, *rows))
    return path


def load_file(engine: Engine, path: Path, **options: Any) -> Loaded:
    return load(engine, Source(path, path.name), **options)


def begin(engine: Engine, as_of: datetime | None = AS_OF, days: int = 7) -> Control:
    create(engine)
    with engine.begin() as connection:
        return planning.begin(connection, JOBS, datetime.now(UTC), as_of, days)


def worker(engine: Engine, **options: Any) -> Runner:
    return Runner(engine, BatchThrottle(Well(), None, again=0.05), **options)


def run(engine: Engine, **options: Any) -> Summary:
    """All that is left, of all jobs."""
    control = begin(engine, options.pop("as_of", AS_OF))
    return worker(engine, **options).run(Scope(control.as_of))


def verify(engine: Engine) -> list[Proof]:
    return verification.verify(engine, JOBS, begin(engine).as_of)


def slowly() -> BatchSize:
    """Small batches, so that there are many."""
    return BatchSize(most=50)


def day_begins_now(window: Window) -> Window:
    """A window to which nothing was done today."""

    class Begun(Window):
        def day(self, _now: datetime) -> datetime:
            return datetime.now(UTC)

    return Begun(window.start, window.end, window.zone)


FINAL = text("""
SELECT json_build_object(
    'events', (SELECT json_build_array(count(*), sum(hashtextextended(concat_ws('|', e.event_type, e.event_source,
        extract(epoch FROM e.event_timestamp), e.event_data, e.user_id, f.phrase), 0)))
        FROM analytics.analytics_events AS e LEFT JOIN features AS f USING (niche_id)),
    'features', (SELECT json_build_array(count(*), sum(hashtextextended(concat_ws('|', phrase, trend_vector,
        last_analyzed_at, analytics_version), 0))) FROM features),
    'charts', (SELECT json_build_array(count(*), sum(hashtextextended(concat_ws('|', f.phrase, t.trend_data), 0)))
        FROM analytics.trend_cache AS t JOIN features AS f USING (niche_id)),
    'vectors', (SELECT json_build_array(count(*), sum(hashtextextended(concat_ws('|', f.phrase, v.vector), 0)))
        FROM analytics.ml_features AS v JOIN features AS f USING (niche_id)),
    'metrics', (SELECT json_build_array(count(*), sum(hashtextextended(concat_ws('|', f.phrase, m.demand_score), 0)))
        FROM analytics.cross_platform_metrics AS m JOIN features AS f USING (niche_id)),
    'hot', (SELECT json_build_array(count(*), sum(hashtextextended(concat_ws('|', phrase, trend_direction,
        trend_confidence, days_trending), 0))) FROM hot_niches_today)
)""")


def final(engine: Engine) -> dict[str, Any]:
    """The final tables as numbers of rows and hashes that know neither order nor keys given by sequences."""
    # The niches that a load creates carry the time of their creation into their scoring: taken out.
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL timezone = 'UTC'"))
        connection.execute(
            text(
                "UPDATE analytics.analytics_events SET event_timestamp = '2000-01-01Z' "
                "WHERE event_type = 'niche_scored' AND (event_data ->> 'demand_score')::numeric = 0"
            )
        )
        found: dict[str, Any] = connection.scalar(FINAL)
        return found


@pytest.fixture
def history_file(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "history.csv", history(3_000))


@pytest.fixture(scope="session")
def undisturbed() -> dict[str, Any]:
    """Where tests of one session leave what an undisturbed run gives, by name."""
    return {}


Sql = Callable[..., Any]


@pytest.fixture
def sql(migrated: Engine) -> Sql:
    """``sql("SELECT …")`` gives the rows, or None where there are none to give."""

    def execute(statement: str, **parameters: Any) -> Any:
        with migrated.begin() as connection:
            result = connection.execute(text(statement), parameters)
            return result.all() if result.returns_rows else None

    return execute
