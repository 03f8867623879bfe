"""Rows that were to be tried again and are gone meanwhile, or filled: no pass is walked for them for ever."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, text

from backfill import planning
from backfill.job import Batch, Job
from backfill.jobs import EVENT_HISTORY, JOBS, NICHE_SCORES
from backfill.progress import Scope
from models import HotNicheToday
from tests.backfill.conftest import AS_OF, EVENT, Sql, begin, load_file, run, verify, worker, write_csv
from tests.fixtures.databases import Clone

ASIDE = "SELECT count(*) FROM sidb.backfill_set_aside"
MOST = 200
"""Batches after which it would go on for ever."""


def until_done(engine: Engine, jobs: tuple[Job, ...] = JOBS) -> str:
    """How it ended: "done", or "asked" where it was stopped as it went on for ever."""
    stop, batches = Event(), list[Batch]()

    def report(_job: Job, batch: Batch) -> None:
        batches.append(batch)
        if len(batches) == MOST:
            stop.set()

    return run(engine, jobs=jobs, stop=stop, report=report).ended


def test_a_row_set_aside_that_is_deleted_before_it_is_tried_again(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    sql("INSERT INTO features (phrase, opportunity) VALUES ('doomed', 0)")
    rows = [(*EVENT, "", "doomed"), (*EVENT, "1", ""), (*EVENT, "2", "")]
    load_file(migrated, write_csv(tmp_path / "a.csv", rows))
    sql("DELETE FROM features WHERE phrase = 'doomed'")
    assert run(migrated, jobs=(EVENT_HISTORY,)).refused == 1
    sql("DELETE FROM sidb.backfill_events WHERE niche_id NOT IN (1, 2)")
    with migrated.begin() as connection:
        assert planning.retry(connection, JOBS) == 1
    assert until_done(migrated) == "done"
    assert sql(ASIDE) == [(0,)]
    assert all(proof.holds for proof in verify(migrated))


def test_a_row_that_is_still_there_is_tried_again(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", [(*EVENT, "1", ""), (*EVENT, "2", "")]))
    sql("ALTER TABLE analytics.analytics_events ADD CONSTRAINT never CHECK (niche_id <> 2) NOT VALID")
    assert run(migrated, jobs=(EVENT_HISTORY,)).refused == 1
    with migrated.begin() as connection:
        planning.retry(connection, JOBS)
    assert until_done(migrated, (EVENT_HISTORY,)) == "done"
    assert sql(ASIDE) == [(1,)]


def test_a_niche_that_the_application_holds_and_then_deletes(migrated: Engine, sql: Sql) -> None:
    sql("INSERT INTO features (niche_id, phrase, opportunity) VALUES (7777, 'doomed', 0)")
    begin(migrated)
    left, done = Event(), list[str]()

    def report(job: Job, _batch: Batch) -> None:
        if job is NICHE_SCORES and sql(ASIDE) == [(1,)]:
            left.set()

    stop = Event()
    runner = worker(migrated, jobs=(NICHE_SCORES,), stop=stop, report=report)
    with migrated.connect() as holder:
        holder.execute(text("DELETE FROM features WHERE niche_id = 7777"))
        thread = Thread(target=lambda: done.append(runner.run(Scope(AS_OF)).ended))
        thread.start()
        assert left.wait(60)
        holder.commit()
        thread.join(30)
    stop.set()
    thread.join()
    assert done == ["done"]
    assert sql(ASIDE) == [(0,)]


def test_a_materialized_view_that_could_not_be_refreshed_at_first(clone: Clone, connect: Callable[..., Engine]) -> None:
    engine = connect(clone("migrated_matview"))
    begin(engine)
    hot = tuple(job for job in JOBS if job.source is HotNicheToday)
    left, stop, done = Event(), Event(), list[str]()

    def count() -> int:
        with engine.connect() as connection:
            return int(connection.scalar(text(ASIDE)) or 0)

    def report(_job: Job, batch: Batch) -> None:
        if batch.skipped:
            left.set()

    runner = worker(engine, jobs=hot, stop=stop, report=report)
    with engine.connect() as holder:
        holder.execute(text("REFRESH MATERIALIZED VIEW CONCURRENTLY hot_niches_today"))
        thread = Thread(target=lambda: done.append(runner.run(Scope(AS_OF)).ended))
        thread.start()
        assert left.wait(60)
        assert count() > 0
        holder.rollback()
        thread.join(30)
    stop.set()
    thread.join()
    assert done == ["done"]
    assert count() == 0


@pytest.mark.parametrize("niche", [-1, -10_000, -10_001])
def test_a_niche_with_a_negative_number_is_walked(niche: int, migrated: Engine, sql: Sql) -> None:
    sql(f"INSERT INTO features (niche_id, phrase, opportunity) VALUES ({niche}, 'unknown', 0)")  # noqa: S608
    assert until_done(migrated) == "done"
    assert sql(f"SELECT analytics_version FROM features WHERE niche_id = {niche}") == [(1,)]  # noqa: S608
    assert all(proof.holds and not proof.unfinished for proof in verify(migrated))
