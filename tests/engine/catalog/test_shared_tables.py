"""On a table of others that the project adds to, changes hold up nobody either: it stands in no snapshot itself."""

from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.util import CommandError
from alembic_online import Additions
from sqlalchemy import Engine, MetaData

from tests.fixtures.small_project import SmallProject, execute, scope

THEIRS = "CREATE TABLE public.theirs (id bigint NOT NULL, at date NOT NULL, a int{})"
SPLIT = (
    f"{THEIRS.format('')} PARTITION BY RANGE (at);"
    "CREATE TABLE public.theirs_2027 PARTITION OF public.theirs FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');"
)


def sharing(empty: Engine, directory: Path, here: str, models: str) -> SmallProject:
    """A project whose models have column `token` and key `one` on a table that is here already."""
    metadata = MetaData()
    with empty.begin() as connection:
        execute(connection, f"CREATE SCHEMA shop; {here}")
        execute(connection, f"CREATE SCHEMA beside; {models.replace('public.', 'beside.')}")
        connection.exec_driver_sql("SET LOCAL search_path = beside")
        metadata.reflect(connection)
        connection.exec_driver_sql("DROP SCHEMA beside CASCADE")
    shared = {"public.theirs": Additions(columns=("token", "twice"), constraints=("one",))}
    return SmallProject(empty, replace(scope(metadata, models), shared=shared), directory)


def test_a_column_that_writes_each_row_stops(empty: Engine, tmp_path: Path) -> None:
    added = THEIRS.format(", token uuid DEFAULT gen_random_uuid()")
    project = sharing(empty, tmp_path, THEIRS.format(""), added)
    with pytest.raises(CommandError, match=r"rewrites the table.*\nNext: write it in steps: .*UPDATE public.theirs"):
        project.revise()


def test_a_column_that_writes_none_is_added(empty: Engine, tmp_path: Path) -> None:
    project = sharing(empty, tmp_path, THEIRS.format(""), THEIRS.format(", token uuid DEFAULT NULL"))
    project.revise()
    project.run(command.upgrade, "head")
    project.run(command.check)


def test_a_key_of_a_partitioned_one_is_built_on_its_partitions(empty: Engine, tmp_path: Path) -> None:
    """Whether the models build it partitioned, too, is the owner's matter."""
    key = ", CONSTRAINT one UNIQUE (id, at)"
    project = sharing(empty, tmp_path, SPLIT, THEIRS.format(key))
    generated = project.revise()
    assert "partitions = sa.text(" in generated
    project.run(command.upgrade, "head")
    project.run(command.check)
    project.run(command.downgrade, "base")
    assert project.differences() == ["added constraint public.theirs.one"]


def test_an_expression_stops_beside_a_check_of_others(empty: Engine, tmp_path: Path) -> None:
    """PostgreSQL exchanges it on no table with a CHECK, whoever's that is."""
    if empty.connect().connection.driver_connection.info.server_version < 180000:  # type: ignore[union-attr]
        pytest.skip("there since PostgreSQL 18")
    column = ", twice int GENERATED ALWAYS AS ({}) VIRTUAL"
    here = THEIRS.format(f"{column.format('a + a')}, CONSTRAINT theirs CHECK (a > 0)")
    project = sharing(empty, tmp_path, here, THEIRS.format(column.format("a * 2")))
    with pytest.raises(CommandError, match="it computes another value, which rewrites the table"):
        project.revise()
