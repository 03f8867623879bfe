"""Killed at any moment, a rollback is finished by the next one, or given up with access as it was."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import URL, NullPool, create_engine

from operations.phase1 import Shape
from operations.rollback import archives
from operations.rollback.records import PHASES, reading
from tests.engine.conftest import catalog, current
from tests.fixtures.databases import Alembic
from tests.fixtures.ended import counted, killed, moments, stopped, that_differ
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import (
    ROWS,
    Copies,
    abort,
    bring_back,
    execute,
    privileges,
    roll_back,
    rows,
    verdicts,
)

TARGET = "2.0.1"  # so that some tables move, and some stay and get their privileges back
FEW = 7  # every so many moments that differ, unless all are wanted


def filled(copies: Copies, shape: Shape) -> URL:
    return copies(f"filled_{shape}", f"migrated_{shape}", lambda url: execute(url, ROWS))


def test_killed_at_a_statement(copies: Copies, shape: Shape, every_kill: bool) -> None:
    url = filled(copies, shape)
    before = privileges(url)
    kills = that_differ(moments(url, partial(roll_back, url, TARGET)))
    expected, kept = catalog(url), archive(url)
    remaining = privileges(url)
    assert remaining == {name: before[name] for name in remaining}
    phases = set()
    for place, at in enumerate(kills if every_kill else kills[list(Shape).index(shape) * FEW // 2 :: FEW]):
        url = filled(copies, shape)
        killed(partial(roll_back, url, TARGET), at)
        with reading(url) as records:
            pending = records.pending()
        phases.add(pending and pending.phase)
        if pending is not None and (place % 2 or every_kill):
            aborted = abort(url)
            assert verdicts(aborted) == {"backfill": "ok", "access opened": "ok", "given up": "ok"}, (
                f"before statement {at}"
            )
            left = privileges(url)
            assert left == {name: before[name] for name in left}, f"before statement {at}"
            assert execute(url, "SELECT count(*) FROM pg_trigger WHERE tgname ~ '^sidb'") == [(0,)]
            if current(url) == TARGET:
                continue
        found = roll_back(url, TARGET)
        assert found.exit_code == 0, (at, [each for each in found.findings if each.verdict == "failed"])
        assert catalog(url) == expected, f"before statement {at}"
        assert privileges(url) == remaining, f"before statement {at}"
        if pending is None or not place % 2:
            assert archive(url) == kept, f"before statement {at}"
    if every_kill:
        assert phases - {None} == set(PHASES) - {"done"}


def archive(url: URL) -> dict[str, Any]:
    """The tables of all archives, with their rows."""
    named = "SELECT schemaname, quote_ident(tablename) FROM pg_tables WHERE schemaname ~ '^sidb_archive' ORDER BY 2"
    return {
        table: execute(url, f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {schema}.{table} AS t")  # noqa: S608
        for schema, table in execute(url, named)
    }


def test_upgraded_after_an_abort(copies: Copies) -> None:
    """Half of the tables moved, then given up: the next upgrade finds nothing in its way."""
    url = filled(copies, Shape.TABLE)
    complete = catalog(url)

    stopped(partial(roll_back, url, TARGET), "SET SCHEMA.*cross_platform_metrics|cross_platform_metrics.*SET SCHEMA")
    assert current(url) == "2.0.2"
    said = abort(url).next_step
    assert said.startswith("`sidb upgrade`, then `sidb restore 1`, which brings back ")
    assert "analytics.insight_registry" in said
    assert f"; until then the database is whole at 2.0.2, not at {HEAD} as before: applications that use what" in said
    Alembic(url).upgrade()
    assert catalog(url) == complete


def test_given_up_where_a_part_of_a_step_is_undone(copies: Copies) -> None:
    """Some of its indexes are gone, which no upgrade would make again: the step is undone whole."""
    url = filled(copies, Shape.TABLE)
    complete, before = catalog(url), rows(create_engine(url, poolclass=NullPool))
    dropped = "DROP INDEX CONCURRENTLY"
    numbers: list[int] = []
    counted(partial(roll_back, url, TARGET), lambda number, text: numbers.append(number) if dropped in text else None)
    url = filled(copies, Shape.TABLE)
    killed(partial(roll_back, url, TARGET), numbers[3])
    assert current(url) == "2.0.5"
    found = abort(url)
    assert (found.exit_code, current(url)) == (0, "2.0.4")
    assert "the database is whole at 2.0.4" in found.next_step
    Alembic(url).upgrade()
    assert catalog(url) == complete
    assert rows(create_engine(url, poolclass=NullPool)) == before


@pytest.mark.parametrize("occupied", [False, True], ids=["exchanged", "merged"])
def test_a_restore_that_is_killed(copies: Copies, occupied: bool, every_kill: bool) -> None:
    """Run again, it ends with every row once, whether tables were exchanged or their rows merged."""
    hashes: list[str] = []

    def prepare(url: URL) -> None:
        execute(url, ROWS)
        engine = create_engine(url, poolclass=NullPool)
        hashes.extend(rows(engine))
        roll_back(url, "1.0.0")
        Alembic(url).upgrade()
        if occupied:  # rows whose keys are free
            execute(url, OCCUPIED)

    def restored() -> URL:
        return copies(f"rolled_back_{occupied}", "migrated_table", prepare)

    url = restored()
    kills = that_differ(moments(url, partial(bring_back, url)))
    complete = catalog(url)
    for at in kills if every_kill else kills[3::FEW]:
        url = restored()
        killed(partial(bring_back, url), at)
        found = bring_back(url) if not finished(url) else None
        assert found is None or found.exit_code == 0, (at, [e for e in found.findings if e.verdict == "failed"])
        if occupied:
            execute(url, "DELETE FROM analytics.analytics_events WHERE event_type = 'occupied'")
        engine = create_engine(url, poolclass=NullPool)
        assert rows(engine) == hashes, f"before statement {at}"
        assert catalog(url) == complete, f"before statement {at}"


OCCUPIED = """
    SELECT setval('analytics.analytics_events_event_id_seq', 10000);
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    VALUES ('occupied', 'test', now(), '{}', 3);
"""


def finished(url: URL) -> bool:
    return {line.state for line in archives.archives(url).tables} == {"restored"}
