"""What `alembic check` costs with the catalog comparison: python -m benchmarks.check_time

Against plain Alembic's comparison in the same environment, in a process of its own each (as CI runs it) and within one
process (as tests run it); and in a database that holds 500 tables of other people. Paired: every round runs all.
"""

import os
import subprocess
import sys
import time

from sqlalchemy import URL, NullPool, create_engine, text

from benchmarks.harness import ROOT, benchmark_server, median, report
from tests.fixtures.databases import Alembic, Templates

ROUNDS = 7
OTHERS = 500

PLAIN = "from alembic_online.catalog import autogenerate; autogenerate.PLUGINS[:] = ['alembic.autogenerate.*']; "
COMMAND = "import sys; from alembic.config import main; main(['check'])"


def in_a_process(url: URL, plain: bool) -> float:
    environment = {**os.environ, "DATABASE_URL": url.render_as_string(hide_password=False)}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", (PLAIN if plain else "") + COMMAND],
        check=True,
        cwd=ROOT,
        env=environment,
        capture_output=True,
    )
    return time.perf_counter() - start


def in_this_process(url: URL) -> float:
    start = time.perf_counter()
    Alembic(url).check()
    return time.perf_counter() - start


def crowd(url: URL) -> None:
    """Tables of other people: ten columns, two indexes, a key to ours each."""
    columns = ", ".join(f"c{n} text" for n in range(10))
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for n in range(OTHERS):
            connection.execute(
                text(
                    f"CREATE TABLE other_{n} (id bigserial PRIMARY KEY, niche_id bigint REFERENCES features, {columns})"
                )
            )
            connection.execute(text(f"CREATE INDEX ON other_{n} (c1)"))


def main() -> None:
    with benchmark_server() as server:
        templates = Templates(server)
        alone, crowded = (next(templates.clone("migrated_table")) for _ in range(2))
        crowd(crowded)
        databases = {"ours alone": alone, f"beside {OTHERS} tables of others": crowded}
        for url in databases.values():
            in_this_process(url)
        taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in databases}
        for _ in range(ROUNDS):
            for name, url in databases.items():
                taken[name].append(
                    (in_a_process(url, plain=True), in_a_process(url, plain=False), in_this_process(url))
                )
        rows = [
            [
                name,
                *(f"{median(column):.2f} s" for column in zip(*times, strict=True)),
                f"{median([ours / plain for plain, ours, _ in times]):.2f}",
            ]
            for name, times in taken.items()
        ]
        columns = ["alembic check", "plain Alembic", "with the catalog", "again, same process", "ratio"]
        report("alembic check", columns, rows, f"medians of {ROUNDS} paired rounds; the ratio is taken within a round")


if __name__ == "__main__":
    main()
