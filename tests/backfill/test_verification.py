"""Verification finds every kind of difference, names its keys, and has it repaired by the next run."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill import verification
from tests.backfill.conftest import Sql, history, load_file, run, verify, write_csv

DAMAGE = {
    "an event lost": ("DELETE FROM analytics.analytics_events WHERE event_id = 7", "event_history", [7], []),
    "a scoring lost": (
        "DELETE FROM analytics.analytics_events WHERE event_type = 'niche_scored' AND niche_id = 7",
        "niche_scores",
        [7],
        [7],
    ),
    "a vector lost": ("DELETE FROM analytics.ml_features WHERE niche_id = 7", "niche_scores", [7], [7]),
    "a platform lost": ("DELETE FROM analytics.cross_platform_metrics WHERE niche_id = 7", "niche_scores", [7], [7]),
    "a trend changed": ("UPDATE features SET trend_vector = '[]' WHERE niche_id = 7", "niche_trends", [7], [7]),
    "a trend lost": (
        "UPDATE features SET trend_vector = NULL, last_analyzed_at = NULL WHERE niche_id = 7",
        "niche_trends",
        [7],
        [7],
    ),
    "an event changed": (
        "UPDATE analytics.analytics_events SET user_id = 'x' WHERE event_id = 8",
        "event_history",
        [8],
        [8],
    ),
}


def test_a_difference_is_found_by_its_key(
    migrated: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SMALL", 3)  # so that ranges are halved many times
    load_file(migrated, write_csv(tmp_path / "h.csv", history(500, days=3)))
    run(migrated)
    assert all(proof.holds for proof in verify(migrated))
    assert sql("SELECT count(*) FROM sidb.backfill_jobs WHERE verified_at IS NULL") == [(0,)]
    for damage, (statement, job, missing, extra) in DAMAGE.items():
        sql(statement)
        wrong = {proof.job: proof.differences for proof in verify(migrated) if proof.differences}
        assert [(each.missing, each.extra) for each in wrong[job]] == [(missing, extra)], damage
        run(migrated)
    # All were made good, but for the last: a changed event may be the application's own doing, and stays.
    assert [proof.job for proof in verify(migrated) if not proof.holds] == ["event_history"]


def test_an_event_that_is_there_twice_is_found(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(300, days=3)))
    run(migrated)
    columns = "event_type, event_source, event_timestamp, event_data, user_id, niche_id"
    [(twin,)] = sql(
        f"INSERT INTO analytics.analytics_events ({columns}) SELECT {columns} "  # noqa: S608
        "FROM analytics.analytics_events WHERE event_id = 7 RETURNING event_id"
    )
    [proof] = [proof for proof in verify(migrated) if proof.job == "event_history"]
    assert [(each.missing, each.extra) for each in proof.differences] == [([], [twin])]


def test_what_is_not_done_is_not_proved(migrated: Engine, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(300, days=3)))
    assert [proof.unfinished > 0 for proof in verify(migrated)] == [True, True, True, True]
