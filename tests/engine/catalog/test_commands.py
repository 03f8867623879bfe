"""Alembic's commands and their options, and what a program gives them: each works, or says in a sentence why not."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.util import CommandError
from alembic_online import Scope
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    MetaData,
    Table,
    Text,
    create_engine,
    inspect,
    text,
)
from sqlalchemy.ext.asyncio import create_async_engine

from tests.engine.catalog.conftest import grown, heads, names
from tests.fixtures.small_project import SCHEMA, SmallProject, execute, reflected, scope


def test_a_revision_made_offline(project: SmallProject) -> None:
    project.run(command.revision, "offline", sql=True, rev_id="offline")
    project.run(command.upgrade, "head")
    assert names(project) == ["offline"]


def test_a_name_that_does_not_exist_where_the_database_is_behind(project: SmallProject) -> None:
    project.run(command.revision, "next", rev_id="second")
    with pytest.raises(CommandError) as said:
        project.run(command.revision, "more", head="nonsense")
    assert str(said.value) == "Can't locate revision identified by 'nonsense'"


@pytest.mark.parametrize("convention", [None, {"uq": "%(table_name)s_%(column_0_name)s_key"}])
def test_constraints_without_a_name(
    empty: Engine, tmp_path: Path, convention: dict[str, str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    metadata = MetaData(naming_convention=convention)
    Table("things", metadata, Column("id", BigInteger, primary_key=True), Column("name", Text, unique=True))
    caplog.set_level(logging.INFO, "alembic.online")
    SmallProject(empty, Scope(metadata=metadata, schemas=("public",), name="shop"), tmp_path).revise()
    assert ("Constraints of public.things have no name in the models" in caplog.text) is (convention is None)


def test_branches_and_a_merge(project: SmallProject) -> None:
    project.revise("left", rev_id="left", head="first")
    project.run(command.revision, "right", rev_id="right", head="first", splice=True)
    with pytest.raises(CommandError, match="heads"):
        project.run(command.upgrade, "head")
    project.run(command.upgrade, "heads")
    assert names(project) == ["left", "right"]
    more = grown(project)
    more.revise("more on the left", rev_id="more", head="left")
    assert heads(more) == {"more_2", "right"}
    more.run(command.merge, ["more_2", "right"], message="both", rev_id="both")
    more.run(command.upgrade, "head")
    assert names(more) == ["both"]
    assert more.differences() == []
    more.run(command.downgrade, "first")
    more.run(command.upgrade, "head")


def test_a_stamp_of_several_in_the_place_of_one(project: SmallProject) -> None:
    project.run(command.revision, "left", rev_id="left", head="first")
    project.run(command.revision, "right", rev_id="right", head="first", splice=True)
    project.run(command.stamp, ["left", "right"])
    assert names(project) == ["left", "right"]
    project.run(command.merge, ["left", "right"], message="both", rev_id="both")
    project.run(command.stamp, "both")
    with pytest.raises(CommandError) as said:
        project.run(command.stamp, ["left", "right"])
    assert str(said.value) == (
        "Alembic cannot stamp left right in the place of both; nothing was changed.\n"
        "Next: alembic stamp --purge left right."
    )
    assert names(project) == ["both"]
    project.run(command.stamp, ["left", "right"], purge=True)
    assert names(project) == ["left", "right"]


def test_several_heads_and_none_said(project: SmallProject) -> None:
    project.run(command.revision, "left", rev_id="left", head="first")
    project.run(command.revision, "right", rev_id="right", head="first", splice=True)
    project.run(command.upgrade, "heads")
    with pytest.raises(CommandError, match="heads"):
        project.revise("more")


def test_a_database_that_is_behind(project: SmallProject) -> None:
    project.run(command.revision, "next", rev_id="second")
    for run in (lambda: project.run(command.check), lambda: project.revise("more")):
        with pytest.raises(CommandError) as said:
            run()
        assert str(said.value) == (
            "Target database is not up to date.\nThe database is at first, the newest is second.\n"
            "Next: alembic upgrade head, and the same command again."
        )


def test_steps_stamps_and_scripts(project: SmallProject) -> None:
    more = grown(project)
    more.revise("more", rev_id="more")
    for revision, expected in (("+1", ["more"]), ("+1", ["more_2"])):
        more.run(command.upgrade, revision)
        assert names(more) == expected
    more.run(command.downgrade, "-1")
    assert names(more) == ["more"]
    more.run(command.stamp, "more_2")
    assert names(more) == ["more_2"]
    more.run(command.stamp, "more", purge=True)
    assert names(more) == ["more"]
    up, down = more.offline("upgrade", "first:more"), more.offline("downgrade", "more_2:first")
    assert "CREATE VIEW" in up
    assert "CONCURRENTLY" not in up
    assert "DROP VIEW" in down
    assert "UPDATE public.alembic_version SET version_num='first'" in down
    more.run(command.current)
    more.run(command.history)


def through(config_value: object, project: SmallProject) -> None:
    for function, arguments in (
        (command.check, ()),
        (command.downgrade, ("base",)),
        (command.upgrade, ("head",)),
        (command.current, ()),
    ):
        function(project.config(connection=config_value), *arguments)  # type: ignore[operator]


def test_an_engine_and_a_connection(project: SmallProject) -> None:
    through(project.engine, project)
    with project.engine.connect() as connection:
        through(connection, project)
    with project.engine.begin() as connection:  # as Alembic's cookbook has it
        through(connection, project)
    assert names(project) == ["first"]


def test_an_asynchronous_engine_and_connection(project: SmallProject) -> None:
    async def run() -> None:
        engine = create_async_engine(project.engine.url)
        through(engine, project)
        async with engine.connect() as connection:
            through(connection, project)
            await connection.run_sync(through, project)  # as Alembic's cookbook has it
        await engine.dispose()

    asyncio.run(run())
    assert names(project) == ["first"]


def test_a_connection_in_a_transaction_is_refused(project: SmallProject) -> None:
    def used(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))

    with project.engine.begin() as connection:
        used(connection)
        with pytest.raises(CommandError, match=r"in a transaction, which the migration would wait for\.\nNext: "):
            command.upgrade(project.config(connection=connection), "head")
        connection.rollback()
    with pytest.raises(CommandError, match="is a str, not an engine"):
        command.upgrade(project.config(connection="postgresql://"), "head")


def test_another_database_is_refused_by_its_kind(project: SmallProject) -> None:
    for function in (command.upgrade, command.downgrade):
        with pytest.raises(CommandError, match=r"is of sqlite, not of PostgreSQL; nothing was changed\.\nNext: "):
            function(project.config(connection=create_engine("sqlite://")), "head")


def public(named: str | None) -> MetaData:
    """A model as SQLModel's users write it, and as others do."""
    metadata = MetaData()
    prefix = f"{named}." if named else ""
    Table("makers", metadata, Column("id", BigInteger, primary_key=True), schema=named)
    Table(
        "things",
        metadata,
        Column("id", BigInteger, primary_key=True),
        Column("maker", ForeignKey(f"{prefix}makers.id", name="made_by")),
        Column("name", Text, nullable=False),
        Index("things_name", "name"),
        schema=named,
    )
    return metadata


@pytest.mark.parametrize("named", [None, "public"])
def test_schema_public_with_its_name_and_without(empty: Engine, tmp_path: Path, named: str | None) -> None:
    made = SmallProject(empty, Scope(metadata=public(named), schemas=("public",), name="shop"), tmp_path)
    made.revise()
    made.run(command.upgrade, "head")
    assert set(inspect(empty).get_table_names()) == {"things", "makers", "alembic_version"}
    made.run(command.check)
    assert made.differences() == []
    more = public(named)
    Table(
        "others",
        more,
        Column("thing", ForeignKey(next(iter(more.tables["public.things" if named else "things"].c)))),
        schema=named,
    )
    made = replace(made, scope=Scope(metadata=more, schemas=("public",), name="shop"))
    made.revise()
    made.run(command.upgrade, "head")
    made.run(command.check)
    made.run(command.downgrade, "base")
    assert inspect(empty).get_table_names() == ["alembic_version"]


def test_a_table_of_the_models_in_a_schema_of_others(empty: Engine, tmp_path: Path) -> None:
    metadata = MetaData()
    Table("things", metadata, Column("id", BigInteger, primary_key=True), schema="elsewhere")
    made = SmallProject(empty, Scope(metadata=metadata, schemas=("public",), name="shop"), tmp_path)
    said = (
        r"Table elsewhere.things of the models is in schema elsewhere, which is not the project's.\nNext: add elsewhere"
    )
    for run in (lambda: made.run(command.check), made.revise):
        with pytest.raises(CommandError, match=said):
            run()


def test_an_owner_of_its_own(project: SmallProject) -> None:
    with project.engine.begin() as connection:
        execute(
            connection,
            "CREATE TABLE shop.more (); CREATE ROLE shop_stranger; ALTER TABLE shop.notes OWNER TO shop_stranger",
        )
        execute(connection, "CREATE VIEW shop.a AS SELECT 1 AS a; CREATE VIEW shop.b AS SELECT 1 AS b")
    try:
        with pytest.raises(
            CommandError, match=r"relation shop.notes belongs to shop_stranger.*\nNext: ALTER … OWNER TO"
        ):
            project.revise()
    finally:
        with project.engine.begin() as connection:
            execute(connection, "ALTER TABLE shop.notes OWNER TO postgres; DROP ROLE shop_stranger")


def test_a_default_that_is_never_twice_the_same(empty: Engine, tmp_path: Path) -> None:
    sql = "CREATE TABLE shop.keys (id uuid DEFAULT gen_random_uuid(), at timestamptz DEFAULT clock_timestamp());"
    made = SmallProject(empty, scope(reflected(empty, sql), sql), tmp_path)
    with empty.begin() as connection:
        execute(connection, f"CREATE SCHEMA {SCHEMA};" + sql)
    made.run(command.check)
