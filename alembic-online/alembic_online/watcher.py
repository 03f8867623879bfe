"""The watcher: samples the server while a step runs, on a session and in a thread of its own."""

import logging
import math
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from alembic_online.alerts import Alerts
from alembic_online.errors import OnlineError
from alembic_online.queries import query

log = logging.getLogger("alembic.online")

EVERY = 0.1  # seconds between two samples
MEASURES = ("connections", "active", "idle", "idle_in_transaction", "blocked", "longest_wait", "replication_lag")
MOST_POINTS = 120  # of each measure, that are kept of a step


@dataclass(frozen=True)
class Sample:
    """The server at one moment. `blocked_sessions`: pid, start and seconds of each wait for the migrator."""

    connections: int
    active: int
    idle: int
    idle_in_transaction: int
    max_connections: int
    replication_lag: float
    blocked_sessions: list[tuple[int, str, float]]

    @property
    def blocked(self) -> int:
        return len(self.blocked_sessions)

    @property
    def longest_wait(self) -> float:
        return max((seconds for _, _, seconds in self.blocked_sessions), default=0.0)


@dataclass(frozen=True)
class Observed:
    """What was seen during a step: [minimum, median, maximum] of each measure, and how many sessions were blocked.

    `series` is for plots: the highest values of each measure, and `at` in seconds since the step began.
    """

    measures: Mapping[str, list[float]]
    blocked_sessions: int
    longest_wait: float
    series: Mapping[str, list[float]]
    alerts: Sequence[str] = ()


class Watcher:
    """Watches the session `migrator` between `begin` and `end`; `close` ends the thread.

    With `--on-alert stop` it cancels what the migrator does; `interrupt` then raises what to say.
    """

    def __init__(self, connection: psycopg.Connection[Any], migrator: int, alerts: Alerts) -> None:
        self.connection = connection
        self.migrator = migrator
        self.alerts = alerts
        self.samples: list[tuple[float, Sample]] = []
        self.step: str | None = None
        self.began = 0.0
        self.stopped: str | None = None
        self.broken: str | None = None
        """Why its session was lost."""
        self.told = False
        self.condition = threading.Condition()
        self.closing = False
        self.thread = threading.Thread(target=self._watch, name="migration watcher", daemon=True)
        self.thread.start()

    def begin(self, step: str) -> None:
        with self.condition:
            self.step, self.began, self.samples = step, time.monotonic(), []
            self.alerts.begin()
            self.condition.notify_all()

    def end(self) -> Observed:
        """What was seen since `begin`; at least one sample, unless the watcher lost its session."""
        with self.condition:
            self.condition.wait_for(lambda: self.samples or self.broken, timeout=5)
            self.step, samples = None, self.samples
        if self.broken and not self.told:  # only now: a run that lost its own sessions says so itself
            log.warning("The watcher lost its session; nothing was observed since then: %s", self.broken)
            self.told = True
        waits: dict[tuple[int, str], float] = {}
        for _, sample in samples:
            waits.update({(pid, started): seconds for pid, started, seconds in sample.blocked_sessions})
        values = {measure: [float(getattr(sample, measure)) for _, sample in samples] for measure in MEASURES}
        measures = {name: [min(v), statistics.median(v), max(v)] for name, v in values.items() if v}
        every = max(1, math.ceil(len(samples) / MOST_POINTS))
        series = {name: [max(v[at : at + every]) for at in range(0, len(v), every)] for name, v in values.items()}
        series["at"] = [round(at, 2) for at, _ in samples[::every]]
        alerts = tuple(self.alerts.raised)
        return Observed(measures, len(waits), max(waits.values(), default=0.0), series, alerts)

    def interrupt(self) -> None:
        """Raise OnlineError if an alert is to stop the step."""
        if self.stopped:
            raise OnlineError(
                f"Stopped by an alert: {self.stopped}",
                "resolve it and run it again; the database is at the last whole step.",
            )

    def close(self) -> None:
        with self.condition:
            self.closing = True
            self.condition.notify_all()
        self.thread.join()

    def _watch(self) -> None:
        while True:
            with self.condition:
                # Asleep while no step runs, at once awake when one begins.
                self.condition.wait_for(lambda: self.closing or self.step)
                if self.closing:
                    return
                step = self.step
            try:
                self._look(step or "")
            except psycopg.Error as error:
                with self.condition:
                    self.broken = str(error).partition("\n")[0] or type(error).__name__
                    self.condition.notify_all()
                return
            with self.condition:
                self.condition.wait_for(lambda: self.closing or self.step != step, timeout=EVERY)  # noqa: B023

    def _look(self, step: str) -> None:
        with self.connection.cursor(row_factory=class_row(Sample)) as cursor:
            sample = cursor.execute(query("run/sample"), {"migrator": self.migrator}).fetchone()
        assert sample is not None
        with self.condition:
            if self.step != step:
                return
            running = time.monotonic() - self.began
            self.samples.append((running, sample))
            self.condition.notify_all()
        stop = self.alerts.look(
            step, running, sample.longest_wait, sample.replication_lag, sample.connections / sample.max_connections
        )
        if stop and not self.stopped:
            self.stopped = stop
            self.connection.execute("SELECT pg_cancel_backend(%s)", [self.migrator])
