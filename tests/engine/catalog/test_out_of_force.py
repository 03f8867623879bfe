"""What the models mean to be there and not in force: a disabled trigger, a constraint NOT VALID."""

from pathlib import Path

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import Engine

from tests.fixtures.small_project import SCHEMA, SmallProject, execute, reflected, scope

TABLE = "CREATE TABLE shop.orders (id bigint PRIMARY KEY, n int);"
BUILT = f"""{TABLE}
    ALTER TABLE shop.orders ADD CONSTRAINT few CHECK (n < 9) NOT VALID;
    CREATE FUNCTION shop.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER fire BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.f();
    CREATE TRIGGER keep BEFORE DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.f();
    ALTER TABLE shop.orders DISABLE TRIGGER fire;
"""


def grown(project: SmallProject, built: str) -> SmallProject:
    """The same project, its models as these statements have it, and a revision that makes it so."""
    again = SmallProject(project.engine, scope(reflected(project.engine, built), built), project.directory)
    again.revise()
    return again


@pytest.fixture
def project(empty: Engine, tmp_path: Path) -> SmallProject:
    """A database where the trigger `fire` is disabled and the constraint `few` NOT VALID, as its revisions say."""
    with empty.begin() as connection:
        execute(connection, f"CREATE SCHEMA {SCHEMA}")
    first = grown(SmallProject(empty, scope(reflected(empty, TABLE), TABLE), tmp_path), TABLE)
    first.run(command.upgrade, "head")
    made = grown(first, BUILT)
    made.run(command.upgrade, "head")
    return made


def test_later_revisions_leave_it_so_both_ways(project: SmallProject) -> None:
    there = project.catalog()
    later = grown(project, f"{BUILT} CREATE TABLE shop.others (id bigint PRIMARY KEY);")
    later.run(command.upgrade, "head")
    later.run(command.check)
    later.run(command.downgrade, "-1")
    assert project.catalog() == there
    later.run(command.downgrade, "base")
    assert not any(str(each).endswith("shop.orders") for each in later.catalog())


def test_what_no_revision_says_is_refused_before_the_first_step(project: SmallProject) -> None:
    later = grown(project, f"{BUILT} CREATE TABLE shop.others (id bigint PRIMARY KEY);")
    with project.engine.begin() as connection:
        execute(connection, "ALTER TABLE shop.orders DISABLE TRIGGER keep")
    there = project.catalog()
    with pytest.raises(CommandError, match=r"^Before the first step, not .*; nothing was changed.\n.*keep.*d") as told:
        later.run(command.upgrade, "head")
    assert "fire" not in str(told.value)
    assert "few" not in str(told.value)
    assert "ENABLE TRIGGER" in str(told.value)
    assert project.catalog() == there
    with project.engine.begin() as connection:
        execute(connection, "ALTER TABLE shop.orders ENABLE TRIGGER keep")
    later.run(command.upgrade, "head")


def test_what_a_step_to_come_puts_in_force_is_no_reason_to_refuse_it(project: SmallProject) -> None:
    """As a revision does that was written to mend it."""
    others = "CREATE TABLE shop.others (id bigint PRIMARY KEY);"
    later = grown(project, BUILT + others)
    later.run(command.upgrade, "head")
    mending = grown(later, BUILT.replace("keep BEFORE", "keep AFTER") + others)
    mending.run(command.downgrade, "-1")
    with project.engine.begin() as connection:
        execute(connection, "ALTER TABLE shop.orders DISABLE TRIGGER keep")
    mending.run(command.upgrade, "head")
    mending.run(command.check)


def test_an_index_of_ours_that_is_invalid_is_refused_before_the_first_step(project: SmallProject) -> None:
    """That a revision has made it is not that it said so."""
    indexed = grown(project, f"{BUILT} CREATE INDEX by_n ON shop.orders (n);")
    indexed.run(command.upgrade, "head")
    later = grown(
        indexed, f"{BUILT} CREATE INDEX by_n ON shop.orders (n); CREATE TABLE shop.others (id bigint PRIMARY KEY);"
    )
    with project.engine.begin() as connection:
        execute(connection, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.by_n'::regclass")
    with pytest.raises(CommandError, match=r"^Before the first step, not .*\n.*by_n on shop.orders is invalid"):
        later.run(command.upgrade, "head")


OTHERS = """
    CREATE FUNCTION public.theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER theirs BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION public.theirs();
    ALTER TABLE shop.orders DISABLE TRIGGER theirs;
    ALTER TABLE shop.orders ADD CONSTRAINT theirs CHECK (n > 0) NOT VALID;
    CREATE INDEX theirs ON shop.orders (n);
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.theirs'::regclass;
"""


def test_what_others_have_put_there_is_theirs(project: SmallProject) -> None:
    later = grown(project, f"{BUILT} CREATE TABLE shop.others (id bigint PRIMARY KEY);")
    with project.engine.begin() as connection:
        execute(connection, OTHERS)
    there = project.catalog()
    later.run(command.upgrade, "head")
    later.run(command.downgrade, "-1")
    assert project.catalog() == there


def test_the_last_revision_that_names_it_decides(project: SmallProject) -> None:
    enabled = grown(project, BUILT.replace("DISABLE TRIGGER fire", "ENABLE TRIGGER fire"))
    enabled.run(command.upgrade, "head")
    enabled.run(command.check)
    later = grown(project, f"{BUILT.replace('DISABLE', 'ENABLE')} CREATE TABLE shop.others (id bigint PRIMARY KEY);")
    with project.engine.begin() as connection:
        execute(connection, "ALTER TABLE shop.orders DISABLE TRIGGER fire")
    with pytest.raises(CommandError, match="fire"):
        later.run(command.upgrade, "head")
