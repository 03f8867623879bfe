"""Whatever a role or a database sets: the whole way is right, or it is refused before anything was changed.

All settings at once by default, beside those that are refused; with --every-setting each by itself, on both shapes and
beside what others have.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import URL

from operations.cli import main
from operations.embedded import Server
from tests.backfill.conftest import history, write_csv
from tests.engine.conftest import catalog, current
from tests.engine.test_database import OTHERWISE
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.revisions import HEAD

SUPERUSERS = {"session_replication_role": "replica", "zero_damaged_pages": "on", "ignore_checksum_failure": "on"}
ALONE = {**OTHERWISE, **SUPERUSERS, "search_path": "nowhere", "jit": "off", "work_mem": "64kB", "lc_messages": "C"}
PLACES = ("phase1_table", "phase1_matview", "lived_in_table", "lived_in_matview")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "name" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-setting")
        cases = [(name, place) for name in ALONE for place in PLACES] if every else [("all", PLACES[0])]
        metafunc.parametrize(("name", "place"), cases)


def run(url: URL, *statements: str) -> None:
    administrator = url.set(username="postgres")
    with psycopg.connect(conninfo(administrator), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def sidb(url: URL, *arguments: str, code: int | None = 0) -> str:
    done = CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})
    assert "Traceback" not in done.output
    assert "fault of this program" not in done.output, done.output
    assert code is None or done.exit_code == code, (arguments, done.output)
    return done.output


@pytest.fixture
def known(server: Server) -> Iterator[set[str]]:
    """The settings that this server has; custom ones are made by naming them."""
    with psycopg.connect(conninfo(server.url("postgres"))) as connection:
        yield {row[0] for row in connection.execute("SELECT name FROM pg_settings")}


def test_the_whole_way(clone: Clone, known: set[str], name: str, place: str, tmp_path: Path) -> None:
    url = clone(place)
    chosen = {each: value for each, value in ALONE.items() if name in ("all", each) and (each in known or "." in each)}
    if url.username != "postgres" and SUPERUSERS.keys() & chosen.keys():
        return refused(url, chosen)
    run(url, *(f"ALTER DATABASE {url.database} SET {each} = '{value}'" for each, value in chosen.items()))
    sidb(url, "preflight", "--rows", "1000", code=None)
    sidb(url, "upgrade")
    sidb(url, "verify")
    known_niches = [event for event in history(600) if event[5]]
    sidb(url, "backfill", "load", str(write_csv(tmp_path / "history.csv.gz", known_niches)))
    sidb(url, "backfill", "run", "--all", "--now", "--as-of", "2025-05-31")
    sidb(url, "backfill", "verify")
    sidb(url, "maintain")
    sidb(url, "monitor", code=None)
    sidb(url, "verify")
    sidb(url, "rollback", "2.0.0", "--yes")
    sidb(url, "upgrade")
    sidb(url, "restore", "1")
    sidb(url, "erase", "u1", "u2", "--yes")
    sidb(url, "verify")
    if "matview" not in place:  # hot_niches_today is made anew there, whatever is set
        sidb(url, "backfill", "verify")
    sidb(url, "rollback", "1.0.0", "--yes")
    with psycopg.connect(conninfo(url.set(username="postgres"))) as connection:
        assert connection.execute("SELECT version_num FROM public.alembic_version").fetchone() == ("1.0.0",)
    return None


def refused(url: URL, chosen: dict[str, str]) -> None:
    """Set by a superuser for a role that may not set it back."""
    before = catalog(url)
    run(url, *(f"ALTER DATABASE {url.database} SET {each} = '{value}'" for each, value in chosen.items()))
    for command in (["upgrade"], ["preflight"], ["verify"], ["monitor"], ["rollback", "1.0.0", "--yes"], ["restore"]):
        assert "it is set for every role, and so for what applications write, and must be" in sidb(
            url, *command, code=1
        )
    run(url, f"ALTER DATABASE {url.database} RESET ALL")
    assert catalog(url) == before


def test_a_schema_named_like_the_role(clone: Clone) -> None:
    """The default search_path begins with it; it takes nothing of ours."""
    url = clone("phase1_table")
    run(url, f"CREATE SCHEMA {url.username} AUTHORIZATION {url.username}")
    sidb(url, "upgrade")
    assert HEAD in sidb(url, "verify")
    with psycopg.connect(conninfo(url)) as connection:
        found = connection.execute(
            "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'alembic_version'"
        )
        assert found.fetchall() == [("public",)]


def test_an_alembic_table_in_such_a_schema_is_refused_with_what_moves_it(clone: Clone) -> None:
    url = clone("migrated_table")
    role = url.username
    run(url, f"CREATE SCHEMA {role} AUTHORIZATION {role}", f"ALTER TABLE public.alembic_version SET SCHEMA {role}")
    before = catalog(url)
    told = sidb(url, "upgrade", code=1)
    assert f"ALTER TABLE {role}.alembic_version SET SCHEMA public" in told.replace("\n", " ")
    assert catalog(url) == before
    run(url, f"ALTER TABLE {role}.alembic_version SET SCHEMA public")
    sidb(url, "upgrade")
    assert current(url) == HEAD
