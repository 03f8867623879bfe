"""What the application notices of a migration: python -m benchmarks.migration_under_load --rounds 3

Four writers with prepared statements, a reader (asyncpg), and a session that keeps a transaction open on features,
while the plan's steps go up and down by this project and by other runners (benchmarks/runners.py). Twice: with reports
that stay open for 4 s at a time, and with one that is left open for good. Waits are those of single statements;
throughput is a ratio to the seconds before the migration begins. Writes docs/images/migration_under_load.svg.
Needs: pip install -r benchmarks/requirements.txt
"""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from sqlalchemy import NullPool, create_engine, text

from benchmarks import plot
from benchmarks.harness import benchmark_server, new_database, report, spread
from benchmarks.runners import Runner, patient, runners
from operations import phase1
from operations.embedded import Server
from operations.phase1 import Shape
from tests.fixtures.databases import conninfo
from tests.fixtures.traffic import traffic

BEFORE = 5.5  # seconds of traffic before the migration; it then begins within a transaction of 4 s
HOLD = 4.0
LEFT_OPEN = 3600.0
PATIENCE = {HOLD: 180.0, LEFT_OPEN: 20.0}  # seconds until a runner counts as not getting through


@dataclass(frozen=True)
class Measured:
    """One migration: whether it got through, its seconds; the application's longest wait in ms, its throughput as a
    ratio, its errors.
    """

    through: bool
    seconds: float
    longest: float
    throughput: float
    errors: int


def measured(server: Server, template: str, runner: Runner, hold: float) -> dict[str, Measured]:
    """By direction; where the way up failed, or was only to be seen how it ends, there is none down."""
    url = new_database(server, "under_load", template)
    found: dict[str, Measured] = {}
    for direction in ("upgrade", "downgrade") if hold == HOLD else ("upgrade",):
        with traffic(url, hold=hold) as running:
            start = time.time()
            time.sleep(BEFORE)
            began = time.time()
            through = runner.run(conninfo(url), direction, PATIENCE[hold])
            ended = time.time()
            seen = running.report()
        found[direction] = Measured(
            through,
            ended - began,
            seen.longest(began, ended) * 1000,
            seen.throughput(began, ended) / seen.throughput(start, began),
            len(seen.errors),
        )
        if not through:
            break
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


def row(label: str, every: list[Measured], rounds: int) -> list[str]:
    return [
        label,
        spread([one.longest for one in every], ",.0f"),
        spread([one.throughput for one in every], ".2f"),
        spread([one.seconds for one in every], ".1f"),
        f"{sum(one.through for one in every)} of {rounds}",
        str(sum(one.errors for one in every)),
    ]


def pictured_as(every: list[Measured]) -> plot.Bar:
    failed = sum(not one.through for one in every)
    return plot.Bar([one.longest for one in every], "not through" if failed else "")


@click.command()
@click.option("--niches", default=100_000, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--shape", "shapes", type=click.Choice([*map(str, Shape)]), multiple=True)
def main(niches: int, rounds: int, shapes: tuple[str, ...]) -> None:
    with benchmark_server() as server, TemporaryDirectory(dir="/tmp") as directory:
        every = runners(server.binaries, Path(directory))
        columns = ["runner", "longest wait, ms", "throughput", "migration, s", "got through", "errors"]
        for shape in map(Shape, shapes or Shape):
            name = template(server, shape, niches)
            results: dict[str, dict[str, list[Measured]]] = {}
            for _ in range(rounds):
                for hold, these in ((HOLD, every), (LEFT_OPEN, [*every, patient(every[0])])):
                    for runner in these:
                        for direction, one in measured(server, name, runner, hold).items():
                            scene = direction if hold == HOLD else "upgrade, a report left open"
                            results.setdefault(scene, {}).setdefault(runner.name, []).append(one)
            for scene, found in results.items():
                report(
                    f"{scene}, {niches:,} niches, hot_niches_today a {shape}",
                    columns,
                    [row(runner, ones, rounds) for runner, ones in found.items()],
                    f"median (min to max), rounds: {rounds}; the report is open for 4 s at a time, or for good; "
                    f"got through: within {PATIENCE[HOLD]:.0f} s, or {PATIENCE[LEFT_OPEN]:.0f} s with the latter",
                )
            if shape is Shape.TABLE:
                pictured = {
                    scene: {runner: pictured_as(ones) for runner, ones in found.items()}
                    for scene, found in results.items()
                }
                plot.bars("migration_under_load", "Longest wait of the application, ms", pictured)


if __name__ == "__main__":
    main()
