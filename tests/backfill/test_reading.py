"""Commands that read change nothing and work on a standby; those that write are refused there in one sentence."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from operations import phase1
from operations.embedded import Server
from operations.phase1 import Shape
from tests.backfill.conftest import Sql, history, load_file, run, verify, write_csv
from tests.backfill.test_console import Console
from tests.engine.test_migrators import Pooled, pooled
from tests.fixtures.databases import Alembic
from tests.fixtures.server import throwaway_server

__all__ = ["pooled"]

TABLES = "SELECT c.oid, c.relname FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('sidb') ORDER BY c.oid"
WRITING = (("run",), ("daily",), ("verify",), ("finish",), ("pause",), ("resume",), ("retry",))


def test_status_writes_nothing_and_starts_no_days(migrated: Engine, sql: Sql) -> None:
    sidb = Console(migrated)
    before = sql(TABLES)
    found = json.loads(sidb("status", "--json"))
    assert (found["as_of"], found["deadline"], found["half_loaded"]) == (None, None, [])
    assert {job["state"] for job in found["jobs"]} == {"not begun"}
    assert "not begun" in sidb("status")
    assert sql(TABLES) == before
    sql("CREATE SCHEMA IF NOT EXISTS sidb")
    assert json.loads(sidb("status", "--json"))["deadline"] is None


@pytest.fixture
def standby(pg_bin: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database with a history that is moved and proved, on a server that follows another one."""
    with throwaway_server(pg_bin) as server:
        engine = create_engine(server.url("postgres"))
        with engine.begin() as connection:
            phase1.create(connection, Shape.TABLE)
            phase1.sample(connection, 200)
            phase1.refresh(connection, Shape.TABLE)
        Alembic(server.url("postgres")).upgrade()
        load_file(engine, write_csv(tmp_path / "h.csv", history(200, days=2)))
        run(engine)
        verify(engine)
        engine.dispose()
        follow(server)
        yield engine
        engine.dispose()


def follow(server: Server) -> None:
    server.stop()
    (server.data / "standby.signal").touch()
    server.start()


def test_on_a_standby(standby: Engine) -> None:
    sidb = Console(standby)
    assert {job["state"] for job in json.loads(sidb("status", "--json"))["jobs"]} == {"done"}
    for command in WRITING:
        said = sidb(*command, code=1).strip().splitlines()
        assert said[0].endswith("is a standby: it follows another server and cannot be changed; nothing was changed.")
        assert said[1].startswith("Next: point the database URL at the primary, and run it again. A superuser finds ")
        assert "DATABASE_URL" in said[2]


def test_behind_a_pooler_that_gives_each_transaction_another_session(pooled: Pooled) -> None:
    engine = create_engine(pooled("transaction", "options"))
    sidb = Console(engine)
    for command in (*WRITING, ("status",)):
        said = sidb(*command, code=1).splitlines()
        assert said[0].endswith("may give each transaction another session of the server; nothing was changed.")
    engine.dispose()
