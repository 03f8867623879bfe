"""Gates: the limits that a rehearsal must keep, each settable; what is beyond one fails it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alembic_online.errors import UsageError

from operations.findings import Check, Finding
from operations.rehearsal.summary import Summary
from operations.rehearsal.traffic import REPLAY, ROLLOUT
from operations.reporting import steps
from operations.reporting.checks import LONGEST_STEP, LONGEST_WAIT_MS
from operations.reporting.contents import Rollout

GIGABYTE = 10**9
NEXT = "see the report."


@dataclass(frozen=True)
class Measured:
    """What the gates judge."""

    traffic: Summary
    rollout: Rollout


@dataclass(frozen=True)
class Gate:
    """A limit: `measure` gives the value beside it, and in words what it is; None: it was not measured."""

    check: Check
    limit: float
    unit: str
    measure: Callable[[Measured], tuple[float, str] | None]

    @property
    def name(self) -> str:
        return self.check.name

    def judge(self, measured: Measured, limit: float) -> Finding:
        found = self.measure(measured)
        if found is None:
            return self.check.unknown("not measured: the rehearsal did not get that far")
        value, words = found
        beside = f"{value:,.4g}{self.unit} (at most {limit:,.4g}{self.unit})"
        detail = f"{beside}{': ' if words else ''}{words}"
        return self.check.ok(detail) if value <= limit else self.check.failed(detail)


def _tasks(measured: Measured) -> tuple[float, str]:
    failed = [f"{task.title}: {task.detail}" for task in measured.traffic.tasks if task.error]
    return len(failed), "; ".join(failed)


def _checks(measured: Measured) -> tuple[float, str]:
    found = [each for looked in measured.traffic.notes.looked for each in looked.findings]
    failed = [f"{each.check}: {each.detail}" for each in found if each.verdict == "failed"]
    return len(failed), "; ".join(failed)


def _undeclared(measured: Measured) -> tuple[float, str] | None:
    found = steps.undeclared(measured.rollout.steps)
    return (len(found), "; ".join(found)) if measured.rollout.steps else None


def _longest_wait(measured: Measured) -> tuple[float, str]:
    seen = [(wait.longest_ms, "") for wait in measured.traffic.waits if wait.behind == ROLLOUT]
    return max([*seen, steps.longest_wait(measured.rollout.steps)])


def _replica_wait(measured: Measured) -> tuple[float, str] | None:
    if not measured.traffic.notes.replicas:
        return None
    return max((wait.longest_ms for wait in measured.traffic.waits if wait.behind == REPLAY), default=0.0), ""


def _replica_lag(measured: Measured) -> tuple[float, str] | None:
    return max(((each.seconds, f"after {each.task}") for each in measured.traffic.notes.lags), default=None)


def _step_seconds(measured: Measured) -> tuple[float, str] | None:
    return steps.slowest(measured.rollout.steps)


def _p99_ratio(measured: Measured) -> tuple[float, str] | None:
    before, during = measured.traffic.before.p99_ms, measured.traffic.during.p99_ms
    if not before or during is None:
        return None
    return during / before, f"{before:g} ms before, {during:g} ms during"


def _errors(measured: Measured) -> tuple[float, str]:
    every = [latency for task in measured.traffic.tasks for latency in (task.phase1, task.phase2)]
    states = sorted({state for latency in every for state in latency.errors})
    return sum(sum(latency.errors.values()) for latency in every), ", ".join(f"SQLSTATE {state}" for state in states)


def _missing(measured: Measured) -> tuple[float, str] | None:
    rows = measured.traffic.notes.missing_rows
    return None if rows is None else (rows, "; ".join(measured.traffic.notes.missing))


def _readers(measured: Measured) -> tuple[float, str] | None:
    answers = measured.traffic.notes.answers
    shares = (
        (answer.p95_ms / answer.budget_ms, f"{answer.reader} took {answer.p95_ms:g} of {answer.budget_ms} ms")
        for answer in answers
    )
    return max(shares, default=None)


def _backfill_days(measured: Measured) -> tuple[float, str] | None:
    done = measured.traffic.notes.backfilled
    if done is None or not done.needed_hours:
        return None
    days = done.needed_hours / (done.window_hours / done.deadline_days)
    return days, f"10 million events at {done.events_per_second:,.0f} a second, in off-peak windows only"


def _first_month(measured: Measured) -> tuple[float, str] | None:
    forecast = measured.traffic.forecast
    return (forecast.first_month_bytes / GIGABYTE, f"{forecast.event_bytes:,.0f} bytes an event") if forecast else None


def _six_months(measured: Measured) -> tuple[float, str] | None:
    forecast = measured.traffic.forecast
    return (forecast.six_months_bytes / GIGABYTE, f"{forecast.six_months_rows:,} rows") if forecast else None


GATES = (
    Gate(
        Check("failed-tasks", "Every task of the rollout ran to its end.", "Correct what it says, rehearse again."),
        0,
        "",
        _tasks,
    ),
    Gate(
        Check(
            "failed-checks",
            "What preflight, verify, monitor, rollback and restore looked at is well.",
            "The report lists what each of them found.",
        ),
        0,
        "",
        _checks,
    ),
    Gate(
        Check(
            "undeclared-locks",
            "No step held a stronger lock than its revision declares: such a lock is not acquired with retries.",
            "Declare it in the revision's `locks`, or change the statement that takes it.",
        ),
        0,
        "",
        _undeclared,
    ),
    Gate(
        Check(
            "longest-wait",
            "The longest that a statement of the application was seen waiting for a lock of the rollout.",
            "The report names the step; make its transaction shorter, or its lock weaker.",
        ),
        LONGEST_WAIT_MS,
        " ms",
        _longest_wait,
    ),
    Gate(
        Check(
            "replica-wait",
            "The longest that a statement on a replica was seen waiting for a lock, which is behind replay.",
            "See what read for long on the replica then; set max_standby_streaming_delay to 2 s there.",
        ),
        250,
        " ms",
        _replica_wait,
    ),
    Gate(
        Check(
            "replica-lag",
            "How far a replica was behind when upgrade, rollback or restore had ended.",
            "See what holds up replay on the replica (sidb status --replica …).",
        ),
        1,
        " s",
        _replica_lag,
    ),
    Gate(
        Check(
            "step-seconds",
            "How long the slowest migration step took (plan: alert on steps that exceed 5 minutes).",
            "See the step's locks and waits in the report.",
        ),
        LONGEST_STEP,
        " s",
        _step_seconds,
    ),
    Gate(
        Check(
            "p99-ratio",
            "The 99th percentile of Phase 1's statements during the rollout, beside that before it.",
            "See which task the plot shows it in; take a smaller --share of the time, or quieter hours.",
        ),
        1.5,
        "",
        _p99_ratio,
    ),
    Gate(
        Check(
            "errors",
            "Statements of the application that failed, but for those refused while a rollback had closed the tables.",
            "The report lists them by SQLSTATE and task.",
        ),
        0,
        "",
        _errors,
    ),
    Gate(
        Check(
            "missing-rows",
            "Rows that the verification found missing, changed or extra.",
            "sidb backfill run --all, then sidb backfill verify.",
        ),
        0,
        "",
        _missing,
    ),
    Gate(
        Check(
            "reader-budget",
            "The slowest reader's query: its 95th percentile as a share of its budget.",
            "See its plan in the report; an index or a smaller query is needed.",
        ),
        1,
        "",
        _readers,
    ),
    Gate(
        Check(
            "backfill-days",
            "Days that the plan's first month of history takes at the measured rate (plan: within 7 days).",
            "Widen SIDB_BACKFILL_WINDOW, or start further workers.",
        ),
        7,
        " days",
        _backfill_days,
    ),
    Gate(
        Check(
            "first-month-gb",
            "Size of the new tables with 10 million rows, by measured growth (plan: about 20 GB).",
            "Provide more storage, or correct the plan.",
        ),
        20,
        " GB",
        _first_month,
    ),
    Gate(
        Check(
            "six-months-gb",
            "Size of the new tables after six months, by measured growth (plan: about 100 GB).",
            "Provide more storage, or correct the plan.",
        ),
        100,
        " GB",
        _six_months,
    ),
)
CHECKS = tuple(gate.check for gate in GATES)


def limits(given: Sequence[str]) -> dict[str, float]:
    """The limits by gate, with those given as ``name=value``. Raises UsageError on what is not understood."""
    found = {gate.name: gate.limit for gate in GATES}
    for text in given:
        name, _, value = text.partition("=")
        try:
            if name not in found:
                raise ValueError(name)
            found[name] = float(value)
        except ValueError:
            raise UsageError(
                f"--gate {text} is not understood.", f"write it as longest-wait=200; there are {', '.join(found)}."
            ) from None
    return found


def judge(measured: Measured, limits: Mapping[str, float]) -> list[Finding]:
    """Every gate's verdict."""
    return [gate.judge(measured, limits[gate.name]) for gate in GATES]
