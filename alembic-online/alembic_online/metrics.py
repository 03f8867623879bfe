"""Figures of a migration for Prometheus, as a text file that the node exporter collects."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

STEP = {
    "seconds": "From the start of a migration step to its commit",
    "lock_tries": "How often a migration step asked for locks",
    "lock_wait_seconds": "How long a migration step took to get its locks, pauses included",
    "blocked_sessions": "Statements that were seen waiting for a migration step",
    "longest_block_seconds": "The longest that a statement was seen waiting for a migration step",
    "replication_lag_seconds": "Largest replication lag seen during a migration step",
    "finished_timestamp_seconds": "When a migration step was committed",
}


class Metrics:
    """Collects figures during a run and writes the file anew after each step; needs the extra `metrics`."""

    def __init__(self, path: Path, prefix: str) -> None:
        self.path = path
        self.registry = CollectorRegistry()
        self.step_gauges = {
            name: Gauge(f"{prefix}_migration_step_{name}", text, ("revision", "direction"), registry=self.registry)
            for name, text in STEP.items()
        }
        self.succeeded = Gauge(
            f"{prefix}_migration_succeeded", "1 if the last migration ended well", registry=self.registry
        )

    def step(self, revision: str, direction: str, **values: float) -> None:
        """Record a step; `values` are named as in STEP."""
        for name, value in values.items():
            self.step_gauges[name].labels(revision, direction).set(value)
        self.write()

    def ended(self, *, well: bool) -> None:
        self.succeeded.set(int(well))
        self.write()

    def write(self) -> None:
        write_to_textfile(str(self.path), self.registry)
