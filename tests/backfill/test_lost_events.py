"""Events that were moved and are gone: nobody drops the last copy of many, and their file brings them back."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.backfill.conftest import Sql, history, load_file, run, verify, write_csv
from tests.backfill.test_console import Console

COUNT = "SELECT count(*), count(DISTINCT event_id) FROM analytics.analytics_events WHERE event_source = 'web'"
DELETE = """
    DELETE FROM analytics.analytics_events
    WHERE event_source = 'web' AND event_id >= (SELECT min(event_id) FROM sidb.backfill_events) + :kept
"""


@pytest.fixture
def path(migrated: Engine, tmp_path: Path) -> Path:
    path = write_csv(tmp_path / "h.csv", history(200, days=2))
    load_file(migrated, path)
    run(migrated)
    return path


def proved(engine: Engine) -> None:
    """Trends follow what was deleted."""
    verify(engine)
    run(engine)
    assert all(proof.holds for proof in verify(engine))


def test_the_last_copy_of_many_events_is_not_dropped(migrated: Engine, sql: Sql, path: Path) -> None:
    sidb = Console(migrated)
    sql(DELETE, kept=0)
    proved(migrated)
    assert "200 rows compared: all there, once, but for 200" in sidb("verify")
    refused = sidb("finish", code=1)
    assert "of 200 staged rows that were moved, 200 are not in analytics.analytics_events any more" in refused
    assert "200 are not in" in sidb("finish", "--accept-deleted", "199", code=1)
    assert "h.csv, or of earlier loads of it, are not in analytics.analytics_events any more" in sidb("load", str(path))
    assert load_file(migrated, path, meant="replace").added == 200
    run(migrated)
    assert sql(COUNT) == [(200, 200)]
    sql(DELETE, kept=199)
    proved(migrated)
    assert "with 200 rows; 199 of them are in analytics.analytics_events; 1 were deleted" in sidb("finish")


def test_after_finish_the_file_brings_its_events_back(migrated: Engine, sql: Sql, path: Path) -> None:
    sql(DELETE, kept=100)
    proved(migrated)
    Console(migrated)("finish", "--accept-deleted", "100")
    assert load_file(migrated, path).lost == 100
    again = load_file(migrated, path, meant="replace")
    assert (again.added, again.removed, again.already) == (100, 0, False)
    run(migrated)
    assert sql(COUNT) == [(200, 200)]
    assert verify(migrated)[0].holds
    assert (load_file(migrated, path, meant="replace").already, load_file(migrated, path).lost) == (True, 0)


def test_what_is_not_moved_yet_is_not_lost(migrated: Engine, sql: Sql, path: Path, tmp_path: Path) -> None:
    more = write_csv(tmp_path / "h.csv", [*history(200, days=2), *history(20, seed=5, days=2)])
    assert load_file(migrated, more).added == 20
    again = load_file(migrated, more)
    assert (again.already, again.lost) == (True, 0)
