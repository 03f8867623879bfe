"""`alembic upgrade head` on an empty database against psql running the same SQL, and against plain Alembic without the
guard: python -m benchmarks.upgrade

Whole processes, paired, each on a new database.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import ROOT, benchmark_server, median, new_database, report
from tests.fixtures.databases import conninfo

ROUNDS = 7


def main() -> None:
    with benchmark_server() as server, TemporaryDirectory(dir="/tmp") as directory:
        alembic = [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), "upgrade", "head"]
        script = Path(directory, "upgrade.sql")
        script.write_bytes(subprocess.run([*alembic, "--sql"], capture_output=True, check=True, cwd=ROOT).stdout)
        plain_alembic = [*alembic[:4], "benchmarks/plain_alembic/alembic.ini", *alembic[5:]]
        ratios, by_alembic, by_psql, by_plain = [], [], [], []
        for number in range(ROUNDS):
            address = conninfo(new_database(server, f"by_psql_{number}"))
            psql = [str(server.binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script), address]
            by_psql.append(seconds(psql, address))
            by_alembic.append(seconds(alembic, conninfo(new_database(server, f"by_alembic_{number}"))))
            by_plain.append(seconds(plain_alembic, conninfo(new_database(server, f"by_plain_{number}"))))
            ratios.append(by_alembic[-1] / by_psql[-1])
        report(
            "alembic upgrade head on an empty database",
            ["runner", "seconds (median)", "ratio to psql (median)", "ratio (min to max)"],
            [
                ["psql, the same SQL", f"{median(by_psql):.2f}", "1.00", ""],
                [
                    "plain Alembic, the same revisions",
                    f"{median(by_plain):.2f}",
                    f"{median([plain / psql for plain, psql in zip(by_plain, by_psql, strict=True)]):.2f}",
                    "",
                ],
                [
                    "alembic upgrade head",
                    f"{median(by_alembic):.2f}",
                    f"{median(ratios):.2f}",
                    f"{min(ratios):.2f} to {max(ratios):.2f}",
                ],
            ],
            f"whole processes, {ROUNDS} paired rounds; alembic upgrade head to plain Alembic: "
            f"{median([ours / plain for ours, plain in zip(by_alembic, by_plain, strict=True)]):.2f}",
        )


def seconds(command: list[str], address: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": address})
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
