"""Months of events that are still to come, and rows that none of them takes."""

import psycopg
from sqlalchemy import URL

from operations.findings import Finding
from operations.monitor import look
from operations.monitor.thresholds import MONTHS_AHEAD
from tests.fixtures.databases import conninfo
from tests.operations.monitor.conftest import execute

MONTHS = r"""
    SELECT relid::text FROM pg_partition_tree('analytics.analytics_events')
    WHERE relid::text ~ '_\d{4}_\d{2}$' ORDER BY 1
"""


def months(url: URL) -> Finding:
    [found] = [each for each in look(url, keep=False).findings if each.check == "months of events"]
    return found


def ahead(url: URL) -> float:
    [figure] = [each for each in look(url, keep=False).figures if each.metric == MONTHS_AHEAD.name]
    return figure.value


def test_months_behind_a_gap_are_not_counted(migrated_url: URL) -> None:
    """What falls into the gap lies in DEFAULT, however many months there are behind it."""
    with psycopg.connect(conninfo(migrated_url)) as connection:
        names = [name for (name,) in connection.execute(MONTHS)]
    before = ahead(migrated_url)
    assert len(names) >= 2
    assert (before >= 3, months(migrated_url).verdict) == (True, "ok")
    execute(migrated_url, f"DROP TABLE {names[0]}")
    assert ahead(migrated_url) == before - len(names)


def test_rows_that_no_month_takes_are_a_warning(migrated_url: URL) -> None:
    execute(
        migrated_url,
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data)"
        " VALUES ('view', 'test', 'infinity', '{}');"
        " SELECT pg_stat_force_next_flush()",  # counted before ANALYZE, or its row would be added to what ANALYZE found
    )
    execute(migrated_url, "ANALYZE analytics_partitions.analytics_events_default")
    found = months(migrated_url)
    assert (found.verdict, found.detail) == ("warning", "1 rows")
