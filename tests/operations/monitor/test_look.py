"""What a look finds: each check by a fault that is planted, and by what a role may not see."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
import pytest
from alembic_online.catalog import snapshot
from alembic_online.errors import OnlineError
from sqlalchemy import URL, create_engine

from operations.findings import Finding
from operations.monitor import CHECKS, look
from operations.monitor.growth import forecast
from operations.monitor.judging import judge, measures
from operations.monitor.metrics import read
from operations.scope import SCOPE
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.operations.monitor.conftest import execute

NO_STATISTICS = "GRANT analytics_reader, or pg_stat_scan_tables where pgstattuple is installed, to this role."
NAMES = [check.name for check in CHECKS]


def findings(url: URL) -> dict[str, Finding]:
    return {finding.check: finding for finding in look(url).findings}


def test_all_is_well_after_a_migration(migrated_url: URL) -> None:
    seen = look(migrated_url)
    assert [finding.check for finding in seen.findings] == NAMES
    assert {finding.verdict for finding in seen.findings} == {"ok"}
    assert seen.exit_code == 0
    assert {table.name for table in seen.tables} > {"public.features", "analytics.ml_features"}


def test_it_changes_nothing_but_its_sample_of_the_day(migrated_url: URL) -> None:
    engine = create_engine(migrated_url)
    with engine.connect() as connection:
        before = snapshot(connection, SCOPE)
    for _ in range(2):
        look(migrated_url)
    with engine.connect() as connection:
        assert snapshot(connection, SCOPE) == before
        samples = connection.exec_driver_sql("SELECT relation, count(*) FROM sidb.size_sample GROUP BY 1").all()
    engine.dispose()
    assert len(samples) == 13  # eleven tables and two materialized views of schema analytics
    assert {count for _, count in samples} == {1}


@dataclass(frozen=True)
class Fault:
    check: str
    verdict: str
    statements: str
    detail: str
    remedy: str


MANY = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data)
    SELECT 'view', 'test', now(), '{}' FROM generate_series(1, 12000);
"""
LARGE = MANY.replace("'{}'", f"'[\"{'x' * 1000}\"]'")
A_WEEK_AGO = "UPDATE sidb.step SET finished = now() - interval '8 days';"
FEW_LEFT = "DELETE FROM analytics.analytics_events WHERE event_id > 100;"
ANALYZED = "ANALYZE analytics.analytics_events;"
FAULTS = (
    Fault(
        "query times",
        "warning",
        "SELECT pg_sleep(0.85) FROM (SELECT count(*) FROM analytics.ml_features) AS c;"
        + "SELECT pg_sleep(0.0) FROM (SELECT count(*) FROM analytics.ml_features) AS c;" * 20,
        "SELECT pg_sleep($1) FROM (SELECT count(*) FROM analytics.ml_",
        "EXPLAIN (ANALYZE, BUFFERS)",
    ),
    Fault(
        "index use",
        "failed",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'analytics.idx_trend_cache_valid_until'::regclass",
        "idx_trend_cache_valid_until",
        "\n  REINDEX INDEX CONCURRENTLY analytics.idx_trend_cache_valid_until;",
    ),
    Fault(
        "index use",
        "warning",
        MANY
        + ANALYZED
        + "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;"
        + "SELECT FROM analytics.analytics_events LIMIT 1;" * 101,
        "analytics_events_first 0%",
        "add the index",
    ),
    Fault(
        "unused indexes",
        "warning",
        MANY + ANALYZED + A_WEEK_AGO,
        "idx_analytics_events_niche_history; idx_analytics_events_niche_id; 3 more",
        "\n  DROP INDEX analytics.idx_analytics_events_niche_history;",
    ),
    Fault(
        "growth",
        "failed",
        # 40 days after the migration, 15 million rows are expected.
        "UPDATE sidb.step SET finished = now() - interval '40 days';"
        "UPDATE pg_class SET reltuples = 31e6 WHERE oid = 'analytics.trend_cache'::regclass",
        "207%",
        "retention",
    ),
    Fault(
        "bloat",
        "failed",
        LARGE + FEW_LEFT,
        "analytics_events_first 9",
        "\n  VACUUM (ANALYZE) analytics_partitions.analytics_events_first;",
    ),
    Fault(
        "autovacuum",
        "warning",
        MANY + FEW_LEFT,
        "analytics_events_first 99%",
        "\n  VACUUM (ANALYZE) analytics_partitions.analytics_events_first;",
    ),
    Fault(
        "autovacuum",
        "failed",
        "ALTER TABLE analytics.ml_features SET (autovacuum_enabled = off)",
        "ml_features",
        "\n  ALTER TABLE analytics.ml_features RESET (autovacuum_enabled);",
    ),
    Fault(
        "materialized views",
        "warning",
        "INSERT INTO analytics.stale_views (view_name, marked_at) VALUES ('trending_niches', now() - interval '20min')",
        "trending_niches 20 min",
        "SELECT analytics.refresh_stale_views();",
    ),
    Fault(
        "materialized views",
        "failed",
        "REFRESH MATERIALIZED VIEW analytics.platform_comparison WITH NO DATA",
        "platform_comparison",
        "\n  REFRESH MATERIALIZED VIEW analytics.platform_comparison;",
    ),
    Fault(
        "pending deltas",
        "warning",
        "INSERT INTO analytics.niche_daily_activity_delta SELECT 1, now(), 'view', 1 FROM generate_series(1, 20001)",
        "20,001 rows",
        "SELECT analytics.drain_niche_daily_activity();",
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.check} {fault.verdict}")
def test_a_fault_is_named_with_its_remedy(migrated_url: URL, fault: Fault) -> None:
    with psycopg.connect(conninfo(administrator(migrated_url)), autocommit=True) as connection:
        for statement in filter(str.strip, fault.statements.split(";")):
            connection.execute(statement)  # type: ignore[arg-type]
        connection.execute("SELECT pg_stat_force_next_flush()")
    finding = findings(migrated_url)[fault.check]
    assert (finding.verdict, finding.check) == (fault.verdict, fault.check)
    assert fault.detail in finding.detail
    assert fault.remedy in finding.remedy


def test_what_no_test_can_bring_about(migrated_url: URL) -> None:
    """A cold cache and old transactions, written into what was read."""
    found = read(migrated_url)
    changed = {"blocks_hit": 100, "blocks_read": 10_000, "xid_age": 1_200_000_000}
    found.tables = [replace(table, **changed) for table in found.tables if table.name == "analytics.trend_cache"]
    judged = {finding.check: finding for finding in judge(found, measures(found)).findings}
    assert (judged["cache hits"].verdict, judged["cache hits"].detail) == ("warning", "trend_cache 1%")
    assert judged["autovacuum"].verdict == "failed"
    assert "VACUUM (FREEZE) analytics.trend_cache;" in judged["autovacuum"].remedy


def test_growth_since_an_earlier_sample(migrated_url: URL) -> None:
    look(migrated_url)
    execute(
        migrated_url,
        "UPDATE sidb.size_sample SET day = day - 2, sampled_at = sampled_at - interval '2 days';"
        "UPDATE pg_class SET reltuples = 3e6 WHERE oid = 'analytics.trend_cache'::regclass;"
        "UPDATE sidb.step SET finished = now() - interval '100 days';",
    )
    seen = look(migrated_url)
    assert round(seen.gains["analytics.trend_cache"].rows_a_day, -3) == 1_500_000
    growth = {finding.check: finding for finding in seen.findings}["growth"]
    assert (growth.verdict, growth.detail) == ("warning", "300%")


def test_without_a_ledger_the_first_sample_starts_the_forecast(migrated_url: URL) -> None:
    """As after a migration by Flyway."""
    look(migrated_url)
    execute(
        migrated_url,
        "DROP TABLE sidb.step;"
        "UPDATE sidb.size_sample SET day = day - 40, sampled_at = sampled_at - interval '40 days';"
        "UPDATE pg_class SET reltuples = 15e6 WHERE oid = 'analytics.trend_cache'::regclass",
    )
    growth = findings(migrated_url)["growth"]
    assert growth.verdict == "ok"
    assert growth.detail == "100% of the forecast's rows, 0% of its bytes; growth is known from tomorrow on"
    # The counts of events are no events; neither are the rows of a materialized view.
    execute(
        migrated_url,
        "UPDATE pg_class SET reltuples = 31e6 WHERE oid IN "
        "('analytics.niche_daily_activity_summary'::regclass, 'analytics.trending_niches'::regclass)",
    )
    assert findings(migrated_url)["growth"].detail == growth.detail


def test_the_plans_forecast() -> None:
    assert forecast(0) == forecast(30) == (10_000_000, 20e9)
    assert forecast(31) == (10_500_000, pytest.approx(20.533e9, rel=1e-3))
    assert forecast(180)[1] == pytest.approx(100e9)


@pytest.fixture
def roles(migrated_url: URL) -> Iterator[dict[str, URL]]:
    """One without any right, and one as the help asks for; another role has asked something of the new tables."""
    execute(
        migrated_url,
        "CREATE ROLE outsider LOGIN; CREATE ROLE watcher LOGIN; GRANT pg_monitor, analytics_reader TO watcher;" + LARGE,
    )
    execute(migrated_url, ANALYZED)
    execute(migrated_url, "SELECT count(*) FROM analytics.analytics_events")
    yield {name: migrated_url.set(username=name) for name in ("outsider", "watcher")}
    execute(migrated_url, "DROP ROLE watcher; DROP ROLE outsider")


def test_what_a_role_may_not_see_is_unknown_and_said(roles: dict[str, URL], inhabited: bool) -> None:
    found = findings(roles["outsider"])
    assert found["growth"].detail == "migrated at an unknown time; outsider may not make sidb.size_sample"
    remedies = {name: finding.remedy for name, finding in found.items() if finding.verdict == "unknown"}
    if inhabited:  # everybody may read new tables, and sees their statistics
        remedies["bloat"] = NO_STATISTICS
    assert remedies == {
        "query times": 'as an administrator: GRANT pg_monitor TO "outsider";',
        "growth": "run sidb monitor on the primary, once as the role that migrates.",
        "bloat": NO_STATISTICS,
        "materialized views": 'GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO "outsider";',
        "pending deltas": 'GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO "outsider";',
    }
    assert {finding.verdict for finding in found.values()} == {"ok", "unknown"}


def test_a_monitoring_role_sees_the_rest(roles: dict[str, URL], migrated_url: URL, inhabited: bool) -> None:
    look(migrated_url)  # as the role that migrates: makes the samples
    found = findings(roles["watcher"])
    remedies = [finding.remedy for finding in found.values() if finding.verdict == "unknown"]
    assert len(remedies) == (1 if inhabited else 3)
    for remedy in remedies:
        execute(migrated_url, remedy)
    assert {finding.verdict for finding in findings(roles["watcher"]).values()} == {"ok"}
    execute(migrated_url, "DROP OWNED BY watcher")


def test_without_the_extension_it_says_how_to_get_it(plain: URL) -> None:
    found = findings(plain)
    assert found["query times"].verdict == "unknown"
    assert found["query times"].detail == "the extension pg_stat_statements is not in this database"
    assert found["materialized views"].detail.endswith("last refresh not kept (track_commit_timestamp is off)")
    execute(plain, "CREATE EXTENSION pg_stat_statements")
    assert findings(plain)["query times"].detail == "pg_stat_statements is not loaded by this server"


def test_a_table_that_was_never_analysed_is_not_called_well(plain: URL) -> None:
    execute(plain, "ALTER TABLE analytics_partitions.analytics_events_first SET (autovacuum_enabled = false);" + LARGE)
    execute(plain, "SELECT pg_stat_force_next_flush()")
    found = findings(plain)["bloat"]
    assert (found.verdict, found.remedy) == ("unknown", "ANALYZE analytics_partitions.analytics_events_first;")
    execute(plain, f"TRUNCATE analytics.analytics_events; {ANALYZED} {LARGE}")  # analysed while it was empty
    assert findings(plain)["bloat"] == found
    execute(plain, found.remedy)
    assert findings(plain)["bloat"].detail.endswith(" at most, estimated")


def test_a_database_that_is_not_migrated(clone: Clone) -> None:
    with pytest.raises(OnlineError) as caught:
        look(clone("phase1_table"))
    assert caught.value.what.startswith("The new tables are not in postgresql://")
    assert caught.value.next_step == "sidb upgrade"


def test_it_does_not_wait_behind_a_migration(plain: URL) -> None:
    with psycopg.connect(conninfo(plain)) as holder:
        holder.execute("LOCK TABLE analytics.trend_cache IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(OnlineError) as caught:
            look(plain)
        read = f" could not be read: locked by pid {holder.info.backend_pid} on analytics.trend_cache (user "
    assert read in caught.value.what
