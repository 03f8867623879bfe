"""A worker that is stopped in the middle of a batch: who reads does not wait, and who waits says for whom."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from backfill.job import Batch
from backfill.jobs import EVENT_HISTORY
from backfill.jobs.event_history import EventHistory
from backfill.progress import Scope
from backfill.tables import Range
from operations.backfilling import reach
from tests.backfill.conftest import AS_OF, Sql, begin, history, load_file, run, slowly, verify, worker, write_csv
from tests.backfill.test_console import SIDB, Console
from tests.backfill.test_kills import ended, in_child
from tests.fixtures.databases import ROOT


@pytest.fixture
def sidb(migrated: Engine) -> Console:
    return Console(migrated)


@contextmanager
def stopped_in_a_batch(engine: Engine) -> Iterator[int]:
    """A worker whose batch is written and not committed; it has its range, and stands still."""
    url = engine.url
    reader, writer = os.pipe()
    write = EventHistory.batch

    def work() -> None:
        def batch(self: EventHistory, connection: Connection, claimed: Range, as_of: datetime, asked: int) -> Batch:
            done = write(self, connection, claimed, as_of, asked)
            os.write(writer, b"held")
            os.kill(os.getpid(), signal.SIGSTOP)
            return done

        EventHistory.batch = batch  # type: ignore[method-assign]
        worker(reach(url), pace=slowly(), jobs=[EVENT_HISTORY]).run(Scope(AS_OF))

    pid = in_child(work)
    assert os.read(reader, 4) == b"held"
    os.waitpid(pid, os.WUNTRACED)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        ended(pid)
        os.close(reader)
        os.close(writer)


@pytest.fixture
def staged(migrated: Engine, tmp_path: Path) -> Engine:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(200, days=1)))
    begin(migrated)
    return migrated


def test_status_and_pause_do_not_wait(staged: Engine, sidb: Console, sql: Sql) -> None:
    with stopped_in_a_batch(staged):
        sql("ALTER DATABASE " + (staged.url.database or "") + " SET lock_timeout = '10ms'")  # a wait would be an error
        [status] = [each for each in json.loads(sidb("status", "--json"))["jobs"] if each["job"] == "event_history"]
        assert status["left"] == 200
        sidb("pause")
        sidb("resume")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("planning", [False, True], ids=["its range", "to plan"])
def test_run_says_for_whom_it_waits_and_ends_when_asked(
    staged: Engine, sidb: Console, tmp_path: Path, sent: signal.Signals, planning: bool
) -> None:
    with stopped_in_a_batch(staged):
        if planning:  # the range that the stopped worker is at has grown
            load_file(staged, write_csv(tmp_path / "more.csv", history(50, days=1, seed=2)))
        with started(sidb, "run", "--all", "--now") as process:
            assert "Waiting for process" in said(process)
            process.send_signal(sent)
            process.wait(30)
        assert process.returncode == 1
    run(staged)
    assert all(proof.holds for proof in verify(staged))


def test_a_run_goes_on_when_the_stopped_worker_does(staged: Engine, sidb: Console, sql: Sql) -> None:
    with stopped_in_a_batch(staged) as pid, started(sidb, "run", "--all", "--now") as process:
        assert "Waiting for process" in said(process)
        os.kill(pid, signal.SIGKILL)
        assert process.wait(60) == 0
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_source = 'web'") == [(200,)]


def test_verify_says_for_whom_it_waits_and_ends_on_ctrl_c(staged: Engine, sidb: Console, tmp_path: Path) -> None:
    with stopped_in_a_batch(staged):
        load_file(staged, write_csv(tmp_path / "more.csv", history(50, days=1, seed=2)))
        with started(sidb, "verify") as process:
            assert "Waiting for process" in said(process)
            process.send_signal(signal.SIGINT)
            process.wait(30)
        assert process.returncode != 0


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
    assert process.stderr is not None
    return process.stderr.readline()
