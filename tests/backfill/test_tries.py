"""How often a batch, and a row, is tried before it is halved, or set aside."""

from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, event

from backfill import planning
from backfill.batch_size import BatchSize
from backfill.job import Batch, Job
from backfill.jobs import JOBS
from backfill.progress import ATTEMPTS
from tests.backfill.conftest import EVENT, Sql, load_file, run, verify, write_csv


@pytest.mark.parametrize(
    ("rows", "failures", "read", "refused"),
    [(64, 2, [0, 0, 64], 0), (64, 3, [0, 0, 0, 32, 16, 8, 4, 2, 1, 1], 0), (1, 2, [0, 0, 1], 0), (1, 3, [0, 0, 1], 1)],
    ids=["all again", "half", "a row again", "a row aside"],
)
def test_a_batch_is_tried_three_times_then_halved(
    migrated: Engine, sql: Sql, tmp_path: Path, rows: int, failures: int, read: list[int], refused: int
) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", [(*EVENT, "1", "")] * rows))
    sql("CREATE SEQUENCE public.tries; GRANT USAGE ON SEQUENCE public.tries TO PUBLIC")
    sql(
        "CREATE FUNCTION public.fail_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF nextval('public.tries') <= {failures} THEN RAISE 'not yet'; END IF; RETURN NULL; END $$"
    )
    sql(
        "CREATE TRIGGER first BEFORE INSERT ON analytics.analytics_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION public.fail_first()"
    )
    batches: list[Batch] = []
    done = run(migrated, jobs=JOBS[:1], pace=BatchSize(most=rows), report=lambda _, batch: batches.append(batch))
    assert done.refused == refused
    assert [batch.read for batch in batches[: len(read)]] == read
    assert verify(migrated)[0].set_aside == refused


def test_a_row_that_is_deleted_before_it_is_set_aside(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """By an erasure, or where the application deletes a niche: there is nothing to set aside."""
    load_file(migrated, write_csv(tmp_path / "a.csv", [(*EVENT, "1", "")]))
    sql("ALTER TABLE analytics.analytics_events ADD CONSTRAINT never CHECK (event_type <> 'view') NOT VALID")
    failures: list[object] = []

    def delete(context: object) -> None:
        failures.append(context)
        if len(failures) == ATTEMPTS:
            sql("DELETE FROM sidb.backfill_events")

    event.listen(migrated, "handle_error", delete)
    try:
        done = run(migrated, jobs=JOBS[:1], pace=BatchSize(most=1))
    finally:
        event.remove(migrated, "handle_error", delete)
    assert len(failures) == ATTEMPTS
    assert (done.ended, done.refused) == ("done", 0)
    assert sql("SELECT count(*) FROM sidb.backfill_set_aside") == [(0,)]


def test_a_row_that_is_refused_again_is_set_aside_again(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """One retry is one more try of it, and the rest of its range is not walked for ever."""
    load_file(migrated, write_csv(tmp_path / "a.csv", [(*EVENT, "1", "")]))
    sql("ALTER TABLE analytics.analytics_events ADD CONSTRAINT never CHECK (event_type <> 'view') NOT VALID")
    stop, batches = Event(), list[Batch]()

    def report(_job: Job, batch: Batch) -> None:
        batches.append(batch)
        if len(batches) == 100:
            stop.set()

    for _ in range(2):
        done = run(migrated, jobs=JOBS[:1], stop=stop, report=report)
        assert (done.ended, done.refused) == ("done", 1)
        assert sql("SELECT again FROM sidb.backfill_set_aside") == [(False,)]
        with migrated.begin() as connection:
            assert planning.retry(connection, JOBS) == 1
        assert sql("SELECT again FROM sidb.backfill_set_aside") == [(True,)]
