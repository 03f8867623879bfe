"""What is measured, and the limits of each: they stand here once, for the verdicts, for Prometheus and its alerts."""

from dataclasses import dataclass
from typing import Literal

from alembic_online.replica_lag_limits import LAG, LAG_WARNING

from operations.findings import Check, Verdict
from operations.retention.tables import PERIODS

Unit = Literal["seconds", "share", "rows", "rows a day", "bytes", "bytes a day", "transactions", "months", "yes"]

# From the plan, "Data Volume": ~10 M rows and ~20 GB in the first month, 500 K rows a day after it, ~100 GB after six.
FIRST_MONTH = 30.0  # days
FIRST_ROWS, ROWS_A_DAY = 10_000_000, 500_000
FIRST_BYTES, BYTES_A_DAY = 20e9, 80e9 / 150

# Below these a figure says little: it is neither judged nor exported.
MANY_CALLS = 20  # of a statement
MANY_ROWS = 10_000  # of a table, for its vacuum and the use of its indexes
MANY_BYTES = 10_000_000  # of a table, for its bloat
MANY_BLOCKS = 10_000  # read or found in memory, for a share of hits
MANY_SCANS = 100  # of a table, for the share that used an index
A_WEEK = 7.0  # days of statistics, before an index is called unused

READ_TIMES = Check(
    "query times",
    "Reads of the new tables by applications, as pg_stat_statements counts them, stay within the endpoints' budget:"
    " 500 ms, at worst 800 ms.",
    "look at its plan: EXPLAIN (ANALYZE, BUFFERS) with real values; once it is corrected:"
    " SELECT pg_stat_statements_reset();",
)
INDEX_USE = Check(
    "index use",
    "Large tables are read through their indexes, and no index is invalid.",
    "find the statements that read the whole table (sidb monitor --json), and add the index that they need.",
)
UNUSED_INDEXES = Check(
    "unused indexes",
    "Indexes that nothing on this server has used for a week, keys apart: each write pays for them.",
    "ask the replicas too (sidb monitor on each); then take it out of models/ and let autogenerate drop it.",
)
GROWTH = Check(
    "growth",
    "Rows and size of the new tables against the plan's forecast: 10 million rows and 20 GB in the first month,"
    " then 500,000 rows a day, 100 GB after six months.",
    "see which table grows (rows a day, above); let go of old rows (sidb retention), or provide the disk.",
)
BLOAT = Check(
    "bloat",
    "Space in the tables that no row needs: measured by pgstattuple where it is installed, else estimated.",
    "VACUUM (ANALYZE) makes the space usable again; pg_repack, or VACUUM FULL in a maintenance window, gives it back.",
)
VACUUM = Check(
    "autovacuum",
    "Autovacuum keeps up: dead rows, and the age of the oldest transaction number in each table.",
    "see what holds it back: old transactions, replication slots, or its settings on the table.",
)
VIEWS = Check(
    "materialized views",
    "The materialized views are filled and not marked as stale for long: sidb maintain refreshes them.",
    "see that cron runs sidb maintain every few minutes; now: SELECT analytics.refresh_stale_views();",
)
DELTAS = Check(
    "pending deltas",
    "Changes to niche_daily_activity that are not folded in: it stays exact, but each costs its readers time.",
    "see that cron runs sidb maintain every few minutes; now: SELECT analytics.drain_niche_daily_activity();",
)
MONTHS = Check(
    "months of events",
    "Each month to come has a partition of events before it begins; what none takes lies in the DEFAULT one.",
    "see that cron runs sidb maintain, as the owner of analytics.analytics_events; rows dated years ahead, or infinity,"
    " stay in the DEFAULT partition until they are corrected.",
)
RETENTION = Check(
    "retention",
    "Rows whose time is over go, where that is switched on; where it is not, how many are older than the contract's"
    f" periods ({PERIODS}).",
    "see that cron runs sidb maintain, as the owner of the tables; sidb maintain --dry-run says what is due.",
)
REPLICAS = Check(
    "replica lag",
    f"Replicas serve the analytics queries: they have to be connected, and less than {LAG:g} seconds behind.",
    "see that the replica runs, and what holds up replay there: a long query (SELECT * FROM pg_stat_activity), its"
    " disk, or SELECT pg_is_wal_replay_paused();",
)
CACHE = Check(
    "cache hits",
    "Blocks of the new tables and their indexes are mostly found in shared_buffers.",
    "see what reads so much (sidb monitor --json); then raise shared_buffers, or add memory.",
)

CHECKS = (
    READ_TIMES,
    INDEX_USE,
    UNUSED_INDEXES,
    GROWTH,
    BLOAT,
    VACUUM,
    VIEWS,
    DELTAS,
    MONTHS,
    RETENTION,
    REPLICAS,
    CACHE,
)


@dataclass(frozen=True)
class Metric:
    """One figure, exported to Prometheus under `name`; `label` says what there is one of, where there are several.

    Beyond `warning` it is worth a look, beyond `failed` something is not well; `below` says which side is beyond.
    Prometheus alerts when that has lasted for `minutes`.
    """

    name: str
    check: Check
    meaning: str
    unit: Unit
    label: str | None = None
    warning: float | None = None
    failed: float | None = None
    below: bool = False
    minutes: int = 10

    def verdict(self, value: float) -> Verdict:
        limits: tuple[tuple[Verdict, float | None], ...] = (("failed", self.failed), ("warning", self.warning))
        for verdict, limit in limits:
            if limit is not None and (value < limit if self.below else value > limit):
                return verdict
        return "ok"


MEAN_TIME = Metric(
    "sidb_statement_mean_seconds",
    READ_TIMES,
    "Mean time of a read of the new tables since statistics were reset",
    "seconds",
    "statement",
    warning=0.2,
    failed=0.5,
)
MAX_TIME = Metric(
    "sidb_statement_max_seconds",
    READ_TIMES,
    "Longest time of a read of the new tables since statistics were reset",
    "seconds",
    "statement",
    warning=0.8,
)
INDEX_SCANS = Metric(
    "sidb_table_index_scan_share",
    INDEX_USE,
    "Share of a large table's scans that used an index",
    "share",
    "relation",
    warning=0.9,
    below=True,
)
INDEX_INVALID = Metric(
    "sidb_index_invalid", INDEX_USE, "1 for an index that an interrupted build left invalid", "yes", "index", failed=0
)
INDEX_UNUSED = Metric(
    "sidb_index_unused", UNUSED_INDEXES, "1 for an index that was not used for a week", "yes", "index", warning=0
)
ROWS = Metric("sidb_table_rows", GROWTH, "Rows of a table, estimated", "rows", "relation")
BYTES = Metric("sidb_table_bytes", GROWTH, "Size of a table with its TOAST and indexes", "bytes", "relation")
ROWS_GROWTH = Metric("sidb_table_rows_per_day", GROWTH, "Rows that a table gains a day", "rows a day", "relation")
BYTES_GROWTH = Metric("sidb_table_bytes_per_day", GROWTH, "Bytes that a table gains a day", "bytes a day", "relation")
FORECAST_ROWS = Metric(
    "sidb_forecast_rows_share",
    GROWTH,
    "Rows of the plan's tables, as a share of the plan's forecast for the day",
    "share",
    warning=1.2,
    failed=2,
)
FORECAST_BYTES = Metric(
    "sidb_forecast_bytes_share",
    GROWTH,
    "Size of all new tables, as a share of the plan's forecast for the day",
    "share",
    warning=1.2,
    failed=2,
)
FORECAST_GROWTH = Metric(
    "sidb_forecast_growth_share",
    GROWTH,
    "Rows that the plan's tables gain a day, after the first month, as a share of the plan's 500,000",
    "share",
    warning=1.5,
)
BLOAT_SHARE = Metric(
    "sidb_table_bloat_share", BLOAT, "Share of a table that no row needs", "share", "relation", warning=0.4, failed=0.7
)
DEAD_SHARE = Metric(
    "sidb_table_dead_share", VACUUM, "Share of a table's rows that are dead", "share", "relation", warning=0.3
)
VACUUM_OFF = Metric("sidb_table_autovacuum_off", VACUUM, "1 where autovacuum is off", "yes", "relation", failed=0)
XID_AGE = Metric(
    "sidb_table_xid_age",
    VACUUM,
    "Transactions since the oldest that a table still holds; at 2,000 million the server stops",
    "transactions",
    "relation",
    warning=500e6,
    failed=1e9,
)
VIEW_STALE = Metric(
    "sidb_view_stale_seconds",
    VIEWS,
    "For how long a materialized view has been marked as stale; 0: it is not",
    "seconds",
    "relation",
    warning=900,
    failed=3600,
    minutes=1,
)
VIEW_EMPTY = Metric(
    "sidb_view_not_filled", VIEWS, "1 for a materialized view that cannot be read", "yes", "relation", failed=0
)
VIEW_REFRESHED = Metric(
    "sidb_view_refreshed_seconds", VIEWS, "How long ago a materialized view was refreshed", "seconds", "relation"
)
PENDING_DELTAS = Metric(
    "sidb_pending_deltas",
    DELTAS,
    "Changes to niche_daily_activity that are not folded in",
    "rows",
    warning=20_000,
    failed=200_000,
)
MONTHS_AHEAD = Metric(
    "sidb_event_months_ahead",
    MONTHS,
    "Whole months ahead that have a partition of events",
    "months",
    warning=2,
    failed=1,
    below=True,
)
DEFAULT_ROWS = Metric(
    "sidb_event_default_rows", MONTHS, "Events in the DEFAULT partition, estimated", "rows", warning=0
)
ROWS_DUE = Metric(
    "sidb_retention_rows_due",
    RETENTION,
    "Rows whose time is over and that have not gone, estimated",
    "rows",
    "relation",
    warning=0,
    minutes=1440,
)
ROWS_OLDER = Metric(
    "sidb_retention_rows_older",
    RETENTION,
    "Rows older than the contract's period of a table whose rows do not go, estimated",
    "rows",
    "relation",
)
REPLICA_LAG = Metric(
    "sidb_replica_lag_seconds",
    REPLICAS,
    "How far a replica is behind in replaying",
    "seconds",
    "replica",
    warning=LAG_WARNING,
    failed=LAG,
    minutes=1,
)
REPLICA_GONE = Metric(
    "sidb_replica_gone",
    REPLICAS,
    "1 for a replication slot that no replica reads: WAL is kept for it",
    "yes",
    "replica",
    failed=0,
)
CACHE_HITS = Metric(
    "sidb_table_cache_hit_share",
    CACHE,
    "Share of a table's blocks, indexes included, that were found in shared_buffers",
    "share",
    "relation",
    warning=0.9,
    below=True,
    minutes=30,
)

METRICS = tuple(value for value in globals().values() if isinstance(value, Metric))
