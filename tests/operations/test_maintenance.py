"""Upkeep as cron runs it: by a role that is only a member of analytics_writer, at any time, on any database."""

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL, Engine, NullPool, create_engine, text

from operations import maintenance, output, partitions
from operations.embedded import Server
from operations.maintenance import DRAIN, EXPIRE, MONTHS, REFRESH, Maintenance, Outcome, run, show
from tests.fixtures import programs
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.server import throwaway_server
from tests.operations.verify.conftest import plant

WORK = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'test', now(), '{}', 1 + mod(n, 3) FROM generate_series(1, 30) AS n;
    UPDATE public.features SET trend_vector = '[]' WHERE niche_id = 1;
    INSERT INTO analytics.trend_cache (trend_type, trend_source, trend_data, parameters, created_at, valid_until)
    SELECT 'chart', 'test', '{}', jsonb_build_object('n', n), now() - interval '2 days', now() - n * interval '1 minute'
    FROM generate_series(-5, 25) AS n WHERE n <> 0
"""
EVENTS, EXPIRED, CURRENT = 30, 25, 5

# Notes down every deletion that commits: how many entries, in which transaction.
WATCH = """
    CREATE TABLE public.deletions (entries bigint, xact xid8);
    CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO public.deletions SELECT count(*), pg_current_xact_id() FROM gone;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER DELETE ON analytics.trend_cache REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION public.note()
"""


@pytest.fixture(scope="module")
def roles(server: Server) -> Iterator[None]:
    superuser = create_engine(server.url("postgres"), poolclass=NullPool)
    with superuser.begin() as connection:
        connection.execute(text("CREATE ROLE maintenance_test_cron LOGIN; CREATE ROLE maintenance_test_outsider LOGIN"))
    yield
    with superuser.begin() as connection:
        connection.execute(text("DROP ROLE maintenance_test_cron, maintenance_test_outsider"))


@pytest.fixture
def cron(migrated: Engine, roles: None) -> URL:
    """A migrated database with work to do, as the role that maintains it reaches it."""
    plant(migrated.url, "GRANT analytics_writer TO maintenance_test_cron")
    with migrated.begin() as connection:
        connection.exec_driver_sql(WORK)
    return migrated.url.set(username="maintenance_test_cron")


def outcomes(result: Maintenance) -> dict[str, tuple[Outcome, int]]:
    return {task.task: (task.outcome, task.amount) for task in result.tasks}


def count(database: Engine, table: str) -> int:
    with database.connect() as connection:
        number: int = connection.scalars(text(f"SELECT count(*) FROM {table}")).one()  # noqa: S608 - a name from below
        return number


def test_a_member_of_analytics_writer_does_it_all(migrated: Engine, cron: URL) -> None:
    deltas = count(migrated, "analytics.niche_daily_activity_delta")
    assert deltas == EVENTS
    result = run(cron)
    assert outcomes(result) == {
        DRAIN: (Outcome.DONE, deltas),
        REFRESH: (Outcome.DONE, 1),
        EXPIRE: (Outcome.DONE, EXPIRED),
        MONTHS: (Outcome.DONE, 0),
    }
    assert result.tasks[1].detail == "trending_niches"
    assert count(migrated, "analytics.niche_daily_activity_delta") == 0
    assert count(migrated, "analytics.niche_daily_activity_summary") == 3
    assert count(migrated, "analytics.trending_niches") == 1
    assert count(migrated, "analytics.trend_cache") == CURRENT

    again = run(cron)
    assert outcomes(again) == dict.fromkeys((DRAIN, REFRESH, EXPIRE, MONTHS), (Outcome.DONE, 0))


def test_a_batch_is_a_transaction_of_so_many_rows_at_most(
    migrated: Engine, cron: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 10)
    with migrated.begin() as connection:
        connection.exec_driver_sql(WATCH)
    assert outcomes(run(cron))[EXPIRE] == (Outcome.DONE, EXPIRED)
    with migrated.connect() as connection:
        batches = connection.execute(text("SELECT entries, xact::text FROM deletions WHERE entries > 0 ORDER BY xact"))
        rows = batches.all()
    assert [entries for entries, _ in rows] == [10, 10, 5]
    assert len({xact for _, xact in rows}) == 3


def test_entries_of_one_expiry_may_be_more_than_a_batch(
    migrated: Engine, cron: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 3)
    with migrated.begin() as connection:
        connection.execute(text("UPDATE analytics.trend_cache SET valid_until = now() WHERE valid_until < now()"))
    assert outcomes(run(cron))[EXPIRE] == (Outcome.DONE, EXPIRED)
    assert count(migrated, "analytics.trend_cache") == CURRENT


@pytest.mark.parametrize(
    ("holding", "left", "amount"),
    [
        ("SELECT FROM analytics.trend_cache WHERE parameters IN ('{\"n\": 7}', '{\"n\": 8}') FOR UPDATE", EXPIRE, 23),
        ("LOCK TABLE analytics.trend_cache IN ACCESS EXCLUSIVE MODE", EXPIRE, 0),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.trending_niches", REFRESH, 0),
        ("LOCK TABLE analytics.stale_views IN ACCESS EXCLUSIVE MODE", REFRESH, 0),
        ("SELECT pg_advisory_xact_lock(hashtextextended('analytics.niche_daily_activity', 0))", DRAIN, 0),
        ("LOCK TABLE analytics.niche_daily_activity_delta IN ACCESS EXCLUSIVE MODE", DRAIN, 0),
    ],
)
def test_what_another_session_holds_is_left_and_the_rest_done(
    migrated: Engine, cron: URL, holding: str, left: str, amount: int, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = {DRAIN: EVENTS, REFRESH: 1, EXPIRE: EXPIRED, MONTHS: 0}
    with migrated.connect() as other:
        other.exec_driver_sql(holding)
        done = run(cron)
    result = outcomes(done)
    show(done, output.console())
    assert "\nNext: the next sidb maintain does what was postponed" in capsys.readouterr().out
    assert result.pop(left) == (Outcome.POSTPONED, amount)
    assert result == {task: (Outcome.DONE, done) for task, done in everything.items() if task != left}

    assert outcomes(run(cron))[left] == (Outcome.DONE, everything[left] - amount)
    assert count(migrated, "analytics.trend_cache") == CURRENT


@pytest.mark.parametrize("error", ["deadlock_detected", "lock_not_available"])
def test_what_was_done_before_another_session_was_in_the_way_is_told(
    migrated: Engine, cron: URL, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    """It meets the last batch, and is no failure."""
    monkeypatch.setattr(maintenance, "BATCH", 10)
    plant(
        migrated.url,
        f"CREATE FUNCTION public.meet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE {error}; END';"
        " CREATE TRIGGER meet BEFORE DELETE ON analytics.trend_cache FOR EACH ROW"
        " WHEN (OLD.parameters = '{\"n\": 1}') EXECUTE FUNCTION public.meet()",
    )
    assert outcomes(run(cron))[EXPIRE] == (Outcome.POSTPONED, 20)
    assert count(migrated, "analytics.trend_cache") == CURRENT + 5


def test_several_at_once_share_the_work(migrated: Engine, cron: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 50)
    with migrated.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO analytics.trend_cache"
            " (trend_type, trend_source, trend_data, parameters, created_at, valid_until)"
            " SELECT 'chart', 'many', '{}', jsonb_build_object('n', n), now() - interval '2 days',"
            " now() - interval '1 day' FROM generate_series(1, 2000) AS n"
        )
    with ThreadPoolExecutor(4) as pool:
        results = [each.result() for each in [pool.submit(run, cron) for _ in range(4)]]
    done = {name: sum(outcomes(each)[name][1] for each in results) for name in (DRAIN, REFRESH, EXPIRE)}
    assert done == {DRAIN: EVENTS, REFRESH: 1, EXPIRE: EXPIRED + 2000}
    assert count(migrated, "analytics.trend_cache") == CURRENT


@pytest.mark.parametrize(("revision", "absent"), [(None, 4), ("1.0.0", 4), ("2.0.0", 4), ("2.0.1", 3), ("2.0.5", 3)])
def test_a_database_that_is_not_or_partly_migrated(clone: Clone, revision: str | None, absent: int) -> None:
    url = clone("empty")
    if revision:
        Alembic(url).upgrade(revision)
    result = run(url)
    there = {task.task for task in result.tasks if task.outcome is Outcome.DONE}
    assert there == ({EXPIRE} if absent == 3 else set())
    assert [task.outcome for task in result.tasks].count(Outcome.ABSENT) == absent
    assert result.tasks[0].detail == "comes with revision 2.0.6"


MISSING = """
    DO $$
    DECLARE
        month regclass;
    BEGIN
        -- As if the last run had been so long ago that only the first month behind the bound was made.
        FOR month IN
            SELECT t.relid FROM pg_partition_tree('analytics.analytics_events') AS t
            WHERE t.relid::text ~ '_\\d{4}_\\d{2}$' ORDER BY t.relid::text OFFSET 1
        LOOP
            EXECUTE format('DROP TABLE %s', month);
        END LOOP;
    END
    $$;
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'test', date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + n, '{}', 1
    FROM unnest(ARRAY['3 months', '3 months 5 days', '100 years']::interval []) AS n;
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data)
    VALUES ('view', 'test', 'infinity', '{}')
"""
IN_DEFAULT = "analytics_partitions.analytics_events_default"


@pytest.fixture
def overdue(migrated: Engine) -> Engine:
    """A month is missing ahead, of which DEFAULT holds two rows, and two that belong to none."""
    with migrated.begin() as connection:
        connection.exec_driver_sql(MISSING, execution_options={"no_parameters": True})
    assert count(migrated, IN_DEFAULT) == 4
    return migrated


def test_months_ahead_are_made_with_what_default_holds_for_them(overdue: Engine) -> None:
    counted = count(overdue, "analytics.niche_daily_activity")
    result = run(overdue.url)
    [made] = [task for task in result.tasks if task.task == MONTHS]
    assert (made.outcome, made.amount) == (Outcome.DONE, 1)
    assert made.detail.endswith("; 2 rows moved there")
    assert count(overdue, IN_DEFAULT) == 2
    month = f"analytics_partitions.analytics_events_{made.detail[:7].replace('-', '_')}"
    assert count(overdue, month) == 2
    assert count(overdue, "analytics.niche_daily_activity") == counted
    Alembic(overdue.url).check()
    assert outcomes(run(overdue.url))[MONTHS] == (Outcome.DONE, 0)


def test_a_month_waits_for_nobody(overdue: Engine) -> None:
    with overdue.connect() as other:
        other.exec_driver_sql("INSERT INTO public.features (phrase) VALUES ('held')")
        [left] = [task for task in run(overdue.url).tasks if task.task == MONTHS]
    assert (left.outcome, left.amount) == (Outcome.POSTPONED, 0)
    assert re.search(r": locked by pid \d+ on public\.features \(", left.detail)
    assert outcomes(run(overdue.url))[MONTHS] == (Outcome.DONE, 1)


def test_too_many_rows_of_a_month_stay(overdue: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run would leave them, too: it fails, and says what moves them."""
    monkeypatch.setattr(partitions, "MOST_ROWS", 1)
    result = run(overdue.url)
    [left] = [task for task in result.tasks if task.task == MONTHS]
    assert (left.outcome, left.amount, result.exit_code) == (Outcome.FAILED, 0, 1)
    assert left.detail.endswith("Next: in a quiet hour, sidb maintain --move-all")
    assert outcomes(run(overdue.url, move_all=True))[MONTHS] == (Outcome.DONE, 1)


def test_who_does_not_own_the_events_makes_no_month(overdue: Engine, cron: URL) -> None:
    [left] = [task for task in run(cron).tasks if task.task == MONTHS]
    assert left.outcome is Outcome.POSTPONED
    assert left.detail.endswith("is missing: sidb maintain, as the owner of analytics_events")


def test_who_may_not_is_told_what_is_missing(migrated: Engine, cron: URL) -> None:
    with pytest.raises(OnlineError) as caught:
        run(cron.set(username="maintenance_test_outsider"))
    assert "permission denied" in caught.value.what
    assert caught.value.next_step == "as an administrator: GRANT analytics_writer TO maintenance_test_outsider."


def test_on_a_standby_there_is_nothing_to_do(pg_bin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with throwaway_server(pg_bin) as server:
        server.stop()
        (server.data / "standby.signal").touch()
        server.start()
        result = run(server.url("postgres"))
    assert result.standby
    assert result.tasks == []
    show(result, output.console())
    assert capsys.readouterr().out.startswith("There is nothing to do on a standby")


def test_the_command(cron: URL, clone: Clone) -> None:
    def sidb(url: URL, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return programs.run("sidb", "maintain", *arguments, env={"DATABASE_URL": conninfo(url)})

    as_json = sidb(cron, "--json")
    assert (as_json.returncode, as_json.stderr) == (0, "")
    tasks = json.loads(as_json.stdout)["tasks"]
    assert [(task["outcome"], task["amount"]) for task in tasks] == [
        ("done", EVENTS),
        ("done", 1),
        ("done", EXPIRED),
        ("done", 0),
    ]

    for_people = sidb(clone("empty"))
    assert (for_people.returncode, for_people.stderr) == (0, "")
    assert [line.split("  ")[0] for line in for_people.stdout.splitlines()[2:]] == [DRAIN, REFRESH, EXPIRE, MONTHS]

    assert sidb(cron, "--batch", "0").returncode == 2
