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
"""Lines of a kind, at most; of the others, only how many there are."""


def show(status: Status, console: Console) -> None:
    """A word and what there is to say to it; what is amiss first, the next command last."""
    standby = ", a standby" if status.standby else ""
    title = Text(f"{status.at:%Y-%m-%d %H:%M:%S %Z}  {status.database}{standby}", style=output.TITLE)
    title.truncate(console.width, overflow="ellipsis")
    console.print(title)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for word, line, style in _lines(status):
        table.add_row(Text(word, style=style), Text(line, style=style))
    console.print(table)
    console.print(output.wrapped(f"\nNext: {status.next}", console.width), soft_wrap=True)


def _lines(status: Status) -> Iterator[tuple[str, str, str]]:
    for each in status.amiss:
        yield "amiss", str(each), "bold red"
    at = ", ".join(status.revision) or "none yet"
    yield "revision", at if status.revision == [status.head] else f"{at}; the newest is {status.head}", ""
    yield from _backfill(status.backfill)
    yield from _some("rights missing", status.rights_missing, "red")
    yield from _some("raised", status.raised, "")
    archives = [
        f"{each.archive}: rollback to {each.target} of {each.taken:%Y-%m-%d}, {size(each.bytes)}, "
        f"{each.restored} of {each.tables} back"
        for each in status.archives
    ]
    yield from _some("archive", archives, "")
    yield from _some("expiry", due.lines(status.retention), "")
    if status.found:
        names = ", ".join(status.found[:MOST])
        more = f", and {len(status.found) - MOST} more" if len(status.found) > MOST else ""
        yield "found", f"{len(status.found)} not ours, left alone: {names}{more}", ""
    for replica in status.replicas:
        yield replica.check, replica.detail, STYLES[replica.verdict] if replica.verdict != "ok" else ""
    yield from _some("unknown", status.unknown, "magenta")


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
