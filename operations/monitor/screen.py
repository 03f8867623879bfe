"""What a look at the database shows, on one screen: verdicts, the largest tables, the costliest statements."""

from collections.abc import Iterator

from alembic_online.quantities import duration, size
from rich.console import Console, Group, RenderableType
from rich.table import Table as Columns
from rich.text import Text

from models import ANALYTICS, PARTITIONS
from operations import output
from operations.findings import remedies, verdicts
from operations.monitor.look import Monitoring
from operations.monitor.metrics import Table

TABLES = 8
STATEMENTS = 4
WIDE = 110  # columns of a terminal, from which on there is more to a table


def screen(seen: Monitoring, console: Console) -> RenderableType:
    """All of it, for the console's width."""
    wide = console.width >= WIDE
    title = Text(f"{seen.at:%Y-%m-%d %H:%M:%S %Z}  {seen.database}", style=output.TITLE)
    title.truncate(console.width, overflow="ellipsis")
    parts: list[RenderableType] = [title, verdicts(seen), Text(), _tables(seen, wide)]
    if seen.statements:
        parts += [Text(), _statements(seen, wide)]
    return Group(*parts, remedies(seen))


def _tables(seen: Monitoring, wide: bool) -> Columns:
    more = ("bloat", "index scans", "vacuumed") if wide else ()
    table = output.columns("table", "rows", "rows/day", "size", "indexes", "dead", *more)
    for each in seen.tables[:TABLES]:
        table.add_row(*_row(each, seen, wide))
    return table


def _row(table: Table, seen: Monitoring, wide: bool) -> Iterator[str]:
    yield table.name.removeprefix(f"{ANALYTICS}.").removeprefix(f"{PARTITIONS}.")
    yield f"{table.rows:,}"
    gain = seen.gains.get(table.name)
    yield f"{gain.rows_a_day:+,.0f}" if gain else ""
    yield size(table.bytes)
    yield size(table.index_bytes)
    yield f"{table.dead_rows / max(table.rows + table.dead_rows, 1):.0%}"
    if wide:
        yield f"{seen.bloat[table.oid]:.0%}" if table.oid in seen.bloat else ""
        yield f"{table.index_scans:,}"
        yield f"{duration((seen.at - table.vacuumed).total_seconds())} ago" if table.vacuumed else "never"


def _statements(seen: Monitoring, wide: bool) -> Columns:
    table = output.columns("calls", "mean", "longest", *(("in all",) if wide else ()))
    table.columns[0].justify = "right"
    table.expand = True
    table.add_column("statement", no_wrap=True, overflow="ellipsis", ratio=1)
    for each in seen.statements[:STATEMENTS]:
        total = (duration(each.total_seconds),) if wide else ()
        times = (duration(each.mean_seconds), duration(each.max_seconds), *total)
        table.add_row(f"{each.calls:,}", *times, Text(each.query))
    return table
