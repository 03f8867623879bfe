"""Loading at the console: files one after the other, with a bar; what could not be loaded is told beside the rest."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine

from backfill import files
from backfill.errors import BackfillError
from backfill.loading import Loaded, load
from backfill.publishing import Meant
from backfill.source import Source, known_as, source
from operations.backfilling import stopping
from operations.health import throttle


def load_files(
    opened: Engine,
    names: Sequence[str],
    unknown_niches: Literal["create", "reject"],
    meant: Meant,
    share: float,
    console: Console,
) -> Iterator[Loaded | BackfillError]:
    """Load one after the other; a file that is refused does not keep the next from being loaded.

    Beside the application it takes its share of the time. Ctrl-C and SIGTERM end it after the present chunk.
    """
    for name in names:
        stop = Event()
        try:
            # Not while a stream is read, which nothing but an interrupt would end.
            with source(name, sys.stdin.buffer) as file, stopping() as stop, _bar(console, file.name) as report:
                given = {"unknown_niches": unknown_niches, "report": report, "meant": meant, "tell": console.print}
                yield _load(opened, file, share, stop, **given)
        except BackfillError as error:
            yield error
        if stop.is_set():
            return


def forget(opened: Engine, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Give up half-loaded files: the name and the records of each. BackfillError: one of them is not half loaded."""
    with opened.begin() as connection:
        for name in map(known_as, names):
            yield name, files.forget(connection, name)


def _load(opened: Engine, file: Source, share: float, stop: Event, **given: Any) -> Loaded:
    if share >= 1:
        return load(opened, file, stop=stop, **given)
    with opened.connect() as connection:
        paced = replace(throttle(connection, share), wait=stop.wait)
        return load(opened, file, stop=stop, throttle=paced, **given)


@contextmanager
def _bar(console: Console, name: str) -> Iterator[Any]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    rate = TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second, left:")
    with Progress(*columns, rate, TimeRemainingColumn(), console=console, transient=True) as bar:
        task: TaskID = bar.add_task(name, total=None, rows=0, rate=0.0)
        began = datetime.now(UTC)

        def report(file: Source, records: int, _rejected: int) -> None:
            rate = records / max((datetime.now(UTC) - began).total_seconds(), 0.001)
            bar.update(task, total=file.size, completed=file.position, rows=records, rate=rate)

        yield report
