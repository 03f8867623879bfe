"""The demo: what it builds and shows, that it can be run again, and that it survives being killed."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import Engine, NullPool, create_engine, text

from operations import output
from operations.demo.demo import Demo, run, show
from operations.embedded import Server
from operations.phase1 import Shape
from tests.fixtures.revisions import HEAD, REVISIONS

ROOT = Path(__file__).parents[2]
NICHES = 500
EVENTS = 1_000

# Runs the demo in a process that kills itself right after the statement that holds the given words.
KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from operations.demo.demo import run
from operations.embedded import Server
from operations.phase1 import Shape

binaries, data, sockets, user, shape, niches, words = sys.argv[1:]

@event.listens_for(Engine, "after_cursor_execute")
def die(connection, cursor, statement, *rest):
    if words in statement:
        os.kill(os.getpid(), signal.SIGKILL)

run(Server(Path(binaries), Path(data), Path(sockets), user or None), Shape(shape), print, int(niches), 1_000)
"""


@pytest.fixture
def demo(server: Server, shape: Shape) -> Iterator[Callable[[], Demo]]:
    """The demo with fewer niches on the tests' own server; its database is dropped afterwards."""
    yield lambda: run(server, shape, lambda line: None, NICHES, EVENTS)
    superuser = create_engine(server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with superuser.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS demo_{shape} WITH (FORCE)"))


def assert_complete(demo: Demo, shape: Shape) -> None:
    rows = {each.name: each.rows for each in demo.relations}
    kinds = {each.name: each.kind for each in demo.relations}
    assert rows["public.features"] == NICHES
    assert rows["public.hot_niches_today"] == 50
    assert kinds["public.hot_niches_today"] == ("table" if shape is Shape.TABLE else "materialized view")
    assert kinds["analytics.trending_niches"] == "materialized view"
    assert rows["analytics.trending_niches"] > 0
    assert rows["analytics.platform_comparison"] > 0
    assert kinds["analytics.niche_daily_activity"] == "view"
    assert len(demo.hot_niches) == 10
    opportunities = [each.opportunity or 0 for each in demo.hot_niches]
    assert opportunities == sorted(opportunities, reverse=True)
    for each in demo.hot_niches:
        assert each.trend_direction in ("rising", "stable", "falling")
        assert (each.trend_confidence or 0) > 0.5
        assert (each.days_trending or 0) >= 1
    assert len({each.trend_direction for each in demo.hot_niches}) > 1


def test_it_builds_migrates_and_scores_and_then_has_nothing_to_do(demo: Callable[[], Demo], shape: Shape) -> None:
    first = demo()
    assert (first.niches_built, first.scored) == (NICHES, True)
    assert [step.revision for step in first.steps] == list(REVISIONS)
    assert first.steps[1].title == "Analytics schema"
    assert all(step.seconds >= 0 for step in first.steps)
    assert_complete(first, shape)

    again = demo()
    assert again.did_nothing
    assert again.relations == first.relations
    assert again.hot_niches == first.hot_niches


@pytest.mark.parametrize(
    ("words", "revision"),
    [
        ("INSERT INTO public.features", None),  # Phase 1 half built
        ("CREATE TABLE analytics.cross_platform_metrics", "2.0.1"),
        ("VALIDATE CONSTRAINT", "2.0.3"),  # a revision that committed its first half
        ("CREATE INDEX CONCURRENTLY idx_trend_cache_valid_until", "2.0.4"),
        ("UPDATE features SET", HEAD),  # migrated, the scorer not committed
    ],
)
def test_killed_it_is_finished_by_the_next_run(
    server: Server, shape: Shape, demo: Callable[[], Demo], words: str, revision: str | None
) -> None:
    where = [server.binaries, server.data, server.sockets, server.user or ""]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, where), shape, str(NICHES), words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -9, killed.stderr
    database = create_engine(server.url(f"demo_{shape}"), poolclass=NullPool)
    assert version(database) == revision

    finished = demo()
    assert finished.niches_built == (0 if revision else NICHES)
    assert [step.revision for step in finished.steps] == list(
        REVISIONS[REVISIONS.index(revision) + 1 if revision else 0 :]
    )
    assert finished.scored
    assert_complete(finished, shape)


def version(database: Engine) -> str | None:
    with database.connect() as connection:
        if not connection.scalar(text("SELECT to_regclass('alembic_version')::text")):
            return None
        revision: str = connection.scalars(text("SELECT version_num FROM alembic_version")).one()
        return revision


def test_two_at_once_are_refused(server: Server, shape: Shape, demo: Callable[[], Demo]) -> None:
    demo()
    database = create_engine(server.url(f"demo_{shape}"), poolclass=NullPool)
    with database.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(hashtextextended('sidb demo', 0))"))
        with pytest.raises(OnlineError, match=f"Another demo is at work in demo_{shape}"):
            demo()


def test_what_it_prints(
    server: Server, shape: Shape, demo: Callable[[], Demo], capsys: pytest.CaptureFixture[str]
) -> None:
    console = output.console()
    lines: list[str] = []
    result = run(server, shape, lines.append, NICHES, EVENTS)
    assert lines[0].startswith("Building Phase 1: 500 niches")
    assert [line.split()[0] for line in lines if line.startswith("  ")] == [
        *REVISIONS,
        "load",
        "run",
        "verify",
        "refresh",
    ]
    show(result, console)
    printed = capsys.readouterr().out
    assert "nothing to do" not in printed
    assert "\x1b" not in printed
    *plain, psql, _, _, page = printed.splitlines()
    assert max(len(line) for line in plain) <= 80
    assert psql.endswith(f"-d demo_{shape}")
    assert Path(page.split()[-1]).read_text(encoding="utf-8").count("<h2>") > 8

    show(demo(), console)
    nothing = f"There is nothing to do: demo_{shape} is migrated, scored and backfilled.\n"
    assert capsys.readouterr().out.startswith(nothing)


def test_a_database_of_ones_own_is_refused() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "sidb", "demo"],
        env={"DATABASE_URL": "postgresql://app:hunter2@db.example/sid"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert result.stderr == (
        "DATABASE_URL is set, but a demo runs in the embedded PostgreSQL only.\nNext: unset DATABASE_URL for it.\n"
    )
    assert result.stdout == ""
