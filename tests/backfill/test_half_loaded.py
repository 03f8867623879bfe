"""A file of which only a part is in: shown everywhere, proved and finished by nothing, gone on with or given up."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill.errors import BackfillError
from backfill.files import half_loaded
from backfill.source import Source
from backfill.verification import Proof
from operations import backfill_screen
from operations.status.look import look
from tests.backfill.conftest import Sql, begin, history, load_file, run, verify, write_csv
from tests.backfill.test_console import Console
from tests.fixtures.databases import ROOT

KILLED = """
import sys
from pathlib import Path
from sqlalchemy import create_engine
from backfill.formats import lines
from backfill.loading import load
from backfill.source import Source
lines.BLOCK = 4096
def stop(_source, records, _rejected):
    if records > 400:
        print("half", flush=True)
        sys.stdin.read()
load(create_engine(sys.argv[1]), Source(Path(sys.argv[2]), "h.csv"), report=stop, chunk=1)
"""


ONLY_HALF = [Proof("event_history", 5, half_loaded=["h.csv", "-.csv"]), Proof("niche_scores", 5)]


def test_what_is_loaded_to_its_end_is_run_before_it_is_proved_again() -> None:
    assert backfill_screen.after_proofs(ONLY_HALF) == (
        "load the same files again, which continues them and is safe (sidb backfill load h.csv -.csv), or give them"
        " up (sidb backfill load --forget h.csv -.csv), then sidb backfill run --all, then sidb backfill verify"
    )


@pytest.fixture
def half(migrated: Engine, tmp_path: Path) -> Path:
    """A file whose loader was killed by SIGKILL after some of its chunks."""
    path = write_csv(tmp_path / "h.csv", history(2_000, days=5))
    url = migrated.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, url, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as loader:
        assert loader.stdout is not None
        assert loader.stdout.readline() == b"half\n"
        with pytest.raises(BackfillError, match="is being loaded by another process"):
            load_file(migrated, path)
        loader.send_signal(signal.SIGKILL)
    return path


def test_a_half_loaded_file_is_shown_and_goes_on(half: Path, migrated: Engine, sql: Sql) -> None:
    sidb = Console(migrated)
    again = (
        "load the same file again, which continues it and is safe (sidb backfill load h.csv), or give it up"
        " (sidb backfill load --forget h.csv)"
    )
    assert f" records\nNext: {again}\n" in sidb("status")
    assert look(migrated.url).next == again
    run(migrated)
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_source = 'web'") == [(0,)]
    assert not verify(migrated)[0].holds
    assert again in sidb("verify", code=1)
    assert f"Next: {again}; then" in sidb("finish", code=1)
    assert look(migrated.url).next == again
    assert load_file(migrated, half).records == 2_000
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(2_000,)]
    run(migrated)
    assert all(proof.holds for proof in verify(migrated))
    assert "Dropped the staging table with 2,000 rows" in sidb("finish")


def test_a_half_loaded_file_is_given_up(half: Path, migrated: Engine, sql: Sql) -> None:
    sidb = Console(migrated)
    assert "h.csv is given up" in sidb("load", "--forget", "h.csv")
    with migrated.connect() as connection:
        assert half_loaded(connection) == []
    assert sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'backfill_load_%'") == [(0,)]
    begin(migrated)
    assert load_file(migrated, half).records == 2_000


def test_a_file_that_is_being_loaded_is_not_given_up(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    sidb = Console(migrated)
    path = write_csv(tmp_path / "h.csv", history(3_000))
    told: list[str] = []

    def meanwhile(_source: Source, _records: int, _rejected: int) -> None:
        told.append(sidb("load", "--forget", "h.csv", code=1))

    load_file(migrated, path, report=meanwhile)
    assert "h.csv is being loaded by another process" in told[0]
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(3_000,)]
