"""The whole rehearsal: where it runs, under which traffic, and what came of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from alembic_online.database import engine
from sqlalchemy import URL, Engine, text

from operations import upgrade
from operations.findings import Finding, Findings
from operations.rehearsal import gates, place, volume
from operations.rehearsal.context import Context, Parameters, Say, Task, run_tasks
from operations.rehearsal.summary import Summary, summarise
from operations.rehearsal.tasks import TASKS
from operations.rehearsal.traffic import running
from operations.reporting.collecting import collect
from operations.reporting.contents import Rollout
from operations.scope import SCOPE


@dataclass(frozen=True)
class Rehearsal:
    """What a rehearsal found: the verdict on each gate, the rollout as a report has it, and the traffic beside it."""

    verdict: str
    findings: list[Finding]
    rollout: Rollout
    parameters: Parameters
    own_phase1: bool
    shared_role: bool
    traffic: Summary

    @property
    def passed(self) -> bool:
        return Findings(self.findings, "").well


def rehearse(
    url: URL,
    parameters: Parameters,
    say: Say,
    limits: Mapping[str, float],
    tasks: tuple[Task, ...] = TASKS,
    replicas: tuple[URL, ...] = (),
) -> Rehearsal:
    """Run the tasks on the database of `url`, which is changed by it; `say` hears of each. Raises OnlineError.

    `replicas` are standbys of it: readers read there, and the rollout is told of them.
    """
    opened = engine(url, path=SCOPE.path)
    try:
        say(f"Phase 1 with {parameters.niches:,} niches, hot_niches_today as a {parameters.shape}")
        since = time.monotonic()
        built = volume.build_phase1(opened, parameters.shape, parameters.niches)
        say(f"  {time.monotonic() - since:6.1f} s  built" if built else "  taken as it is")
        shape = volume.shape_of(opened)
        earlier = len(upgrade.history(url).steps)
        with place.application(url, replicas) as where:
            clients = (parameters.rate, _niches(opened), parameters.open_seconds)
            with running(where.application, url, shape, *clients, replicas) as traffic:
                context = Context(parameters, where, opened, shape, traffic, say)
                results = run_tasks(tasks, context)
            rollout = collect(url, context.notes.looked)
            rollout.steps = rollout.steps[earlier:]
            summary = summarise(results, traffic, context.notes)
            findings = gates.judge(gates.Measured(summary, rollout), limits)
            verdict = "Passed" if Findings(findings, "").well else "Failed"
            return Rehearsal(verdict, findings, rollout, parameters, not built, where.shared, summary)
    finally:
        opened.dispose()


def _niches(opened: Engine) -> int:
    with opened.connect() as connection:
        return int(connection.scalar(text("SELECT coalesce(max(niche_id), 1) FROM ONLY public.features")) or 1)
