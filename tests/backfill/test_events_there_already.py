"""Events that are there before a batch comes to them, and events of others that have their ids."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill.job import Batch
from backfill.jobs import JOBS
from tests.backfill.conftest import EVENT, Sql, load_file, run, write_csv


@pytest.mark.parametrize("there", [0, 1, 2], ids=["the first", "one between", "the last"])
def test_a_batch_of_which_a_row_is_there_writes_the_others(
    migrated: Engine, sql: Sql, tmp_path: Path, there: int
) -> None:
    """Ids are looked up one by one where any event's lies from the batch's lowest to its highest, these included."""
    load_file(migrated, write_csv(tmp_path / "a.csv", [(*EVENT, "1", "")] * 3))
    run(migrated, jobs=JOBS[:1])
    ids = sql("SELECT event_id FROM sidb.backfill_events ORDER BY 1")
    sql(f"DELETE FROM analytics.analytics_events WHERE event_id <> {ids[there][0]}")  # noqa: S608
    sql("UPDATE sidb.backfill_ranges SET done_at = NULL, cursor_cut = NULL, cursor_key = NULL, files = walked")
    batches: list[Batch] = []
    run(migrated, jobs=JOBS[:1], report=lambda _, batch: batches.append(batch))
    assert [(each.read, each.written, each.present) for each in batches] == [(3, 2, 1)]
    assert sql("SELECT event_id FROM analytics.analytics_events ORDER BY 1") == ids


def test_an_event_whose_id_another_one_has_gets_a_new_one_and_is_counted(
    migrated: Engine, sql: Sql, tmp_path: Path
) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", [(*EVENT, "1", "")] * 3))
    sql(
        "INSERT INTO analytics.analytics_events (event_id, event_timestamp, event_type, event_source, event_data)"
        " SELECT max(event_id), max(event_timestamp), 'another', 'web', '{}' FROM sidb.backfill_events"
    )
    done = run(migrated, jobs=JOBS[:1])
    assert (done.ended, done.written, done.refused) == ("done", 3, 0)
    assert sql("SELECT count(*), count(DISTINCT event_id) FROM analytics.analytics_events") == [(4, 4)]
    counted = "SELECT sum(rows_refused), sum(rows_present) FROM sidb.backfill_ranges WHERE job = 'event_history'"
    assert sql(counted) == [(1, 0)]
    assert sql("SELECT count(*) FROM sidb.backfill_set_aside") == [(0,)]
