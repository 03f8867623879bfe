"""Progress belongs to the table that it describes, whatever is dropped, put aside, brought back or swapped."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic_online import OnlineError
from sqlalchemy import Engine, text

from backfill import finishing, identity, job_status
from backfill.errors import BackfillError
from backfill.formats import lines
from backfill.jobs import EVENT_HISTORY, JOBS
from backfill.source import Source
from tests.backfill.conftest import Sql, begin, history, load_file, run, verify, write_csv
from tests.fixtures.databases import Alembic
from tests.operations.rollback.conftest import bring_back, roll_back

EVENTS = (
    "SELECT count(*), count(DISTINCT (event_id, event_timestamp)) FROM analytics.analytics_events"
    " WHERE event_source = 'web'"
)
LIVE = (
    "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data) "
    "SELECT 'live', 'app', now(), '{}' FROM generate_series(1, 3)"
)
ROWS = 300


@pytest.fixture
def done(migrated: Engine, sql: Sql, tmp_path: Path) -> Engine:
    """A history that is moved and proved; then two of its events are deleted."""
    load_file(migrated, write_csv(tmp_path / "h.csv", history(ROWS, days=3)))
    run(migrated)
    assert all(proof.holds for proof in verify(migrated))
    sql("DELETE FROM analytics.analytics_events WHERE event_id IN (7, 8)")
    assert sql(EVENTS) == [(ROWS - 2, ROWS - 2)]
    migrated.dispose()
    return migrated


def discard(engine: Engine) -> None:
    Alembic(engine.url).downgrade()


def put_aside(engine: Engine) -> None:
    assert roll_back(engine.url, "1.0.0").exit_code == 0


def states(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {each.job: each.state for each in job_status.jobs_status(connection, JOBS)}


@pytest.mark.parametrize("gone", [discard, put_aside])
def test_a_new_table_is_filled_again(done: Engine, sql: Sql, gone: Callable[[Engine], None]) -> None:
    gone(done)
    done.dispose()
    Alembic(done.url).upgrade()
    sql(LIVE)  # takes the first ids of the new table
    assert set(states(done).values()) == {"to be filled anew"}
    with done.connect() as connection, pytest.raises(BackfillError, match=r"event_history \(to be filled anew\)"):
        finishing.finish(connection, JOBS)
    assert [proof.another_table for proof in verify_without_planning(done)] == [["analytics.analytics_events"]]
    sql("DELETE FROM sidb.backfill_pause_orders")  # as `sidb backfill resume` does
    run(done)
    assert sql(EVENTS) == [(ROWS, ROWS)]
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_type = 'live'") == [(3,)]
    assert all(proof.holds for proof in verify(done))
    with done.connect() as connection:
        assert finishing.finish(connection, JOBS).rows == ROWS
    assert sql(EVENTS) == [(ROWS, ROWS)]


def test_what_was_finished_and_then_discarded_can_be_loaded_again(done: Engine, sql: Sql, tmp_path: Path) -> None:
    verify(done)
    run(done)
    assert all(proof.holds for proof in verify(done))
    with done.connect() as connection:
        finishing.finish(connection, JOBS)
    done.dispose()
    discard(done)
    Alembic(done.url).upgrade()
    assert "done" not in states(done).values()
    run(done)
    assert states(done)["event_history"] == "nothing to do"
    loaded = load_file(done, tmp_path / "h.csv")
    assert not loaded.already
    run(done)
    assert sql(EVENTS) == [(ROWS, ROWS)]


def test_nothing_is_planned_for_a_new_table_while_a_restore_may_come(done: Engine, sql: Sql) -> None:
    put_aside(done)
    done.dispose()
    Alembic(done.url).upgrade()
    assert run_paused(done) == 0
    assert set(states(done).values()) == {"to be filled anew"}


@pytest.mark.parametrize("merged", [False, True], ids=["swapped", "merged"])
def test_what_is_restored_brings_its_progress(done: Engine, sql: Sql, merged: bool) -> None:
    put_aside(done)
    done.dispose()
    Alembic(done.url).upgrade()
    if merged:
        sql("SELECT setval('analytics.analytics_events_event_id_seq', 100000)")
        sql(LIVE)
    done.dispose()
    assert bring_back(done.url).exit_code == 0
    sql("DELETE FROM sidb.backfill_pause_orders")
    assert set(states(done).values()) == {"done"}
    assert run(done).written == 0
    assert sql(EVENTS) == [(ROWS - 2, ROWS - 2)], "nothing is filled twice, and what was deleted stays so"
    verify(done)  # the trends of the niches whose events were deleted are walked again
    run(done)
    proofs = verify(done)
    assert [proof for proof in proofs if not proof.holds] == []
    assert proofs[0].allowed["deleted"].keys == [7, 8]
    with done.connect() as connection:
        finishing.finish(connection, JOBS)


def test_what_was_filled_again_is_not_doubled_by_a_restore(done: Engine, sql: Sql) -> None:
    sql("UPDATE analytics.analytics_events SET user_id = 'changed' WHERE event_id = 9")
    put_aside(done)
    done.dispose()
    Alembic(done.url).upgrade()
    sql("DELETE FROM sidb.backfill_pause_orders")
    run(done)
    assert sql(EVENTS) == [(ROWS, ROWS)]
    done.dispose()
    with pytest.raises(OnlineError, match=r"analytics_events: 1 rows whose event_id a newer row has \(9\)"):
        bring_back(done.url)
    # What else was filled again has other ids under the same keys: it is left.
    assert bring_back(done.url, skip=True, renumber=True).exit_code == 0
    assert sql(EVENTS) == [(ROWS + 1, ROWS + 1)], "the one that differs, and no other"
    left = "SELECT rows_left FROM sidb.rollback_archived WHERE relation = 'analytics.analytics_events'"
    assert sql(left) == [(0,)]


def test_what_was_filled_again_under_other_ids_is_not_doubled_by_a_restore(done: Engine, sql: Sql) -> None:
    put_aside(done)
    done.dispose()
    Alembic(done.url).upgrade()
    sql(LIVE)  # takes ids of events that the archive holds, and of the same ones in staging
    sql("DELETE FROM sidb.backfill_pause_orders")
    run(done)
    assert sql(EVENTS) == [(ROWS, ROWS)]
    sql("DELETE FROM analytics.analytics_events WHERE event_type = 'live' AND event_id = 2")
    done.dispose()
    assert bring_back(done.url, skip=True).exit_code == 0
    assert sql(EVENTS) == [(ROWS, ROWS)]
    assert verify(done)[0].allowed.keys() <= {"equal to a staged event"}


def test_what_a_restore_gives_other_ids_is_what_was_staged(done: Engine, sql: Sql) -> None:
    put_aside(done)
    done.dispose()
    Alembic(done.url).upgrade()
    sql(LIVE)
    done.dispose()
    assert bring_back(done.url, renumber=True).exit_code == 0
    assert sql(EVENTS) == [(ROWS - 2, ROWS - 2)]
    sql("DELETE FROM sidb.backfill_pause_orders")
    assert run(done).written == 0
    [events, *_] = verify(done)
    assert events.holds
    assert {what: count.keys for what, count in events.allowed.items()} == {"deleted": [7, 8]}
    gone = "SELECT event_id FROM sidb.backfill_events EXCEPT SELECT event_id FROM analytics.analytics_events"
    assert sorted(sql(gone)) == [(7,), (8,)]


@pytest.mark.parametrize("written_first", [False, True], ids=["", "written to first"])
def test_a_load_that_runs_across_a_downgrade_and_an_upgrade(
    done: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written_first: bool
) -> None:
    """The ids of its first chunk are the old table's, which the new one gives out again."""
    monkeypatch.setattr(lines, "BLOCK", 2**16)
    path = write_csv(tmp_path / "b.csv", history(2_000, seed=9, days=3))
    chunks: list[int] = []

    def between(_source: Source, records: int, _rejected: int) -> None:
        chunks.append(records)
        if len(chunks) == 1:
            discard(done)
            Alembic(done.url).upgrade()
            if written_first:
                sql(LIVE)

    load_file(done, path, report=between, chunk=1)
    assert len(chunks) > 1
    run(done)
    assert sql(EVENTS) == [(2_000 + ROWS, 2_000 + ROWS)]
    assert all(proof.holds for proof in verify(done))
    sql(LIVE)  # gets ids that nobody has
    assert run(done).refused == 0
    assert sql(EVENTS) == [(2_000 + ROWS, 2_000 + ROWS)]


def test_so_does_one_of_a_grown_file(done: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its new lines, some get the ids that its known lines had in this load: they are no less new."""
    monkeypatch.setattr(lines, "BLOCK", 2**14)
    rows = [*history(ROWS, days=3), *history(1_000, seed=9, days=3)]
    path = write_csv(tmp_path / "h.csv", rows)
    first: list[int] = []

    def between(_source: Source, records: int, _rejected: int) -> None:
        if not first:
            first.append(records)
            discard(done)
            Alembic(done.url).upgrade()

    loaded = load_file(done, path, report=between, chunk=1)
    twice = "SELECT count(*) > 0 FROM (SELECT FROM sidb.backfill_events GROUP BY event_id HAVING count(*) > 1) AS t"
    assert 0 < first[0] < ROWS
    assert (loaded.records, loaded.added) == (len(rows), 1_000)
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(len(rows),)]
    assert sql(twice) == [(True,)], "as was to be tried"
    run(done)
    assert sql(EVENTS) == [(len(rows), len(rows))]
    assert verify(done)[0].holds


def test_a_table_that_becomes_a_partition_is_still_the_one_that_was_filled(done: Engine, sql: Sql) -> None:
    sql("ALTER TABLE analytics.analytics_events RENAME TO events_until_now")
    sql(
        "CREATE TABLE analytics.analytics_events (LIKE analytics.events_until_now) PARTITION BY RANGE (event_timestamp)"
    )
    with done.connect() as connection:
        assert "event_history" in identity.another(connection, JOBS)
    sql(
        "ALTER TABLE analytics.analytics_events ATTACH PARTITION analytics.events_until_now "
        "FOR VALUES FROM (MINVALUE) TO (MAXVALUE)"
    )
    with done.connect() as connection:
        assert identity.another(connection, JOBS) == {}
    assert run(done).written == 0
    assert sql(EVENTS) == [(ROWS - 2, ROWS - 2)]
    assert verify(done)[0].holds


def verify_without_planning(engine: Engine) -> list[object]:
    from backfill.verification import verify as prove
    from tests.backfill.conftest import AS_OF

    return list(prove(engine, [EVENT_HISTORY], AS_OF))


def run_paused(engine: Engine) -> int:
    begin(engine)
    with engine.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM sidb.backfill_ranges WHERE done_at IS NULL")) or 0
