"""Volume: a Phase 1 and a history like production's, generated inside the database by set-based SQL.

The statements are in ``queries/rehearsal``. All of it is the same at every run but for the time of day.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

import psycopg
from alembic_online.sessions import driver
from sqlalchemy import Engine, inspect, text

from backfill import bookkeeping
from models import Feature
from operations import phase1
from operations.phase1 import Shape
from operations.queries import query

DAYS = 365
"""How far the generated history goes back: the plan's 90 recent days, and older ones for the daily jobs."""
CHUNK = 250_000
CONTENTS = ("correlations", "platform_metrics", "recommendations", "insights")
"""What the Phase 2 application itself computes, a query each; no history brings it."""

Progress = Callable[[int], None]


def build_phase1(engine: Engine, shape: Shape, niches: int) -> bool:
    """Create and fill Phase 1 where it is missing; False where the database brings its own, which is taken as it is."""
    with engine.begin() as connection:
        if inspect(connection).has_table(Feature.__tablename__):
            return False
        phase1.create(connection, shape)
        phase1.sample(connection, niches)
        phase1.refresh(connection, shape)
    _vacuum(engine, "public.features")
    return True


def shape_of(engine: Engine) -> Shape:
    """Which of its two shapes ``hot_niches_today`` has."""
    kind = text("SELECT relkind FROM pg_class WHERE oid = to_regclass('public.hot_niches_today')")
    with engine.connect() as connection:
        return Shape.MATVIEW if connection.scalar(kind) == "m" else Shape.TABLE


def stage_history(engine: Engine, events: int, progress: Progress) -> None:
    """Put so many events where `sidb backfill load` puts those of a file; each chunk commits, and `progress` hears.

    They end with yesterday: today's events are the live traffic's.
    """
    bookkeeping.create(engine)
    until = datetime.combine(datetime.now(UTC).date(), time.min, UTC)
    with engine.connect() as opened:
        connection = driver(opened)
        for first in range(1, events + 1, CHUNK):
            last = min(first + CHUNK - 1, events)
            with connection.transaction():
                parameters = {"first": first, "last": last, "total": events, "days": DAYS, "until": until}
                connection.execute(query("rehearsal/history"), {**parameters, "niches": _rank(connection)})
                if last == events:
                    named = {"digest": f"generated {events} until {until:%Y-%m-%d}", "records": events}
                    connection.execute(query("rehearsal/staged_file"), named)
            progress(last)
    _vacuum(engine, "sidb.backfill_events")


def fill_contents(engine: Engine) -> int:
    """Write what Phase 2 computes about the niches; the number of rows."""
    with engine.connect() as opened:
        connection = driver(opened)
        with connection.transaction():
            niches = {"niches": _rank(connection)}
            return sum(connection.execute(query(f"rehearsal/{name}"), niches).rowcount for name in CONTENTS)


def _vacuum(engine: Engine, table: str) -> None:
    """What autovacuum would have done to a table that is not new."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM (ANALYZE) {table}"))


def _rank(connection: psycopg.Connection[Any]) -> int:
    """Rank the niches for the rest of the transaction; how many there are."""
    connection.execute(query("rehearsal/rank_niches"))
    row = connection.execute("SELECT count(*) FROM ranked_niches").fetchone()
    assert row is not None
    return int(row[0])
