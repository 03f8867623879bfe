"""The whole rehearsal: where it plays, under what, what came of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from alembic_online.database import engine
from sqlalchemy import URL, Engine, NullPool, text

from operations import upgrade
from operations.findings import Finding, Findings
from operations.rehearsal import gates, place, volume
from operations.rehearsal.acts import ACTS
from operations.rehearsal.stage import Act, Say, Script, Stage, play
from operations.rehearsal.summary import Summary, summarise
from operations.rehearsal.traffic import running
from operations.scope import SCOPE


@dataclass(frozen=True)
class Server:
    """What it ran on."""

    version: str
    settings: dict[str, str]


@dataclass(frozen=True)
class Rehearsal:
    """What a rehearsal found: the verdict on each gate, all figures, and what they were measured on."""

    passed: bool
    findings: list[Finding]
    script: Script
    server: Server
    own_phase1: bool
    shared_role: bool
    summary: Summary


SETTINGS = ("shared_buffers", "max_connections", "fsync", "synchronous_commit", "max_wal_size", "work_mem", "wal_level")


def rehearse(
    url: URL, script: Script, say: Say, limits: Mapping[str, float], acts: tuple[Act, ...] = ACTS
) -> Rehearsal:
    """Play the acts on the database of `url`, which is changed by it; `say` hears of each. Raises OnlineError."""
    opened = engine(url, path=SCOPE.path)
    try:
        say(f"Phase 1 with {script.niches:,} niches, hot_niches_today as a {script.shape}")
        since = time.monotonic()
        built = volume.build_phase1(opened, script.shape, script.niches)
        say(f"  {time.monotonic() - since:6.1f} s  built" if built else "  taken as it is")
        shape = volume.shape_of(opened)
        known = {entry.step_id for entry in upgrade.history(url).steps}
        with place.application(url) as where:
            clients = (script.rate, _niches(opened), script.open_seconds)
            with running(where.application, url, shape, *clients) as traffic:
                stage = Stage(script, where, opened, shape, traffic, say)
                played = play(acts, stage)
            entries = [entry for entry in upgrade.history(url).steps if entry.step_id not in known]
            summary = summarise(played, traffic, entries, upgrade.script_directory(), stage.notes)
            findings = gates.judge(summary, limits)
            passed = Findings(findings, "").well
            return Rehearsal(passed, findings, script, _server(opened), not built, where.shared, summary)
    finally:
        opened.dispose()


def _niches(opened: Engine) -> int:
    with opened.connect() as connection:
        return int(connection.scalar(text("SELECT coalesce(max(niche_id), 1) FROM public.features")) or 1)


def _server(opened: Engine) -> Server:
    named = text("SELECT name, current_setting(name) FROM unnest(CAST(:names AS text[])) AS names (name)")
    with engine(opened.url, poolclass=NullPool).connect() as connection:
        version = str(connection.scalar(text("SHOW server_version")))
        settings = {row[0]: row[1] for row in connection.execute(named, {"names": list(SETTINGS)})}
    return Server(version, settings)
