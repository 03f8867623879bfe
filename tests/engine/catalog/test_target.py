"""Where the models are built for a comparison, and that nothing of it stays."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic_online.catalog import Identity, target
from alembic_online.catalog.target import NotComparedError, compare
from alembic_online.errors import OnlineError
from sqlalchemy import URL, Engine, NullPool, create_engine, text

from models import views
from operations.embedded import Server
from operations.phase1 import Shape
from operations.scope import SCOPE
from tests.fixtures.databases import Alembic, Clone

Connect = Callable[..., Engine]


@pytest.fixture(autouse=True)
def _nothing_built_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "_built", {})


@pytest.fixture
def owner(server: Server) -> Iterator[str]:
    """A role that is no superuser and may not create databases. Asked for first, so that it goes last."""
    name = "sidb_plain_owner"
    with create_engine(
        server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    ).connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN CREATEROLE"))
        yield name
        connection.execute(text(f"DROP ROLE {name}"))


def owned(url: URL, name: str) -> URL:
    """The address of a Phase 1 database for a role that owns it and its tables."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text(f"ALTER DATABASE {url.database} OWNER TO {name}"))
        connection.execute(text(f"ALTER TABLE features OWNER TO {name}"))
        connection.execute(text(f"ALTER TABLE hot_niches_today OWNER TO {name}"))
    return url.set(username=name)


def scratch_databases(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT datname FROM pg_database WHERE datname LIKE 'sidb%scratch%'")))


def compared(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [str(change) for change in compare(connection, SCOPE).changes()]


def test_a_migrated_database_is_what_the_models_mean(clone: Clone, connect: Connect, shape: Shape) -> None:
    url = clone(f"migrated_{shape}")
    assert compared(connect(url)) == []
    Alembic(url).check()
    assert scratch_databases(connect(url)) == []


def test_other_peoples_objects_and_grants_are_not_compared(owner: str, migrated: Engine) -> None:
    with migrated.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (id bigint)"))
        connection.execute(text(f"GRANT SELECT ON features, analytics.current_trends TO {owner}"))
        connection.execute(text("GRANT SELECT ON features TO PUBLIC"))
    assert compared(migrated) == []
    Alembic(migrated.url).check()
    with migrated.begin() as connection:
        connection.execute(text(f"REVOKE ALL ON features, analytics.current_trends FROM {owner}"))


def test_it_is_built_once_a_process(migrated: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(migrated) == []
    monkeypatch.setattr(target, "_build", None)
    assert compared(migrated) == []


def test_a_scratch_database_that_a_killed_process_left_goes_with_the_next_use(migrated: Engine) -> None:
    script = (
        "import sys; from sqlalchemy import make_url; from alembic_online.catalog.target import _scratch_database\n"
        "with _scratch_database(make_url(sys.argv[1]), 'sidb_scratch', sys.argv[2]) as connection:\n"
        "    print('built', flush=True); sys.stdin.read()"
    )
    address = migrated.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", script, address, SCOPE.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "built\n"
        [left] = scratch_databases(migrated)
        assert compared(migrated) == []
        assert scratch_databases(migrated) == [left]  # in use by a living session
        process.send_signal(signal.SIGKILL)
    with migrated.connect() as connection:  # its server process notices in its own time
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'sidb_scratch'"
            )
        )
    target._built.clear()
    assert compared(migrated) == []
    assert scratch_databases(migrated) == []


def test_without_createdb_it_is_built_in_a_savepoint(owner: str, clone: Clone, connect: Connect) -> None:
    url = owned(clone("phase1_table"), owner)
    Alembic(url).upgrade()
    mine = connect(url, poolclass=NullPool)
    assert compared(mine) == []
    with mine.begin() as connection:
        connection.execute(text("DROP VIEW analytics.current_trends"))
    assert "added view analytics.current_trends" in compared(mine)
    with mine.connect() as connection:
        schemas = connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^info' ORDER BY 1"))
        assert list(schemas) == ["analytics", "public", "sidb"]


def test_without_createdb_and_beside_others_nothing_is_claimed(owner: str, clone: Clone, connect: Connect) -> None:
    url = owned(clone("migrated_table"), owner)
    with connect(url.set(username="postgres")).connect() as busy, connect(url).connect() as connection:
        busy.execute(text("SELECT 1"))
        with pytest.raises(NotComparedError, match=r"1 other session.*at work.*\nNext: .*SCRATCH_DATABASE_URL"):
            compare(connection, SCOPE)


def test_a_scratch_database_of_ones_own_serves_too_and_stays_as_it_is(
    clone: Clone, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = clone("phase1_table")  # holds the same names
    monkeypatch.setenv("SCRATCH_DATABASE_URL", scratch.render_as_string(hide_password=False))
    monkeypatch.setattr(target, "_scratch_database", None)  # another one is not made
    assert compared(connect(clone("migrated_table"))) == []
    with connect(scratch).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM features")) == 200
        assert connection.scalar(text("SELECT to_regnamespace('analytics')")) is None


def test_models_that_cannot_be_built_say_so(migrated: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "sql"
    shutil.copytree(views.SQL, copy)
    (copy / "views/current_trends.sql").write_text(
        "CREATE VIEW analytics.current_trends AS SELECT nothing FROM nowhere"
    )
    monkeypatch.setattr(views, "SQL", copy)
    with pytest.raises(OnlineError, match=r"cannot be built.*nowhere.*CREATE VIEW analytics.current_trends"):
        compared(migrated)


def test_a_role_that_does_not_exist_here_is_left_out_and_said(
    migrated: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    scope = replace(SCOPE, group_roles=("analytics_reader", "analytics_writer", "analytics_nobody"))
    with migrated.connect() as connection:
        compared = compare(connection, scope)
    assert "Grants to analytics_nobody are left out" in caplog.text
    assert Identity("privilege", "analytics", "trend_cache", "analytics_reader") in compared.here
    assert compared.here == compared.target
