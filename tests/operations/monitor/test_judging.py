"""The limits themselves, each from both sides: what is said of a figure that lies just on one of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.findings import Finding, Verdict
from operations.monitor import thresholds as of
from operations.monitor.exporting import write_metrics
from operations.monitor.growth import Growth
from operations.monitor.judging import judge, measures
from operations.monitor.metrics import Index, Readings, Server, Statement, Table

AT = datetime(2026, 3, 15, 12, tzinfo=UTC)
SERVER = Server(AT, False, "watcher", True, AT - timedelta(days=8), None, None)
TABLE = Table(1, "analytics.trend_cache", False, False, of.MANY_ROWS, 0, 0, 0, 0, 0, None, None, 0, 0, 0, True)
UNUSED = Index("analytics.idx_unused", 1, 8_192, scans=0, unique=False, valid=True, partitioned=False)
SLOW = Statement("1", "SELECT", reads=True, calls=20, mean_seconds=0.6, max_seconds=0.6, total_seconds=12)


def readings(tables: Sequence[Table] = (), indexes: Sequence[Index] = (), **others: object) -> Readings:
    return replace(Readings("a database", SERVER, tables, indexes), **others)  # type: ignore[arg-type]


def verdict(check: str, found: Readings) -> Verdict:
    [finding] = [each for each in judge(found, measures(found)).findings if each.check == check]
    return finding.verdict


@pytest.mark.parametrize(
    ("metric", "value", "verdict"),
    [
        (of.MONTHS_AHEAD, 2, "ok"),
        (of.MONTHS_AHEAD, 1, "warning"),
        (of.MONTHS_AHEAD, 0, "failed"),
        (of.CACHE_HITS, 0.9, "ok"),
        (of.CACHE_HITS, 0.89, "warning"),
        (of.MEAN_TIME, 0.2, "ok"),
        (of.MEAN_TIME, 0.5, "warning"),
        (of.MEAN_TIME, 0.51, "failed"),
        (of.INDEX_INVALID, 0, "ok"),
        (of.INDEX_INVALID, 1, "failed"),
        (of.REPLICA_LAG, 5, "warning"),
        (of.REPLICA_LAG, 5.1, "failed"),
        (of.ROWS, 1e12, "ok"),
    ],
)
def test_what_lies_on_a_limit_is_within_it(metric: of.Metric, value: float, verdict: Verdict) -> None:
    assert metric.verdict(value) == verdict


@pytest.mark.parametrize(
    ("change", "verdict"),
    [({}, "failed"), ({"calls": 19}, "ok"), ({"reads": False}, "ok")],
    ids=["often", "seldom", "writes"],
)
def test_only_reads_that_are_called_often_are_judged(change: dict[str, object], verdict: Verdict) -> None:
    found = readings(statements=[replace(SLOW, **change)])  # type: ignore[arg-type]
    assert {each.verdict for each in judge(found, measures(found)).findings if each.check == "query times"} == {verdict}


@pytest.mark.parametrize(
    ("index", "rows", "migrated", "expected"),
    [
        ({}, of.MANY_ROWS, 8, "warning"),
        ({"scans": 1}, of.MANY_ROWS, 8, "ok"),
        ({"unique": True}, of.MANY_ROWS, 8, "ok"),
        ({}, of.MANY_ROWS - 1, 8, "ok"),
        ({}, of.MANY_ROWS, 7, "ok"),
    ],
    ids=["unused", "used", "key", "small", "young"],
)
def test_an_index_is_called_unused_after_more_than_a_week(
    index: dict[str, object], rows: int, migrated: int, expected: Verdict
) -> None:
    """Of statistics that are older, only the time since the migration counts."""
    growth = Growth(AT - timedelta(days=migrated))
    indexes = [replace(UNUSED, **index)]  # type: ignore[arg-type]
    assert verdict("unused indexes", readings([replace(TABLE, rows=rows)], indexes, growth=growth)) == expected


def test_a_table_is_judged_by_its_dead_rows_with_those_that_are_there() -> None:
    few = replace(TABLE, rows=of.MANY_ROWS - 4_000, dead_rows=3_999)
    assert verdict("autovacuum", readings([few])) == "ok"
    assert verdict("autovacuum", readings([replace(few, dead_rows=4_000)])) == "warning"


def test_while_a_rollback_is_half_way_that_comes_first() -> None:
    found = readings(first="sidb rollback --resume")
    assert judge(found, measures(found)).next_step == "sidb rollback --resume"


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_findings_of_a_check_the_worst_is_exported(tmp_path: Path, order: int) -> None:
    """As of two replicas, in whatever order they were looked at."""
    found = [Finding("replica lag", each, "") for each in ("failed", "ok")][::order]
    file = tmp_path / "sidb.prom"
    write_metrics(file, readings(), [], found)
    assert 'sidb_monitor_verdict{check="replica lag"} 2.0' in file.read_text(encoding="utf-8")
