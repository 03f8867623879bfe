"""One look at the database after the migration: what was read, measured and judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL

from operations.findings import Findings
from operations.monitor.exporting import write_metrics
from operations.monitor.growth import Gain
from operations.monitor.judging import Measure, judge, measures
from operations.monitor.metrics import Index, Statement, Table, read
from operations.replicas import findings


@dataclass(frozen=True)
class Figure:
    """A measure as JSON shows it; `statement` is what to run about it where its limits are passed."""

    metric: str
    subject: str
    value: float
    unit: str
    statement: str


@dataclass(frozen=True)
class Monitoring(Findings):
    """What `sidb monitor` found. `gains` are by table, `bloat` (a share) by the table's oid."""

    database: str
    at: datetime
    standby: bool
    counted_since: datetime | None
    tables: Sequence[Table]
    indexes: Sequence[Index]
    statements: Sequence[Statement]
    bloat: Mapping[int, float]
    gains: Mapping[str, Gain]
    figures: Sequence[Figure]


def look(
    url: URL,
    metrics: Path | None = None,
    *,
    thorough: bool = True,
    keep: bool = True,
    replicas: Sequence[URL] = (),
) -> Monitoring:
    """Look at the database, and write the metrics to a file if one is given. Raises OnlineError.

    `thorough`: see `metrics.read`; `replicas` are looked at, too. Nothing of the database is changed but, with `keep`,
    the day's sample of sizes.
    """
    found = read(url, thorough=thorough, keep=keep)
    measured = measures(found)
    judged = judge(found, measured)
    named = findings(url, replicas)
    if metrics is not None:
        write_metrics(metrics, found, measured, [*judged.findings, *named])
    return Monitoring(
        findings=[*judged.findings, *named],
        next_step=judged.next_step,
        database=found.database,
        at=found.server.at,
        standby=found.server.standby,
        counted_since=found.server.counted_since,
        tables=found.tables,
        indexes=found.indexes,
        statements=found.statements,
        bloat=found.bloat,
        gains=found.growth.gains,
        figures=[_figure(each) for each in measured],
    )


def _figure(measure: Measure) -> Figure:
    well = measure.metric.verdict(measure.value) == "ok"
    statement = "" if well else measure.statement
    return Figure(measure.metric.name, measure.subject, measure.value, measure.metric.unit, statement)
