"""History whose time is over: told, not staged, not moved; what has gone stays gone, and is no fault."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill.bookkeeping import drop_staged
from tests.backfill.conftest import load_file, run, verify, write_csv
from tests.operations.retention.conftest import ACTIVITY, Aged

BEFORE, ON_IT, AFTER = "2017-08-31T23:59:59.999999Z", "2017-09-01T00:00Z", "2017-10-03T12:00Z"
MOVE = "SELECT analytics.move_retention_horizon('analytics_events', '2017-09-01')"
EVENTS = "analytics.analytics_events"


def row(at: str, niche: int = 1, user: str = "u") -> tuple[str, ...]:
    return ("view", "web", at, "{}", user, str(niche), "")


def proved(engine: Engine) -> bool:
    return all(proof.holds for proof in verify(engine))


@pytest.fixture
def database(migrated: Engine) -> Aged:
    return Aged(migrated.url)


def test_lines_before_the_horizon_are_left_out_and_told(migrated: Engine, database: Aged, tmp_path: Path) -> None:
    database.rows(MOVE)
    done = load_file(migrated, write_csv(tmp_path / "old.csv", [row(BEFORE), row(BEFORE), row(ON_IT), row(AFTER)]))
    assert (done.records, done.rejected, done.added, done.expired) == (4, 0, 2, 2)
    run(migrated)
    assert database.count(EVENTS, "event_source = 'web'") == 2
    proofs = verify(migrated)
    assert all(proof.holds for proof in proofs)
    told = [line for proof in proofs for line in proof.told()]
    assert "2 records of its files are left out, or gone: their time is over" in told
    again = load_file(migrated, tmp_path / "old.csv")
    assert (again.already, again.expired) == (True, 2)


def test_without_a_horizon_all_is_loaded(migrated: Engine, database: Aged, tmp_path: Path) -> None:
    database.rows(MOVE.replace("analytics_events", "trend_cache"))
    done = load_file(migrated, write_csv(tmp_path / "old.csv", [row(BEFORE), row(ON_IT)]))
    assert (done.added, done.expired) == (2, 0)


def test_what_is_staged_when_the_horizon_passes_is_not_moved(migrated: Engine, database: Aged, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "old.csv", [row(BEFORE), row(ON_IT), row(AFTER)]))
    database.rows(MOVE)
    run(migrated)
    assert database.count(EVENTS, "event_source = 'web'") == 2
    assert database.count("sidb.backfill_events") == 2
    assert database.rows("SELECT expired FROM sidb.backfill_files") == [(1,)]
    assert proved(migrated)


def test_what_was_moved_and_has_gone_is_no_fault_and_does_not_come_back(
    migrated: Engine, database: Aged, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "old.csv", [row(BEFORE), row(ON_IT), row(AFTER)])
    load_file(migrated, path)
    run(migrated)
    activity = database.rows(ACTIVITY)
    database.rows(MOVE)
    database.rows(
        "DELETE FROM ONLY analytics_partitions.analytics_events_first WHERE event_timestamp < '2017-09-01 00:00+00'"
    )
    assert proved(migrated)
    run(migrated)
    assert proved(migrated)
    assert database.count(EVENTS, "event_source = 'web'") == 2
    assert database.rows(ACTIVITY) == activity


@pytest.mark.parametrize("is_staged", [True, False], ids=["staged", "finished"])
def test_a_file_that_grew_lacks_nothing(migrated: Engine, database: Aged, tmp_path: Path, is_staged: bool) -> None:
    rows = [row(BEFORE), row(ON_IT)]
    load_file(migrated, write_csv(tmp_path / "old.csv", rows))
    run(migrated)
    if not is_staged:
        with migrated.begin() as connection:
            drop_staged(connection)
    database.rows(MOVE)
    done = load_file(migrated, write_csv(tmp_path / "old.csv", [*rows, row(AFTER)]))
    assert (done.added, done.removed, done.expired) == (1, 0, 1)
    run(migrated)
    assert database.count(EVENTS, "event_source = 'web' AND event_timestamp >= '2017-09-01'") == 2


def test_maintain_lets_go_of_what_is_staged(migrated: Engine, aged: Aged, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "old.csv", [row(BEFORE), row("2100-01-01T00:00Z")]))
    aged.keep(analytics_events=24)
    aged.maintain()
    assert aged.rows("SELECT event_timestamp >= '2100-01-01' FROM sidb.backfill_events") == [(True,)]
    assert aged.rows("SELECT expired FROM sidb.backfill_files") == [(1,)]


def test_a_niche_that_was_scored_before_the_horizon_is_not_written_as_of_then(migrated: Engine, database: Aged) -> None:
    old, on_it, none = (row[0] for row in database.rows("SELECT niche_id FROM features ORDER BY niche_id LIMIT 3"))
    for niche, at in ((old, BEFORE), (on_it, ON_IT), (none, None)):
        database.rows("UPDATE features SET updated_at = %s WHERE niche_id = %s", [at, niche])
    database.rows(MOVE)
    database.rows(MOVE.replace("analytics_events", "cross_platform_metrics"))
    run(migrated)
    for table in (EVENTS, "analytics.cross_platform_metrics"):
        there = [database.count(table, f"niche_id = {niche}") for niche in (old, on_it, none)]
        assert there == [0, 1, 1], table
    assert database.count("analytics.ml_features", f"niche_id = {old}") == 1
    assert proved(migrated)
    run(migrated)
    assert database.count(EVENTS, f"niche_id = {old}") == 0, "it does not come back"
