"""What the tasks of a rehearsal share, and the notes they take for its report."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from alembic_online.errors import OnlineError
from sqlalchemy import Engine

from operations.phase1 import Shape
from operations.rehearsal.place import Place
from operations.rehearsal.traffic import Traffic
from operations.reporting.contents import Looked, Pauses, Size

Say = Callable[[str], None]


@dataclass(frozen=True)
class Parameters:
    """How large the rehearsal is."""

    niches: int
    events: int
    rate: float
    shape: Shape = Shape.TABLE
    share: float = 1.0
    """What part of the time may be taken from the application by what moves or reads much."""

    @property
    def quiet_seconds(self) -> float:
        """For how long the application is measured with nothing else going on: a moment in a very small rehearsal."""
        return min(20.0, max(1.0, self.events / 5_000))

    @property
    def open_seconds(self) -> float:
        """For how long at a time the left-open report keeps its transaction."""
        return min(3.0, max(0.4, self.events / 30_000))


@dataclass(frozen=True)
class Growth:
    """The events in the table, and what they take with their indexes, in bytes."""

    events: int
    bytes: int


@dataclass(frozen=True)
class Backfilled:
    """What the backfill moved, and how fast: rows a second of the clock, pauses and rests included.

    `needed_hours` are what the plan's first month of history would take at that rate and production's `share`,
    `window_hours` what the off-peak windows until the deadline offer.
    """

    rows: int
    seconds: float
    events: int
    events_per_second: float
    pauses: list[Pauses]
    share: float
    needed_hours: float
    window_hours: float
    deadline_days: int


@dataclass(frozen=True)
class Answer:
    """A reader's query at this volume: milliseconds of the middle and of the 95th of a hundred runs, rows, plan."""

    reader: str
    niche: str
    budget_ms: int
    p50_ms: float
    p95_ms: float
    rows: int
    plan: str


@dataclass(frozen=True)
class Lag:
    """How many seconds a replica was behind at the end of a task."""

    task: str
    seconds: float


@dataclass
class Notes:
    """What the tasks found out, for the gates and the report."""

    sizes_before: list[Size] = field(default_factory=list)
    sizes_after: list[Size] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    backfilled: Backfilled | None = None
    missing_rows: int | None = None
    missing: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    looked: list[Looked] = field(default_factory=list)
    replicas: int = 0
    lags: list[Lag] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """Where it runs, and under which traffic."""

    parameters: Parameters
    place: Place
    engine: Engine
    shape: Shape
    traffic: Traffic
    say: Say
    notes: Notes = field(default_factory=Notes)


@dataclass(frozen=True)
class Task:
    """A task of the rollout. `run` gives its result in words, and raises OnlineError where the rehearsal must end.

    `closes`: applications are shut out for a part of it, as they are meant to be. `migrates`: it has migration steps.
    `is_rollout`: it is what a rollout does, and not what makes the rows for it.
    """

    name: str
    title: str
    run: Callable[[Context], str]
    closes: bool = False
    migrates: bool = False
    is_rollout: bool = True


@dataclass(frozen=True)
class TaskResult:
    """A task as it went, by ``time.monotonic``; `error` is why it did not end well."""

    task: Task
    began: float
    ended: float
    detail: str
    error: str | None = None


def run_tasks(tasks: tuple[Task, ...], context: Context) -> list[TaskResult]:
    """Task after task, until one fails."""
    results: list[TaskResult] = []
    for task in tasks:
        context.say(f"{task.title} …")
        began = time.monotonic()
        try:
            detail = task.run(context)
        except OnlineError as error:
            results.append(TaskResult(task, began, time.monotonic(), error.what, str(error)))
            context.say(f"  failed: {error.what}")
            break
        results.append(TaskResult(task, began, time.monotonic(), detail))
        context.say(f"  {results[-1].ended - began:6.1f} s  {detail}")
    return results
