"""Killed at any moment, a rollback is finished by the next one, or given up with access as it was."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL

from operations.phase1 import Shape
from operations.rollback.records import PHASES, reading
from tests.fixtures.databases import Alembic, Templates
from tests.operations.guard.conftest import catalog, current
from tests.operations.rollback.conftest import ROWS, abort, execute, privileges, roll_back, verdicts

TARGET = "2.0.1"  # so that some tables move, and some stay and get their privileges back
FEW = 97  # every so many statements, unless all are wanted


@pytest.fixture(scope="module")
def copies(templates: Templates) -> Iterator[Callable[[Shape], URL]]:
    """``copies(shape)`` is a filled database; the one before it is dropped."""
    numbers = count(1)
    sources: dict[Shape, Any] = {}
    made: list[Any] = []

    def make(shape: Shape) -> URL:
        if shape not in sources:
            sources[shape] = templates.janitor(
                f"filled_{shape}", templates.template(f"migrated_{shape}"), as_template=True
            )
            sources[shape].init()
            execute(templates.server.url(f"filled_{shape}"), ROWS)
        while made:
            made.pop().drop()
        made.append(templates.janitor(f"rollback_{next(numbers)}", f"filled_{shape}"))
        made[-1].init()
        return templates.server.url(made[-1].dbname)

    yield make
    for janitor in (*made, *sources.values()):
        janitor.drop()


def counted(url: URL, act: Callable[[int, str], None]) -> None:
    """Roll back in this process, with `act` called before each statement, with its number and text."""
    numbers = count(1)
    execute_one = psycopg.Cursor.execute

    def execute_and_count(cursor: Any, statement: Any, *arguments: Any, **options: Any) -> Any:
        act(next(numbers), str(statement))
        return execute_one(cursor, statement, *arguments, **options)

    psycopg.Cursor.execute = execute_and_count  # type: ignore[method-assign]
    try:
        roll_back(url, TARGET)
    finally:
        psycopg.Cursor.execute = execute_one  # type: ignore[method-assign]


def killed(url: URL, at: int) -> None:
    """Roll back in a process that sends itself SIGKILL before its n-th statement."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            counted(url, lambda number, _: os.kill(os.getpid(), signal.SIGKILL) if number == at else None)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"statement {at} was never reached"


def test_killed_at_a_statement(copies: Callable[[Shape], URL], shape: Shape, every_kill: bool) -> None:
    url = copies(shape)
    before = privileges(url)
    total: list[int] = []
    counted(url, lambda number, _: total.append(number))
    expected, kept = catalog(url), archive(url)
    remaining = privileges(url)
    assert remaining == {name: before[name] for name in remaining}
    phases = set()
    offset = 1 + list(Shape).index(shape) * FEW // 2
    for place, at in enumerate(range(1, len(total) + 1) if every_kill else range(offset, len(total) + 1, FEW)):
        url = copies(shape)
        killed(url, at)
        with reading(url) as records:
            pending = records.pending()
        phases.add(pending and pending.phase)
        if pending is not None and (place % 2 or every_kill):
            aborted = abort(url)
            assert verdicts(aborted) == {"backfill": "ok", "access opened": "ok"}, f"before statement {at}"
            left = privileges(url)
            assert left == {name: before[name] for name in left}, f"before statement {at}"
            assert execute(url, "SELECT count(*) FROM pg_trigger WHERE tgname ~ '^sidb'") == [(0,)]
            if current(url) == TARGET:
                continue
        found = roll_back(url, TARGET)
        assert found.exit_code == 0, (at, [each for each in found.findings if each.verdict == "failed"])
        assert catalog(url) == expected, f"before statement {at}"
        assert privileges(url) == remaining, f"before statement {at}"
        if pending is None or not place % 2:
            assert archive(url) == kept, f"before statement {at}"
    if every_kill:
        assert phases - {None} == set(PHASES) - {"done"}


def archive(url: URL) -> dict[str, Any]:
    """The tables of all archives, with their rows."""
    tables = execute(url, "SELECT schemaname, tablename FROM pg_tables WHERE schemaname ~ '^sidb_archive' ORDER BY 2")
    return {
        table: execute(url, f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {schema}.{table} AS t")  # noqa: S608
        for schema, table in tables
    }


def test_upgraded_after_an_abort(copies: Callable[[Shape], URL]) -> None:
    """Half of the tables moved, then given up: the next upgrade finds nothing in its way."""
    url = copies(Shape.TABLE)
    complete = catalog(url)

    class StoppedError(Exception):
        pass

    def stop(_: int, statement: str) -> None:
        if "SET SCHEMA" in statement and "cross_platform_metrics" in statement:
            raise StoppedError

    with pytest.raises(StoppedError):
        counted(url, stop)
    assert current(url) == "2.0.2"
    abort(url)
    Alembic(url).upgrade()
    assert catalog(url) == complete
