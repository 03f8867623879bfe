"""What the benchmarks share: a server of their own, and figures as ratios within one run.

The server keeps its data in memory without durability, so that the processor and not the disk decides: the harshest
comparison for anything that adds work to a statement.
"""

import json
import platform
import re
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import URL, NullPool, create_engine, text

from operations.documentation import markdown
from operations.embedded import Server, project_server
from operations.settings import Settings
from tests.fixtures.server import throwaway_server

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "build/benchmarks"
console = Console(width=110)


@contextmanager
def benchmark_server(**options: str) -> Iterator[Server]:
    """A throw-away server of the project's own PostgreSQL."""
    with throwaway_server(project_server(Settings.from_environment({}).data_home).binaries, options) as server:
        yield server


def new_database(server: Server, name: str, template: str = "template1") -> URL:
    """A new database; an old one of the name goes."""
    engine = create_engine(server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    return server.url(name)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], form: str) -> str:
    """The median with minimum and maximum, each in that format; of one value, the value."""
    middle = format(median(values), form)
    return f"{middle} ({min(values):{form}} to {max(values):{form}})" if len(values) > 1 else middle


def machine() -> str:
    """The machine in a few words, for the foot of a table."""
    cores = subprocess.run(["getconf", "_NPROCESSORS_ONLN"], capture_output=True, text=True, check=True)  # noqa: S607
    return f"{cores.stdout.strip()} cores, {platform.machine()}, Python {platform.python_version()}"


def report(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], method: str) -> None:
    """Print the figures with how they were taken, and keep them in build/benchmarks: as JSON, and as Markdown."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = {"title": title, "rows": [dict(zip(columns, row, strict=True)) for row in rows], "method": method}
    name = re.sub(r"\W+", "_", title.lower()).strip("_")
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**kept, "machine": machine()}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    page = f"{title}\n\n{markdown.table(columns, rows)}\n{method} ({machine()})\n"
    path.with_suffix(".md").write_text(page, encoding="utf-8")
    table = Table(title=title, caption=f"{method} ({machine()})", title_justify="left", caption_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
