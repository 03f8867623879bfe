"""From what was read to measures, and from these to a verdict for each check."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from alembic_online.quantities import duration, size

from models import (
    ANALYTICS,
    PARTITIONS,
    NicheDailyActivityDelta,
    NicheDailyActivityKept,
    NicheDailyActivitySummary,
    Retention,
    StaleView,
)
from operations.findings import Check, Finding, Findings
from operations.monitor import thresholds as of
from operations.monitor.growth import forecast
from operations.monitor.metrics import Readings, Table
from operations.monitor.thresholds import CHECKS, Metric
from operations.retention.due import lines

DERIVED = frozenset(
    f"{ANALYTICS}.{model.__tablename__}"
    for model in (NicheDailyActivityDelta, NicheDailyActivityKept, NicheDailyActivitySummary, Retention, StaleView)
)
"""Tables that count or mark the rows of others: their bytes are in the plan's forecast, their rows are not."""
NAMED = 2  # measures that a line names; the others are counted


@dataclass(frozen=True)
class Measure:
    """One figure. `subject` is what it is about ("" where there is only one), `statement` what to run about it."""

    metric: Metric
    value: float
    subject: str = ""
    statement: str = ""


def measures(found: Readings) -> list[Measure]:
    """Everything that was read and says something, in the order of the metrics."""
    made = [*_statements(found), *_indexes(found), *_growth(found), *_tables(found), *_rest(found)]
    return sorted(made, key=lambda measure: of.METRICS.index(measure.metric))


def judge(found: Readings, measured: Sequence[Measure]) -> Findings:
    """A verdict for each check: that of its worst measure; `unknown` where a check could not be looked at."""
    findings = [_finding(check, found, [each for each in measured if each.metric.check is check]) for check in CHECKS]
    bad = [finding for finding in findings if finding.verdict not in ("ok", "unknown")]
    following = "run what is suggested above, if you agree; then sidb monitor again" if bad else "sidb monitor --watch"
    return Findings(findings, found.first or following)


def _finding(check: Check, found: Readings, measured: list[Measure]) -> Finding:
    bad = {
        verdict: [each for each in measured if each.metric.verdict(each.value) == verdict]
        for verdict in ("failed", "warning")
    }
    for verdict, make in (("failed", check.failed), ("warning", check.warning)):
        if these := bad[verdict]:
            worst = these + (bad["warning"] if verdict == "failed" else [])
            statements = list(dict.fromkeys(each.statement for each in worst if each.statement))
            shown = [*statements[:NAMED], *(["… more with --json"] if len(statements) > NAMED else [])]
            return make(_named(worst), "\n  ".join([check.remedy, *shown]))
    if check in found.open:
        return check.unknown(found.open[check].why, found.open[check].remedy)
    if check is of.GROWTH and not found.growth.gains and found.growth.why:
        return check.unknown(f"{_well(check, found, measured)}; {found.growth.why}", found.growth.remedy)
    return check.ok(_well(check, found, measured))


def _named(worst: list[Measure]) -> str:
    texts = [f"{_short(each.subject)} {amount(each)}".strip() for each in worst]
    return "; ".join(texts[:NAMED]) + (f"; {len(texts) - NAMED} more" if len(texts) > NAMED else "")


def _short(subject: str) -> str:
    return subject.removeprefix(f"{ANALYTICS}.").removeprefix(f"{PARTITIONS}.")


def _well(check: Check, found: Readings, measured: list[Measure]) -> str:
    values = [each.value for each in measured]
    worst = max(values, default=0.0)
    match check:
        case of.READ_TIMES:
            return f"within limits, of {len({each.subject for each in measured})} that are called often"
        case of.INDEX_USE:
            return f"{len(found.indexes)} indexes, all valid"
        case of.UNUSED_INDEXES:
            since = _counted_since(found)
            if since is None or not _a_week_since(since, found):
                return "judged after a week of statistics"
            return f"none since {since:%Y-%m-%d %H:%M}" if measured else "no table is large enough to judge"
        case of.GROWTH:
            shares = {each.metric: amount(each) for each in measured}
            rows, size = (shares.get(metric) for metric in (of.FORECAST_ROWS, of.FORECAST_BYTES))
            beside = f"{rows} of the forecast's rows, {size} of its bytes" if rows else "migrated at an unknown time"
            young = not (found.growth.gains or found.growth.why)
            return f"{beside}; growth is known from tomorrow on" if young else beside
        case of.BLOAT:
            how = "measured" if found.bloat_measured else "estimated"
            return f"{worst:.0%} at most, {how}" if values else "no table is large enough to judge"
        case of.VACUUM:
            dead = [each.value for each in measured if each.metric is of.DEAD_SHARE]
            return f"{max(dead):.0%} dead rows at most" if dead else "no table is large enough to judge"
        case of.VIEWS:
            stale = sum(each.value > 0 for each in measured if each.metric is of.VIEW_STALE)
            known = [each.value for each in measured if each.metric is of.VIEW_REFRESHED]
            if known:
                last = f"last refresh {duration(min(known))} ago"
            else:
                last = "last refresh not kept (track_commit_timestamp is off)"
            return f"{len(found.views)} views, {stale} stale; {last}"
        case of.DELTAS:
            return f"{worst:,.0f}"
        case of.MONTHS:
            if found.months is None:
                return "events are not partitioned"
            return f"{found.months.ahead} months ahead, {found.months.default_rows:,} rows in none"
        case of.RETENTION:
            return "; ".join(lines(found.retention))
        case of.REPLICAS:
            lags = [each.value for each in measured if each.metric is of.REPLICA_LAG]
            return f"{len(lags)}, {max(lags):.1f} s behind at most" if lags else "no replica is connected"
        case _:
            return f"{min(values):.0%} at least" if values else "too few reads to judge"


def _statements(found: Readings) -> Iterator[Measure]:
    for each in found.statements:
        if each.reads and each.calls >= of.MANY_CALLS:
            subject = f"{each.id}: {each.query[:60]}"
            yield Measure(of.MEAN_TIME, each.mean_seconds, subject)
            yield Measure(of.MAX_TIME, each.max_seconds, subject)


def _indexes(found: Readings) -> Iterator[Measure]:
    since = _counted_since(found)
    judged = since is not None and _a_week_since(since, found)
    rows = {table.oid: table.rows for table in found.tables}
    for index in found.indexes:
        yield Measure(of.INDEX_INVALID, float(not index.valid), index.name, f"REINDEX INDEX CONCURRENTLY {index.name};")
        if judged and not index.unique and index.valid and rows[index.of_table] >= of.MANY_ROWS:
            unused = float(index.scans == 0)
            way = "" if index.partitioned else " CONCURRENTLY"  # which PostgreSQL refuses there
            yield Measure(of.INDEX_UNUSED, unused, index.name, f"DROP INDEX{way} {index.name};")


def _counted_since(found: Readings) -> datetime | None:
    """Since when use has been counted: the statistics' reset or, if that is later, the migration."""
    known = [moment for moment in (found.server.counted_since, found.growth.migrated) if moment is not None]
    return max(known, default=None)


def _a_week_since(since: datetime, found: Readings) -> bool:
    return (found.server.at - since).total_seconds() > of.A_WEEK * 86_400


def _growth(found: Readings) -> Iterator[Measure]:
    new = _new(found)
    for table in [*new, *(each for each in found.tables if each.name.startswith(f"{PARTITIONS}."))]:
        yield Measure(of.ROWS, table.rows, table.name)
        yield Measure(of.BYTES, table.bytes + table.index_bytes, table.name)
    for name, gain in found.growth.gains.items():
        yield Measure(of.ROWS_GROWTH, gain.rows_a_day, name)
        yield Measure(of.BYTES_GROWTH, gain.bytes_a_day, name)
    if found.growth.migrated is None:
        return
    days = (found.server.at - found.growth.migrated).total_seconds() / 86_400
    rows, size = forecast(days)
    planned = {table.name: table.rows for table in new if not table.view and table.name not in DERIVED}
    yield Measure(of.FORECAST_ROWS, sum(planned.values()) / rows)
    yield Measure(of.FORECAST_BYTES, sum(table.bytes + table.index_bytes for table in new) / size)
    if days > of.FIRST_MONTH and found.growth.gains:
        a_day = sum(gain.rows_a_day for name, gain in found.growth.gains.items() if name in planned)
        yield Measure(of.FORECAST_GROWTH, a_day / of.ROWS_A_DAY)


def _tables(found: Readings) -> Iterator[Measure]:
    for table in (each for each in found.tables if not each.partitioned):
        vacuum = f"VACUUM (ANALYZE) {table.name};"
        if table.oid in found.bloat:
            yield Measure(of.BLOAT_SHARE, found.bloat[table.oid], table.name, vacuum)
        if table.rows + table.dead_rows >= of.MANY_ROWS:
            yield Measure(of.DEAD_SHARE, table.dead_rows / (table.rows + table.dead_rows), table.name, vacuum)
        if not table.view:
            on = f"ALTER TABLE {table.name} RESET (autovacuum_enabled);"
            yield Measure(of.VACUUM_OFF, float(not table.autovacuum), table.name, on)
        yield Measure(of.XID_AGE, table.xid_age, table.name, f"VACUUM (FREEZE) {table.name};")
        scans = table.whole_scans + table.index_scans
        if table.rows >= of.MANY_ROWS and scans >= of.MANY_SCANS:
            yield Measure(of.INDEX_SCANS, table.index_scans / scans, table.name)
        blocks = table.blocks_hit + table.blocks_read
        if blocks >= of.MANY_BLOCKS:
            yield Measure(of.CACHE_HITS, table.blocks_hit / blocks, table.name)


def _rest(found: Readings) -> Iterator[Measure]:
    for view in found.views:
        yield Measure(of.VIEW_EMPTY, float(not view.populated), view.name, f"REFRESH MATERIALIZED VIEW {view.name};")
        yield Measure(of.VIEW_STALE, view.stale_seconds or 0.0, view.name)
        if view.refreshed_seconds is not None:
            yield Measure(of.VIEW_REFRESHED, view.refreshed_seconds, view.name)
    if found.deltas is not None:
        yield Measure(of.PENDING_DELTAS, found.deltas)
    if found.months is not None:
        yield Measure(of.MONTHS_AHEAD, found.months.ahead)
        yield Measure(of.DEFAULT_ROWS, found.months.default_rows)
    for each in found.retention:
        if each.rows is not None:
            yield Measure(of.ROWS_DUE if each.is_on else of.ROWS_OLDER, each.rows, f"{ANALYTICS}.{each.table}")
    for replica in found.replicas:
        yield Measure(of.REPLICA_LAG, replica.seconds, replica.name)
    for slot in found.slots:
        drop = f"SELECT pg_drop_replication_slot('{slot.name}'); -- if it never comes back"
        yield Measure(of.REPLICA_GONE, float(not slot.active), slot.name, drop)


def _new(found: Readings) -> list[Table]:
    return [table for table in found.tables if table.name.startswith(f"{ANALYTICS}.")]


def amount(measure: Measure) -> str:
    """A measure's value with its unit, for people."""
    value = measure.value
    match measure.metric.unit:
        case "share":
            return f"{value:.0%}"
        case "seconds":
            return duration(value)
        case "bytes" | "bytes a day":
            return size(value)
        case "yes":
            return ""
        case unit:
            return f"{value:,.0f} {unit}"
