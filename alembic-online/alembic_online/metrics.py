"""Figures of a migration for Prometheus, as a text file that the node exporter collects."""

import logging
from pathlib import Path

from alembic_online.errors import OnlineError
from alembic_online.options import Options

log = logging.getLogger("alembic.online")

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
    """Collects figures during a run and writes the file anew after each step; needs the extra `metrics`.

    Raises OnlineError where that is not installed, or the file cannot be written as the run begins; later, that is
    only told.
    """

    def __init__(self, path: Path, prefix: str) -> None:
        try:
            from prometheus_client import CollectorRegistry, Gauge, write_to_textfile
        except ImportError:
            raise OnlineError(
                "A metrics file is set, but prometheus-client is not installed; nothing was changed.",
                "install it (pip install prometheus-client), or unset the metrics file.",
            ) from None
        self.path = path
        self.write_to = write_to_textfile
        self.registry = CollectorRegistry()
        self.step_gauges = {
            name: Gauge(f"{prefix}_migration_step_{name}", text, ("revision", "direction"), registry=self.registry)
            for name, text in STEP.items()
        }
        self.succeeded = Gauge(
            f"{prefix}_migration_succeeded", "1 if the last migration ended well", registry=self.registry
        )
        self.told = False
        try:
            self.write_to(str(path), self.registry)
        except OSError as error:
            raise OnlineError(
                f"The metrics file {path} cannot be written: {error.strerror}; nothing was changed.",
                "name one in a folder that is there and that this user may write to, or unset the metrics file.",
            ) from None

    def step(self, revision: str, direction: str, **values: float) -> None:
        """Record a step; `values` are named as in STEP."""
        for name, value in values.items():
            self.step_gauges[name].labels(revision, direction).set(value)
        self._write()

    def ended(self, *, well: bool) -> None:
        self.succeeded.set(int(well))
        self._write()

    def _write(self) -> None:
        try:
            self.write_to(str(self.path), self.registry)
        except OSError as error:  # a migration does not end for it behind a step that is committed
            if not self.told:
                log.warning("The metrics file %s cannot be written: %s", self.path, error.strerror)
            self.told = True


def open_metrics(options: Options, prefix: str, *, refuses: bool) -> Metrics | None:
    """The metrics of a run, if they are wanted. Unless it `refuses`, a run goes without what cannot be written."""
    if options.metrics_file is None:
        return None
    try:
        return Metrics(options.metrics_file, prefix)
    except OnlineError as error:
        if refuses:
            raise
        log.warning("%s", error.what.removesuffix("; nothing was changed."))
        return None
