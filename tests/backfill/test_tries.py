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


@pytest.mark.parametrize("refused", ["09:00", "10:00"], ids=["the later", "the earlier"])
def test_a_row_that_is_set_aside_hides_no_other_of_its_id(
    migrated: Engine, sql: Sql, tmp_path: Path, refused: str
) -> None:
    """Two rows may have one id: of a load during which the event table was replaced, whose ids began anew."""
    rows = [("view", "web", f"2025-05-01T{hour}Z", "{}", "", "1", "") for hour in ("09:00", "10:00", "11:00")]
    load_file(migrated, write_csv(tmp_path / "a.csv", rows))
    sql("UPDATE sidb.backfill_events SET event_id = 1 WHERE event_timestamp < '2025-05-01 10:30Z'")
    at = f"TIMESTAMPTZ '2025-05-01 {refused}Z'"
    sql(f"ALTER TABLE analytics.analytics_events ADD CONSTRAINT never CHECK (event_timestamp <> {at}) NOT VALID")
    assert run(migrated, jobs=JOBS[:1]).refused == 1
    assert sql("SELECT count(*) FROM analytics.analytics_events") == [(2,)]
    [(aside,)] = sql(f"SELECT event_id FROM sidb.backfill_events WHERE event_timestamp = {at}")  # noqa: S608
    assert sql("SELECT key FROM sidb.backfill_set_aside") == [(aside,)] != [(1,)]
    proof, *_ = verify(migrated)
    assert (proof.rows, proof.set_aside, proof.unfinished, proof.differences) == (2, 1, 0, [])

    sql("ALTER TABLE analytics.analytics_events DROP CONSTRAINT never")
    with migrated.begin() as connection:
        assert planning.retry(connection, JOBS) == 1
    run(migrated, jobs=JOBS[:1])
    proof, *_ = verify(migrated)
    assert (proof.rows, proof.holds, proof.allowed) == (3, True, {})
