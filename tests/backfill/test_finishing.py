"""Staging is dropped under nobody, and only when what was in it is proved to be where it belongs."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Connection, Engine, NullPool, text

from backfill import finishing, publishing
from backfill.errors import BackfillError
from backfill.jobs import JOBS
from backfill.locks import staging
from operations.backfilling import reach
from tests.backfill.conftest import Sql, begin, history, load_file, run, verify, write_csv
from tests.backfill.test_console import Console
from tests.backfill.test_kills import stopped
from tests.backfill.test_locks import LIMIT, holding
from tests.backfill.test_waits import said, started

MOVED = "SELECT count(*) FROM analytics.analytics_events WHERE event_source = 'web'"
WAITS = "SELECT locktype FROM pg_locks WHERE NOT granted ORDER BY locktype LIMIT 1"
MORE = (
    "INSERT INTO sidb.backfill_events (event_timestamp, event_type, event_source, event_data, file_id) "
    "SELECT '2020-01-01Z', 'view', 'web', '{}', 77 FROM generate_series(1, 5)"
)


@pytest.fixture
def proved(migrated: Engine, tmp_path: Path) -> Engine:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(200, days=2)))
    run(migrated)
    assert all(proof.holds for proof in verify(migrated))
    return migrated


def finish(engine: Engine) -> int:
    with engine.connect() as connection:
        return finishing.finish(connection, JOBS).rows


def test_it_waits_for_a_load_and_sees_what_it_staged(proved: Engine, sql: Sql) -> None:
    """The load commits its rows while finish waits: they are not proved, and staging stays."""
    errors: list[str] = []

    def try_to() -> None:
        try:
            finish(proved)
        except BackfillError as error:
            errors.append(str(error))

    with proved.connect() as load, staging(load, "load"), load.begin():
        load.execute(text(MORE))
        thread = Thread(target=try_to)
        thread.start()
        with proved.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            while not (waits := other.scalar(text(WAITS))):
                thread.join(0.01)
                assert thread.is_alive()
    thread.join(LIMIT)
    assert waits == "advisory", "before its proof, and not for the table alone"
    assert errors == [
        "Staging is still needed: not all of event_history is proved any more.\n"
        "Next: sidb backfill verify, which says what is missing."
    ]
    run(proved)
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_timestamp = '2020-01-01Z'") == [(5,)]
    assert all(proof.holds for proof in verify(proved))
    assert finish(proved) == 205


def stopped_in_a_load(engine: Engine, path: Path) -> AbstractContextManager[int]:
    """A process that has staged a file, and not committed it."""
    url, move = engine.url, publishing._move

    def work(stand_still: Callable[[], None]) -> None:
        def moved(connection: Connection, table: str) -> int:
            rows = move(connection, table)
            stand_still()
            return rows

        publishing._move = moved
        load_file(reach(url, poolclass=NullPool), path)

    return stopped(work)


def stopped_in_a_finish(engine: Engine) -> AbstractContextManager[int]:
    """A process that has proved all and dropped staging, and not committed it."""
    url, drop = engine.url, finishing.drop_staged

    def work(stand_still: Callable[[], None]) -> None:
        def dropped(connection: Connection) -> int:
            rows = drop(connection)
            stand_still()
            return rows

        finishing.drop_staged = dropped
        finish(reach(url, poolclass=NullPool))

    return stopped(work)


def test_a_load_that_stands_still_is_waited_for(proved: Engine, sql: Sql, tmp_path: Path) -> None:
    more = write_csv(tmp_path / "more.csv", history(50, seed=3, days=2))
    with stopped_in_a_load(proved, more) as pid, started(Console(proved), "finish") as process:
        waits = said(process)
        assert "Waiting for process" in waits
        assert "(sidb backfill load, user " in waits
        os.kill(pid, signal.SIGCONT)
        assert "Staging is still needed: event_history (" in process.communicate(timeout=LIMIT)[1]
        assert process.returncode == 1
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(250,)]
    run(proved)
    assert all(proof.holds for proof in verify(proved))
    assert finish(proved) == 250
    assert sql(MOVED) == [(250,)]


@pytest.mark.parametrize(
    ("command", "ends", "rows"),
    [
        ("load {more}", (0, ""), 250),
        ("load {same}", (1, "200 lines of it are in already, from h.csv"), 200),
        ("run --all --now", (0, ""), 200),
        ("finish", (0, ""), 200),
    ],
)
def test_a_finish_that_stands_still_is_waited_for(
    command: str, ends: tuple[int, str], rows: int, proved: Engine, sql: Sql, tmp_path: Path
) -> None:
    """What comes behind it finds staging made anew, and all that was in it known."""
    more = write_csv(tmp_path / "more.csv", history(50, seed=3, days=2))
    with (tmp_path / "h.csv").open("a") as file:
        file.write("\n")  # the same lines, of another content, by another path
    arguments = command.format(more=more, same=tmp_path / "h.csv").split()
    with stopped_in_a_finish(proved) as pid, started(Console(proved), *arguments) as process:
        assert "Waiting for process" in said(process)
        os.kill(pid, signal.SIGCONT)
        rest = process.communicate(timeout=LIMIT)[1]
        assert process.returncode == ends[0], rest
        assert ends[1] in rest
    run(proved)
    assert sql(MOVED) == [(rows,)]
    assert all(proof.holds for proof in verify(proved))


def test_it_says_for_whom_it_waits_and_ends_on_ctrl_c(proved: Engine, sql: Sql) -> None:
    with holding(proved, "load", alone=False), started(Console(proved), "finish") as process:
        assert "Waiting for process" in said(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) != 0
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(200,)]


def test_a_half_loaded_file_keeps_everything_from_being_proved_and_finished(proved: Engine, sql: Sql) -> None:
    sql("INSERT INTO sidb.backfill_files (digest, name, records) VALUES ('d', 'cut.csv', 1200)")
    sidb = Console(proved)
    assert "half loaded: cut.csv" in sidb("status")
    assert "cut.csv is half loaded" in sidb("verify", code=1)
    assert "Staging is still needed: cut.csv is half loaded (1,200 records)." in sidb("finish", code=1)
    sql("DELETE FROM sidb.backfill_files WHERE name = 'cut.csv'")
    sidb("verify")
    assert "Dropped the staging table with 200 rows" in sidb("finish")


def test_what_is_not_verified_is_not_finished(migrated: Engine, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "h.csv", history(20, days=2)))
    begin(migrated)
    with pytest.raises(BackfillError, match=r"Staging is still needed: event_history \(waiting\)"):
        finish(migrated)
    run(migrated)
    with pytest.raises(BackfillError, match=r"event_history \(moved, to be verified\)"):
        finish(migrated)


def test_a_load_that_waits_for_it_finds_staging_made_anew(proved: Engine, sql: Sql, tmp_path: Path) -> None:
    """The other way round: finish stands still while it has the lock, and goes on."""
    more = write_csv(tmp_path / "more.csv", history(50, seed=3, days=2))
    with holding(proved, "finish", alone=True) as pid, started(Console(proved), "load", str(more)) as process:
        assert "Waiting for process" in said(process)
        os.kill(pid, signal.SIGCONT)
        assert process.wait(LIMIT) == 0
    run(proved)
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_source = 'web'") == [(250,)]


@pytest.mark.parametrize(("counted", "lost"), [("0", 3), ("CASE name WHEN 'h.csv' THEN 2 ELSE 0 END", 1), ("3", 0)])
def test_staged_rows_that_nobody_counted_out_are_reported(proved: Engine, sql: Sql, counted: str, lost: int) -> None:
    """A part of a day: what else is staged of it is compared, and does not hide it."""
    gone = "SELECT event_id FROM sidb.backfill_events ORDER BY event_timestamp LIMIT 3"
    sql(f"DELETE FROM sidb.backfill_events WHERE event_id IN ({gone})")  # noqa: S608
    sql(f"UPDATE sidb.backfill_files SET expired = {counted}")  # noqa: S608
    [proof, *_] = verify(proved)
    assert (proof.rows, proof.lost, proof.holds) == (197, lost, lost == 0)
    if lost:
        with pytest.raises(BackfillError, match="not all of event_history is proved any more"):
            finish(proved)


def test_rows_that_a_replacing_file_lacks_are_not_lost(proved: Engine, tmp_path: Path) -> None:
    load_file(proved, write_csv(tmp_path / "h.csv", list(history(200, days=2))[:150]), meant="replace")
    run(proved)
    [proof, *_] = verify(proved)
    assert (proof.rows, proof.lost, proof.holds) == (150, 0, True)


def test_niches_that_come_meanwhile_do_not_keep_it_from_being_finished(proved: Engine, sql: Sql) -> None:
    """They are not staged; what fills them goes on afterwards."""
    sql("INSERT INTO features (phrase, demand_score) VALUES ('came meanwhile', 0.5)")
    begin(proved)
    assert finish(proved) == 200
    run(proved)
    assert all(proof.holds for proof in verify(proved))
