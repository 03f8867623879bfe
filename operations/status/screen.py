"""What a look found, on one screen of 80 columns."""

from collections.abc import Iterator

from alembic_online.quantities import duration, size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from operations import output
from operations.findings import STYLES
from operations.retention import due
from operations.status.state import Backfill, Status

MOST = 3
"""Lines of a kind; of more, how many there are."""


def show(seen: Status, console: Console) -> None:
    """A word and what there is to say to it; what is amiss first, the next command last."""
    standby = ", a standby" if seen.standby else ""
    title = Text(f"{seen.at:%Y-%m-%d %H:%M:%S %Z}  {seen.database}{standby}", style=output.TITLE)
    title.truncate(console.width, overflow="ellipsis")
    console.print(title)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for word, line, style in _lines(seen):
        table.add_row(Text(word, style=style), Text(line, style=style))
    console.print(table)
    console.print(f"\nNext: {seen.next}")


def _lines(seen: Status) -> Iterator[tuple[str, str, str]]:
    for each in seen.amiss:
        yield "amiss", str(each), "bold red"
    at = ", ".join(seen.revision) or "none yet"
    yield "revision", at if seen.revision == [seen.head] else f"{at}; the newest is {seen.head}", ""
    yield from _backfill(seen.backfill)
    yield from _some("rights missing", seen.rights_missing, "red")
    yield from _some("raised", seen.raised, "")
    archives = [
        f"{each.archive}: rollback to {each.target} of {each.taken:%Y-%m-%d}, {size(each.bytes)}, "
        f"{each.restored} of {each.tables} back"
        for each in seen.archives
    ]
    yield from _some("archive", archives, "")
    yield from _some("expiry", due.lines(seen.retention), "")
    if seen.found:
        names = ", ".join(seen.found[:MOST])
        more = f", and {len(seen.found) - MOST} more" if len(seen.found) > MOST else ""
        yield "found", f"{len(seen.found)} not ours, left alone: {names}{more}", ""
    for replica in seen.replicas:
        yield replica.check, replica.detail, STYLES[replica.verdict] if replica.verdict != "ok" else ""
    yield from _some("unknown", seen.unknown, "magenta")


def _some(word: str, lines: list[str], style: str) -> Iterator[tuple[str, str, str]]:
    for line in lines[:MOST]:
        yield word, line, style
    if len(lines) > MOST:
        yield "", f"and {len(lines) - MOST} more: sidb status --json", style


def _backfill(backfill: Backfill | None) -> Iterator[tuple[str, str, str]]:
    if backfill is None:
        yield "backfill", "not begun", ""
        return
    paused = "PAUSED, " if backfill.paused else ""
    deadline = f"deadline {backfill.deadline:%Y-%m-%d %H:%M} UTC" if backfill.deadline else "not begun"
    yield "backfill", f"{paused}{deadline}", ""
    for file in backfill.half_loaded:
        yield "", f"{file} is half loaded", "yellow"
    for job in backfill.jobs:
        eta = f", {duration(job.seconds_left)} of work left" if job.left and job.seconds_left is not None else ""
        aside = f", {job.set_aside:,} rows set aside" if job.set_aside else ""
        style = "yellow" if job.set_aside or job.state == "stopped" else ""
        yield "", f"{job.job:<14}{job.done:>5.0%}  {job.state}{eta}{aside}", style
