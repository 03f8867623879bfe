"""Upkeep as cron runs it: by a role that is only a member of analytics_writer, at any time, on any database."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL, Engine, NullPool, create_engine, text

from operations import report
from operations.embedded import Server
from operations.maintenance import DRAIN, EXPIRE, REFRESH, Maintenance, Outcome, run, show
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.server import throwaway_server
from tests.operations.verify.conftest import plant

SIDB = Path(sys.executable).parent / "sidb"

WORK = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'test', now(), '{}', 1 + mod(n, 3) FROM generate_series(1, 30) AS n;
    UPDATE public.features SET trend_vector = '[]' WHERE niche_id = 1;
    INSERT INTO analytics.trend_cache (trend_type, trend_source, trend_data, parameters, created_at, valid_until)
    SELECT 'chart', 'test', '{}', jsonb_build_object('n', n), now() - interval '2 days', now() - n * interval '1 minute'
    FROM generate_series(-5, 25) AS n WHERE n <> 0
"""
EXPIRED, CURRENT = 25, 5

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
    assert deltas == 3
    result = run(cron, batch=10_000)
    assert outcomes(result) == {
        DRAIN: (Outcome.DONE, deltas),
        REFRESH: (Outcome.DONE, 1),
        EXPIRE: (Outcome.DONE, EXPIRED),
    }
    assert result.tasks[1].detail == "trending_niches"
    assert count(migrated, "analytics.niche_daily_activity_delta") == 0
    assert count(migrated, "analytics.niche_daily_activity_summary") == 3
    assert count(migrated, "analytics.trending_niches") == 1
    assert count(migrated, "analytics.trend_cache") == CURRENT

    again = run(cron, batch=10_000)
    assert outcomes(again) == dict.fromkeys((DRAIN, REFRESH, EXPIRE), (Outcome.DONE, 0))


def test_a_batch_is_a_transaction_of_so_many_rows_at_most(migrated: Engine, cron: URL) -> None:
    with migrated.begin() as connection:
        connection.exec_driver_sql(WATCH)
    assert outcomes(run(cron, batch=10))[EXPIRE] == (Outcome.DONE, EXPIRED)
    with migrated.connect() as connection:
        batches = connection.execute(text("SELECT entries, xact::text FROM deletions WHERE entries > 0 ORDER BY xact"))
        rows = batches.all()
    assert [entries for entries, _ in rows] == [10, 10, 5]
    assert len({xact for _, xact in rows}) == 3


def test_entries_of_one_expiry_may_be_more_than_a_batch(migrated: Engine, cron: URL) -> None:
    with migrated.begin() as connection:
        connection.execute(text("UPDATE analytics.trend_cache SET valid_until = now() WHERE valid_until < now()"))
    assert outcomes(run(cron, batch=3))[EXPIRE] == (Outcome.DONE, EXPIRED)
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
    migrated: Engine, cron: URL, holding: str, left: str, amount: int
) -> None:
    everything = {DRAIN: 3, REFRESH: 1, EXPIRE: EXPIRED}
    with migrated.connect() as other:
        other.exec_driver_sql(holding)
        result = outcomes(run(cron, batch=10))
    assert result.pop(left) == (Outcome.LEFT, amount)
    assert result == {task: (Outcome.DONE, done) for task, done in everything.items() if task != left}

    assert outcomes(run(cron, batch=10))[left] == (Outcome.DONE, everything[left] - amount)
    assert count(migrated, "analytics.trend_cache") == CURRENT


def test_several_at_once_share_the_work(migrated: Engine, cron: URL) -> None:
    with migrated.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO analytics.trend_cache"
            " (trend_type, trend_source, trend_data, parameters, created_at, valid_until)"
            " SELECT 'chart', 'many', '{}', jsonb_build_object('n', n), now() - interval '2 days',"
            " now() - interval '1 day' FROM generate_series(1, 2000) AS n"
        )
    with ThreadPoolExecutor(4) as pool:
        results = [each.result() for each in [pool.submit(run, cron, 50) for _ in range(4)]]
    done = {name: sum(outcomes(each)[name][1] for each in results) for name in (DRAIN, REFRESH, EXPIRE)}
    assert done == {DRAIN: 3, REFRESH: 1, EXPIRE: EXPIRED + 2000}
    assert count(migrated, "analytics.trend_cache") == CURRENT


@pytest.mark.parametrize(("revision", "absent"), [(None, 3), ("1.0.0", 3), ("2.0.0", 3), ("2.0.1", 2), ("2.0.5", 2)])
def test_a_database_that_is_not_or_partly_migrated(clone: Clone, revision: str | None, absent: int) -> None:
    url = clone("empty")
    if revision:
        Alembic(url).upgrade(revision)
    result = run(url, batch=10)
    assert [task.outcome for task in result.tasks] == [Outcome.ABSENT] * absent + [Outcome.DONE] * (3 - absent)
    assert result.tasks[0].detail == "comes with revision 2.0.6"


def test_who_may_not_is_told_what_is_missing(migrated: Engine, cron: URL) -> None:
    with pytest.raises(OnlineError) as caught:
        run(cron.set(username="maintenance_test_outsider"), batch=10)
    assert "permission denied" in caught.value.what
    assert caught.value.next_step == "as an administrator: GRANT analytics_writer TO maintenance_test_outsider."


def test_on_a_standby_there_is_nothing_to_do(pg_bin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with throwaway_server(pg_bin) as server:
        server.stop()
        (server.data / "standby.signal").touch()
        server.start()
        result = run(server.url("postgres"), batch=10)
    assert result.standby
    assert result.tasks == []
    show(result, report.console())
    assert capsys.readouterr().out.startswith("There is nothing to do on a standby")


def test_the_command(cron: URL, clone: Clone) -> None:
    def sidb(url: URL, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": conninfo(url)}
        return subprocess.run([SIDB, "maintain", *arguments], env=environment, capture_output=True, text=True)

    as_json = sidb(cron, "--json", "--batch", "7")
    assert (as_json.returncode, as_json.stderr) == (0, "")
    tasks = json.loads(as_json.stdout)["tasks"]
    assert [(task["outcome"], task["amount"]) for task in tasks] == [("done", 3), ("done", 1), ("done", EXPIRED)]

    for_people = sidb(clone("empty"))
    assert (for_people.returncode, for_people.stderr) == (0, "")
    assert [line.split("  ")[0] for line in for_people.stdout.splitlines()[2:]] == [DRAIN, REFRESH, EXPIRE]

    assert sidb(cron, "--batch", "0").returncode == 2
