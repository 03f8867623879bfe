"""What a command does behind somebody who holds what it needs: it ends soon, and names them; or waits, and says so."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import URL

from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.programs import BIN, ROOT, run

COMMANDS = [
    ("public.alembic_version", 1, ["sidb", "upgrade", "--plan"]),
    ("public.alembic_version", 255, ["alembic", "current"]),
    ("analytics.trend_cache", 255, ["alembic", "check"]),
    ("sidb.step", 1, ["sidb", "history"]),
    ("sidb.retention", 1, ["sidb", "retention", "--off", "analytics_events"]),
    ("analytics.analytics_events", 1, ["sidb", "retention"]),
    ("analytics.analytics_events", 1, ["sidb", "erase", "somebody", "--dry-run"]),
    ("sidb.backfill_control", 1, ["sidb", "backfill", "status"]),
    ("public.features", 3, ["sidb", "status"]),
]
CHANGING = [
    ("sidb.phase1_rights", 1, ["sidb", "verify", "--accept-rights"]),
]


@contextmanager
def held(url: URL, relation: str, mode: str = "ACCESS EXCLUSIVE") -> Iterator[int]:
    """Somebody holds a table in an open transaction; their session."""
    with psycopg.connect(conninfo(administrator(url)), application_name="somebody") as other:
        other.execute(f"LOCK TABLE ONLY {relation} IN {mode} MODE".encode())
        yield other.info.backend_pid
        other.rollback()


def started(url: URL, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(BIN / "sidb"), *arguments],
        env={"DATABASE_URL": conninfo(url)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def backfilled(clone: Clone) -> URL:
    url = clone("backfilled_table")
    run("sidb", "retention", "--keep", "analytics_events=24 months", env={"DATABASE_URL": conninfo(url)}, code=0)
    return url


@pytest.mark.clean
def test_it_ends_and_names_who_holds_what_it_needs(backfilled: URL) -> None:
    for relation, code, command in [*COMMANDS, *CHANGING]:
        with held(backfilled, relation) as holder:
            done = run(*command, env={"DATABASE_URL": conninfo(backfilled)}, code=code)
        read = " ".join((done.stdout + done.stderr).split())
        assert f"locked by pid {holder} on {relation} (user " in read, (command, read)


@pytest.mark.clean
def test_a_rollback_waits_with_its_look_and_says_for_whom(backfilled: URL) -> None:
    command = ["sidb", "rollback", "2.0.3", "--yes", "--deadline", "3s"]
    with held(backfilled, "public.features") as holder:
        done = run(*command, env={"DATABASE_URL": conninfo(backfilled)}, code=1)
    read = " ".join((done.stdout + done.stderr).split())
    assert f"the look at what a rollback undoes: blocked by pid {holder} on features (user " in read
    assert "could not acquire its locks within 3 s" in read


@pytest.mark.clean
def test_beside_somebody_who_writes_nobody_waits(backfilled: URL) -> None:
    for relation, _, command in COMMANDS:
        with held(backfilled, relation, "ROW EXCLUSIVE"):
            done = run(*command, env={"DATABASE_URL": conninfo(backfilled)})
        assert done.returncode == 0, (command, done)
        assert "locked by" not in done.stdout + done.stderr


@pytest.mark.clean
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_backfill_that_waits_says_for_whom_and_can_be_stopped(backfilled: URL, number: signal.Signals) -> None:
    with held(backfilled, "sidb.backfill_ranges") as holder, started(backfilled, "backfill", "run", "--now") as waiting:
        assert waiting.stderr is not None
        assert waiting.stderr.readline().startswith(f"Waiting for process {holder} (somebody, ")
        waiting.send_signal(number)
        assert f"Stopped as asked, while waiting for process {holder} " in waiting.stderr.read()
    assert waiting.returncode == 1


@pytest.mark.clean
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_erasure_that_waits_says_for_whom_and_can_be_stopped(backfilled: URL, number: signal.Signals) -> None:
    with (
        held(backfilled, "analytics.content_recommendations") as holder,
        started(backfilled, "erase", "somebody", "--yes") as waiting,
    ):
        assert waiting.stdout is not None
        assert waiting.stderr is not None
        assert waiting.stdout.readline().startswith(
            f"Waiting for pid {holder} on analytics.content_recommendations (user "
        )
        waiting.send_signal(number)
        assert waiting.stderr.read().startswith("Interrupted before it was begun; nothing was changed.\n")
    assert waiting.returncode == 130
