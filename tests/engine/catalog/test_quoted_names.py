"""A scope whose names have to be quoted in SQL: capitals, spaces and reserved words, of everything that it names."""

from collections.abc import Callable, Hashable
from pathlib import Path

import pytest
from alembic import command
from alembic_online import Additions, Options, Scope
from sqlalchemy import Connection, Engine, MetaData

from tests.fixtures.small_project import SmallProject, execute

THEIRS = 'CREATE TABLE public."Their Things" ("Id" bigint PRIMARY KEY{});'
ADDED = ', "My Token" text CONSTRAINT "My Check" CHECK ("My Token" <> \'\')'
OURS = """
    CREATE SCHEMA IF NOT EXISTS "{schema}";
    CREATE TABLE "{schema}"."Order Lines" ("Id" bigint PRIMARY KEY, "Code" bigint{more} REFERENCES "Their Things");
    CREATE VIEW "{schema}"."Seen" AS SELECT "Id" FROM "{schema}"."Order Lines";
"""
KEY = ' NOT NULL CONSTRAINT "My Key" UNIQUE'
INDEX = 'CREATE INDEX "My Index" ON "{schema}"."Order Lines" ("Code" DESC);'
SHARED = {"public.Their Things": Additions(columns=("My Token",), constraints=("My Check",))}


MAKE_OWNER = """
    DO $$ BEGIN CREATE ROLE "My Owner" LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    ALTER ROLE "My Owner" {attribute};
    GRANT ALL ON SCHEMA public TO "My Owner";
    SET ROLE "My Owner";
"""


@pytest.fixture
def owner(request: pytest.FixtureRequest, empty: Engine, connect: Callable[..., Engine]) -> Engine:
    """An engine of a role that has the table to share, and may create databases or not."""
    with empty.begin() as connection:
        execute(connection, f"GRANT CREATE ON DATABASE {empty.url.database} TO PUBLIC")
        execute(connection, MAKE_OWNER.format(attribute=request.param) + THEIRS.format(""))
    return connect(empty.url.set(username="My Owner"))


def project(engine: Engine, directory: Path, schema: str, models: str) -> SmallProject:
    metadata = MetaData()
    with engine.connect() as connection:
        execute(connection, f'DROP TABLE public."Their Things" CASCADE; DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        execute(connection, models)
        metadata.reflect(connection, only=["Their Things"])
        metadata.reflect(connection, schema=schema)
        connection.rollback()

    def build(connection: Connection, _variant: Hashable) -> None:
        execute(connection, models)

    named = Scope(metadata, (schema,), SHARED, name="2 Shops (east)", bookkeeping="My Books", build=build)
    return SmallProject(engine, named, directory)


@pytest.mark.parametrize(
    ("owner", "schema"),
    [("CREATEDB", "My Shop"), ("NOCREATEDB", "My Shop"), ("CREATEDB", "user")],
    indirect=["owner"],
)
def test_they_are_quoted_wherever_they_are_named(owner: Engine, tmp_path: Path, schema: str) -> None:
    """The target is built in a scratch database, or beside what is there."""
    with owner.begin() as connection:
        execute(connection, f'CREATE SCHEMA "{schema}"')
    models = THEIRS.format(ADDED) + OURS.format(schema=schema, more="")
    first = project(owner, tmp_path, schema, models)
    generated = first.revise()
    assert "'upgrade': {'public.\"Their Things\"': 'AccessExclusiveLock'}" in generated
    first.run(command.upgrade, "head")
    first.run(command.check)
    models = THEIRS.format(ADDED) + OURS.format(schema=schema, more=KEY) + INDEX.format(schema=schema)
    second = project(owner, tmp_path, schema, models)
    second.revise()
    command.upgrade(second.config(options=Options(metrics_file=tmp_path / "figures.prom")), "head")
    second.run(command.check)
    second.run(command.downgrade, "base")
    second.run(command.upgrade, "head")
    assert second.differences() == []
    assert "\n_2_shops__east__migration_succeeded 1.0" in (tmp_path / "figures.prom").read_text(encoding="utf-8")
