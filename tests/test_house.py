"""The house's own rules, checked on the import graph: models <- backfill <- operations -> alembic_online."""

import ast
import re
import sys
import tomllib
from collections.abc import Container, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from models import ANALYTICS, ROLES, SQL_FILES, Base
from operations.bookkeeping import BOOKKEEPING
from tests.fixtures.revisions import HEAD, REVISIONS

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "alembic-online"
ROOMS = {
    "models": ROOT / "models",
    "backfill": ROOT / "backfill",
    "operations": ROOT / "operations",
    "alembic_online": ENGINE / "alembic_online",
}

# Who may import whom; alembic's environment and the console script are the only doors to operations.
MAY_IMPORT = {
    "models": {"models"},
    "backfill": {"models", "backfill"},
    "operations": {"models", "backfill", "operations", "alembic_online"},
    "alembic_online": {"alembic_online"},
}
LOCAL = {*ROOMS, "alembic_online", "tests", "benchmarks"}

# What the engine must not name: the product in words, and everything of its models, revisions and records.
PRODUCT = ("social", "intelligence", "niche", "phase 1", "phase1", "phase 2", "phase2", "trend")


def imports(file: Path) -> Iterator[tuple[str, ...]]:
    """What a file imports, also inside functions and for type checkers: a module, and what of it, if so written."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides where it goes"
            yield from ((node.module or "", alias.name) for alias in node.names)


def packages(file: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {module.partition(".")[0] for module, *_ in imports(file)}


def modules(room: str) -> dict[str, Path]:
    """The modules of a room by their full names."""
    folder = ROOMS[room]
    found = {}
    for file in folder.rglob("*.py"):
        parts = file.relative_to(folder.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    assert found
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    wrong = {
        name: forbidden
        for name, file in modules(room).items()
        if (forbidden := (packages(file) & LOCAL) - MAY_IMPORT[room])
    }
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_no_import_leads_back(room: str) -> None:
    """Raises CycleError, which names the modules of the circle, where one does."""
    known = modules(room)
    graph = {name: {_module(what, known) for what in imports(file)} & known.keys() for name, file in known.items()}
    assert any(graph.values())
    list(TopologicalSorter(graph).static_order())


def _module(what: tuple[str, ...], known: Container[str]) -> str:
    """The module that an import reads: a package's own, or one in it."""
    return found if (found := ".".join(what)) in known else what[0]


def test_models_need_only_sqlalchemy() -> None:
    outside = set().union(*(packages(file) for file in modules("models").values()))
    assert outside - sys.stdlib_module_names == {"models", "sqlalchemy"}


def test_the_engine_needs_what_it_says() -> None:
    """Its dependencies, and its extras within functions only."""
    declared = tomllib.loads((ENGINE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [package for packages in declared["optional-dependencies"].values() for package in packages]
    names = {re.split(r"[^\w-]", package)[0].replace("-", "_") for package in [*declared["dependencies"], *extras]}
    outside = set().union(*(packages(file) for file in modules("alembic_online").values()))
    assert outside - sys.stdlib_module_names - {"alembic_online"} == names


def test_only_settings_reads_the_environment() -> None:
    readers = {
        str(file.relative_to(ROOT))
        for room in ROOMS
        for file in modules(room).values()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv")
    }
    assert readers == {"operations/settings.py"}


def test_every_session_comes_through_the_one_door() -> None:
    """Whoever connects elsewhere works under settings that nobody looked at."""
    opening = re.compile(
        r"\b(psycopg\.(Async)?Connection\.connect|psycopg\.connect|create_engine|engine_from_config)\("
    )
    found = {
        str(file.relative_to(ROOT))
        for room in ROOMS
        for file in [*modules(room).values(), ROOT / "alembic" / "env.py"]
        if opening.search(file.read_text(encoding="utf-8"))
    }
    assert found == {"alembic-online/alembic_online/database.py"}


def product_names() -> set[str]:
    """Every name by which the engine could know this product, in lower case."""
    tables = {table.name for table in Base.metadata.tables.values()}
    made = {file.name for file in SQL_FILES}
    return {ANALYTICS, BOOKKEEPING, HEAD, *REVISIONS, *ROLES, *tables, *made, *PRODUCT}


def test_the_engine_names_nothing_of_the_product() -> None:
    ours = re.compile("|".join(rf"(?<![a-z0-9]){re.escape(name)}" for name in sorted(product_names())), re.IGNORECASE)
    files = [file for file in ENGINE.rglob("*") if file.suffix in (".py", ".sql", ".md", ".toml", ".ini", ".mako")]
    assert len(files) > 50
    found = {
        f"{file.relative_to(ROOT)}:{number}: {match[0]}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        for match in ours.finditer(line)
    }
    assert not found


MOST_LINES = 300
MOST_OF_A_FUNCTION = 50


def test_files_and_functions_are_short() -> None:
    files = [file for room in ROOMS for file in modules(room).values()]
    files += [*(ROOT / "alembic").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    long_ = [str(file.relative_to(ROOT)) for file in files if len(file.read_text("utf-8").splitlines()) > MOST_LINES]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            is_step = file.parent.name == "versions"  # a revision's statements are listed in its one function
            if isinstance(node, ast.FunctionDef) and not is_step and _body(node) > MOST_OF_A_FUNCTION:
                long_.append(f"{file.relative_to(ROOT)}: {node.name} has {_body(node)} lines")
    assert not long_


def _body(function: ast.FunctionDef) -> int:
    """The lines of a function without its signature and docstring."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return statements[-1].end_lineno - statements[0].lineno + 1 if statements else 0  # type: ignore[operator]


def test_no_name_of_a_role_is_read_as_an_identifier() -> None:
    """Cast to regrole, Deploy would be deploy: another role, or none."""
    files = [file for room in ("operations", "backfill", "alembic-online") for file in (ROOT / room).rglob("*.sql")]
    assert files
    cast = re.compile(r"\b(current|session)_user\s*(::|AS )\s*regrole", re.IGNORECASE)
    assert [file for file in files if cast.search(file.read_text(encoding="utf-8"))] == []
