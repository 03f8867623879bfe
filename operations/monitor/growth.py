"""Growth: what the new tables gained since an earlier sample, beside the plan's forecast."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from operations.bookkeeping import SIZE_SAMPLES, open_records
from operations.monitor.thresholds import BYTES_A_DAY, FIRST_BYTES, FIRST_MONTH, FIRST_ROWS, ROWS_A_DAY
from operations.queries import query


@dataclass(frozen=True)
class Gain:
    """What a table gains a day, and over how many days that was seen."""

    rows_a_day: float
    bytes_a_day: float
    days: float


@dataclass(frozen=True)
class Growth:
    """`gains` by table. `migrated` is when the new schema came to be: by the ledger, else by the first sample.

    `why` says why no samples are kept here.
    """

    migrated: datetime | None = None
    gains: Mapping[str, Gain] = field(default_factory=dict)
    why: str = ""
    remedy: str = ""


def forecast(days: float) -> tuple[float, float]:
    """Rows of its tables, and bytes of all new ones, that the plan expects after so many days ("Data Volume")."""
    later = max(0.0, days - FIRST_MONTH)
    return FIRST_ROWS + ROWS_A_DAY * later, FIRST_BYTES + BYTES_A_DAY * later


@dataclass(frozen=True)
class Records:
    """What this role may do with the records in schema sidb."""

    kept: bool
    readable: bool
    writable: bool
    creatable: bool
    ledger: bool


@dataclass(frozen=True)
class Sample:
    """An earlier size of a table, so many days ago."""

    relation: str
    rows: int
    bytes: int
    days: float


def read_growth(connection: psycopg.Connection[Any], sizes: Mapping[str, tuple[int, int]], *, keep: bool) -> Growth:
    """Compare `sizes` (rows and bytes by table) with earlier samples; `keep` the day's sample where this role may."""
    with connection.transaction():
        with connection.cursor(row_factory=class_row(Records)) as cursor:
            records = cursor.execute(query("monitor/records_usable")).fetchone()
        assert records is not None
        migrated = _instant(connection, "monitor/migrated") if records.ledger else None
        role = connection.info.user
        if not records.kept and not (keep and records.creatable):
            why = f"{role} may not make sidb.size_sample" if keep else "no sizes are recorded yet"
            return Growth(migrated, {}, why, "run sidb monitor on the primary, once as the role that migrates.")
        if records.kept and not (records.readable and (records.writable or not keep)):
            grant = sql.SQL("GRANT USAGE ON SCHEMA sidb TO {0}; GRANT SELECT, INSERT ON sidb.size_sample TO {0};")
            why = f"{role} may not use sidb.size_sample"
            return Growth(migrated, {}, why, grant.format(sql.Identifier(role)).as_string())
        if keep and records.creatable:
            open_records(connection, SIZE_SAMPLES)
        if keep:
            columns = {"rows": [rows for rows, _ in sizes.values()], "bytes": [size for _, size in sizes.values()]}
            connection.execute(query("monitor/keep_sample"), {"relations": list(sizes), **columns})
        with connection.cursor(row_factory=class_row(Sample)) as cursor:
            earlier = cursor.execute(query("monitor/earlier_samples")).fetchall()
        migrated = migrated or _instant(connection, "monitor/first_sample")
    return Growth(
        migrated, {then.relation: _gain(then, *sizes[then.relation]) for then in earlier if then.relation in sizes}
    )


def _instant(connection: psycopg.Connection[Any], question: str) -> datetime | None:
    row = connection.execute(query(question)).fetchone()
    return row[0] if row else None


def _gain(then: Sample, rows: int, size: int) -> Gain:
    return Gain((rows - then.rows) / then.days, (size - then.bytes) / then.days, then.days)
