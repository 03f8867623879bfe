"""For Prometheus: the measures as a text file, and the alert rules that go with them, from the same thresholds."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from alembic_online import alerts
from alembic_online.errors import OnlineError
from alembic_online.options import Options
from alembic_online.replica_lag import LAG
from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from operations.findings import Finding, Verdict
from operations.monitor.judging import Measure
from operations.monitor.reading import Readings
from operations.monitor.thresholds import METRICS, Metric

LOOKED = "sidb_monitor_timestamp_seconds"
VERDICT = "sidb_monitor_verdict"
UNSEEN = 900  # seconds without a new file, before Prometheus alerts
VALUES: dict[Verdict, int] = {"unknown": -1, "ok": 0, "warning": 1, "failed": 2}

HEADER = """\
# Alert rules for Prometheus, generated from operations/monitor/thresholds.py and operations/alerts.py by `make docs`.
# The metrics come from `sidb monitor --prometheus FILE` (from cron, every minute or so) and from migrations with
# SIDB_METRICS_FILE=FILE, each collected by the node exporter's textfile collector.
"""


def write_metrics(path: Path, found: Readings, measured: Sequence[Measure], findings: Sequence[Finding]) -> None:
    """Write the file anew, whole or not at all. Raises OnlineError where that fails."""
    registry = CollectorRegistry()
    for metric in METRICS:
        gauge = Gauge(metric.name, metric.meaning, (metric.label,) if metric.label else (), registry=registry)
        for each in measured:
            if each.metric is metric:
                (gauge.labels(each.subject) if metric.label else gauge).set(each.value)
    Gauge(LOOKED, "When sidb monitor looked", registry=registry).set(found.server.at.timestamp())
    verdict = Gauge(VERDICT, "Verdict of a check: -1 unknown, 0 ok, 1 warning, 2 failed", ("check",), registry=registry)
    for finding in sorted(findings, key=lambda each: VALUES[each.verdict]):  # of several of a check, the worst
        verdict.labels(finding.check).set(VALUES[finding.verdict])
    try:
        write_to_textfile(str(path), registry)
    except OSError as error:
        raise OnlineError(
            f"The metrics could not be written to {path}: {error.strerror}.", "give a file in a directory of yours."
        ) from None


def alert_rules() -> str:
    """The rules as a YAML file for Prometheus' `rule_files`: one for each limit of each metric."""
    monitor = [rule for metric in METRICS for rule in _rules_of(metric)]
    monitor.append(
        _rule(
            "SidbMonitorUnseen",
            f"time() - {LOOKED} > {UNSEEN} or absent({LOOKED})",
            1,
            "warning",
            f"sidb monitor --prometheus has not run for {UNSEEN / 60:.0f} minutes.",
            "see cron's mail on the machine that runs it",
        )
    )
    limits = (
        ("Long", "seconds", Options().step_alert, "s to its commit"),
        ("Victims", "longest_victim_wait_seconds", alerts.VICTIM, "s that somebody waited for it"),
        ("Lag", "replication_lag_seconds", LAG, "s that a replica was behind"),
    )
    migration = [
        _rule(
            f"SidbMigrationStep{name}",
            f"sidb_migration_step_{metric} > {limit:g}",
            0,
            "warning",
            f"Migration step {{{{ $labels.revision }}}} {{{{ $labels.direction }}}}:"
            f" {{{{ $value | humanize }}}} {meaning}.",
            "sidb history",
        )
        for name, metric, limit, meaning in limits
    ]
    failed = "The last migration did not end well."
    migration.append(
        _rule("SidbMigrationFailed", "sidb_migration_succeeded == 0", 0, "critical", failed, "sidb history")
    )
    return HEADER + "groups:\n" + _group("sidb-monitor", monitor) + _group("sidb-migration", migration)


def _rules_of(metric: Metric) -> Iterator[str]:
    words = "".join(word.capitalize() for word in metric.name.split("_"))
    about = f"{{{{ $labels.{metric.label} }}}}: " if metric.label else ""
    for severity, limit in (("warning", metric.warning), ("critical", metric.failed)):
        if limit is not None:
            yield _rule(
                words,
                f"{metric.name} {'<' if metric.below else '>'} {limit:.10g}",
                metric.minutes,
                severity,
                f"{about}{metric.meaning[0].lower()}{metric.meaning[1:]} is {{{{ $value | humanize }}}}.",
                metric.check.remedy,
            )


def _group(name: str, rules: list[str]) -> str:
    return f"  - name: {name}\n    rules:\n" + "".join(rules)


def _rule(name: str, expression: str, minutes: int, severity: str, summary: str, remedy: str) -> str:
    return (
        f"      - alert: {name}\n"
        f"        expr: {json.dumps(expression)}\n"
        f"        for: {minutes}m\n"
        "        labels:\n"
        f"          severity: {severity}\n"
        "        annotations:\n"
        f"          summary: {json.dumps(summary, ensure_ascii=False)}\n"
        f"          remedy: {json.dumps(remedy, ensure_ascii=False)}\n"
    )
