"""How a source is cut into ranges: a batch each at least, by what is recent, in order."""

from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine

from backfill import planning, progress
from backfill.jobs import EVENT_HISTORY, NICHE_SCORES
from backfill.progress import RECENT, Scope
from tests.backfill.conftest import AS_OF, Sql, begin, load_file, verify, worker, write_csv
from tests.engine.conftest import until

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


def test_a_file_that_comes_while_a_worker_finishes_its_day_is_walked(
    migrated: Engine, sql: Sql, tmp_path: Path
) -> None:
    """Planned by what the worker has committed, not by what stood there before."""
    load_file(migrated, write_csv(tmp_path / "a.csv", days(2)))
    begin(migrated)
    with migrated.connect() as working:
        with working.begin():
            claimed = progress.claim(working, EVENT_HISTORY, Scope(AS_OF))
            assert claimed is not None
            batch = EVENT_HISTORY.batch(working, claimed, AS_OF, 10)
            load_file(migrated, write_csv(tmp_path / "b.csv", [("search", *row[1:]) for row in days(3)]))
            planner = Thread(target=begin, args=(migrated,))
            planner.start()
            waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
            until(lambda: sql(waits) == [(True,)], "the planner waits for the worker")
            progress.record(working, claimed, batch)
        planner.join(30)
    assert sql("SELECT done_at IS NULL, files, waiting FROM sidb.backfill_ranges WHERE job = 'event_history'") == [
        (True, [2], None)
    ]
    worker(migrated, jobs=[EVENT_HISTORY]).run(Scope(AS_OF))
    assert sql("SELECT count(*) FROM analytics.analytics_events") == [(5,)]
    assert verify(migrated)[0].holds


def test_a_file_that_was_left_waiting_on_a_day_that_is_done_is_walked(
    migrated: Engine, sql: Sql, tmp_path: Path
) -> None:
    """As an earlier version could leave it."""
    load_file(migrated, write_csv(tmp_path / "a.csv", days(2)))
    begin(migrated)
    worker(migrated, jobs=[EVENT_HISTORY]).run(Scope(AS_OF))
    load_file(migrated, write_csv(tmp_path / "b.csv", [("search", *row[1:]) for row in days(3)]))
    sql("UPDATE sidb.backfill_ranges SET waiting = '{2}' WHERE job = 'event_history'")
    begin(migrated)
    worker(migrated, jobs=[EVENT_HISTORY]).run(Scope(AS_OF))
    assert sql("SELECT walked, waiting FROM sidb.backfill_ranges WHERE job = 'event_history'") == [([1, 2], None)]
    assert verify(migrated)[0].holds
