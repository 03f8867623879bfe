"""The console: exit codes, readable errors, and the embedded server from a clone in an inconvenient place."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from operations.binaries import run
from tests.fixtures import programs

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PACKAGES = sysconfig.get_path("purelib")
ORDINARY = "daemon"


def sidb(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return programs.run("sidb", *arguments, env=environment)


def test_the_installed_commands_are_the_right_ones_in_the_clone() -> None:
    """`alembic/` at the top must not hide the installed Alembic."""
    assert "Usage: sidb" in sidb("--help").stdout
    version = subprocess.run([BIN / "alembic", "--version"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert version.stdout.startswith("alembic 1.")


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"PGHOST": "db.example"}, "PGHOST is set, but DATABASE_URL is not"),
        ({"PGSERVICE": "sid"}, "PGSERVICE is set, but DATABASE_URL is not"),
        ({"DATABASE_URL": "mysql://u:hunter2@h/d"}, "DATABASE_URL is malformed"),
    ],
)
def test_wrong_use_ends_with_two_and_two_lines(environment: Mapping[str, str], complaint: str) -> None:
    result = sidb("server", "status", **environment)
    assert result.returncode == 2
    assert result.stdout == ""
    what, next_step = result.stderr.splitlines()
    assert complaint in what
    assert next_step.startswith("Next: ")
    assert "hunter2" not in result.stderr


@pytest.fixture
def far_away() -> Iterator[Path]:
    """A directory with a path of 150 characters and a space, owned by the ordinary user when root runs the tests."""
    top = Path(tempfile.mkdtemp(prefix="sidb-test-"))
    path = top / ("a clone " + "x" * 200)[: 150 - len(str(top)) - 1]
    path.mkdir()
    top.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(path, ORDINARY)
    yield path
    shutil.rmtree(top)


def test_the_servers_whole_life_as_an_ordinary_user_in_a_long_path(far_away: Path) -> None:
    user = {"user": ORDINARY, "extra_groups": []} if os.geteuid() == 0 else {}
    whole_life(python_for(ORDINARY if user else None), far_away, user)
    assert not list(far_away.glob(".local/share/sidb/*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_servers_whole_life_as_root_in_a_closed_long_path(far_away: Path) -> None:
    far_away.parent.chmod(0o700)
    whole_life(sys.executable, far_away, {})


def python_for(user: str | None) -> str:
    """An interpreter that this user can run with our packages: that of the tests may lie in a closed home directory."""
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, system):
        if run(["/usr/bin/env", f"PYTHONPATH={PACKAGES}", python, "-c", "import psycopg"], user).returncode == 0:
            return python
    pytest.skip(f"{user} can run neither {sys.executable} nor {system} with our packages")


def whole_life(python: str, clone: Path, user: Mapping[str, object]) -> None:
    for package in ("operations", "backfill", "alembic-online/alembic_online"):
        copy = clone / Path(package).name
        shutil.copytree(ROOT / package, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def sidb(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            [python, "-c", "from operations.cli import main; main(prog_name='sidb')", *arguments],
            cwd=clone,
            env={"PATH": os.environ["PATH"], "HOME": str(clone), "PYTHONPATH": PACKAGES},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **user,
        )

    try:
        assert sidb("server", "status").returncode == 3
        started = sidb("server", "start")
        assert started.returncode == 0, started.stderr
        assert sidb("server", "start").stdout == started.stdout
        status = sidb("server", "status")
        assert status.returncode == 0
        psql = f"{status.stdout.splitlines()[-1]} -Atc 'SELECT current_database()'"
        printed = subprocess.run(["/bin/sh", "-c", psql], capture_output=True, text=True, **user)  # type: ignore[call-overload]
        assert printed.stdout == "sidb\n", printed.stderr
        assert sidb("server", "stop").stdout == "Stopped.\n"
        assert sidb("server", "stop").stdout == "It was not running.\n"
        assert sidb("server", "remove").returncode == 1, "asked, and not answered"
        assert sidb("server", "status").stdout.startswith("Not running; data directory: ")
    finally:
        removed = sidb("server", "remove", "--yes")
    assert removed.stdout.startswith("Removed ")
    assert sidb("server", "remove", "--yes").stdout == "There is nothing to remove.\n"
