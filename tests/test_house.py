"""The house's own rules, checked on the import graph: models <- backfill <- operations."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("models", "backfill", "operations")

# Who may import whom; alembic's environment and the console script are the only doors to operations.
MAY_IMPORT = {
    "models": {"models"},
    "backfill": {"models", "backfill"},
    "operations": {"models", "backfill", "operations"},
}


def imports(file: Path) -> set[str]:
    """The top-level packages that a file imports, at module level or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides where it goes"
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    local = {*ROOMS, "tests", "benchmarks"}
    files = list((ROOT / room).rglob("*.py"))
    assert files
    wrong = {
        str(file.relative_to(ROOT)): forbidden
        for file in files
        if (forbidden := (imports(file) & local) - MAY_IMPORT[room])
    }
    assert not wrong


def test_models_need_only_sqlalchemy() -> None:
    outside = set().union(*(imports(file) for file in (ROOT / "models").rglob("*.py")))
    assert outside - sys.stdlib_module_names == {"models", "sqlalchemy"}


def test_only_settings_reads_the_environment() -> None:
    readers = {
        str(file.relative_to(ROOT))
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert readers == {"operations/settings.py"}
