"""`sidb export-sql`: the plan's files do what Alembic does, run by psql and by a runner of Flyway's kind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from alembic_online.catalog import Snapshot, snapshot
from click.testing import CliRunner
from sqlalchemy import URL, NullPool, create_engine

from operations.cli import main
from operations.export import export
from operations.phase1 import Shape
from operations.scope import SCOPE
from operations.status.half_way import half_way
from tests.engine.conftest import current, refusal
from tests.fixtures import programs
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.revisions import HEAD

BIN = Path(sys.executable).parent
Direction = Literal["up", "down"]
Run = Callable[[URL, Direction], None]


@pytest.fixture(scope="module")
def migrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("export") / "migrations"
    export(directory)
    return directory


@pytest.fixture(params=["psql", "dblift"])
def run(request: pytest.FixtureRequest, migrations: Path, pg_bin: Path, tmp_path: Path) -> Run:
    """``run(url, "up")`` runs all files of a direction."""
    if request.param == "psql":
        return lambda url, direction: all_by_psql(pg_bin, migrations, url, direction)
    return lambda url, direction: all_by_dblift(migrations, tmp_path, url, direction)


def by_psql(pg_bin: Path, script: Path, url: URL) -> "subprocess.CompletedProcess[str]":
    """As the .conf, or that there is none, says."""
    transaction = [] if script.with_name(f"{script.name}.conf").exists() else ["--single-transaction"]
    options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", *transaction, "-f", script]
    return subprocess.run([pg_bin / "psql", *options, conninfo(url)], capture_output=True, text=True)


def all_by_psql(pg_bin: Path, migrations: Path, url: URL, direction: Direction) -> None:
    letter = {"up": "V", "down": "U"}[direction]
    for script in sorted(migrations.glob(f"{letter}*.sql"), reverse=direction == "down"):
        done = by_psql(pg_bin, script, url)
        assert done.returncode == 0, f"{script.name}: {done.stderr}"


def all_by_dblift(migrations: Path, logs: Path, url: URL, direction: Direction) -> None:
    """It wants a password, which nobody asks for here; and keeps its own history, as Flyway does."""
    place = conninfo(url.set(password="unused"))  # noqa: S106
    command = ["migrate"] if direction == "up" else ["undo", "--target-version", "1.0.0"]
    where = ["--db-url", place, "--db-schema", "public", "--scripts", migrations, "--log-dir", logs]
    done = subprocess.run(
        [BIN / "dblift", *where, *command, "--analysis-mode", "execution"],
        env={"PATH": os.environ["PATH"]},
        cwd=logs,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def of(url: URL) -> Snapshot:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return snapshot(connection, SCOPE)


def test_up_down_up_gives_the_catalogs_of_alembic(clone: Clone, run: Run, shape: Shape) -> None:
    exported, online = clone(f"phase1_{shape}"), clone(f"phase1_{shape}")
    before = of(exported)
    for direction in ("up", "down", "up"):
        run(exported, direction)
        alembic = Alembic(online)
        if direction == "up":
            alembic.upgrade()
        else:
            alembic.downgrade("1.0.0")
        assert of(exported) == of(online)
        assert (of(exported) == before) is (direction == "down")


def test_phase1_is_made_where_there_is_none(clone: Clone, migrations: Path, pg_bin: Path) -> None:
    url = clone("empty")
    all_by_psql(pg_bin, migrations, url, "up")
    assert of(url) == of(clone("created"))


def test_a_phase1_that_does_not_fit_is_refused(clone: Clone, migrations: Path, pg_bin: Path) -> None:
    url = clone("phase1_table")
    execute(url, "ALTER TABLE features DROP COLUMN supply_score CASCADE")
    refused = by_psql(pg_bin, migrations / "V1.0.0__phase1_baseline.sql", url)
    assert refused.returncode == 3
    assert "public.features.supply_score: is missing, needs numeric(5,4)" in refused.stderr


@pytest.mark.parametrize(
    ("template", "schema", "at"),
    [
        ("phase1_table", "analytics", "1.0.0"),
        ("phase1_matview", "analytics_phase1", "1.0.0"),
        ("phase1_table", "analytics_partitions", "1.0.0"),
        ("phase1_matview", "analytics_phase1", "2.0.3"),
        ("phase1_table", "analytics_partitions", "2.0.7"),
    ],
)
def test_a_schema_of_another_team_is_not_taken_over(
    clone: Clone, migrations: Path, pg_bin: Path, template: str, schema: str, at: str
) -> None:
    """In the words of `sidb upgrade`, before anything is changed; renamed, it is in nobody's way."""
    url = clone(template)
    Alembic(url).upgrade(at)
    execute(url, f"CREATE SCHEMA {schema} AUTHORIZATION {url.username}; CREATE TABLE {schema}.mine (n int)")
    [why] = [line for line in refusal(Alembic(url).upgrade).splitlines() if "is not Phase 2's" in line]
    before = of(url)
    script = {"1.0.0": "V2.0.0__*.sql", "2.0.3": "V2.0.4__*.sql", "2.0.7": "V2.1.0__*.sql"}[at]
    refused = by_psql(pg_bin, next(migrations.glob(script)), url)
    assert why.strip() == f"schema {schema} is there, and is not Phase 2's: it holds table {schema}.mine"
    assert f"ERROR:  {why.strip()}\n" in refused.stderr
    assert f"have its owner rename it (ALTER SCHEMA {schema} RENAME TO " in refused.stderr
    assert of(url) == before
    execute(url, f"ALTER SCHEMA {schema} RENAME TO theirs")
    assert by_psql(pg_bin, next(migrations.glob(script)), url).returncode == 0


def test_nor_by_alembics_script(clone: Clone, pg_bin: Path) -> None:
    url = clone("phase1_table")
    execute(url, "CREATE SCHEMA analytics; GRANT USAGE ON SCHEMA analytics TO PUBLIC")
    with pytest.raises(AssertionError, match="schema analytics is there, and is not Phase 2's: everybody has rights"):
        by_alembics_script(pg_bin, url)


INTERRUPTION = """
    CREATE FUNCTION interrupt() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'interrupted'; END $$;
    CREATE EVENT TRIGGER interrupt ON ddl_command_start WHEN TAG IN ('{}') EXECUTE FUNCTION interrupt()
"""


@pytest.mark.parametrize(
    ("revision", "slug", "at"),
    [
        ("2.0.4", "modify_existing_tables", "CREATE SCHEMA"),
        ("2.0.5", "create_analytics_indices", "CREATE INDEX"),
        ("2.0.6", "create_analytics_views", "CREATE MATERIALIZED VIEW"),
    ],
)
def test_what_was_interrupted_is_cleared_up_as_its_header_says(
    clone: Clone, migrations: Path, pg_bin: Path, revision: str, slug: str, at: str
) -> None:
    interrupted, whole = clone("phase1_matview"), clone("phase1_matview")
    Alembic(whole).upgrade(revision)
    Alembic(interrupted).upgrade(f"2.0.{int(revision[-1]) - 1}")
    execute(interrupted, INTERRUPTION.format(at))
    forward, back = f"V{revision}__{slug}.sql", f"U{revision}__rollback_{slug}.sql"
    assert f"Interrupted? Then run {back}, then this again." in (migrations / forward).read_text(encoding="utf-8")
    assert "ERROR:  interrupted" in by_psql(pg_bin, migrations / forward, interrupted).stderr
    execute(interrupted, "DROP EVENT TRIGGER interrupt")
    for script in (back, forward):
        assert by_psql(pg_bin, migrations / script, interrupted).returncode == 0
    assert of(interrupted) == of(whole)


def execute(url: URL, statement: str) -> None:
    """Do it as a superuser."""
    with create_engine(administrator(url), poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql(statement)


def by_alembics_script(pg_bin: Path, url: URL) -> None:
    script = programs.run("alembic", "upgrade", "head", "--sql", env={"DATABASE_URL": conninfo(url)}, code=0).stdout
    psql = [pg_bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", conninfo(url)]
    done = subprocess.run(psql, input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", ["files", "alembic"])
def test_every_command_knows_where_the_database_is(
    clone: Clone, shape: Shape, migrations: Path, pg_bin: Path, script: str
) -> None:
    url = clone(f"phase1_{shape}")
    if script == "files":
        all_by_psql(pg_bin, migrations, url, "up")
    else:
        by_alembics_script(pg_bin, url)

    def sidb(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})
        assert "Traceback" not in done.output
        assert done.exit_code == code, done.output
        return done.stdout

    assert json.loads(sidb("status", "--json"))["revision"] == [HEAD]
    assert sidb("upgrade").startswith("There is nothing to do.\n")
    assert f"at {HEAD}, and the ledger does not hold the step that led there" in sidb("history")
    assert sidb("upgrade", "--plan").endswith("There is nothing to do.\n")
    found = json.loads(sidb("verify", "--accept-rights", "--json", code=3))["findings"]
    assert [each["check"] for each in found if each["verdict"] in ("failed", "unknown")] == ["Phase 1 rows"]
    sidb("monitor", code=3)  # query times are not kept here
    sidb("maintain")
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
            " VALUES ('view', 'test', now(), '{}', 1)"
        )
    assert "the ledger does not know the upgrade" in sidb("rollback", "1.0.0", "--yes", code=3)
    assert json.loads(sidb("status", "--json"))["revision"] == ["1.0.0"]
    sidb("upgrade")
    sidb("restore", "1", "--yes")
    assert "unrecorded" in sidb("history", "--json")
    assert "the ledger does not hold" not in sidb("history")
    sidb("verify")
    with create_engine(url, poolclass=NullPool).connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM analytics.analytics_events").scalar() == 1


def test_files_and_commands_take_turns(clone: Clone, migrations: Path, pg_bin: Path) -> None:
    url = clone("phase1_table")
    for name in sorted(migrations.glob("V*.sql"))[:5]:
        assert by_psql(pg_bin, name, url).returncode == 0
    assert current(url) == "2.0.3"
    with psycopg.connect(conninfo(url)) as holder:
        holder.execute("SELECT FROM hot_niches_today")
        refusal(Alembic(url, x=("deadline=100ms",)).upgrade)  # 2.0.4 cannot have its locks
    assert by_psql(pg_bin, next(migrations.glob("V2.0.4*.sql")), url).returncode == 0
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        assert half_way(connection) == [], "what failed was done by others"
    Alembic(url).upgrade()
    all_by_psql(pg_bin, migrations, url, "down")
    assert current(url) == "1.0.0"
    Alembic(url).upgrade()
    assert current(url) == HEAD
