"""Rows that the application holds: they are passed over, and come back."""

from pathlib import Path
from threading import Event, Thread

from sqlalchemy import Engine, text

from backfill.job import Batch, Job
from backfill.jobs import JOBS
from backfill.progress import Scope
from models import HotNicheToday
from tests.backfill.conftest import AS_OF, EVENT, Sql, begin, load_file, verify, worker, write_csv


def test_rows_that_the_application_holds_are_left_and_come_back(migrated: Engine, sql: Sql, history_file: Path) -> None:
    load_file(migrated, history_file)
    begin(migrated)
    batches: list[Batch] = []
    met = Event()

    def report(_job: Job, batch: Batch) -> None:
        batches.append(batch)
        if batch.skipped:
            met.set()

    with migrated.connect() as holder:
        holder.execute(text("UPDATE features SET demand_score = demand_score WHERE niche_id BETWEEN 20 AND 22"))
        thread = Thread(target=worker(migrated, report=report).run, args=(Scope(AS_OF),))
        thread.start()
        assert met.wait(60)
        assert sql("SELECT count(*) FROM features WHERE analytics_version = 1 AND niche_id BETWEEN 20 AND 22") == [(0,)]
        holder.rollback()
        thread.join(60)
    assert not thread.is_alive()
    assert any(batch.read > batch.skipped == 3 for batch in batches)  # passed over, not come upon one by one
    assert all(proof.holds for proof in verify(migrated))


def test_so_are_those_of_today(migrated: Engine, sql: Sql, history_file: Path) -> None:
    load_file(migrated, history_file)
    begin(migrated)
    met = Event()

    def report(job: Job, batch: Batch) -> None:
        if job.source is HotNicheToday and batch.read > batch.skipped == 1:
            met.set()

    with migrated.connect() as holder:
        holder.execute(text("SELECT FROM hot_niches_today ORDER BY niche_id LIMIT 1 FOR UPDATE"))
        thread = Thread(target=worker(migrated, report=report).run, args=(Scope(AS_OF),))
        thread.start()
        assert met.wait(60)
        holder.rollback()
        thread.join(60)
    assert not thread.is_alive()
    assert all(proof.holds for proof in verify(migrated))


def test_a_row_held_against_foreign_keys_is_left_and_comes_back(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", [(*EVENT, str(niche), "") for niche in range(1, 41)]))
    begin(migrated)
    released = Event()

    with migrated.connect() as holder:
        holder.execute(text("SELECT FROM features WHERE niche_id = 20 FOR UPDATE"))

        def report(_job: Job, batch: Batch) -> None:
            if batch.skipped:
                released.set()

        thread = Thread(target=worker(migrated, jobs=JOBS[:1], report=report).run, args=(Scope(AS_OF),))
        thread.start()
        assert released.wait(60)
        holder.rollback()
        thread.join(60)
    assert sql("SELECT count(*) FROM analytics.analytics_events") == [(40,)]
    assert sql("SELECT count(*) FROM sidb.backfill_set_aside") == [(0,)]
