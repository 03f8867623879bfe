"""How a source is cut into ranges: a batch each at least, by what is recent, in order."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill import planning, progress
from backfill.jobs import EVENT_HISTORY, NICHE_SCORES
from backfill.progress import RECENT, Scope
from tests.backfill.conftest import AS_OF, Sql, begin, load_file, worker, write_csv

RANGES = "SELECT planned FROM sidb.backfill_ranges WHERE job = 'event_history' ORDER BY lower::bigint"


def days(*rows: int) -> list[tuple[str, ...]]:
    """So many events on each of the last days, the newest last."""
    first = AS_OF - timedelta(days=len(rows))
    return [
        ("view", "web", (first + timedelta(days=day)).isoformat(), "{}", "", "", "")
        for day, count in enumerate(rows)
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("most", "rows", "ranges"),
    [
        (5, (2, 3), [5]),
        (4, (2, 3), [2, 3]),
        (5, (2, 3, 1, 4, 1), [5, 5, 1]),
        (5, (9, 1), [9, 1]),
        (10, (9, 1, 1), [10, 1]),
    ],
)
def test_adjacent_days_are_a_range_up_to_the_rows_of_a_batch(
    most: int,
    rows: tuple[int, ...],
    ranges: list[int],
    migrated: Engine,
    sql: Sql,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "MOST_ROWS", most)
    load_file(migrated, write_csv(tmp_path / "a.csv", days(*rows)))
    begin(migrated)
    assert [planned for (planned,) in sql(RANGES)] == ranges


def test_a_range_is_claimed_when_it_is_ready(migrated: Engine, sql: Sql) -> None:
    """Rows that the application holds are left alone for a while."""
    begin(migrated)
    for ready_at, is_claimed in (("now() + interval '1 hour'", False), ("now()", True)):
        sql(f"UPDATE sidb.backfill_ranges SET ready_at = {ready_at}")  # noqa: S608
        with migrated.connect() as connection:
            assert (progress.claim(connection, NICHE_SCORES, Scope(AS_OF)) is not None) == is_claimed


def test_what_is_recent_and_what_is_not_are_no_range_together(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """An event exactly as old as the last 90 days is recent; one before it is not, though the next range."""
    first = AS_OF - RECENT
    times = (first - timedelta(days=1), first - timedelta(microseconds=1), first)
    rows = [("view", "web", at.isoformat(), "{}", "", "", "") for at in times]
    load_file(migrated, write_csv(tmp_path / "a.csv", rows))
    begin(migrated)
    assert sql(RANGES) == [(2,), (1,)]
    worker(migrated, jobs=[EVENT_HISTORY]).run(Scope(AS_OF, recent=True))
    moved = "SELECT event_timestamp FROM analytics.analytics_events ORDER BY 1"
    assert [at for (at,) in sql(moved)] == list(times[2:])
    worker(migrated, jobs=[EVENT_HISTORY]).run(Scope(AS_OF, recent=False))
    assert [at for (at,) in sql(moved)] == list(times)
