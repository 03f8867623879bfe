"""The history as a whole: pytest-alembic's four checks, and what every revision must state about itself."""

import ast
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic_online.catalog.declarations import dropped
from pytest_alembic.tests import (
    test_model_definitions_match_ddl,
    test_single_head_revision,
    test_up_down_consistency,
    test_upgrade,
)
from sqlalchemy import Engine

from tests.fixtures.databases import ROOT, Alembic, Clone
from tests.fixtures.revisions import REVISIONS

# Collected here by their names: pytest-alembic's own collector fails on pytest 9.
__all__ = [
    "test_model_definitions_match_ddl",
    "test_single_head_revision",
    "test_up_down_consistency",
    "test_upgrade",
]

# The modes of table locks, as pg_locks names them.
MODES = {
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
}


@pytest.fixture
def alembic_engine(clone: Clone, connect: Callable[..., Engine]) -> Engine:
    return connect(clone("empty"))


@pytest.fixture
def alembic_config(alembic_engine: Engine) -> Config:
    return Alembic(alembic_engine.url).config()


PLANNED = ["1.0.0", *(f"2.0.{step}" for step in range(7))]
"""The revisions of the plan, in its order."""

ALL = [*PLANNED, "2.0.7", "2.1.0", "2.1.1", "2.2.0", "2.2.1"]
"""They, and ours after them."""


def script_directory() -> ScriptDirectory:
    return ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))


@pytest.fixture(params=REVISIONS)
def script(request: pytest.FixtureRequest) -> Script:
    found = script_directory().get_revision(request.param)
    assert found is not None
    return found


def test_the_revisions_are_these_one_after_the_other() -> None:
    scripts = list(script_directory().walk_revisions())[::-1]
    assert [script.revision for script in scripts] == ALL
    assert [script.down_revision for script in scripts] == [None, *ALL[:-1]]
    assert not any(script.branch_labels or script.dependencies for script in scripts)


def test_the_project_has_the_version_of_the_head() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == script_directory().get_current_head()


def test_the_file_is_named_for_the_revision(script: Script) -> None:
    assert re.fullmatch(rf"v{script.revision.replace('.', '_')}__[a-z0-9_]+\.py", Path(script.path).name)


def test_no_sql_file_is_left_over() -> None:
    """A revision reads the frozen files of the directory that has its name, and all of them."""
    versions = ROOT / "alembic" / "versions"
    for directory in [found for found in versions.iterdir() if found.is_dir() and found.name != "__pycache__"]:
        source = directory.with_suffix(".py").read_text(encoding="utf-8")
        for file in directory.iterdir():
            assert file.suffix == ".sql" or file.name == "changes.json"
            assert file.stem in source


def test_the_docstring_says_what_a_reviewer_asks(script: Script) -> None:
    lines = [line.strip() for line in (script.module.__doc__ or "").splitlines()]
    for heading in ("Plan step:", "Why:", "Reversed by:"):
        said = [line for line in lines if line.startswith(heading)]
        assert len(said) == 1, heading
        assert len(said[0]) > len(heading), heading
    assert f"Revision ID: {script.revision}" in lines
    assert f"Revises: {script.down_revision or ''}".strip() in lines
    assert "TODO" not in "".join(lines)


def test_the_locks_are_declared_as_pg_locks_names_them(script: Script) -> None:
    locks = script.module.locks
    assert set(locks) == {"upgrade", "downgrade"}
    for declared in locks.values():
        assert set(declared.values()) <= MODES
        assert all(
            re.fullmatch(r"(public|analytics|analytics_partitions|analytics_phase1)\.\w+", relation)
            for relation in declared
        )


def test_a_revision_imports_nothing_that_changes_after_it(script: Script) -> None:
    """Models, backfill and operations go on; a revision stays what it was."""
    allowed = {"alembic", "sqlalchemy", *sys.stdlib_module_names}
    tree = ast.parse(Path(script.path).read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or "."])
    }
    assert "alembic" in imported
    assert imported <= allowed
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]


def test_it_says_what_it_drops_and_what_it_changes(script: Script) -> None:
    """Every step is validated by that: one without it would be refused in production, where models cannot be built."""
    for direction in ("upgrade", "downgrade"):
        forms = script.module.changes[direction]
        assert forms
        assert all(lines == sorted(lines) for lines in forms)
        removed = sorted({name for lines in forms for name in dropped(lines)})
        columns = [name for name in removed if name.rpartition(".")[0] in removed]
        assert script.module.drops[direction] == [name for name in removed if name not in columns]
