"""`sidb backfill`: every command, at the console of a real process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine

from tests.backfill.conftest import Sql, history, write_csv
from tests.fixtures import programs
from tests.fixtures.databases import ROOT, Clone, conninfo

SIDB = Path(sys.executable).parent / "sidb"


class Console:
    """Runs `sidb backfill …` on one database."""

    def __init__(self, engine: Engine) -> None:
        self.environment = {"PATH": os.environ["PATH"], "DATABASE_URL": conninfo(engine.url)}

    def __call__(self, *arguments: str, code: int = 0, stdin: bytes = b"", **environment: str) -> str:
        done = programs.run("sidb", "backfill", *arguments, env=self.environment | environment, stdin=stdin, code=code)
        return done.stdout + done.stderr


@pytest.fixture
def sidb(migrated: Engine) -> Console:
    return Console(migrated)


def test_from_a_file_to_the_end(sidb: Console, sql: Sql, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "h.csv.gz", history(1_000, days=200))
    assert "h.csv.gz loaded: 1,000 rows, 0 rejected" in sidb("load", str(path))
    assert "is in already" in sidb("load", str(path))
    assert "standard input loaded: 1 rows, 1 rejected" in sidb(
        "load",
        "-",
        code=1,
        stdin=b"event_type,event_source,event_timestamp,event_data\nview,web,2025-05-01,{}\nview,web,never,{}\n",
    )
    assert "Staging is still needed: event_history (waiting)" in sidb("finish", code=1)
    assert "rows are left. Next: sidb backfill daily" in sidb("run", "--as-of", "2025-05-31", "--now")
    assert "Today's share is done" in sidb("daily", "--now")
    assert "ranges are not done" in sidb("verify", code=1)
    assert "0 rows are left. Next: sidb backfill verify" in sidb("run", "--all", "--now")
    status = json.loads(sidb("status", "--json"))
    assert {job["state"] for job in status["jobs"]} <= {"moved, to be verified", "done"}
    assert sum(job["left"] for job in status["jobs"]) == 0
    assert status["as_of"] == "2025-06-01T00:00:00+00:00"
    proofs = json.loads(sidb("verify", "--json"))
    assert [proof["differences"] for proof in proofs] == [[], [], [], []]
    told = sidb("status")
    assert "deadline" in told
    assert max(map(len, told.splitlines())) <= 80
    assert "…" not in told
    assert "Dropped the staging table with 1,001 rows" in sidb("finish")
    # What comes after that is new, and the same file is still known.
    assert "is in already" in sidb("load", str(path))
    write_csv(tmp_path / "more.csv", history(50, seed=9, days=200))
    sidb("load", str(tmp_path / "more.csv"))
    sidb("run", "--all", "--now")
    sidb("verify")
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_type <> 'niche_scored'") == [(1_051,)]


def test_what_is_meant_is_said(sidb: Console, sql: Sql, tmp_path: Path) -> None:
    head, rows = "event_type,event_source,event_timestamp,event_data\n", "view,web,2025-05-0{},{{}}\n"
    path, other = tmp_path / "h.csv", tmp_path / "other.csv"
    path.write_text(head + rows.format(1))
    assert "h.csv loaded: 1 rows, 0 rejected" in sidb("load", str(path))
    path.write_text(head + rows.format(1) + rows.format(2))
    assert "h.csv loaded: 2 rows, 1 of them new, 0 rejected" in sidb("load", str(path))
    other.write_text(head + rows.format(2))
    told = sidb("load", str(other), code=1)
    assert "other.csv was not loaded: 1 lines of it are in already, from" in told
    assert "Next: the same command with --new" in told
    assert "other.csv loaded: 1 rows, 0 rejected" in sidb("load", "--new", str(other))
    path.write_text(head + rows.format(3))
    assert "are missing in it" in sidb("load", str(path), code=1)
    assert "h.csv loaded: 1 rows, 2 earlier ones deleted, 0 rejected" in sidb("load", "--replace", str(path))
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(2,)]
    assert "No file gone.csv is half loaded" in sidb("load", "--forget", "gone.csv", code=1)


def test_streams_are_loaded_as_standard_input_is(sidb: Console, sql: Sql, tmp_path: Path) -> None:
    content = b"event_type,event_source,event_timestamp,event_data\nview,web,2025-05-0%d,{}\n"
    assert "/dev/stdin loaded: 1 rows" in sidb("load", "/dev/stdin", stdin=content % 1)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = Thread(target=fifo.write_bytes, args=(content % 2,))
    writer.start()
    assert "fifo loaded: 1 rows" in sidb("load", str(fifo))
    writer.join()
    (tmp_path / "a.csv").write_bytes(content % 3)
    command = f"{SIDB} backfill load <(cat {tmp_path / 'a.csv'})"
    told = subprocess.run(["/bin/bash", "-c", command], env=sidb.environment, capture_output=True, cwd=ROOT, text=True)
    assert "loaded: 1 rows, 0 rejected" in told.stdout, told.stderr
    assert "loaded: 1 rows" in sidb("load", "-", stdin=content % 4)
    assert "is empty" in sidb("load", "/dev/stdin", code=1)
    assert "cannot be read: Is a directory" in sidb("load", str(tmp_path), code=1)
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(4,)]


def test_pause_resume_and_retry(sidb: Console, sql: Sql) -> None:
    assert "Next: sidb backfill resume" in sidb("pause")
    assert sql("SELECT count(*) FROM sidb.backfill_pause_orders") == [(1,)]
    assert "PAUSED" in sidb("status")
    sidb("resume")
    assert sql("SELECT count(*) FROM sidb.backfill_pause_orders") == [(0,)]
    assert "0 rows will be tried again" in sidb("retry")


def test_mistakes_are_told_in_a_line(sidb: Console, tmp_path: Path, clone: Clone, migrated: Engine) -> None:
    assert "cannot be read: No such file" in sidb("load", str(tmp_path / "gone.csv"), code=1)
    assert "is not a time such as" in sidb("run", "--as-of", "yesterday", code=2)
    assert "window is malformed" in sidb("status", code=2, SIDB_BACKFILL_WINDOW="midnight")
    assert "'Mars/Base' is not a time zone" in sidb("status", code=2, SIDB_BACKFILL_TIME_ZONE="Mars/Base")
    assert "not a number of days" in sidb("status", code=2, SIDB_BACKFILL_DAYS="soon")
    assert "not a percentage" in sidb("status", code=2, SIDB_BACKFILL_SHARE="0")
    phase1 = conninfo(clone("phase1_table"))
    assert "Next: alembic upgrade head" in sidb("run", code=1, DATABASE_URL=phase1)


@pytest.mark.clean
def test_a_role_without_rights_is_told_in_a_line(sidb: Console, sql: Sql, tmp_path: Path, migrated: Engine) -> None:
    """Without any on schema sidb, then without that to read its tables, last without temporary tables."""
    role, path = "sidb_test_weak", str(write_csv(tmp_path / "h.csv", history(10)))
    sidb("status")
    sql(f"DROP ROLE IF EXISTS {role}")
    sql(f"CREATE ROLE {role} LOGIN")
    other = {"DATABASE_URL": conninfo(migrated.url.set(username=role))}
    try:
        assert "permission denied for database" in sidb("run", code=1, **other)
        sidb("retry")  # makes the tables
        for command in ("status", "run", "pause"):
            printed = sidb(command, code=1, **other)
            assert "failed: permission denied for schema sidb\nNext: run it as the role that migrates, or" in printed
        sql(f"GRANT USAGE ON SCHEMA sidb, analytics TO {role}")
        sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA sidb TO {role}")
        assert "not begun" in sidb("status", **other)
        assert "h.csv stopped: permission denied for table backfill_files." in sidb("load", path, code=1, **other)
        sql(f"GRANT CREATE ON SCHEMA sidb TO {role}")
        sql(f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA sidb TO {role}")
        sql(f"REVOKE TEMPORARY ON DATABASE {migrated.url.database} FROM PUBLIC")
        assert "h.csv stopped: permission denied to create temporary tables" in sidb("load", path, code=1, **other)
    finally:
        sql(f"DROP OWNED BY {role}")
        sql(f"DROP ROLE {role}")


def test_sigterm_finishes_the_present_batch(sidb: Console, sql: Sql, tmp_path: Path) -> None:
    sidb("load", str(write_csv(tmp_path / "h.csv", history(100))))
    sidb("pause")
    with subprocess.Popen(
        [SIDB, "backfill", "run", "--now"], env=sidb.environment, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        held = process.stdout.readline()
        assert "Holding back: sidb backfill pause was called" in held
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "Stopped as asked" in rest
    assert sql("SELECT reason FROM sidb.backfill_pauses WHERE ended_at IS NOT NULL") == [("paused",)]


def test_a_deadline_that_will_be_missed_is_an_alert(sidb: Console, sql: Sql, tmp_path: Path) -> None:
    sidb("load", str(write_csv(tmp_path / "h.csv", history(100, days=200))))
    sidb("run", "--as-of", "2025-05-31", "--now")
    sql("UPDATE sidb.backfill_ranges SET seconds = 1e6 WHERE done_at IS NOT NULL")
    told = sidb("daily", "--now")
    assert "The backfill will miss its deadline" in told
    assert "Next: widen SIDB_BACKFILL_WINDOW" in told
