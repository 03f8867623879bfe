"""The work of a batch and of a proof grows with their rows, whatever the planner knows of the tables: nothing here was
ever analysed, as after a load that autovacuum has not come to yet."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from backfill import verification
from backfill.batch_size import BatchSize
from backfill.jobs import EVENT_HISTORY, NICHE_SCORES
from tests.backfill.conftest import AS_OF, Sql, history, load_file, run, write_csv

JOBS = EVENT_HISTORY, NICHE_SCORES
NICHES, EVENTS = 3_000, 3_000
ROWS = 300
"""Of a batch."""
MOST = 100
"""Times that each row may be touched, by all the nodes of a plan."""


class Work:
    """Rows that the plans of each statement touched, looked up and joined away again."""

    def __init__(self) -> None:
        self.most = 0
        self.plan: Any = None

    def explain(self, cursor: Any, statement: str, parameters: Any) -> None:
        session = cursor.connection
        session.execute("SAVEPOINT explained")
        explained = session.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters)
        [plan] = explained.fetchone()[0]
        session.execute("ROLLBACK TO explained")
        if (rows := _rows(plan["Plan"])) > self.most:
            self.most, self.plan = rows, plan


def _rows(node: dict[str, Any]) -> int:
    removed = sum(value for name, value in node.items() if name.startswith("Rows Removed"))
    here = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return int(here) + sum(_rows(each) for each in node.get("Plans", ()))


@contextmanager
def worked(engine: Engine) -> Iterator[Work]:
    """What the statements of the block do to rows; each is run twice, and taken back once."""
    work = Work()

    def before(_c: Connection, cursor: Any, statement: str, parameters: Any, _x: Any, _many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")) and "set_config" not in statement:
            work.explain(cursor, statement, parameters)

    event.listen(engine, "before_cursor_execute", before)
    try:
        yield work
    finally:
        event.remove(engine, "before_cursor_execute", before)


@pytest.fixture
def loaded(migrated: Engine, sql: Sql, tmp_path: Path) -> Engine:
    """Niches, and a history that is loaded."""
    sql(
        "INSERT INTO features (phrase, demand_score, monetise_score, supply_score) "
        "SELECT 'niche no. ' || n, 0.5, 0.5, 0.5 FROM generate_series(1, :niches) AS n",
        niches=NICHES,
    )
    load_file(migrated, write_csv(tmp_path / "h.csv", history(EVENTS)))
    return migrated


def test_a_batch_and_a_proof_touch_each_row_a_few_times(loaded: Engine) -> None:
    with worked(loaded) as batches:
        run(loaded, jobs=JOBS, pace=BatchSize(most=ROWS))
    assert ROWS < batches.most < MOST * ROWS, json.dumps(batches.plan, indent=1)
    with worked(loaded) as proof:
        assert all(each.holds for each in verification.verify(loaded, JOBS, AS_OF))
    assert NICHES < proof.most < MOST * (NICHES + EVENTS), json.dumps(proof.plan, indent=1)
