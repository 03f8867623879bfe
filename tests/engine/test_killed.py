"""Killed at any moment, the next run finishes the job and ends in the same catalog as an undisturbed one.

All moments are tried by ``make kill-matrix``; ``make test`` tries some of them.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine, NullPool, create_engine, event

from operations.phase1 import Shape
from tests.engine.conftest import applied, catalog, connected, current, ledger, refusal, until
from tests.fixtures.databases import Alembic, Clone, Templates, conninfo
from tests.fixtures.ended import killed, moments, that_differ
from tests.fixtures.revisions import HEAD
from tests.fixtures.server import throwaway_server

BUILDING = """
SELECT count(*) FROM pg_stat_activity
WHERE query LIKE '%CREATE INDEX CONCURRENTLY%' AND state = 'active' AND pid <> pg_backend_pid()
"""
FEW = 7  # every so many moments that differ, unless all are wanted


def run(url: URL, direction: str) -> None:
    getattr(Alembic(url), direction)()


@pytest.fixture
def copies(templates: Templates) -> Iterator[Callable[[str], URL]]:
    """``copies(template)`` is a database that the test drops itself by asking for the next one."""
    numbers = count(1)
    made: list[Any] = []

    def make(template: str) -> URL:
        while made:
            made.pop().drop()
        made.append(templates.janitor(f"killed_{next(numbers)}", templates.template(template)))
        made[-1].init()
        return templates.server.url(made[-1].dbname)

    yield make
    while made:
        made.pop().drop()


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_sigkill_before_a_statement(
    copies: Callable[[str], URL], shape: Shape, direction: str, every_kill: bool
) -> None:
    template = f"{'phase1' if direction == 'upgrade' else 'migrated'}_{shape}"
    url = copies(template)
    kills = that_differ(moments(url, partial(run, url, direction)))
    expected, steps = catalog(url), applied(url)[-8:]
    assert len(kills) > 20
    for at in kills if every_kill else kills[list(Shape).index(shape) :: FEW]:
        url = copies(template)
        killed(partial(run, url, direction), at)
        run(url, direction)
        where = f"before statement {at}"
        assert catalog(url) == expected, where
        assert applied(url)[-8:] == steps, where
        assert all(entry.outcome in ("applied", "interrupted") for entry in ledger(url)), where


def test_sigkill_while_a_writer_holds_it_up(clone: Clone, connect: Callable[..., Engine]) -> None:
    url = clone("phase1_table")
    observer = connect(url)
    with psycopg.connect(conninfo(url)) as writer:
        writer.execute("UPDATE features SET updated_at = now() WHERE niche_id = 1")
        child = os.fork()
        if not child:
            try:
                run(url, "upgrade")
            finally:
                os._exit(1)
        until(lambda: current(url) == "1.0.0", "the first step is applied")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    until(lambda: not connected(url, observer, "sidb migrate"), "its sessions end")
    Alembic(url).upgrade()
    assert current(url) == HEAD


def test_sigkill_while_an_index_is_built(clone: Clone) -> None:
    """The server notices by itself that nobody waits for the statement any more, and leaves an invalid index."""
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.4")
    undisturbed = clone("migrated_table")
    with psycopg.connect(conninfo(url)) as writer, psycopg.connect(conninfo(url), autocommit=True) as observer:
        writer.execute("INSERT INTO analytics.analytics_events VALUES (DEFAULT, 'view', 'test', now(), '{}')")

        def is_building() -> bool:
            row = observer.execute(BUILDING).fetchone()
            return bool(row and row[0])

        child = os.fork()
        if not child:
            try:
                run(url, "upgrade")
            finally:
                os._exit(1)
        until(is_building, "an index waits for the writer")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        until(lambda: not is_building(), "the orphaned statement ends although the writer still holds it up")
    Alembic(url).upgrade()
    assert catalog(url) == catalog(undisturbed)


@pytest.mark.parametrize(
    "fragment", ["CREATE TABLE analytics.cross_platform_metrics", "VALIDATE CONSTRAINT", "CREATE INDEX CONCURRENTLY"]
)
def test_the_server_is_killed_and_restarted(pg_bin: Any, fragment: str) -> None:
    with throwaway_server(pg_bin) as server:
        url = server.url("postgres")
        undisturbed = server.url("template1")
        engine = create_engine(url, poolclass=NullPool)
        done = threading.Event()

        @event.listens_for(engine, "before_cursor_execute")
        def kill(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if fragment in statement and not done.is_set():
                done.set()
                os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
                until(lambda: not server.is_running(), "the server is down")

        said = refusal(lambda: Alembic(url).through(engine))
        assert "The connection to the server was lost" in said
        until(lambda: not (server.data / "postmaster.pid").exists(), "the server is gone")
        server.start()
        Alembic(url).upgrade()
        Alembic(undisturbed).upgrade()
        assert catalog(url) == catalog(undisturbed)
