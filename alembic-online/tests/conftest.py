"""A second project, a shop, in an environment of its own: the engine as pip installs it, and nothing of ours."""

import itertools
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest

from operations.embedded import Server
from tests.fixtures.server import throwaway_server

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def shop_server(pg_bin: Path) -> Iterator[Server]:
    """A server for these tests alone: they make roles."""
    with throwaway_server(pg_bin) as running:
        yield running


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the engine, from a copy of its folder, and what others publish.

    Those packages are read where they are installed; what is installed there as editable, this project, is not.
    """
    home = tmp_path_factory.mktemp("environment")
    source = shutil.copytree(HERE.parent, home / "alembic-online", ignore=shutil.ignore_patterns("tests", "*.egg-info"))
    venv.create(home / "venv", symlinks=True)
    python = home / "venv" / "bin" / "python"
    [packages] = (home / "venv").glob("lib/python*/site-packages")
    (packages / "published.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*install, "--no-build-isolation", source], check=True, capture_output=True, timeout=120)
    return python


@dataclass
class Traffic:
    """Statements of the shop's own programs: how long the longest took, in seconds, and how many there were."""

    longest: float = 0.0
    statements: int = 0
    ended: Event = field(default_factory=Event)

    def run(self, conninfo: str, work: tuple[str, ...]) -> None:
        """One client's work, until all are told to end."""
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for statement in itertools.cycle(work):
                began = time.monotonic()
                connection.execute(statement)
                self.longest = max(self.longest, time.monotonic() - began)
                self.statements += 1
                if self.ended.wait(0.003):
                    return

    def goes_on(self, statements: int = 1000) -> float:
        """Wait until the clients have run so many more; the seconds that it took."""
        began, until = time.monotonic(), self.statements + statements
        while self.statements < until:
            assert time.monotonic() < began + 60, "the application does not go on"
            time.sleep(0.01)
        return time.monotonic() - began


WRITER = (
    "INSERT INTO orders (customer_id, amount) VALUES (1, 10)",
    "UPDATE orders SET amount = amount + 1 WHERE order_id = 1",
    "UPDATE customers SET email = email WHERE customer_id = 2",
)
ROWS = """
INSERT INTO customers (email) SELECT format('%s@example.org', n) FROM generate_series(1, 9) AS n;
INSERT INTO orders (customer_id, amount) SELECT 1 + n % 9, n FROM generate_series(1, 500) AS n;
"""
READER = ("SELECT sum(amount) FROM orders WHERE customer_id = 2", "SELECT count(*) FROM customers")


@dataclass(frozen=True)
class Project:
    """The shop's folder and its database."""

    folder: Path
    conninfo: str
    python: Path
    binaries: Path
    """PostgreSQL's programs."""

    def start(self, *arguments: str, program: str = "alembic") -> "subprocess.Popen[str]":
        """`alembic` with these arguments, running; its standard error is its output."""
        return subprocess.Popen(
            [self.python, "-m", program, *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "SHOP_DATABASE_URL": self.conninfo.replace("postgresql", "postgresql+psycopg", 1),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def says(self, process: "subprocess.Popen[str]", text: str) -> None:
        """Wait until a running command has said this."""
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if text in line:
                return
        raise AssertionError("".join(said))

    def fails(self, *arguments: str) -> str:
        """What a command says that must fail."""
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=60)
        assert process.returncode not in (0, None), said
        assert "Traceback" not in said
        return said

    def alembic(self, *arguments: str) -> str:
        """What a command says that must succeed."""
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return said

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.rownumber is not None else []

    def until(self, question: str) -> None:
        """Wait until a query of one boolean is true."""
        deadline = time.monotonic() + 30
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            while connection.execute(question).fetchone() != (True,):  # type: ignore[call-overload]
                assert time.monotonic() < deadline, f"never true: {question}"
                time.sleep(0.01)

    def dump(self) -> str:
        """The catalog as pg_dump prints it, without the engine's records."""
        command = [self.binaries / "pg_dump", "--schema-only", "--exclude-schema=alembic_online", self.conninfo]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return "\n".join(
            line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
        )

    def ledger(self) -> list[str]:
        """Each attempt: revision, direction, outcome; misses left out, whose number is chance."""
        attempts = (
            "SELECT revision, direction, outcome FROM alembic_online.step WHERE outcome <> 'missed' ORDER BY step_id"
        )
        return [" ".join(attempt) for attempt in self.sql(attempts)]

    @contextmanager
    def traffic(self) -> Iterator[Traffic]:
        """Three writers and a reader beside the block; what fails for them fails the test."""
        seen = Traffic()
        with ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(seen.run, self.conninfo, work) for work in (WRITER, WRITER, WRITER, READER)]
            try:
                yield seen
            finally:
                seen.ended.set()
        for client in clients:
            client.result()


NewProject = Callable[[str], Project]


@pytest.fixture
def new_project(shop_server: Server, environment: Path, tmp_path: Path) -> Iterator[NewProject]:
    """``new_project(revision)`` is the shop with a database of its own at that revision, or empty for "base"."""
    made: list[str] = []
    with psycopg.connect(_conninfo(shop_server, "postgres"), autocommit=True) as keeper:

        def make(revision: str) -> Project:
            name = f"shop_{os.getpid()}_{next(_numbers)}"
            keeper.execute(f"CREATE DATABASE {name}")
            made.append(name)
            folder = shutil.copytree(HERE / "shop", tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
            project = Project(folder, _conninfo(shop_server, name), environment, shop_server.binaries)
            if revision != "base":
                project.alembic("upgrade", revision)
                project.sql(
                    "INSERT INTO customers (email) SELECT format('%s@example.org', n) FROM generate_series(1, 9) AS n"
                )
                project.sql(
                    "INSERT INTO orders (customer_id, amount) SELECT 1 + n % 9, n FROM generate_series(1, 500) AS n"
                )
            return project

        yield make
        for name in made:
            keeper.execute(f"DROP DATABASE {name} WITH (FORCE)")


_numbers = itertools.count(1)


def _conninfo(server: Server, database: str) -> str:
    return server.url(database).set(drivername="postgresql").render_as_string(hide_password=False)
