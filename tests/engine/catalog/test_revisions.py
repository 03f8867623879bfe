"""New revisions: numbered, named, dated, formatted; their SQL says exactly what it should."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.util import CommandError
from alembic_online.catalog.rendering import execute, for_text
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.dialects import postgresql

from tests.engine.catalog.test_mutations import HEAD, Revisions
from tests.fixtures.databases import ROOT, Clone

NEXT, AFTER_NEXT = (f"{HEAD.rpartition('.')[0]}.{int(HEAD.rpartition('.')[2]) + more}" for more in (1, 2))
SQL = st.text(st.sampled_from(["a", ":", "\\", "'", '"', "%", "$", "\n", " ", ";", "é"]) | st.characters(codec="utf-8"))


def file_name(revision: str, slug: str) -> str:
    return f"v{revision.replace('.', '_')}__{slug}.py"


@given(SQL)
@example("SELECT ':word', a::text, 'x\\:y', '\\\\:z', arr[1:2], '::', ':a:b'")
def test_colons_mean_themselves(sql: str) -> None:
    compiled = text(for_text(sql)).compile(dialect=postgresql.dialect(paramstyle="named"))
    assert str(compiled) == sql
    assert compiled.params == {}


@given(SQL)
@example("$$\n  BEGIN  \n$$")
@example("'\n\n''  a\n'")
@example('ends with a "')
@example("DROP DOMAIN")
def test_the_source_is_the_statement(sql: str) -> None:
    context = AutogenContext(MigrationContext.configure(dialect_name="postgresql"))
    source = execute(context, [sql])
    # as Alembic indents it
    indented = re.sub(r" +$", "", re.sub(r"^", "    ", source, flags=re.M), flags=re.M)
    said: list[str] = []
    operations = type("op", (), {"execute": staticmethod(said.append)})
    exec("from textwrap import dedent\nif True:\n" + indented, {"op": operations})  # noqa: S102
    statement = re.sub(r"^\s*-- squawk-ignore [^\n]*\n", "", said.pop())  # what its linter is told comes before it
    assert said == []
    if re.search(r"'[^']*\n[^']*'|\$\$.*\n.*\$\$", sql, re.S):
        assert statement.strip("\n") == for_text(sql).strip("\n")
    else:
        assert statement.split() == for_text(sql).split()


def test_a_new_revision_is_numbered_named_and_dated_like_the_others(migrated: Engine, tmp_path: Path) -> None:
    revisions = Revisions(migrated.url, tmp_path)
    assert "def upgrade() -> None:" in revisions.revise("keep every event")
    [path] = tmp_path.glob("*.py")
    assert path.name == file_name(NEXT, "keep_every_event")
    found = path.read_text(encoding="utf-8")
    assert found.startswith('"""Keep every event.\n')
    for line in ("Plan step: TODO", "Why: TODO", "Reversed by: TODO", f"Revision ID: {NEXT}", f"Revises: {HEAD}"):
        assert f"\n{line}" in found
    assert re.search(r"\nCreate Date: 20\d\d-\d\d-\d\d\n", found)
    assert f'revision = "{NEXT}"\ndown_revision = "{HEAD}"\n' in found
    assert "locks: dict[str, dict[str, str]]" in found


def test_without_autogenerate_it_is_numbered_too(migrated: Engine, tmp_path: Path) -> None:
    revisions = Revisions(migrated.url, tmp_path)
    revisions._run(command.revision, "by hand", version_path=str(tmp_path))
    assert [path.name for path in tmp_path.glob("*.py")] == [file_name(NEXT, "by_hand")]


def test_two_revisions_where_a_part_cannot_run_in_a_transaction(migrated: Engine, tmp_path: Path) -> None:
    with migrated.begin() as connection:
        connection.execute(text("DROP VIEW analytics.current_trends"))
        connection.execute(text("DROP INDEX analytics.idx_content_recommendations_user_id"))
    revisions = Revisions(migrated.url, tmp_path)
    revisions.revise("view and index")
    first, second = (path.read_text(encoding="utf-8") for path in sorted(tmp_path.glob("*.py")))
    assert "CREATE VIEW analytics.current_trends" in first
    assert "autocommit_block" not in first
    assert f'down_revision = "{NEXT}"' in second
    assert "with op.get_context().autocommit_block():" in second
    assert "DROP INDEX CONCURRENTLY IF EXISTS analytics.idx_content_recommendations_user_id" in second
    # run again after an interruption: the index was built, the revision not recorded
    revisions.upgrade()
    with migrated.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :next"), {"next": NEXT})
        statement = "UPDATE sidb.step SET outcome = 'interrupted', finished = NULL WHERE revision = :revision"
        connection.execute(text(statement), {"revision": AFTER_NEXT})
    revisions.upgrade()
    revisions.check()


def test_a_rename_is_written_beside_a_drop_and_an_add(migrated: Engine, tmp_path: Path) -> None:
    """Alembic sees a column that is gone and one that is new; only a person knows whether they are the same."""
    with migrated.begin() as connection:
        connection.execute(text("ALTER TABLE analytics.ml_features RENAME COLUMN created_at TO origin"))
    generated = Revisions(migrated.url, tmp_path).revise("origin of features")
    up, down = generated.split("def downgrade")[:2]  # indexes follow in a revision of their own
    assert "# op.alter_column('ml_features', 'origin', new_column_name='created_at', schema='analytics')" in up
    assert "# op.alter_column('ml_features', 'created_at', new_column_name='origin', schema='analytics')" in down
    assert '"analytics.ml_features.origin"' in generated.partition("drops")[2].partition("\n}")[0]


def test_a_rename_under_a_key_stops_and_is_written_out(migrated: Engine, tmp_path: Path) -> None:
    """Dropped and added, the column would take key and CHECK with it."""
    with migrated.begin() as connection:
        connection.execute(text("ALTER TABLE analytics.trend_cache RENAME COLUMN trend_source TO origin"))
    with pytest.raises(
        CommandError, match=r"write op.alter_column\('trend_cache', 'origin', new_column_name='trend_so"
    ):
        Revisions(migrated.url, tmp_path).revise("origin of trends")


def test_columns_of_other_types_are_no_rename(migrated: Engine, tmp_path: Path) -> None:
    with migrated.begin() as connection:
        connection.execute(
            text("ALTER TABLE analytics.trend_cache DROP COLUMN trend_source CASCADE, ADD origin bigint")
        )
    assert "op.alter_column" not in Revisions(migrated.url, tmp_path).revise("origin of trends")


def test_what_is_generated_passes_the_linters(migrated: Engine, tmp_path: Path) -> None:
    with migrated.begin() as connection:
        connection.execute(text("DROP FUNCTION analytics.trend_of(jsonb) CASCADE"))
        connection.execute(text("DROP TABLE analytics.trend_cache CASCADE"))
    Revisions(migrated.url, tmp_path).revise("much")
    config = str(ROOT / "pyproject.toml")
    for arguments in (["check"], ["format", "--check"]):
        command_line = [Path(sys.executable).with_name("ruff"), *arguments, "--config", config, tmp_path]
        result = subprocess.run(command_line, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout


def test_a_developer_changes_a_model_and_a_view(clone: Clone, connect: Callable[..., Engine], tmp_path: Path) -> None:
    """The commands themselves, in a copy of the project."""
    url = clone("migrated_table")
    for part in ("alembic", "models", "backfill", "operations"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("alembic.ini", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)

    def edit(name: str, old: str, new: str) -> None:
        before = (tmp_path / name).read_text(encoding="utf-8")
        assert before.count(old) == 1
        (tmp_path / name).write_text(before.replace(old, new), encoding="utf-8")

    def alembic(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=tmp_path,
            env={"DATABASE_URL": url.render_as_string(hide_password=False), "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    note = '    note: Mapped[str | None] = mapped_column(comment="A note")\n\n    __table_args__ = ('
    edit("models/trends.py", "    __table_args__ = (", note)
    edit("models/trends.py", 'Index("valid_until", "valid_until")', 'Index("valid_until", "valid_until", "note")')
    edit("models/sql/views/current_trends.sql", "t.created_at\n", "t.created_at,\n    t.note\n")
    checked = alembic("check")
    assert checked.returncode != 0
    assert "note" in checked.stderr
    assert "changed view analytics.current_trends" in checked.stderr
    made = alembic("revision", "--autogenerate", "-m", "notes on trends")
    assert made.returncode == 0, made.stderr
    assert {path.name for path in (tmp_path / "alembic/versions").glob("*notes_on_trends*")} == {
        file_name(NEXT, "notes_on_trends"),
        file_name(AFTER_NEXT, "notes_on_trends_outside_a_transaction"),
    }
    for arguments in (["upgrade", "head"], ["check"], ["downgrade", HEAD], ["upgrade", "head"]):
        done = alembic(*arguments)
        assert done.returncode == 0, done.stderr
    with connect(url).connect() as connection:
        assert connection.scalar(text("SELECT count(note) FROM analytics.current_trends")) == 0
