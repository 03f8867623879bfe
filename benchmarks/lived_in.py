"""What the application notices where others have lived: python -m benchmarks.lived_in [--niches 100000] [--rounds 3]

The database of tests/fixtures/lived_in.sql (others' columns, triggers, rule, policy, publication, inheritance child, a
plain owner), under Phase 1's traffic with reports that hold a transaction open on features for 4 s at a time: upgraded,
filled, rolled back, upgraded again, restored. Waits are those of single statements, the longest while a command runs.
"""

import io
import logging
import time
from collections.abc import Callable

import click
from alembic_online import Options
from rich.console import Console
from sqlalchemy import URL, NullPool, create_engine

from benchmarks.harness import benchmark_server, new_database, report, spread
from operations import phase1
from operations.embedded import Server
from operations.phase1 import Shape
from operations.rollback import archives, restore, rollback
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic
from tests.fixtures.traffic import traffic
from tests.operations.rollback.conftest import ROWS
from tests.operations.verify.conftest import plant

BEFORE = 5.0  # seconds of traffic before each command, which then begins within a report's transaction
HOLD = 4.0
PATIENCE = Options(deadline=120.0)


def template(server: Server, shape: Shape, niches: int) -> str:
    name = f"lived_in_{shape}"
    url = new_database(server, name)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        phase1.create(connection, shape)
        phase1.sample(connection, niches)
        phase1.refresh(connection, shape)
    lived_in.build(url, shape)
    return name


def roll_back(url: URL) -> None:
    found = rollback.run(url, rollback.prepare(url, "1.0.0"), PATIENCE, Console(file=io.StringIO()))
    assert found.exit_code == 0, found


def bring_back(url: URL) -> None:
    number = max(line.archive for line in archives.archives(url).tables)
    choice = restore.Choice(skip=False, renumber=False)
    found = restore.restore(url, number, choice, Console(file=io.StringIO()))
    assert found.exit_code == 0, found


def upgrade(url: URL) -> None:
    Alembic(url, x=("deadline=120s",)).upgrade()


COMMANDS: dict[str, Callable[[URL], None]] = {
    "upgrade": upgrade,
    "rollback to 1.0.0": roll_back,
    "upgrade again": upgrade,
    "restore": bring_back,
    "downgrade to 1.0.0": lambda url: Alembic(url, x=("deadline=120s", "discard-data=yes")).downgrade("1.0.0"),
}


def measured(url: URL, command: Callable[[URL], None]) -> tuple[float, float, int]:
    """The application's longest wait in ms, the command's seconds, and the application's errors."""
    with traffic(url, hold=HOLD) as running:
        time.sleep(BEFORE)
        began = time.time()
        command(url)
        ended = time.time()
        seen = running.report()
    return seen.longest(began, ended) * 1000, ended - began, len(seen.errors)


@click.command()
@click.option("--niches", default=100_000, show_default=True)
@click.option("--rounds", default=3, show_default=True)
def main(niches: int, rounds: int) -> None:
    logging.getLogger("alembic").setLevel(logging.ERROR)
    with benchmark_server() as server:
        for shape in Shape:
            name = template(server, shape, niches)
            found: dict[str, list[tuple[float, float, int]]] = {}
            for _ in range(rounds):
                url = lived_in.own(new_database(server, "under_load", name))
                for label, command in COMMANDS.items():
                    found.setdefault(label, []).append(measured(url, command))
                    if label == "upgrade":
                        plant(url, ROWS)
            report(
                f"Others' things, {niches:,} niches, hot_niches_today a {shape}",
                ["command", "longest wait, ms", "seconds", "errors"],
                [
                    [
                        label,
                        spread([o[0] for o in ones], ",.0f"),
                        spread([o[1] for o in ones], ".1f"),
                        str(sum(o[2] for o in ones)),
                    ]
                    for label, ones in found.items()
                ],
                f"median (min to max), rounds: {rounds}; reports hold a transaction open on features for 4 s at a time",
            )


if __name__ == "__main__":
    main()
