"""What is told of a step once it is applied, and of a run that stopped."""

import logging
import time
from collections.abc import Sequence

from alembic_online.metrics import Metrics
from alembic_online.retry import RetryPolicy
from alembic_online.step import Step
from alembic_online.watcher import Observed

log = logging.getLogger("alembic.online")


def report_step(done: Step, seen: Observed, seconds: float, metrics: Metrics | None) -> None:
    """Say what a step that is applied took, and what was seen of it, on the log and in the metrics."""
    log.info(
        "%s: done in %.2f s; %s; %s",
        done.name,
        seconds,
        _acquired(done.policy),
        f"{seen.blocked_sessions} sessions blocked, the longest for {seen.longest_wait * 1000:.0f} ms"
        if seen.blocked_sessions
        else "no session was blocked",
    )
    if metrics:
        metrics.step(
            done.script.revision,
            done.direction,
            seconds=seconds,
            lock_tries=done.policy.tries,
            lock_wait_seconds=done.policy.waited,
            blocked_sessions=seen.blocked_sessions,
            longest_block_seconds=seen.longest_wait,
            replication_lag_seconds=max(seen.measures.get("replication_lag", [0.0])),
            finished_timestamp_seconds=time.time(),
        )


def so_far(
    done: Sequence[str],
    step: Step | None,
    *,
    goes_forward: bool,
    lost: bool = False,
    is_applied: bool | None = False,
) -> str:
    """What of a run stays, and what of the step that was not finished; of an upgrade also what applications have.

    `lost`: the connection is, and the server may be down. `is_applied`: whether the step is all the same, and only the
    answer to its COMMIT was lost; None: not known.
    """
    applied = f"Applied: {', '.join(done)}" if done else "No step was applied"
    if step is None:
        return applied
    if is_applied:
        return f"Applied: {', '.join([*done, step.name])}; of {step.name}, only the answer to its COMMIT was lost"
    if is_applied is None:
        return f"{applied}; whether {step.name} is applied is not known, as the answer to its COMMIT was lost"
    kept = "what it has done so far stays" if step.committed else "nothing of it stays"
    if goes_forward and not step.committed:
        before = step.script.down_revision
        whole = f"whole at {before}" if isinstance(before, str) else "as it was before"
        when = " whenever the server is up" if lost else ""
        kept += f". The database is {whole}, and applications can use it as it is{when}"
    return f"{applied}; {step.name} was not finished: {kept}"


def _acquired(policy: RetryPolicy) -> str:
    if not policy.tries:
        return "no locks to acquire beforehand"
    return f"locks acquired after {policy.attempts}, {policy.waited:.2f} s"
