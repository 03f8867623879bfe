"""CREATE INDEX CONCURRENTLY that was interrupted leaves an invalid index: in any revision, it is built anew."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import Engine, MetaData

from tests.fixtures.databases import Clone
from tests.fixtures.small_project import SmallProject, scope

SQL = "CREATE TABLE shop.orders (id int PRIMARY KEY, n int); CREATE TABLE shop.others (n int);"
FILLED = f"CREATE SCHEMA shop; {SQL} INSERT INTO shop.orders VALUES (1, 1), (2, 1)"  # noqa: S608
REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down}
locks = {{"upgrade": {{"shop.orders": "ShareUpdateExclusiveLock"}}}}


def upgrade() -> None:
    {body}
"""
IN_BLOCK = "with op.get_context().autocommit_block():\n        "
BUILD = IN_BLOCK + (
    'op.create_index("{name}", "orders", ["n"], schema="shop", unique=True, postgresql_concurrently=True{x})'
)
BY_HAND = IN_BLOCK + (
    "op.execute('''-- by hand\n    create unique index concurrently \"{name}\"\n    on only shop . \"orders\" (n)''')"
)
WAYS = {
    "plain": BUILD.format(name="ix", x=""),
    "if not exists": BUILD.format(name="ix", x=", if_not_exists=True"),
    "quoted": BUILD.format(name='Of \\"n', x=""),
    "by hand": BY_HAND.format(name="ix"),
}


class ByHand(SmallProject):
    """Revisions that do not say what they change."""

    def write(self, *bodies: str) -> "ByHand":
        down = None
        for number, body in enumerate(bodies, 1):
            text = REVISION.format(revision=f"r{number}", down=down and f'"{down}"', body=body)
            (self.directory / "versions" / f"{number}.py").write_text(text)
            down = f"r{number}"
        return self

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            done = connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
            return [tuple(row) for row in done] if done.returns_rows else []

    def upgrade(self) -> None:
        self.run(command.upgrade, "head")


@pytest.fixture
def project(clone: Clone, connect: Callable[..., Engine], tmp_path: Path) -> ByHand:
    made = ByHand(connect(clone("empty")), scope(MetaData(), SQL), tmp_path / "migrations")
    made.sql(FILLED)
    return made


VALID = "SELECT c.relname, i.indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
OURS = f"{VALID} WHERE i.indrelid = 'shop.orders'::regclass AND NOT i.indisprimary ORDER BY 1"
LAST = "SELECT validated, message FROM alembic_online.step ORDER BY step_id DESC LIMIT 1"


@pytest.mark.parametrize("way", WAYS)
def test_it_is_built_anew(project: ByHand, way: str) -> None:
    """The first run stops at rows that are the same, which leaves it invalid as a kill does."""
    project.write(WAYS[way])
    with pytest.raises(CommandError, match="could not create unique index"):
        project.upgrade()
    [(name, is_valid)] = project.sql(OURS)
    assert not is_valid
    project.sql("UPDATE shop.orders SET n = id")
    project.upgrade()
    assert project.sql(OURS) == [(name, True)]
    assert project.sql(LAST) == [(None, "the revision does not say what it changes")]
    project.upgrade()
    assert project.sql(LAST) == [(None, "the revision does not say what it changes")]


def test_one_on_another_table_stays(project: ByHand) -> None:
    project.sql("CREATE INDEX ix ON shop.others (n)")
    project.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.ix'::regclass")
    project.write(WAYS["plain"])
    with pytest.raises(CommandError, match='relation "ix" already exists'):
        project.upgrade()
    assert project.sql(f"{VALID} WHERE c.relname = 'ix'") == [("ix", False)]


def test_a_valid_one_stays(project: ByHand) -> None:
    project.sql("CREATE INDEX ix ON shop.orders (n)")
    before = project.sql("SELECT 'shop.ix'::regclass::oid")
    project.write(WAYS["if not exists"]).upgrade()
    assert project.sql("SELECT 'shop.ix'::regclass::oid") == before


INVALID = "op.execute(\"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.orders_pkey'::regclass\")"


def test_an_index_that_becomes_invalid_is_refused(project: ByHand) -> None:
    project.write(INVALID, "pass")
    for _ in range(2):  # it is looked at again before anything else is done
        with pytest.raises(CommandError, match=r"constraint shop\.orders\.orders_pkey is invalid") as refused:
            project.upgrade()
        assert "r1 upgrade: applied, but not everything is as it should be" in str(refused.value)
    assert project.sql(LAST)[0][0] is False
    project.sql("REINDEX INDEX CONCURRENTLY shop.orders_pkey")
    project.upgrade()
    assert project.sql("SELECT version_num FROM alembic_version") == [("r2",)]


def test_one_that_was_invalid_before_is_no_hindrance(project: ByHand) -> None:
    project.sql("CREATE INDEX theirs ON shop.others (n)")
    project.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.theirs'::regclass")
    project.write("op.execute('SELECT 1')").upgrade()
    assert project.sql("SELECT version_num FROM alembic_version") == [("r1",)]
