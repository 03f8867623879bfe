"""A worker that is stopped in the middle of a batch: who reads does not wait, and who waits says for whom."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from select import select
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine

from backfill import bookkeeping, planning
from backfill.job import Batch
from backfill.jobs import EVENT_HISTORY
from backfill.jobs.event_history import EventHistory
from backfill.progress import Scope
from backfill.tables import Range
from operations.backfilling import reach
from tests.backfill.conftest import AS_OF, Sql, begin, history, load_file, run, slowly, verify, worker, write_csv
from tests.backfill.test_console import SIDB, Console
from tests.backfill.test_kills import stopped
from tests.fixtures.databases import ROOT, conninfo

LIMIT = 60
"""Seconds until a command has said something."""


@pytest.fixture
def sidb(migrated: Engine) -> Console:
    return Console(migrated)


def stopped_in_a_batch(engine: Engine) -> AbstractContextManager[int]:
    """A worker whose batch is written and not committed; it has its range, and stands still."""
    url = engine.url
    write = EventHistory.batch

    def work(stand_still: Callable[[], None]) -> None:
        def batch(self: EventHistory, connection: Connection, claimed: Range, as_of: datetime, asked: int) -> Batch:
            done = write(self, connection, claimed, as_of, asked)
            stand_still()
            return done

        EventHistory.batch = batch  # type: ignore[method-assign]
        worker(reach(url), pace=slowly(), jobs=[EVENT_HISTORY]).run(Scope(AS_OF))

    return stopped(work)


def stopped_while_it_plans(engine: Engine) -> AbstractContextManager[int]:
    """A process that has planned for another "now", and has not committed it."""
    url = engine.url

    def work(stand_still: Callable[[], None]) -> None:
        with reach(url).begin() as connection:
            bookkeeping.alone(connection, "tables")  # nor does anybody wait for who brings the tables up to date
            planning.begin(connection, [EVENT_HISTORY], datetime.now(UTC), AS_OF + timedelta(days=1), 7)
            stand_still()

    return stopped(work)


@pytest.fixture
def staged(migrated: Engine, tmp_path: Path) -> Engine:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(200, days=1)))
    begin(migrated)
    return migrated


@pytest.mark.parametrize("others", [stopped_in_a_batch, stopped_while_it_plans])
def test_status_and_pause_do_not_wait(
    others: Callable[[Engine], AbstractContextManager[int]], staged: Engine, sidb: Console
) -> None:
    with others(staged):
        [status] = [each for each in json.loads(sidb("status", "--json"))["jobs"] if each["job"] == "event_history"]
        assert status["left"] == 200
        sidb("pause")
        assert "PAUSED" in sidb("status")
        sidb("resume")


@pytest.mark.parametrize(
    ("command", "waits_for", "sent"),
    [("run --all --now", "its range", signal.SIGTERM), ("run", "to plan", signal.SIGINT), ("verify", "to plan", 2)],
)
def test_a_command_says_for_whom_it_waits_and_ends_when_asked(
    command: str, waits_for: str, sent: int, staged: Engine, sidb: Console, tmp_path: Path
) -> None:
    with stopped_in_a_batch(staged):
        if waits_for == "to plan":  # the range that the stopped worker is at has grown
            load_file(staged, write_csv(tmp_path / "more.csv", history(50, days=1, seed=2)))
        with started(sidb, *command.split()) as process:
            assert "Waiting for process" in said(process)
            process.send_signal(sent)
            process.wait(30)
        assert process.returncode != 0
    run(staged)
    assert all(proof.holds for proof in verify(staged))


def test_a_run_goes_on_when_the_stopped_worker_does(staged: Engine, sidb: Console, sql: Sql) -> None:
    with stopped_in_a_batch(staged) as pid, started(sidb, "run", "--all", "--now") as process:
        assert "Waiting for process" in said(process)
        os.kill(pid, signal.SIGKILL)
        assert process.wait(60) == 0
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_source = 'web'") == [(200,)]


def test_a_lock_beside_which_it_works_is_not_spoken_of(staged: Engine, sidb: Console) -> None:
    with psycopg.connect(conninfo(staged.url)) as holder:
        holder.execute("LOCK TABLE analytics.trend_cache IN ROW EXCLUSIVE MODE")
        assert "Waiting" not in sidb("run", "--all", "--now")


@contextmanager
def started(sidb: Console, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [SIDB, "backfill", *arguments],
        env=sidb.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> Any:
    """The next line of its standard error."""
    assert process.stderr is not None
    assert select([process.stderr], [], [], LIMIT)[0], "it says nothing"
    return process.stderr.readline()
