"""What a database of its own costs a test: python -m benchmarks.per_test_database

Cloning the migrated template against building it anew with ``alembic upgrade head`` and with ``create_all``, and
against a test that connects to a database that is there and rolls back.
"""

import time
from collections.abc import Callable

from sqlalchemy import NullPool, create_engine, text

from benchmarks.harness import benchmark_server, median, new_database, report
from operations.embedded import Server
from tests.fixtures.databases import Alembic, Templates, build

ROUNDS = 9


def main() -> None:
    with benchmark_server() as server:
        templates = Templates(server)
        templates.template("migrated_table")
        shared = new_database(server, "shared", "template_migrated_table")

        def clone() -> None:
            made = templates.clone("migrated_table")
            touch(str(next(made).database), server)
            next(made, None)

        def upgrade() -> None:
            url = new_database(server, "upgraded")
            Alembic(url).upgrade()
            touch("upgraded", server)

        def create_all() -> None:
            build("created", "", new_database(server, "created"))
            touch("created", server)

        def roll_back() -> None:
            touch(str(shared.database), server)

        ways: dict[str, Callable[[], None]] = {
            "clone of the migrated template (ours)": clone,
            "create_all": create_all,
            "alembic upgrade head": upgrade,
            "shared database, rolled back": roll_back,
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, act in ways.items():
                start = time.perf_counter()
                act()
                times[way].append((time.perf_counter() - start) * 1000)
        base = median(times["clone of the migrated template (ours)"])
        report(
            "A database for one test",
            ["way", "milliseconds (median)", "ratio to ours"],
            [[way, f"{median(values):.0f}", f"{median(values) / base:.2f}"] for way, values in times.items()],
            f"made, one insert rolled back, dropped; {ROUNDS} paired rounds",
        )


def touch(name: str, server: Server) -> None:
    engine = create_engine(server.url(name), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO features (phrase) VALUES ('touched')"))
        connection.rollback()


if __name__ == "__main__":
    main()
