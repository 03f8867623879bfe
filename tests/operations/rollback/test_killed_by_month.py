"""Events by month, there and back: ended at any statement, of the step or of what runs it, the next run finishes it.

The process is killed, or its session is terminated on the server. Every event is there once, and counted once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import Any, Literal

import psycopg
import pytest
from alembic_online import OnlineError
from sqlalchemy import URL, NullPool, create_engine

from operations.embedded import Server
from tests.engine.conftest import catalog, current
from tests.fixtures.databases import Alembic, Templates
from tests.fixtures.ended import killed, moments, of_each_line, that_differ
from tests.operations.rollback.conftest import Copies, execute, roll_back
from tests.operations.test_conversion_of_deployed import RECOMMENDATIONS
from tests.operations.test_deployed_before import load_dump
from tests.revisions.catalog import contents
from tests.revisions.test_step_by_step import ACTIVITY, COUNTED, EVENTS

BEFORE, AFTER = "2.0.7", "2.1.0"
WRITE = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'test', now() + n * interval '1 day', '{{}}', 1 + abs(n) % 3 FROM generate_series({}, {}) AS n
"""

Direction = Literal["upgrade", "downgrade"]


def left_at_2_0_6(server: Server, url: URL) -> None:
    """By the code of then, with a backfill half done; then an archive was put aside."""
    load_dump(server, "half_done_backfill", url)
    execute(url, RECOMMENDATIONS)
    assert roll_back(url, "2.0.1").exit_code == 0
    Alembic(url).upgrade("2.0.6")


def prepare(direction: Direction, url: URL) -> None:
    """With events in the past; by month, also with some past the bound, which are moved back."""
    Alembic(url).upgrade(BEFORE)
    execute(url, WRITE.format(-200, 0))
    if direction == "downgrade":
        Alembic(url).upgrade(AFTER)
        execute(url, WRITE.format(1, 200))


def run(url: URL, direction: Direction) -> None:
    """Without leave to lose anything."""
    getattr(Alembic(url, x=("deadline=30s",)), direction)(AFTER if direction == "upgrade" else BEFORE)


@contextmanager
def terminating(at: int) -> Iterator[None]:
    """Before the n-th statement, the session that is to run it is ended by an administrator."""
    numbers = count(1)
    execute_one = psycopg.Cursor.execute

    def execute_and_count(cursor: Any, *arguments: Any, **options: Any) -> Any:
        if next(numbers) == at:
            info = cursor.connection.info
            with psycopg.connect(info.dsn, autocommit=True) as other:
                execute_one(other.cursor(), "SELECT pg_terminate_backend(%s, 5000)", [info.backend_pid])
        return execute_one(cursor, *arguments, **options)

    psycopg.Cursor.execute = execute_and_count  # type: ignore[method-assign]
    try:
        yield
    finally:
        psycopg.Cursor.execute = execute_one  # type: ignore[method-assign]


def process_killed(work: Callable[[], None], at: int) -> bool:
    """Whether it got so far: a run that needs fewer attempts at its locks has fewer statements than another one."""
    try:
        killed(work, at)
    except AssertionError:
        return False
    return True


def session_terminated(work: Callable[[], None], at: int) -> bool:
    """Where a session ends that only looks on, the run goes on without it."""
    with terminating(at), suppress(OnlineError):
        work()
    return True


@pytest.mark.parametrize("origin", ["phase1_table", "left at 2.0.6"])
@pytest.mark.parametrize("way", [process_killed, session_terminated])
@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_ended_at_a_statement(
    copies: Copies,
    templates: Templates,
    origin: str,
    direction: Direction,
    way: Callable[[Callable[[], None], int], bool],
    every_kill: bool,
) -> None:
    def make(url: URL) -> None:
        if origin != "phase1_table":
            left_at_2_0_6(templates.server, url)
        prepare(direction, url)

    if origin == "phase1_table":
        copy = partial(copies, f"by_month_{direction}", "phase1_table", make)
    else:
        templates.template("migrated_table")  # makes the group roles, which a dump only names
        copy = partial(copies, f"by_month_deployed_{direction}", "empty", make)
    url = copy()
    events = read(url, EVENTS)
    found = moments(url, partial(run, url, direction))
    expected = catalog(url)
    chosen = that_differ(found) if way is process_killed else sorted({*that_differ(found), *of_each_line(found)})
    if not every_kill:
        chosen = chosen[5 :: len(chosen) // 4]
    reached = 0
    for at in chosen:
        url = copy()
        reached += way(partial(run, url, direction), at)
        run(url, direction)
        where = f"before statement {at} of {len(found)}"
        assert catalog(url) == expected, where
        assert read(url, EVENTS) == events, where
        assert read(url, ACTIVITY) == read(url, COUNTED), where
        assert current(url) == (AFTER if direction == "upgrade" else BEFORE), where
    assert reached > len(chosen) - 5


def read(url: URL, query: str) -> list[str]:
    engine = create_engine(url, poolclass=NullPool)
    return contents(engine, query)
