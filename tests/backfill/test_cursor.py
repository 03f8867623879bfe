"""The cursor of a pass: rows of one instant over many batches, and a pass that does not come any further."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from backfill import progress
from backfill.batch_size import BatchSize
from backfill.errors import BackfillError
from backfill.job import Batch, Job
from backfill.jobs import EVENT_HISTORY, NICHE_TRENDS
from backfill.progress import Scope
from backfill.tables import Range
from tests.backfill.conftest import AS_OF, EVENT, Sql, begin, load_file, run, verify, worker, write_csv

MOVED = "SELECT count(*) FROM analytics.analytics_events WHERE event_type = 'view'"


@pytest.mark.parametrize("most", [1, 7, 50])
def test_events_of_one_instant_over_many_batches(most: int, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """Each is read once, and those just before and after them as well."""
    times = ("2025-05-01T00:00:00.000001Z", "2025-05-01T00:00Z", "2025-04-30T23:59:59.999999Z")
    rows = [(*EVENT[:2], at, *EVENT[3:], "1", "") for at in times for _ in range(60)]
    load_file(migrated, write_csv(tmp_path / "a.csv", rows))
    batches: list[Batch] = []
    done = run(migrated, jobs=[EVENT_HISTORY], pace=BatchSize(most=most), report=lambda _, each: batches.append(each))
    assert (done.read, done.written) == (180, 180)
    assert all(each.present == 0 for each in batches)
    assert len(batches) >= 180 // most
    places = [(each.position, each.key) for each in batches if each.key is not None]
    assert len(set(places)) == len(places)
    assert sql(MOVED) == [(180,)]
    assert verify(migrated)[0].holds


def stand_still(job: Job, claimed: Range, as_of: Any, count: int, *columns: Any) -> Any:
    """As if the rows at the cursor were beyond it."""
    passed = Range(**{column.key: getattr(claimed, column.key) for column in Range.__table__.columns})
    if claimed.cursor_key is not None:
        passed.cursor_key = claimed.cursor_key + 1
    return read(job, passed, as_of, count, *columns)


read = Job.next_rows


def for_a_while(engine: Engine, job: Job) -> None:
    """Batches of a row; ten of them, or it would never end."""
    batches: list[Batch] = []

    def report(_job: Job, batch: Batch) -> None:
        batches.append(batch)
        if len(batches) == 10:
            runner.stop.set()

    runner = worker(engine, jobs=[job], pace=BatchSize(most=1), report=report)
    runner.run(Scope(AS_OF))


def test_a_pass_that_comes_no_further_is_an_error_and_not_endless(
    migrated: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", [(*EVENT, "1", "")] * 6))
    begin(migrated)
    monkeypatch.setattr(Job, "next_rows", stand_still)
    with pytest.raises(BackfillError, match=r"event_history read row \d+ at 2025-05-01 .* twice in one pass") as said:
        for_a_while(migrated, EVENT_HISTORY)
    assert "report it" in said.value.next_step
    assert sql(MOVED) == [(1,)], "the batch that came no further was rolled back"
    monkeypatch.undo()
    assert run(migrated, jobs=[EVENT_HISTORY]).read == 5
    assert sql(MOVED) == [(6,)]


def test_so_is_one_of_a_single_column(migrated: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(migrated)
    monkeypatch.setattr(Job, "next_rows", stand_still)
    with pytest.raises(BackfillError, match="niche_trends read row 200 at 200 twice in one pass"):
        for_a_while(migrated, NICHE_TRENDS)


@pytest.mark.parametrize("passed_over", [lambda *row: progress.set_aside(*row, 200, "refused"), progress.leave])
def test_so_is_one_that_passes_over_a_row_twice(passed_over: Callable[..., None], migrated: Engine) -> None:
    begin(migrated)
    for at, is_refused in ((("200", 200), True), (("200", 199), False), (("199", 200), False), ((None, None), False)):
        with migrated.connect() as connection:
            claimed = progress.claim(connection, NICHE_TRENDS, Scope(AS_OF))
            assert claimed is not None
            claimed.cursor_cut, claimed.cursor_key = at
            with pytest.raises(BackfillError, match="twice in one pass") if is_refused else nullcontext():
                passed_over(connection, claimed, "200", 200)
