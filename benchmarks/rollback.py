"""Rollback of many events beside few, and what the application waited for on features meanwhile.

    python -m benchmarks.rollback [--events 5000000]

Each on a new server in memory with 100,000 niches: rolled back to 1.0.0 under Phase 1's traffic, upgraded, restored.
The preview, which counts rows up to a limit, is not part of it; the fingerprint of the niches is.
"""

import argparse
import io
import logging
import statistics
import time
from collections.abc import Sequence

from alembic_online import Options
from rich.console import Console
from sqlalchemy import URL, Engine, create_engine

from operations import phase1
from operations.embedded import project_server
from operations.phase1 import Shape
from operations.rollback import archives, restore, rollback
from operations.settings import Settings
from tests.fixtures.databases import Alembic
from tests.fixtures.server import throwaway_server
from tests.fixtures.traffic import traffic

NICHES = 100_000
FEW = 5_000
ROUNDS = 3

EVENTS = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'web', now() - n * interval '1 second', '{"n": 1}', 1 + n %% 100000
    FROM generate_series(1, %s) AS numbers (n)
"""


def build(engine: Engine, events: int) -> None:
    with engine.begin() as connection:
        phase1.create(connection, Shape.TABLE)
        phase1.sample(connection, NICHES)
        phase1.refresh(connection, Shape.TABLE)
    Alembic(engine.url).upgrade()
    with engine.begin() as connection:
        connection.exec_driver_sql(EVENTS, (events,))
        connection.exec_driver_sql("UPDATE public.features SET analytics_version = 1 WHERE niche_id <= 50000")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def measured(url: URL) -> tuple[float, float, float]:
    """Seconds of a rollback, the application's longest wait meanwhile, and seconds of the restore."""
    console = Console(file=io.StringIO())
    with traffic(url, hold=None) as running:
        began = time.time()
        found = rollback.run(url, rollback.prepare(url, "1.0.0"), Options(), console)
        ended = time.time()
        report = running.report()
    assert found.exit_code == 0, found
    assert not report.errors, report.errors
    Alembic(url).upgrade()
    with_restore = time.time()
    number = max(line.archive for line in archives.archives(url).tables)
    assert restore.restore(url, number, restore.Choice(skip=False, renumber=False), console).exit_code == 0
    return ended - began, report.longest(began, ended), time.time() - with_restore


def table(rows: Sequence[Sequence[str]]) -> None:
    for row in rows:
        print("  ".join(cell.rjust(14) for cell in row))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    many: int = parser.parse_args().events
    logging.getLogger("alembic").setLevel(logging.ERROR)
    table([("events", "rollback", "longest wait", "restore")])
    seconds: dict[int, list[float]] = {FEW: [], many: []}
    with throwaway_server(project_server(Settings.from_environment({}).data_home).binaries) as server:
        urls = {}
        for events in seconds:
            with create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT").connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE events_{events}")
            urls[events] = server.url(f"events_{events}")
            build(create_engine(urls[events]), events)
        for _ in range(ROUNDS):
            for events, url in urls.items():
                rollback, wait, restored = measured(url)
                seconds[events].append(rollback)
                table([(f"{events:,}", f"{rollback:.2f} s", f"{wait * 1000:.0f} ms", f"{restored:.2f} s")])
    ratios = [much / little for little, much in zip(seconds[FEW], seconds[many], strict=True)]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"ratio of {many:,} to {FEW:,} events, median: {statistics.median(ratios):.2f} ({spread})")


if __name__ == "__main__":
    main()
