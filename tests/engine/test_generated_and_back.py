"""A table and a column made as CONTRIBUTING says: generated, filled, refused, kept by a rollback and brought back."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

from operations.phase1 import Shape
from tests.engine.catalog.test_mutations import HEAD
from tests.engine.test_data_loss import run
from tests.fixtures.databases import ROOT, Clone

MODEL = '''"""Notes of people on niches."""

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ANALYTICS, Base
from models.niches import Feature


class Note(Base):
    """What somebody wrote about a niche."""

    __tablename__ = "notes"

    note_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Key")
    niche_id: Mapped[int | None] = mapped_column(ForeignKey(Feature.niche_id), comment="The niche")
    note: Mapped[str] = mapped_column(comment="What was written")

    __table_args__ = (Index("niche_id", "niche_id"), {"schema": ANALYTICS, "comment": "Notes of people on niches"})
'''

ROWS = (
    "INSERT INTO analytics.notes (niche_id, note) SELECT niche_id, 'note ' || niche_id FROM features LIMIT 20",
    "INSERT INTO analytics.trend_cache (trend_type, trend_source, trend_data, parameters, valid_until, remark)"
    " SELECT 'chart', 'test', '{}', jsonb_build_object('n', n), now() + interval '1 day', 'remark ' || n"
    " FROM generate_series(1, 5) AS n",
)
KEPT = (
    "SELECT note_id, niche_id, note FROM analytics.notes ORDER BY note_id",
    "SELECT trend_id, remark FROM analytics.trend_cache ORDER BY trend_id",
)


class Project:
    """A copy of the project, in which a developer has added a table, and a column to another one."""

    def __init__(self, folder: Path, url: URL) -> None:
        self.folder = folder
        self.url = url
        for part in ("alembic", "models", "backfill", "operations"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("alembic.ini", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        (folder / "models/notes.py").write_text(MODEL, encoding="utf-8")
        self.edit(
            "models/__init__.py",
            "from models.niches import",
            "from models.notes import Note\nfrom models.niches import",
        )
        self.edit("models/__init__.py", '    "NicheDailyActivityDelta",', '    "NicheDailyActivityDelta",\n    "Note",')
        column = '    remark: Mapped[str | None] = mapped_column(comment="A remark")\n\n    __table_args__ = ('
        self.edit("models/trends.py", "    __table_args__ = (", column)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (self.folder / name).write_text(text.replace(old, new), encoding="utf-8")

    def call(self, *command: str, code: int = 0) -> str:
        module = {"alembic": "alembic", "sidb": "operations.cli"}[command[0]]
        program = f"import sys; sys.argv[0] = {command[0]!r}; from {module}"
        program += ".config import main; main()" if module == "alembic" else " import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, *command[1:]],
            cwd=self.folder,
            env={"DATABASE_URL": self.url.render_as_string(hide_password=False), "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def project(clone: Clone, shape: Shape, tmp_path: Path) -> Project:
    return Project(tmp_path / "project", clone(f"migrated_{shape}"))


def test_filled_refused_kept_and_brought_back(project: Project) -> None:
    project.call("alembic", "revision", "--autogenerate", "-m", "notes")
    generated = "".join(path.read_text() for path in sorted((project.folder / "alembic/versions").glob("*notes*.py")))
    assert '"analytics.notes"' in generated.partition("drops")[2].partition("\n}")[0]
    project.call("alembic", "upgrade", "head")
    project.call("alembic", "check")
    run(project.url, *ROWS)
    kept = [run(project.url, statement) for statement in KEPT]

    refused = project.call("alembic", "downgrade", HEAD, code=255)
    assert "analytics.notes: holds rows" in refused
    assert "analytics.trend_cache.remark: holds values" in refused
    assert [run(project.url, statement) for statement in KEPT] == kept

    said = project.call("sidb", "rollback", HEAD, "--yes", code=0)
    assert "notes" in said
    assert run(project.url, "SELECT to_regclass('analytics.notes')") == [(None,)]
    assert run(project.url, "SELECT count(*) FROM sidb_archive_1.notes") == [(20,)]

    project.call("sidb", "upgrade")
    project.call("sidb", "restore", "1")
    assert [run(project.url, statement) for statement in KEPT] == kept
    project.call("alembic", "check")


def test_whole_way_back_with_a_column_and_its_table(project: Project) -> None:
    """The column goes with the developer's revision, its table with one of ours: both are kept, and come back."""
    project.call("alembic", "revision", "--autogenerate", "-m", "notes")
    project.call("alembic", "upgrade", "head")
    run(project.url, *ROWS)
    kept = [run(project.url, statement) for statement in KEPT]

    project.call("sidb", "rollback", "1.0.0", "--yes")
    assert run(project.url, "SELECT count(*) FROM sidb_archive_1.trend_cache") == [(5,)]
    assert run(project.url, 'SELECT count(remark) FROM sidb_archive_1."columns of trend_cache"') == [(5,)]

    project.call("sidb", "upgrade")
    project.call("sidb", "restore", "1")
    assert [run(project.url, statement) for statement in KEPT] == kept
    project.call("alembic", "check")
