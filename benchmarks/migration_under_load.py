"""What the application notices of a migration: python -m benchmarks.migration_under_load [niches] [rounds] [shape …]

Four writers with prepared statements, a reader (asyncpg), and a session that keeps a transaction open on features for
4 s at a time, while the migration goes up and down: by this project, by the same SQL through psql, by plain Alembic,
and by plain Alembic with a lock timeout of 200 ms, run again until it succeeds. Waits are those of single statements;
throughput is a ratio to the seconds before the migration begins.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import NullPool, create_engine, text

from benchmarks.harness import ROOT, benchmark_server, median, new_database, report
from operations import phase1
from operations.embedded import Server
from operations.phase1 import Shape
from tests.fixtures.databases import conninfo
from tests.fixtures.traffic import traffic

BEFORE = 5.5  # seconds of traffic before the migration; it then begins within a transaction of 4 s
TRIES = 500
Runner = Callable[[str, str], None]


@dataclass(frozen=True)
class Measured:
    """One migration: its seconds, the application's longest wait and p99 in ms, its throughput as a ratio, errors."""

    seconds: float
    longest: float
    p99: float
    throughput: float
    errors: int


def alembic(address: str, direction: str, *arguments: str, **environment: str) -> int:
    target = "head" if direction == "upgrade" else "base"
    command = [sys.executable, "-m", "alembic", *arguments, direction, target]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, env={**os.environ, "DATABASE_URL": address, **environment}
    ).returncode


def by_guard(address: str, direction: str) -> None:
    assert alembic(address, direction) == 0


def by_plain_alembic(address: str, direction: str) -> None:
    assert alembic(address, direction, "-c", "benchmarks/plain_alembic/alembic.ini") == 0


def by_lock_timeout(address: str, direction: str) -> None:
    for _ in range(TRIES):
        plain = ("-c", "benchmarks/plain_alembic/alembic.ini")
        if alembic(address, direction, *plain, PGOPTIONS="-c lock_timeout=200ms") == 0:
            return
    raise AssertionError("it never got through")


def by_psql(server: Server, scripts: Path) -> Runner:
    def run(address: str, direction: str) -> None:
        psql = [
            server.binaries / "psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            scripts / f"{direction}.sql",
            address,
        ]
        subprocess.run(psql, check=True, capture_output=True)

    return run


def scripts(directory: Path) -> Path:
    for direction, target in (("upgrade", "head"), ("downgrade", "head:base")):
        command = [sys.executable, "-m", "alembic", direction, target, "--sql"]
        sql = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
        (directory / f"{direction}.sql").write_bytes(sql)
    return directory


def measured(server: Server, template: str, run: Runner) -> dict[str, Measured]:
    url = new_database(server, "under_load", template)
    found = {}
    for direction in ("upgrade", "downgrade"):
        with traffic(url) as running:
            start = time.time()
            time.sleep(BEFORE)
            began = time.time()
            run(conninfo(url), direction)
            ended = time.time()
            seen = running.report()
        found[direction] = Measured(
            ended - began,
            seen.longest(began, ended) * 1000,
            seen.percentile(began, ended, 0.99) * 1000,
            seen.throughput(began, ended) / seen.throughput(start, began),
            len(seen.errors),
        )
    return found


def template(server: Server, shape: Shape, niches: int) -> str:
    name = f"niches_{shape}"
    engine = create_engine(new_database(server, name), poolclass=NullPool)
    with engine.begin() as connection:
        phase1.create(connection, shape)
        phase1.sample(connection, niches)
        phase1.refresh(connection, shape)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return name


def main(niches: str = "100000", rounds: str = "3", *shapes: str) -> None:
    with benchmark_server() as server, TemporaryDirectory(dir="/tmp") as directory:
        sql = by_psql(server, scripts(Path(directory)))
        runners: dict[str, Runner] = {
            "this project": by_guard,
            "psql, the same SQL": sql,
            "plain Alembic": by_plain_alembic,
            "lock_timeout 200 ms, retried": by_lock_timeout,
        }
        for shape in [Shape(name) for name in shapes] or list(Shape):
            name = template(server, shape, int(niches))
            found = {
                runner: [measured(server, name, run) for _ in range(int(rounds))] for runner, run in runners.items()
            }
            report(
                f"{int(niches):,} niches, hot_niches_today a {shape}",
                ["runner", "longest wait, ms", "(worst)", "p99, ms", "throughput", "migration, s", "errors"],
                [
                    row(f"{runner}: {direction}", [one[direction] for one in every])
                    for direction in ("upgrade", "downgrade")
                    for runner, every in found.items()
                ],
                f"medians of {rounds} rounds",
            )


def row(label: str, every: list[Measured]) -> list[str]:
    return [
        label,
        f"{median([one.longest for one in every]):,.0f}",
        f"{max(one.longest for one in every):,.0f}",
        f"{median([one.p99 for one in every]):,.0f}",
        f"{median([one.throughput for one in every]):.2f}",
        f"{median([one.seconds for one in every]):.1f}",
        str(sum(one.errors for one in every)),
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
