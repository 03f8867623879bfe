"""Verification finds every kind of difference and names its keys; what others have rightly done it tells apart."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backfill import planning, verification
from backfill.jobs import EVENT_HISTORY, JOBS
from backfill.queries import query
from tests.backfill.conftest import AS_OF, Sql, begin, history, load_file, run, verify, write_csv
from tests.fixtures.databases import Alembic
from tests.fixtures.ended import counted, once
from tests.fixtures.revisions import HEAD

EVENTS = "SELECT count(*) FROM analytics.analytics_events WHERE event_type <> 'niche_scored'"

DAMAGE = {
    "a trend changed": "UPDATE features SET trend_vector = '[]' WHERE niche_id = 7",
    "a trend lost": "UPDATE features SET trend_vector = NULL, last_analyzed_at = NULL WHERE niche_id = 7",
}

THEIRS = {
    "an event deleted": ("DELETE FROM analytics.analytics_events WHERE event_id = 7", "event_history", "deleted", [7]),
    "an event changed": (
        "UPDATE analytics.analytics_events SET user_id = 'x' WHERE event_id = 8",
        "event_history",
        "changed",
        [8],
    ),
    "a scoring deleted": (
        "DELETE FROM analytics.analytics_events WHERE event_type = 'niche_scored' AND niche_id = 7",
        "niche_scores",
        "deleted",
        [7],
    ),
    "a vector deleted": ("DELETE FROM analytics.ml_features WHERE niche_id = 7", "niche_scores", "deleted", [7, 7]),
    "a platform deleted": (
        "DELETE FROM analytics.cross_platform_metrics WHERE niche_id = 7",
        "niche_scores",
        "deleted",
        [7, 7, 7],
    ),
}


def test_a_difference_is_found_by_its_key_and_made_good(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(500, days=3)))
    run(migrated)
    assert all(proof.holds for proof in verify(migrated))
    assert sql("SELECT count(*) FROM sidb.backfill_jobs WHERE verified_at IS NULL") == [(0,)]
    for damage, statement in DAMAGE.items():
        sql(statement)
        wrong = {proof.job: proof.differences for proof in verify(migrated) if proof.differences}
        assert [(each.missing, each.extra) for each in wrong["niche_trends"]] == [([7], [7])], damage
        run(migrated)
        assert [proof.job for proof in verify(migrated) if not proof.holds] == []


def test_a_single_event_that_came_since_is_not_proved(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(500, days=3)))
    run(migrated)
    assert verification.verify(migrated, [EVENT_HISTORY], AS_OF)[0].holds
    load_file(migrated, write_csv(tmp_path / "one.csv", [("view", "web", "2025-05-31T00:00Z", "{}", "", "1", "")]))
    [proof] = verification.verify(migrated, [EVENT_HISTORY], AS_OF)  # before anything planned it
    assert not proof.holds
    assert proof.unfinished == 1


def test_an_event_at_midnight_is_of_one_day(
    migrated: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MOST_ROWS", 1)  # each day a range
    days = [("view", "web", f"2025-05-{day}T00:00:00Z", "{}", "", "1", "") for day in range(10, 20)]
    load_file(migrated, write_csv(tmp_path / "h.csv", days))
    assert run(migrated, jobs=[EVENT_HISTORY]).read == len(days)
    [proof] = verification.verify(migrated, [EVENT_HISTORY], AS_OF)
    assert (proof.rows, proof.holds) == (len(days), True)
    assert sql("SELECT count(*) FROM sidb.backfill_ranges WHERE job = 'event_history'") == [(len(days),)]


def test_what_others_delete_or_change_stays_so_and_is_counted(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(500, days=3)))
    run(migrated)
    for what, (statement, job, kind, keys) in THEIRS.items():
        sql(statement)
        [(before,)] = sql("SELECT count(*) FROM analytics.analytics_events")
        [proof] = [proof for proof in verify(migrated) if proof.job == job]
        assert proof.holds, what
        assert (proof.allowed[kind].rows, proof.allowed[kind].keys) == (len(keys), keys), what
        run(migrated)
        assert sql("SELECT count(*) FROM analytics.analytics_events") == [(before,)], what
    assert sql("SELECT user_id FROM analytics.analytics_events WHERE event_id = 8") == [("x",)]


@pytest.mark.parametrize("when", ["done", "under way"])
def test_what_was_deleted_does_not_come_back_with_a_further_file(
    migrated: Engine, sql: Sql, tmp_path: Path, when: str
) -> None:
    from tests.backfill.conftest import Scope, slowly, worker

    load_file(migrated, write_csv(tmp_path / "a.csv", history(300, days=2)))
    if when == "done":
        run(migrated)
    else:
        begin(migrated)
        worker(migrated, pace=slowly(), jobs=JOBS[:1]).run(Scope(AS_OF), share=100)
    [(moved,)] = sql(EVENTS)
    assert (
        sql("DELETE FROM analytics.analytics_events WHERE event_type <> 'niche_scored' RETURNING 1") == [(1,)] * moved
    )
    load_file(migrated, write_csv(tmp_path / "b.csv", history(40, days=2, seed=7)))
    run(migrated)
    assert sql(EVENTS) == [(340 - moved,)]
    [proof] = [proof for proof in verify(migrated) if proof.job == "event_history"]
    assert (proof.holds, proof.rows, proof.allowed["deleted"].rows) == (True, 340, moved)


def test_an_event_of_others_that_equals_a_staged_one_is_said_and_no_fault(
    migrated: Engine, sql: Sql, tmp_path: Path
) -> None:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(300, days=3)))
    run(migrated)
    columns = "event_type, event_source, event_timestamp, event_data, user_id, niche_id"
    [(twin,)] = sql(
        f"INSERT INTO analytics.analytics_events ({columns}) SELECT {columns} "  # noqa: S608
        "FROM analytics.analytics_events WHERE event_id = 7 RETURNING event_id"
    )
    [proof] = [proof for proof in verify(migrated) if proof.job == "event_history"]
    assert proof.holds
    assert proof.allowed["equal to a staged event"].keys == [twin]


def test_two_scorings_of_a_niche_in_the_history_are_said_and_no_fault(migrated: Engine, tmp_path: Path) -> None:
    scoring = ("niche_scored", "phase1", "2025-05-30T00:00Z", '{"demand_score": 0.5}', "", "3", "")
    load_file(migrated, write_csv(tmp_path / "h.csv", [scoring, (*scoring[:2], "2025-05-31T00:00Z", *scoring[3:])]))
    run(migrated)
    [proof] = [proof for proof in verify(migrated) if proof.job == "niche_scores"]
    assert proof.holds
    assert proof.allowed["another Phase 1 scoring of the niche"].keys == [3]


def test_what_is_not_done_is_not_proved(migrated: Engine, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(300, days=3)))
    assert [proof.unfinished > 0 for proof in verify(migrated)] == [True, True, True, True]


@pytest.mark.parametrize("days", [3, 900], ids=["days that are known", "days that are not"])
def test_what_was_loaded_after_the_ranges_were_cut_is_not_proved(migrated: Engine, tmp_path: Path, days: int) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(300, days=3)))
    run(migrated)
    assert all(proof.holds for proof in verify(migrated))
    load_file(migrated, write_csv(tmp_path / "b.csv", history(30, days=days, seed=2)))
    [proof] = verification.verify(migrated, [EVENT_HISTORY], AS_OF)
    assert not proof.holds
    assert proof.unfinished == 1


SHORTEN = """
    CREATE FUNCTION public.shorten() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF TG_WHEN = 'BEFORE' THEN NEW.user_id := left(NEW.user_id, 1); END IF; RETURN NEW; END $$
"""
TRIGGER = "CREATE TRIGGER shorten {} ON {} FOR EACH {} EXECUTE FUNCTION public.shorten()"
EVENTS_TABLE, FIRST = "analytics.analytics_events", "analytics_partitions.analytics_events_first"


@pytest.mark.parametrize("meanwhile", [False, True], ids=["there before", "created meanwhile"])
@pytest.mark.parametrize("table", [EVENTS_TABLE, FIRST])
def test_a_trigger_that_changes_events_is_no_success(
    table: str, meanwhile: bool, migrated: Engine, sql: Sql, tmp_path: Path
) -> None:
    """Wherever it is, and also where it comes between the look at the triggers and the batch."""
    sql(SHORTEN)
    event = ("view", "web", "2025-05-01T00:00Z", "{}")
    load_file(migrated, write_csv(tmp_path / "a.csv", [(*event, "someone", "1", ""), (*event, "u", "1", "")]))
    create = partial(sql, TRIGGER.format("BEFORE INSERT", table, "ROW"))
    if meanwhile:
        counted(lambda: run(migrated), once("INSERT INTO analytics.analytics_events", create))
        assert sql("SELECT rows_refused FROM sidb.backfill_ranges WHERE job = 'event_history'") == [(1,)]
    else:
        create()
        assert run(migrated).refused == 1
    assert sql(EVENTS) == [(1,)]
    assert sql("SELECT error FROM sidb.backfill_set_aside") == [
        ("the table does not hold it as it was written: a trigger changes rows on insert",)
    ]
    sql(f"DROP TRIGGER shorten ON {table}")
    with migrated.begin() as connection:
        assert planning.retry(connection, JOBS) == 1
    run(migrated)
    assert sql(EVENTS) == [(2,)]
    assert all(proof.holds for proof in verify(migrated))


@pytest.mark.parametrize("revision", ["2.0.7", HEAD])
def test_which_triggers_may_change_events(revision: str, migrated: Engine, sql: Sql) -> None:
    Alembic(migrated.url).downgrade(revision)

    def may() -> bool:
        with migrated.begin() as connection:
            return bool(connection.scalar(query("may_change_events")))

    sql(SHORTEN)
    assert not may()
    for when, each in (("AFTER INSERT", "ROW"), ("BEFORE INSERT", "STATEMENT"), ("BEFORE UPDATE", "ROW")):
        sql(TRIGGER.format(when, EVENTS_TABLE, each))
        assert not may(), (when, each)
        sql(f"DROP TRIGGER shorten ON {EVENTS_TABLE}")
    for table in (EVENTS_TABLE,) if revision == "2.0.7" else (EVENTS_TABLE, FIRST):
        sql(TRIGGER.format("BEFORE INSERT", table, "ROW"))
        assert may(), table
        sql(f"ALTER TABLE {table} DISABLE TRIGGER shorten")
        assert not may(), table
        sql(f"ALTER TABLE {table} ENABLE REPLICA TRIGGER shorten")
        assert may(), table
        sql(f"DROP TRIGGER shorten ON {table}")


@pytest.mark.parametrize("revision", ["2.0.7", HEAD])
def test_events_whose_keys_others_have_get_new_ones(revision: str, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """Where events are one table event_id alone is the key, where they are by month it is so with event_timestamp."""
    Alembic(migrated.url).downgrade(revision)
    load_file(migrated, write_csv(tmp_path / "a.csv", history(60, days=2)))
    sql(
        "INSERT INTO analytics.analytics_events (event_id, event_type, event_source, event_timestamp, event_data) "
        "SELECT event_id, 'live', 'app', event_timestamp + interval '1 hour' * (event_id - 5), '{}' "
        "FROM sidb.backfill_events WHERE event_id IN (5, 6)"
    )
    run(migrated)
    assert sql(EVENTS) == [(62,)]
    for key, there in ((5, ["live"]), (6, ["live"] if revision == "2.0.7" else ["live", "other"])):
        found = sql("SELECT event_type FROM analytics.analytics_events WHERE event_id = :key", key=key)
        assert sorted("live" if kind == "live" else "other" for (kind,) in found) == there
    assert sql("SELECT count(*) FROM sidb.backfill_set_aside") == [(0,)]
    assert all(proof.holds for proof in verify(migrated))


def test_a_snapshot_in_which_staging_stays(migrated: Engine) -> None:
    """Whoever drops it while it is being proved waits, and does not pull it from under the proof."""
    begin(migrated)
    with migrated.connect() as connection:
        verification.prove_all(connection, JOBS, AS_OF, lambda *_: None)
        with migrated.connect() as other, other.begin():
            other.execute(text("LOCK TABLE sidb.backfill_events IN ACCESS EXCLUSIVE MODE NOWAIT"))
