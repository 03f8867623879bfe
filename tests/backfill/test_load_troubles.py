"""What stops a load from outside: other sessions, timeouts, death. It is told in a sentence, and nothing is lost."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
import rich.console
from sqlalchemy import Engine, NullPool, create_engine, text

from backfill import chunks
from backfill.errors import BackfillError
from backfill.formats import lines
from backfill.formats.csv import Csv
from backfill.loading import Loaded
from backfill.pacing import Throttle
from backfill.source import Source
from operations.loading import load_files
from tests.backfill.conftest import Sql, begin, history, load_file, write_csv
from tests.backfill.test_console import SIDB, Console
from tests.engine.conftest import until
from tests.fixtures.databases import ROOT, conninfo
from tests.fixtures.lived_in import administrator

HEAD = "event_type,event_source,event_timestamp,event_data,phrase\n"


def test_a_session_that_holds_the_same_phrase_is_told_and_waited_for(
    migrated: Engine, sql: Sql, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(HEAD + "view,web,2025-05-01,{},brand new\n")
    told: list[str] = []
    heard = Event()

    def tell(what: str) -> None:
        told.append(what)
        heard.set()

    with psycopg.connect(conninfo(migrated.url), application_name="seeder") as seeder:
        seeder.execute("INSERT INTO features (phrase) VALUES ('brand new')")
        loader = Thread(target=load_file, args=(migrated, tmp_path / "a.csv"), kwargs={"tell": tell})
        loader.start()
        assert heard.wait(30)
        assert f"process {seeder.info.backend_pid} (seeder" in told[0]
        assert loader.is_alive()
        # Meanwhile it holds nothing that the seeder could want.
        seeder.execute("SET lock_timeout = '2s'")
        seeder.execute("INSERT INTO features (phrase) VALUES ('another one')")
        seeder.commit()
    loader.join()
    assert sql("SELECT count(*) FROM sidb.backfill_events JOIN features USING (niche_id)") == [(1,)]


def test_waiting_for_a_phrase_is_bounded(
    migrated: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the chunk behind, which is read meanwhile and has to wait for nobody, is not in before that one."""
    monkeypatch.setattr(chunks, "PATIENCE", 0.3)
    monkeypatch.setattr(lines, "BLOCK", 32)
    others = "".join(f"view,web,2025-05-01,{{}},{phrase}\n" for phrase in ("", "", "niche 1", "niche 2"))
    (tmp_path / "a.csv").write_text(HEAD + "view,web,2025-05-01,{},brand new\n" + others)
    with psycopg.connect(conninfo(migrated.url)) as seeder:
        seeder.execute("SET idle_in_transaction_session_timeout = '30s'")  # who waits without end waits until then
        seeder.execute("INSERT INTO features (phrase) VALUES ('brand new')")
        with pytest.raises(BackfillError, match="not committed it within"):
            load_file(migrated, tmp_path / "a.csv", chunk=32)
        seeder.rollback()
    assert sql("SELECT records, lines FROM sidb.backfill_files") == [(0, 0)]
    assert load_file(migrated, tmp_path / "a.csv", chunk=32).added == 5


def test_a_niche_is_made_for_sound_records_only(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    bad = ("view,web,never,{},never", "view,web,2025-02-30,{},no such day", "view,,2025-05-01,{},no source")
    rows = (*bad, "view,web,2025-05-01,{},sound", "view,web,2025-02-30,{},sound")
    (tmp_path / "a.csv").write_text(HEAD + "\n".join(rows) + "\n")
    assert load_file(migrated, tmp_path / "a.csv").rejected == 4
    made = "SELECT phrase FROM features WHERE phrase IN ('never', 'no such day', 'no source', 'sound')"
    assert sql(made) == [("sound",)]


def test_a_timeout_of_the_surroundings_ends_no_load(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """Sessions pin it: what a role or a database sets is meant for others. A cancelled COPY is below."""
    sidb = Console(migrated)
    path = write_csv(tmp_path / "h.csv", history(20_000))
    sidb("load", str(write_csv(tmp_path / "first.csv", history(10, seed=5))))
    assert "h.csv loaded: 20,000 rows" in sidb("load", str(path), PGOPTIONS="-c statement_timeout=20ms")
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(20_010,)]


def test_a_cancelled_copy_is_told_in_a_sentence(
    migrated: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "h.csv", history(3_000))
    encoded = Csv.encoded

    def cancel(self: Csv, content: bytes) -> bytes:
        [(cancelled,)] = sql(
            "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
            "WHERE query LIKE 'COPY pg_temp.%' AND datname = current_database()"
        )
        assert cancelled == 1
        return encoded(self, content)

    monkeypatch.setattr(Csv, "encoded", cancel)
    with pytest.raises(BackfillError, match=r"Loading h\.csv stopped: canceling statement due to user request"):
        load_file(migrated, path)
    monkeypatch.undo()
    assert load_file(migrated, path).added == 3_000


@pytest.fixture
def small(migrated: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A tablespace of one megabyte."""
    place = Path(tempfile.mkdtemp(prefix="sidb-small-"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True).returncode:  # noqa: S607
        place.rmdir()
        pytest.skip("a file system that is full needs the right to mount one")
    place.chmod(0o777)
    (inner := place / "space").mkdir()
    # Apart: the test disposes of the other's pool meanwhile.
    apart = create_engine(administrator(migrated.url), poolclass=NullPool)
    with apart.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        data = Path(connection.scalar(text("SHOW data_directory")) or "")
        os.chown(inner, data.stat().st_uid, data.stat().st_gid)
        connection.execute(text(f"CREATE TABLESPACE small LOCATION '{inner}'"))
        connection.execute(text("GRANT CREATE ON TABLESPACE small TO PUBLIC"))
        yield "small"
        connection.execute(text("ALTER TABLE ALL IN TABLESPACE small SET TABLESPACE pg_default"))
        connection.execute(text("ALTER INDEX ALL IN TABLESPACE small SET TABLESPACE pg_default"))
        connection.execute(text("DROP TABLESPACE small"))
    subprocess.run(["umount", place], check=True)  # noqa: S607
    place.rmdir()


@pytest.mark.parametrize("setting", ["temp_tablespaces", "default_tablespace"])
def test_a_full_disk_is_told_in_a_sentence(
    setting: str, small: str, migrated: Engine, sql: Sql, tmp_path: Path
) -> None:
    """Where the texts of a chunk are, or the rows of the file."""
    path = write_csv(tmp_path / "h.csv", history(20_000))
    begin(migrated)
    sql(f"ALTER DATABASE {migrated.url.database} SET {setting} = {small}")
    migrated.dispose()
    with pytest.raises(BackfillError, match=r"Loading h\.csv stopped: could not .*No space left on device") as stopped:
        load_file(migrated, path)
    assert "continues where this stopped" in stopped.value.next_step
    sql(f"ALTER DATABASE {migrated.url.database} RESET {setting}")
    sql(f"ALTER TABLE ALL IN TABLESPACE {small} SET TABLESPACE pg_default")
    migrated.dispose()
    assert load_file(migrated, path).records == 20_000
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(20_000,)]
    migrated.dispose()


def test_beside_the_application_one_chunk_is_read_at_a_time_and_then_none(
    migrated: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK", 2**14)
    path = write_csv(tmp_path / "h.csv", history(3_000))
    read: list[int] = []
    at_rest: list[tuple[int, bool]] = []

    def rest(seconds: float) -> None:
        assert seconds > 0
        [(records,)] = sql("SELECT records FROM sidb.backfill_files")
        at_rest.append((records, records == read[-1]))

    def report(_source: Source, records: int, _rejected: int) -> None:
        read.append(records)

    load_file(migrated, path, report=report, chunk=1, throttle=Throttle(lambda: 0.5, rest))
    assert at_rest == [(records, True) for records in read[:-1]], "nobody has to rest after the last one"
    assert len(read) > 2
    at_rest.clear()
    load_file(migrated, write_csv(tmp_path / "i.csv", history(100, seed=2)), throttle=Throttle(lambda: 1.0, rest))
    assert at_rest == []


def test_the_command_rests_for_the_application_unless_it_is_told_not_to(
    migrated: Engine, sql: Sql, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "h.csv", history(100))
    begin(migrated)
    seen: list[Path] = []
    rests = "SELECT records, finished_at IS NULL FROM sidb.backfill_files WHERE name = '{}'"
    with psycopg.connect(conninfo(migrated.url), autocommit=True, application_name="api") as application:
        application.execute("SELECT 1")
        holder = Thread(target=application.execute, args=("SELECT pg_advisory_lock(1)",))
        with psycopg.connect(conninfo(migrated.url)) as other:
            other.execute("SELECT pg_advisory_lock(1)")
            holder.start()

            def interrupt() -> None:
                try:
                    until(lambda: sql(rests.format(path)) == [(100, True)], "its only chunk is in, and it rests")
                    seen.append(path)
                finally:
                    os.kill(os.getpid(), signal.SIGINT)

            watcher = Thread(target=interrupt)
            watcher.start()
            console = rich.console.Console(quiet=True)
            [slow] = load_files(migrated, [str(path)], "create", None, 1e-9, console)
            watcher.join()
            fast_path = write_csv(tmp_path / "i.csv", history(100, seed=2))
            [fast] = load_files(migrated, [str(fast_path)], "create", None, 1.0, console)
        holder.join()
    assert isinstance(slow, Loaded)
    assert isinstance(fast, Loaded)
    assert (seen, slow.added, fast.added) == ([path], 100, 100)


def test_a_load_that_is_asked_to_stop_ends_after_its_chunks(
    migrated: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK", 2**14)
    path = write_csv(tmp_path / "h.csv", history(3_000))
    stop = Event()

    def ask(_source: Source, _records: int, _rejected: int) -> None:
        stop.set()

    with pytest.raises(BackfillError, match=r"Stopped as asked: [\d,]+ records of h\.csv are read\.") as stopped:
        load_file(migrated, path, report=ask, chunk=1, stop=stop)
    assert "continues where this stopped" in stopped.value.next_step
    [(half,)] = sql("SELECT records FROM sidb.backfill_files WHERE finished_at IS NULL")
    assert 0 < half < 3_000
    assert load_file(migrated, path).records == 3_000
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(3_000,)]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_load_in_a_sentence(sent: signal.Signals, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    paths = [write_csv(tmp_path / f"{name}.csv", history(3_000, seed)) for seed, name in enumerate("ab")]
    begin(migrated)
    with migrated.begin() as other:
        other.execute(text("LOCK TABLE sidb.backfill_files IN SHARE MODE"))
        with subprocess.Popen(
            [SIDB, "backfill", "load", *paths],
            env=Console(migrated).environment,
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            said = process.stderr.readline()  # it waits
            process.send_signal(sent)
            said += process.stderr.read()
        assert process.returncode == 1
    assert "Stopped as asked, while waiting for process" in said
    assert "b.csv" not in said
    assert "Traceback" not in said
    assert "a.csv loaded: 3,000 rows" in Console(migrated)("load", str(paths[0]))


def test_an_error_of_its_own_statements_is_told_in_a_sentence(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "h.csv", history(3_000))

    def cancel(_source: Source, _records: int, _rejected: int) -> None:
        with migrated.connect() as other:
            other.execute(text("ALTER TABLE sidb.backfill_files DROP CONSTRAINT IF EXISTS backfill_files_lines_check"))
            other.execute(text("ALTER TABLE sidb.backfill_files ADD CHECK (lines < 0) NOT VALID"))
            other.commit()

    with pytest.raises(BackfillError, match=r"Loading h\.csv stopped: ") as stopped:
        load_file(migrated, path, report=cancel, chunk=1)
    assert "continues where this stopped" in stopped.value.next_step
    sql("ALTER TABLE sidb.backfill_files DROP CONSTRAINT backfill_files_lines_check")
    assert load_file(migrated, path).records == 3_000
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(3_000,)]
