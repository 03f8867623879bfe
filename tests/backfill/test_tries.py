"""How often a batch, and a row, is tried before it is halved, or set aside."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill.job import Batch
from backfill.jobs import JOBS
from backfill.pacing import Pace
from tests.backfill.conftest import Sql, load_file, run, verify, write_csv

EVENT = ("view", "web", "2025-05-01T00:00Z", "{}", "")


@pytest.mark.parametrize(
    ("rows", "failures", "read", "refused"),
    [(64, 2, [0, 0, 64], 0), (64, 3, [0, 0, 0, 32], 0), (1, 2, [0, 0, 1], 0), (1, 3, [0, 0, 1], 1)],
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
    done = run(migrated, jobs=JOBS[:1], pace=Pace(most=rows), report=lambda _, batch: batches.append(batch))
    assert done.refused == refused
    assert [batch.read for batch in batches[: len(read)]] == read
    assert verify(migrated)[0].set_aside == refused
