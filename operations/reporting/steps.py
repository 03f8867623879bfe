"""Migration steps for a report: the ledger's entries beside what their revisions declare."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from alembic.script import ScriptDirectory
from alembic_online import lock_modes
from alembic_online.ledger import Entry
from alembic_online.planned import Planned
from alembic_online.step import UNDECLARED

from operations.reporting.contents import Run, Step

RELATIONS = ("table", "materialized view", "view")


def step(entry: Entry, script: ScriptDirectory) -> Step:
    """An attempt as the report shows it; of a revision that this code does not have, nothing is known to be declared.

    A relation that the step drops needs no declaration: whoever uses it must be gone by then.
    """
    locks = entry.locks or {}
    declared: dict[str, str] = {}
    undeclared: dict[str, str] = {}
    revision = next((each for each in script.walk_revisions() if each.revision == entry.revision), None)
    if revision is not None:
        planned = Planned(revision, entry.direction)
        declared = planned.locks
        dropped = {name.removeprefix(f"{kind} ") for kind in RELATIONS for name in planned.removed}
        undeclared = {
            relation: mode
            for relation, mode in locks.items()
            if relation not in dropped and lock_modes.stronger(mode, declared.get(relation, UNDECLARED))
        }
    observed = entry.observed or {}
    return Step(
        revision=entry.revision,
        direction=entry.direction,
        outcome=entry.outcome if entry.validated is not False else "not valid",
        started=entry.started,
        seconds=round(entry.seconds or 0.0, 3),
        seconds_waited=round(entry.seconds_waited, 3),
        attempts=entry.lock_tries,
        blocked=entry.blocked_sessions or 0,
        longest_wait_ms=round((entry.longest_block_seconds or 0.0) * 1000, 1),
        connections=max(observed.get("connections", []), default=None),
        active=max(observed.get("active", []), default=None),
        locks=locks,
        declared=declared,
        undeclared=undeclared,
        samples=entry.samples or {},
        alerts=entry.alerts or [],
        message=entry.message,
        who=entry.who,
        client=entry.client,
        code_version=entry.code_version,
    )


def runs(steps: Iterable[Step]) -> list[Run]:
    """Who migrated what from where: successive steps of one program are one run."""
    found: list[list[Step]] = []
    for each in steps:
        if found and (found[-1][0].who, found[-1][0].client) == (each.who, each.client):
            found[-1].append(each)
        else:
            found.append([each])
    return [_run(together) for together in found]


def _run(together: Sequence[Step]) -> Run:
    first, last = together[0], together[-1]
    directions = " and ".join(dict.fromkeys(each.direction for each in together))
    names = dict.fromkeys(each.revision for each in together)
    what = f"{directions}, {first.revision}" + (f" to {last.revision}" if len(names) > 1 else "")
    until = last.started + timedelta(seconds=last.seconds)
    return Run(what, first.started, until, first.who, first.client, last.code_version)


def undeclared(steps: Iterable[Step]) -> list[str]:
    """The locks that steps held and did not declare."""
    return [
        f"{each.revision} {each.direction} holds {mode} on {relation}"
        for each in steps
        for relation, mode in each.undeclared.items()
    ]


def slowest(steps: Iterable[Step]) -> tuple[float, str] | None:
    """The seconds that the slowest attempt took, and which it was."""
    return max(((each.seconds, f"{each.revision} {each.direction}") for each in steps), default=None)


def longest_wait(steps: Iterable[Step]) -> tuple[float, str]:
    """The milliseconds that a session was seen waiting for a step at most, and for which."""
    return max(((each.longest_wait_ms, f"{each.revision} {each.direction}") for each in steps), default=(0.0, ""))
