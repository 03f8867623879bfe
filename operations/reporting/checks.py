"""What a rollout must have shown before its report is signed, each with a verdict; `unknown` is what is missing."""

from collections import Counter
from collections.abc import Callable

from alembic_online.quantities import listed

from operations.findings import Check, Finding, exit_code
from operations.preflight import backups, retention
from operations.reporting import steps
from operations.reporting.collecting import MEASURE, MONITOR, REPLICAS, VERIFY
from operations.reporting.contents import Looked, Report, Rollout
from operations.verify.phase1 import PHASE1_ROWS

NAMED = 3
"""Findings of a command that a line names, at most."""
LONGEST_WAIT_MS = 250.0
"""For so long a session may wait for a step."""
NOT_APPLIED = ("failed", "interrupted")
LONGEST_STEP = 300.0
"""Seconds; the plan alerts on steps that exceed 5 minutes."""

REVISION = Check("revision", "The database is at the newest revision.", "`sidb upgrade`.")
HALF_WAY = Check(
    "state", "Nothing is half-way, nothing failed, and no right is missing: `sidb status`.", "see `sidb status`."
)
STEPS = Check(
    "steps",
    "Every migration step was applied and validated, and took 5 minutes at most.",
    "see the step's message, locks and samples in the report.",
)
LOCKS = Check(
    "locks",
    "No step held a stronger lock than its revision declares: such a lock is not acquired with retries.",
    "declare it in the revision's `locks`, or change the statement that takes it.",
)
WAITS = Check(
    "blocked sessions",
    "No session waited for a step for more than 250 ms, and no alert was raised.",
    "the report names the step; make its transaction shorter, or its lock weaker.",
)
BACKUP = Check(
    "backup",
    "A backup was proved before the upgrade, as `sidb preflight --prepare` recorded.",
    "`sidb preflight --prepare` with --backup or --backup-command, before the next rollout.",
)
RETENTION = Check(
    "retention",
    "Log and WAL retention were raised for the rollout, and put back.",
    "`sidb preflight --finish`.",
)
ROWS = Check(
    "Phase 1 rows",
    "Phase 1's rows are what they were before the upgrade, but for what the application wrote since.",
    "see `sidb verify`.",
)
VERIFIED = Check("verify", "`sidb verify` finds nothing wrong.", "`sidb verify` says what to do about each.")
READERS = Check("readers", "Each query of the application answers within its budget.", "see docs/checks.md, `readers`.")
BACKFILLED = Check("backfill", "All jobs of the backfill are done, and verified.", "`sidb backfill status`.")
MONITORED = Check("monitor", "`sidb monitor` finds nothing beyond a limit.", "`sidb monitor` says what to do about it.")
FOLLOWED = Check(
    "replicas",
    "Each replica that is named (--replica, SIDB_REPLICAS) follows closely; nothing reads our tables there for long.",
    "`sidb preflight` with the same replicas says what to do about each.",
)
READABLE = Check("records", "All records of the rollout could be read.", "make the report as the role that migrated.")


def report(rollout: Rollout) -> Report:
    """The verdict, from all that is known."""
    findings = [found for _check, judge in JUDGES for found in [judge(rollout)] if found]
    word = VERDICTS[exit_code(findings)]
    if rollout.rolled_back and not any(each.verdict == "failed" for each in findings):
        word = "Rolled back"
    open_ = next((each for verdict in ("failed", "unknown") for each in findings if each.verdict == verdict), None)
    return Report(word, findings, f"{open_.check}: {open_.remedy}" if open_ else "sign the page.", rollout)


VERDICTS = {0: "Complete", 1: "Action required", 3: "Not complete"}


def _revision(made: Rollout) -> Finding:
    at = ", ".join(made.revision) or "no revision"
    if (back := made.rolled_back) is not None:
        kept = "; what it kept is in " + ", ".join(f"archive {each.archive}" for each in made.archives)
        when = f"{back.finished or back.started:%Y-%m-%d %H:%M}"
        return REVISION.unknown(
            f"rolled back from {back.origin} to {back.target} on {when}{kept if made.archives else ''}",
            "`sidb upgrade`, then `sidb restore`, when it is to be tried again.",
        )
    return REVISION.ok(at) if made.revision == [made.head] else REVISION.unknown(f"at {at}; the newest is {made.head}")


def _state(made: Rollout) -> Finding:
    return HALF_WAY.failed("; ".join(made.amiss)) if made.amiss else HALF_WAY.ok("nothing is amiss")


def _steps(made: Rollout) -> Finding:
    if not made.steps:
        return STEPS.unknown("the ledger holds no step")
    invalid = [f"{each.revision} {each.direction}" for each in made.steps if each.outcome == "not valid"]
    if invalid:
        return STEPS.failed(f"applied, and not valid: {', '.join(invalid)}")
    applied = sum(each.outcome == "applied" for each in made.steps)
    seconds, slowest = steps.slowest(made.steps) or (0.0, "")
    detail = f"{applied} applied in {len(made.steps)} attempts; the longest, {slowest}, took {seconds:.3g} s"
    failed = [f"{each.revision} {each.direction} {each.outcome}" for each in made.steps if each.outcome in NOT_APPLIED]
    if failed or seconds > LONGEST_STEP:
        return STEPS.warning("; ".join([detail, *failed]))
    return STEPS.ok(detail)


def _locks(made: Rollout) -> Finding | None:
    found = steps.undeclared(made.steps)
    if not made.steps:
        return None
    return LOCKS.failed("; ".join(found)) if found else LOCKS.ok("every lock was declared")


def _waits(made: Rollout) -> Finding | None:
    if not made.steps:
        return None
    alerts = [f"{each.revision} {each.direction}: {alert}" for each in made.steps for alert in each.alerts]
    milliseconds, which = steps.longest_wait(made.steps)
    blocked = sum(each.blocked for each in made.steps)
    detail = f"{blocked} sessions, the longest for {milliseconds:.0f} ms ({which})" if blocked else "none"
    if alerts or milliseconds > LONGEST_WAIT_MS:
        return WAITS.warning("; ".join([detail, *(f"alert: {alert}" for alert in alerts)]))
    return WAITS.ok(f"{detail}; no alert")


def _backup(made: Rollout) -> Finding:
    proofs = (backups.BASE_BACKUP.name, backups.ARCHIVING.name, backups.COMMAND.name)
    for each in reversed(made.preflights):
        proved = [found for found in each.findings if found.check in proofs and found.verdict == "ok"]
        if each.action == "prepare" and proved:
            details = "; ".join(f"{found.check}: {found.detail}" for found in proved)
            return BACKUP.ok(f"{details} ({each.at:%Y-%m-%d %H:%M})")
    return BACKUP.unknown("no `sidb preflight --prepare` is recorded")


def _retention(made: Rollout) -> Finding:
    if made.raised:
        return RETENTION.unknown(f"raised, and not put back: {'; '.join(made.raised)}")
    last = made.preflights[-1] if made.preflights else None
    if last is None:
        return RETENTION.unknown("no `sidb preflight --prepare` is recorded", "before the next rollout.")
    names = (retention.RETENTION.name, retention.RESTORED.name)
    if last.action == "prepare":
        return RETENTION.unknown("the rollout is not finished")
    found = [each for run in made.preflights[-2:] for each in run.findings if each.check in names]
    detail = listed([each.detail for each in found])
    if any(each.verdict == "failed" for each in found):
        return RETENTION.failed(detail)
    if any(each.verdict == "warning" for each in found):
        return RETENTION.warning(detail, "an administrator runs the statements that `sidb preflight --prepare` names.")
    return RETENTION.ok(detail)


def _rows(made: Rollout) -> Finding:
    verified = made.looked_by(VERIFY)
    found = next((each for each in verified.findings if each.check == PHASE1_ROWS.name), None) if verified else None
    counted = "" if made.rows.before is None else f"{made.rows.before:,} before, {made.rows.now or 0:,} now: "
    if found is None:
        return ROWS.unknown("not compared")
    return Finding(ROWS.name, found.verdict, counted + found.detail, found.remedy)


def _of(check: Check, looked: Looked | None, *, unknown_counts: bool = True) -> Finding:
    """One verdict on what a command found: the worst, with what speaks for it."""
    if looked is None or looked.error or not looked.findings:
        return check.unknown(looked.error if looked and looked.error else "not looked at")
    counted = Counter(each.verdict for each in looked.findings)
    several = len({each.check for each in looked.findings}) > 1
    named = [
        (f"{each.check}: " if several else "") + each.detail.partition("\n")[0]
        for verdict in ("failed", "unknown", "warning")
        for each in looked.findings
        if each.verdict == verdict
    ]
    detail = "; ".join([", ".join(f"{number} {verdict}" for verdict, number in counted.items()), *named[:NAMED]])
    detail += f"; and {len(named) - NAMED} more" if len(named) > NAMED else ""
    if counted["failed"]:
        return check.failed(detail)
    if counted["unknown"] and unknown_counts:
        return check.unknown(detail)
    return check.warning(detail) if named else check.ok(detail)


def _backfilled(made: Rollout) -> Finding:
    jobs = made.backfill.jobs if made.backfill else []
    if not jobs or all(each.state in ("nothing to do", "not begun") for each in jobs):
        return BACKFILLED.unknown("not begun", "`sidb backfill load`, then `sidb backfill run`.")
    stopped = [f"{each.job}: {each.error or each.state}" for each in jobs if each.state == "stopped"]
    stopped += [f"{each.job}: {each.set_aside:,} rows set aside" for each in jobs if each.set_aside]
    if stopped:
        return BACKFILLED.failed("; ".join(stopped))
    waiting = [f"{each.job}: {each.state}, {each.left:,} rows left" for each in jobs if each.state not in DONE]
    if waiting:
        return BACKFILLED.unknown("; ".join(waiting))
    return BACKFILLED.ok(f"{sum(each.written + each.present for each in jobs):,} rows, verified")


DONE = ("done", "nothing to do")

JUDGES: tuple[tuple[Check, Callable[[Rollout], Finding | None]], ...] = (
    (REVISION, _revision),
    (HALF_WAY, _state),
    (STEPS, _steps),
    (LOCKS, _locks),
    (WAITS, _waits),
    (BACKUP, _backup),
    (RETENTION, _retention),
    (ROWS, _rows),
    (VERIFIED, lambda made: _of(VERIFIED, made.looked_by(VERIFY))),
    (READERS, lambda made: _of(READERS, made.looked_by(MEASURE))),
    (BACKFILLED, _backfilled),
    (MONITORED, lambda made: _of(MONITORED, made.looked_by(MONITOR), unknown_counts=False)),
    (FOLLOWED, lambda made: _of(FOLLOWED, found) if (found := made.looked_by(REPLICAS)) else None),
    (READABLE, lambda made: READABLE.unknown("; ".join(made.unknown)) if made.unknown else READABLE.ok("all")),
)
CHECKS = tuple(check for check, _judge in JUDGES)
