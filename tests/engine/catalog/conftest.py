"""A project of one revision, which is run, and more in its models than in the database."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, text

from tests.fixtures.databases import Clone
from tests.fixtures.small_project import SCHEMA, SmallProject, execute, reflected, scope

NOTES = "CREATE TABLE shop.notes (id bigint PRIMARY KEY, note text);"
INDEXED = f"{NOTES} CREATE VIEW shop.seen AS TABLE shop.notes; CREATE INDEX notes_note ON shop.notes (note);"


@pytest.fixture
def empty(clone: Clone, connect: Callable[..., Engine]) -> Engine:
    return connect(clone("empty"))


@pytest.fixture
def project(empty: Engine, tmp_path: Path) -> SmallProject:
    """With one revision, which is run."""
    with empty.begin() as connection:
        execute(connection, f"CREATE SCHEMA {SCHEMA}")
    made = SmallProject(empty, scope(reflected(empty, NOTES), NOTES), tmp_path)
    with empty.begin() as connection:
        execute(connection, f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    made.revise("notes", rev_id="first")
    made.run(command.upgrade, "head")
    return made


def grown(project: SmallProject, sql: str = INDEXED) -> SmallProject:
    """The same with more in its models."""
    with project.engine.connect() as connection:
        execute(connection, f"DROP SCHEMA {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA};" + sql)
        metadata = MetaData()
        metadata.reflect(connection, schema=SCHEMA)
        connection.rollback()
    return replace(project, scope=scope(metadata, sql))


def names(project: SmallProject) -> list[str]:
    with project.engine.connect() as connection:
        return list(connection.scalars(text("SELECT version_num FROM alembic_version ORDER BY 1")))


def heads(project: SmallProject) -> set[str]:
    return set(ScriptDirectory.from_config(project.config()).get_heads())
