"""The summary: all that a rehearsal measured of its traffic, computed once."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from operations.monitor.growth import forecast
from operations.monitor.thresholds import FIRST_MONTH
from operations.rehearsal.clients import Sample
from operations.rehearsal.context import Notes, TaskResult
from operations.rehearsal.latency import Bucket, Latency, measured, series, within
from operations.rehearsal.traffic import Scoring, Traffic

PIECES = 240
"""Of a plot's time axis, at most."""
SHORTEST = 0.1
"""Seconds of a piece."""
HALF_A_YEAR = 180.0  # days
AFTERMATH = 1.0
"""Seconds after the scorer in which clients catch up."""


@dataclass(frozen=True)
class TaskSummary:
    """A task: when it began and how long it took, in seconds, and what the application saw meanwhile."""

    name: str
    title: str
    began: float
    seconds: float
    detail: str
    error: str | None
    phase1: Latency
    phase2: Latency


@dataclass(frozen=True)
class WaitSummary:
    """How often statements of the application were seen waiting for a lock, and the longest, by who was in the way."""

    behind: str
    times: int
    longest_ms: float


@dataclass(frozen=True)
class ScoringSummary:
    """A run of Phase 1's nightly scorer, in seconds."""

    began: float
    seconds: float
    error: str | None


@dataclass(frozen=True)
class StatementSummary:
    """A statement of the application over the whole run."""

    name: str
    phase: int
    latency: Latency


@dataclass(frozen=True)
class Forecast:
    """Sizes in bytes: what an event takes (fitted), the other new tables, and what the plan's volumes come to."""

    event_bytes: float
    other_bytes: int
    first_month_rows: int
    first_month_bytes: float
    six_months_rows: int
    six_months_bytes: float


@dataclass(frozen=True)
class Timeline:
    """Pieces of the whole run, or of a task that migrates, for a plot; `began` and `seconds` from the run's start."""

    name: str
    began: float
    seconds: float
    phase1: list[Bucket]
    phase2: list[Bucket]


@dataclass(frozen=True)
class Summary:
    """All that was measured. Latencies before and during are Phase 1's, without the times in which its scorer ran;
    those during are of the rollout's tasks, without those that make rows for it."""

    began: datetime
    seconds: float
    tasks: list[TaskSummary]
    waits: list[WaitSummary]
    scorings: list[ScoringSummary]
    statements: list[StatementSummary]
    before: Latency
    during: Latency
    timelines: list[Timeline]
    forecast: Forecast | None
    notes: Notes


def summarise(results: Sequence[TaskResult], traffic: Traffic, notes: Notes) -> Summary:
    """Compute all of it; to be called when the traffic has ended."""
    began, ended = results[0].began, results[-1].ended
    now = datetime.now(UTC)
    started = now - timedelta(seconds=time.monotonic() - began)
    samples = traffic.ordered()
    by_phase = {phase: [s for s in samples if traffic.statements[s.statement].phase == phase] for phase in (1, 2)}
    quiet = _undisturbed(by_phase[1], traffic.scorings)
    return Summary(
        began=started,
        seconds=round(ended - began, 1),
        tasks=[_task(each, began, by_phase) for each in results],
        waits=_waits(traffic),
        scorings=[
            ScoringSummary(round(each.began - began, 1), round(each.ended - each.began, 2), each.error)
            for each in traffic.scorings
        ],
        statements=[
            StatementSummary(each.name, each.phase, measured(_of(samples, number), ended - began))
            for number, each in enumerate(traffic.statements)
        ],
        before=_over(quiet, [each for each in results if each.task.name == "before"]),
        during=_over(quiet, [each for each in results if each.task.is_rollout]),
        timelines=[
            _timeline("the whole run", began, ended, began, by_phase),
            *(
                _timeline(each.task.title, each.began, each.ended, began, by_phase)
                for each in results
                if each.task.migrates
            ),
        ],
        forecast=_forecast(notes),
        notes=notes,
    )


def _of(samples: Iterable[Sample], statement: int) -> list[Sample]:
    return [sample for sample in samples if sample.statement == statement]


def _task(results: TaskResult, began: float, by_phase: dict[int, list[Sample]]) -> TaskSummary:
    seconds = results.ended - results.began
    latencies = [
        measured(within(by_phase[phase], results.began, results.ended), seconds, closed=results.task.closes)
        for phase in (1, 2)
    ]
    return TaskSummary(
        results.task.name,
        results.task.title,
        round(results.began - began, 2),
        round(seconds, 2),
        results.detail,
        results.error,
        *latencies,
    )


def _timeline(
    name: str, since: float, until: float, began: float, by_phase: Mapping[int, Sequence[Sample]]
) -> Timeline:
    pieces = min(PIECES, max(10, round((until - since) / SHORTEST)))
    phases = [series(by_phase[phase], since, until, pieces) for phase in (1, 2)]
    return Timeline(name, round(since - began, 2), round(until - since, 2), *phases)


def _undisturbed(samples: Iterable[Sample], scorings: Sequence[Scoring]) -> list[Sample]:
    """Without what was under way while Phase 1's own scorer held the rows, or shortly after."""
    return [
        sample
        for sample in samples
        if not any(
            sample.due < each.ended + AFTERMATH and sample.due + sample.seconds > each.began for each in scorings
        )
    ]


def _over(samples: Sequence[Sample], tasks: Sequence[TaskResult]) -> Latency:
    open_tasks = [each for each in tasks if not each.task.closes]
    chosen = [sample for each in open_tasks for sample in within(samples, each.began, each.ended)]
    return measured(chosen, sum(each.ended - each.began for each in open_tasks))


def _waits(traffic: Traffic) -> list[WaitSummary]:
    behind: dict[str, list[float]] = {}
    for wait in traffic.waits.values():
        behind.setdefault(wait.behind, []).append(wait.seconds * 1000)
    return [WaitSummary(who, len(waits), round(max(waits), 1)) for who, waits in sorted(behind.items())]


def _forecast(notes: Notes) -> Forecast | None:
    """Least squares over the sizes seen while the history came in; the other tables are added as large as they are."""
    points = [(point.events, point.bytes) for point in notes.growth]
    if len({events for events, _ in points}) < 2:
        return None
    middle = [sum(values) / len(points) for values in zip(*points, strict=True)]
    slope = sum((x - middle[0]) * (y - middle[1]) for x, y in points) / sum((x - middle[0]) ** 2 for x, _ in points)
    new = [size for size in notes.sizes_after if size.relation.startswith("analytics.")]
    other = sum(size.total_bytes for size in new if size.relation != "analytics.analytics_events")
    first, six = (round(forecast(days)[0]) for days in (FIRST_MONTH, HALF_A_YEAR))
    return Forecast(round(slope, 1), other, first, round(slope * first + other), six, round(slope * six + other))
