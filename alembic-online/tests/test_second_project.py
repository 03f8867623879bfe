"""A shop's migrations, run by the engine as any project would have it: nothing of this repository can be imported."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

FIRST, TRIGGER, VIEWS, INDEX = "3f9a1c20b7de", "84c0d2e6f511", "b25e77a9034c", "d8116b43ca9f"
CLEAN = "No new upgrade operations detected."
BUILDING = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE state = 'active' AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND datname = current_database()
)
"""
WAITING = "SELECT EXISTS (SELECT FROM alembic_online.step WHERE revision = '84c0d2e6f511' AND outcome = 'running')"
GONE = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'shop migrate%')"


@pytest.mark.parametrize("package", ["models", "backfill", "operations", "tests"])
def test_nothing_of_this_repository_can_be_imported(environment: Path, package: str) -> None:
    done = subprocess.run([environment, "-c", f"import {package}"], capture_output=True, text=True, cwd="/")
    assert f"No module named '{package}'" in done.stderr


def test_the_engine_is_the_installed_one(environment: Path) -> None:
    where = "import alembic_online; print(alembic_online.__file__)"
    done = subprocess.run([environment, "-c", where], capture_output=True, text=True, cwd="/", check=True)
    assert Path(done.stdout).is_relative_to(environment.parents[1])


def test_the_environment_is_short(new_project) -> None:
    lines = (new_project("base").folder / "migrations" / "env.py").read_text().splitlines()
    assert len(lines) <= 15


def test_up_and_down_under_traffic_with_a_report_left_open(new_project) -> None:
    project = new_project(FIRST)
    before = project.dump()
    for direction, goal in (("upgrade", "head"), ("downgrade", FIRST)):
        with project.traffic() as traffic, psycopg.connect(project.conninfo) as report:
            report.execute("SELECT count(*) FROM orders")
            migration = project.start(direction, goal)
            project.says(migration, f"pid {report.info.backend_pid}")
            held = traffic.goes_on()
            assert migration.poll() is None, "the migration did not wait for the report"
            report.rollback()
            said, _ = migration.communicate(timeout=60)
            assert migration.returncode == 0, said
        assert traffic.longest < held / 2, "somebody waited for as long as the report was open"
    assert project.dump() == before
    steps = [f"{revision} upgrade applied" for revision in (FIRST, TRIGGER, VIEWS, INDEX)]
    assert project.ledger() == [*steps, *(f"{revision} downgrade applied" for revision in (INDEX, VIEWS, TRIGGER))]


def test_pytest_alembics_tests_pass(new_project) -> None:
    project = new_project("base")
    shutil.copy(Path(__file__).with_name("shop_migrations.py"), project.folder)
    its_collector_off = ("-c", "/dev/null", "-o", "pytest_alembic_enabled=", "-p", "no:cacheprovider")
    running = project.start("-q", *its_collector_off, "shop_migrations.py", program="pytest")
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert "4 passed" in said


def test_resumed_after_a_kill_while_it_waits_for_its_locks(new_project) -> None:
    project, undisturbed = new_project(FIRST), new_project("head")
    with psycopg.connect(project.conninfo) as writer:
        writer.execute("UPDATE orders SET amount = 1 WHERE order_id = 1")
        migration = project.start("upgrade", "head")
        project.says(migration, f"pid {writer.info.backend_pid}")
        project.until(WAITING)
        migration.kill()
        migration.communicate()
    project.until(GONE)
    project.alembic("upgrade", "head")
    assert project.dump() == undisturbed.dump()
    steps = [f"{revision} upgrade applied" for revision in (FIRST, TRIGGER, VIEWS, INDEX)]
    assert project.ledger() == [steps[0], f"{TRIGGER} upgrade interrupted", *steps[1:]]


def test_resumed_after_a_kill_while_it_builds_an_index(new_project) -> None:
    project, undisturbed = new_project(VIEWS), new_project("head")
    with psycopg.connect(project.conninfo) as writer:
        writer.execute("UPDATE orders SET amount = 1 WHERE order_id = 1")
        migration = project.start("upgrade", "head")
        project.until(BUILDING)
        migration.kill()
        migration.communicate()
        project.until(f"SELECT NOT ({BUILDING.strip().removeprefix('SELECT')})")
    invalid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'orders_customer_id_idx'::regclass"
    assert project.sql(invalid) == [(False,)]
    project.alembic("upgrade", "head")
    assert project.sql(invalid) == [(True,)]
    assert project.dump() == undisturbed.dump()
    assert project.ledger()[-2:] == [f"{INDEX} upgrade interrupted", f"{INDEX} upgrade applied"]


def test_five_migrators_at_once(new_project) -> None:
    project = new_project("base")
    migrators = [project.start("upgrade", "head") for _ in range(5)]
    said = [migrator.communicate(timeout=120)[0] for migrator in migrators]
    assert [migrator.returncode for migrator in migrators] == [0] * 5, said
    assert project.ledger() == [f"{revision} upgrade applied" for revision in (FIRST, TRIGGER, VIEWS, INDEX)]


def test_a_view_and_a_check_by_autogenerate(new_project) -> None:
    project = new_project("head")
    before = project.dump()
    models = project.folder / "shop.py"
    text = models.read_text()
    text = text.replace('({"comment": "Who may order"},)', '(CheckConstraint("email <> \'\'", name="email"),)')
    text += """
event.listen(
    Base.metadata,
    "after_create",
    DDL("CREATE VIEW customer_orders AS SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id"),
)
"""
    models.write_text(text)
    assert "New upgrade operations detected" in project.fails("check")
    project.alembic("revision", "--autogenerate", "-m", "customer orders")
    project.alembic("upgrade", "head")
    assert CLEAN in project.alembic("check")
    assert "customer_orders" in project.dump()
    with pytest.raises(psycopg.errors.CheckViolation):
        project.sql("UPDATE customers SET email = '' WHERE customer_id = 1")
    project.alembic("downgrade", INDEX)
    assert project.dump() == before


UNNAMED = """
from alembic_online import Scope
from sqlalchemy import *

metadata = MetaData()
Table("parents", metadata, Column("id", Integer, primary_key=True), Column("code", Text, unique=True))
Table(
    "children",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("parent", ForeignKey("parents.id")),
    Column("size", Integer, {column}),
    UniqueConstraint("parent", "size"),
    {table}
)
SCOPE = Scope(metadata=metadata, schemas=("public",), name="shop")
"""
CHECK = 'CheckConstraint("size > 0")'
KINDS = "SELECT contype::text FROM pg_constraint WHERE conrelid = 'children'::regclass AND contype <> 'n' ORDER BY 1"


@pytest.mark.parametrize(("column", "table"), [(CHECK, ""), ("nullable=False", CHECK)], ids=["column", "table"])
def test_constraints_without_names(new_project, column: str, table: str) -> None:
    """PostgreSQL names them; nothing is generated twice, and nothing left out."""
    project = new_project("base")
    for revision in project.folder.glob("migrations/versions/*.py"):
        revision.unlink()
    (project.folder / "shop.py").write_text(UNNAMED.format(column=column, table=table))
    project.alembic("revision", "--autogenerate", "-m", "families")
    project.alembic("upgrade", "head")
    assert CLEAN in project.alembic("check")
    assert [kind for [kind] in project.sql(KINDS)] == ["c", "f", "p", "u"]


DROPS = 'drops = {"upgrade": [], "downgrade": ["public.order_notes"]}\n'


@pytest.mark.parametrize("declared", [False, True], ids=["undeclared", "declared"])
def test_a_downgrade_that_would_lose_rows_is_refused(new_project, declared: bool) -> None:
    """What nobody declared is found when it goes; what is declared, before the first step."""
    project = new_project("head")
    if declared:
        [revision] = project.folder.glob(f"migrations/versions/{VIEWS}_*.py")
        revision.write_text(revision.read_text() + DROPS)
    project.sql("INSERT INTO order_notes (order_id, note) VALUES (1, 'fragile')")
    assert "order_notes" in project.fails("downgrade", TRIGGER)
    assert project.sql("SELECT note FROM order_notes") == [("fragile",)]
    assert project.sql("SELECT version_num FROM alembic_version") == [(INDEX if declared else VIEWS,)]
    project.sql("DELETE FROM order_notes")
    project.alembic("downgrade", TRIGGER)
    assert project.sql("SELECT to_regclass('public.order_notes')") == [(None,)]


def test_a_target_that_has_been_reached_is_clean(new_project) -> None:
    """What a server, other people or an extension put into schema public is not the shop's."""
    project = new_project("head")
    project.sql("CREATE EXTENSION hstore SCHEMA public; CREATE EXTENSION pg_stat_statements SCHEMA public")
    project.sql("CREATE SEQUENCE numbers; GRANT USAGE ON SEQUENCE numbers TO shop_reader")
    project.sql("ALTER EXTENSION hstore ADD SEQUENCE numbers; COMMENT ON SEQUENCE numbers IS 'anything'")
    project.sql("COMMENT ON FUNCTION akeys(hstore) IS 'anything'; GRANT SELECT ON pg_stat_statements TO shop_reader")
    project.sql("GRANT CREATE ON SCHEMA public TO PUBLIC; COMMENT ON SCHEMA public IS 'anything'")
    assert CLEAN in project.alembic("check")
    project.sql("CREATE TYPE size AS ENUM ('small', 'large')")
    assert "type public.size" in project.fails("check")
    project.sql("DROP TYPE size; GRANT USAGE ON SCHEMA public TO shop_reader")
    assert "privileges of shop_reader on public" in project.fails("check")


def test_a_role_that_may_not_create_databases(new_project) -> None:
    """The target is built beside what is there, under other names, with what an extension put into public."""
    project = new_project("base")
    [[database]] = project.sql("SELECT current_database()")
    project.sql("DO $$ BEGIN CREATE ROLE shop_owner LOGIN CREATEROLE; EXCEPTION WHEN duplicate_object THEN END $$")
    project.sql(f"ALTER DATABASE {database} OWNER TO shop_owner; ALTER ROLE shop_owner NOCREATEDB")
    owner = replace(project, conninfo=project.conninfo.replace("//postgres@", "//shop_owner@"))
    owner.alembic("upgrade", "head")
    before = owner.dump()
    assert CLEAN in owner.alembic("check")
    assert owner.dump() == before
    project.sql("ALTER ROLE shop_owner CREATEDB")
    assert CLEAN in owner.alembic("check")
