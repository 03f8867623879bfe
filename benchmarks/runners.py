"""Migration runners over the plan's seven steps, up and down: this project, plain Alembic, others with the same SQL.

Those get what `alembic upgrade head --sql` prints, cut at its transactions; a statement that allows none, such as
CREATE INDEX CONCURRENTLY, is a file of its own, as dbmate wants it.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness import ROOT

BIN = Path(sys.executable).parent
TARGETS = {"upgrade": "head", "downgrade": "base"}


@dataclass(frozen=True)
class Runner:
    """A command by address and direction; `tries`: how often it is started again after it failed."""

    name: str
    command: Callable[[str, str], list[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    tries: int = 1

    def run(self, address: str, direction: str, seconds: float) -> bool:
        """Whether it got through within that time; afterwards it is ended."""
        environment = {**os.environ, "DATABASE_URL": address, **self.environment}
        until = time.monotonic() + seconds
        for _ in range(self.tries):
            left = max(0.1, until - time.monotonic())
            command = self.command(address, direction)
            try:
                done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=left)
            except subprocess.TimeoutExpired:
                return False
            if done.returncode == 0:
                return True
            if self.tries == 1:
                print(f"{self.name}: {direction} failed: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return False


def alembic(*arguments: str) -> Callable[[str, str], list[str]]:
    return lambda _, direction: [sys.executable, "-m", "alembic", *arguments, direction, TARGETS[direction]]


def runners(binaries: Path, directory: Path) -> list[Runner]:
    """All of them; `binaries` are PostgreSQL's programs, the files of the others are written to `directory`."""
    write(directory)
    plain = alembic("-c", "benchmarks/plain_alembic/alembic.ini")
    return [
        Runner("this project", alembic()),
        Runner(
            "psql",
            lambda address, direction: [
                *(str(binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"),
                *("-f", str(directory / f"{direction}.sql"), address),
            ],
        ),
        Runner("plain Alembic", plain),
        Runner("plain Alembic, lock_timeout 200 ms, retried", plain, {"PGOPTIONS": "-c lock_timeout=200ms"}, tries=500),
        Runner(
            "dbmate 2.37",
            lambda address, direction: [
                *(str(BIN / "dbmate"), "--url", f"{address}&sslmode=disable", "--no-dump-schema"),
                *("--migrations-dir", str(directory / "dbmate" / direction)),
                *("--migrations-table", f"dbmate_{direction}", "migrate"),
            ],
        ),
        Runner(
            "yoyo 9.0",
            lambda address, direction: [
                *(str(BIN / "yoyo"), "apply", "--batch", "--no-config-file", "--match", f"^{direction}"),
                *("--database", address.replace("postgresql:", "postgresql+psycopg:", 1), str(directory / "yoyo")),
            ],
        ),
    ]


def patient(runner: Runner) -> Runner:
    """This project as a DBA runs it who may end a report that was forgotten."""
    return Runner(f"{runner.name}, end-idle-after=2s", alembic("-x", "end-idle-after=2s"))


def write(directory: Path) -> None:
    for direction, target in (("upgrade", "head"), ("downgrade", "head:base")):
        command = [sys.executable, "-m", "alembic", direction, target, "--sql"]
        sql = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        (directory / f"{direction}.sql").write_text(sql)
        (directory / "dbmate" / direction).mkdir(parents=True)
        (directory / "yoyo").mkdir(exist_ok=True)
        for number, (part, in_transaction) in enumerate(parts(sql), 1):
            header = "-- migrate:up" + ("" if in_transaction else " transaction:false")
            (directory / "dbmate" / direction / f"{number:03}_part.sql").write_text(
                f"{header}\n{part}\n-- migrate:down\n"
            )
            # A step of Python, because yoyo cuts an SQL file at semicolons, also within the body of a DO block.
            step = f"from yoyo import step\n__transactional__ = {in_transaction}\nstep({part!r})\n"
            (directory / "yoyo" / f"{direction}_{number:03}.py").write_text(step)


def parts(sql: str) -> list[tuple[str, bool]]:
    """What Alembic printed, in order: each transaction whole (True), and each statement outside of one (False)."""
    found = []
    for number, text in enumerate(re.split(r"^BEGIN;$(.*?)^COMMIT;$", sql, flags=re.MULTILINE | re.DOTALL)):
        in_transaction = number % 2 == 1
        for part in [text] if in_transaction else re.split(r";\n\n(?=\S)", text):
            if re.sub(r"^\s*--.*$", "", part, flags=re.MULTILINE).strip(" \n;"):
                found.append((part.strip(), in_transaction))
    return found
