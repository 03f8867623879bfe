"""refresh_stale_views: only what is stale, without holding up readers, by any number of sessions, and not by halves."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import Engine

from tests.engine.conftest import until
from tests.fixtures.databases import conninfo

Connection = psycopg.Connection[tuple[object, ...]]

ANALYSE = 'UPDATE features SET trend_vector = \'[["2017-09-13", 1], ["2017-09-14", 2]]\' WHERE niche_id <= 3'
METRIC = "INSERT INTO analytics.cross_platform_metrics (niche_id, platform) VALUES (1, 'youtube')"


@pytest.fixture
def sessions(migrated: Engine) -> Iterator[tuple[Connection, Connection]]:
    """Two real sessions on a database where nothing is stale; what waits for a lock fails at once."""
    with (
        psycopg.connect(conninfo(migrated.url), autocommit=True, options="-c lock_timeout=1ms") as one,
        psycopg.connect(conninfo(migrated.url), autocommit=True, options="-c lock_timeout=1ms") as two,
    ):
        refresh(one)
        yield one, two


def refresh(connection: Connection) -> list[object]:
    return [name for (name,) in connection.execute("SELECT analytics.refresh_stale_views()")]


def marks(connection: Connection) -> list[object]:
    return [name for (name,) in connection.execute("SELECT view_name FROM analytics.stale_views ORDER BY 1")]


def count(connection: Connection, view: str) -> int:
    [(found,)] = connection.execute(f"SELECT count(*) FROM analytics.{view}").fetchall()  # noqa: S608
    assert isinstance(found, int)
    return found


def filled_from(connection: Connection) -> list[tuple[object, ...]]:
    """A plain refresh gives a view another file, one CONCURRENTLY does not."""
    return connection.execute(
        "SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE relkind = 'm' ORDER BY 1"
    ).fetchall()


def test_only_what_is_stale(sessions: tuple[Connection, Connection]) -> None:
    one, _ = sessions
    before = filled_from(one)
    assert refresh(one) == []
    one.execute(ANALYSE)
    one.execute(ANALYSE)
    assert marks(one) == ["trending_niches", "trending_niches"]
    assert refresh(one) == ["trending_niches"]
    one.execute(METRIC)
    one.execute(ANALYSE)
    assert refresh(one) == ["platform_comparison", "trending_niches"]
    assert marks(one) == []
    assert refresh(one) == []
    assert (count(one, "trending_niches"), count(one, "platform_comparison")) == (3, 1)
    assert filled_from(one) == before  # CONCURRENTLY, each time


def test_readers_are_not_held_up(sessions: tuple[Connection, Connection]) -> None:
    """Neither those who began before the refresh, nor those who come while it is under way."""
    one, reader = sessions
    one.execute(ANALYSE)
    with reader.transaction():
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert count(reader, "trending_niches") == 0
        with one.transaction():
            assert refresh(one) == ["trending_niches"]
            assert count(reader, "trending_niches") == 0
        assert count(reader, "trending_niches") == 0
    assert count(reader, "trending_niches") == 3


def test_a_second_session_does_not_wait(sessions: tuple[Connection, Connection]) -> None:
    """It leaves to the first what that one is refreshing, and refreshes what has become stale besides."""
    one, two = sessions
    one.execute(ANALYSE)
    with one.transaction():
        assert refresh(one) == ["trending_niches"]
        assert refresh(two) == []
        two.execute(METRIC)
        assert refresh(two) == ["platform_comparison"]
    assert refresh(two) == []


def test_a_change_meanwhile_stays_marked(sessions: tuple[Connection, Connection]) -> None:
    one, two = sessions
    one.execute(ANALYSE)
    with one.transaction():
        assert refresh(one) == ["trending_niches"]
        two.execute(ANALYSE.replace("<= 3", "<= 5"))
    assert count(one, "trending_niches") == 3
    assert refresh(one) == ["trending_niches"]
    assert count(one, "trending_niches") == 5


# After the refresh, and before the function goes on, it waits for an advisory lock that the test holds.
PAUSE = """
    CREATE FUNCTION public.pause() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = 0
        AS 'BEGIN PERFORM pg_advisory_xact_lock(42); END';
    CREATE EVENT TRIGGER pause ON ddl_command_end WHEN TAG IN ('REFRESH MATERIALIZED VIEW')
        EXECUTE FUNCTION public.pause();
"""
PAUSED = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted AND pid = %s"


@contextmanager
def paused(one: Connection, two: Connection) -> Iterator[Future[list[str]]]:
    """A refresh by the first session, which waits behind its first view for as long as the block lasts."""
    two.execute(PAUSE)
    two.execute("SELECT pg_advisory_lock(42)")
    with ThreadPoolExecutor(1) as pool:
        refreshed = pool.submit(refresh, one)
        until(lambda: two.execute(PAUSED, [one.info.backend_pid]).fetchone() is not None, "it has refreshed")
        try:
            yield refreshed
        finally:
            two.execute("SELECT pg_advisory_unlock(42)")
    two.execute("DROP EVENT TRIGGER pause")


def test_a_change_just_behind_a_refresh_stays_marked(sessions: tuple[Connection, Connection]) -> None:
    """The refresh has not read it, so its mark must not go with those before it."""
    one, two = sessions
    one.execute(ANALYSE)
    with paused(one, two) as refreshed:
        two.execute(ANALYSE.replace("<= 3", "<= 5"))
    assert refreshed.result() == ["trending_niches"]
    assert count(one, "trending_niches") == 3
    assert refresh(one) == ["trending_niches"]
    assert count(one, "trending_niches") == 5


def test_what_another_has_refreshed_meanwhile_is_not_refreshed_again(sessions: tuple[Connection, Connection]) -> None:
    one, two = sessions
    one.execute(METRIC)
    one.execute(ANALYSE)
    with paused(one, two) as refreshed:
        assert refresh(two) == ["trending_niches"]
    assert refreshed.result() == ["platform_comparison"]


def test_an_uncommitted_change_is_marked_when_it_commits(sessions: tuple[Connection, Connection]) -> None:
    one, two = sessions
    with two.transaction():
        two.execute(ANALYSE)
        assert refresh(one) == []
    assert refresh(one) == ["trending_niches"]
    assert count(one, "trending_niches") == 3


def test_a_failed_refresh_keeps_the_marks(sessions: tuple[Connection, Connection]) -> None:
    """All of them: the one that would have succeeded is taken back with the other."""
    one, two = sessions
    one.execute(ANALYSE)
    one.execute(METRIC)
    with two.transaction():
        two.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.trending_niches")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            refresh(one)
    assert marks(one) == ["platform_comparison", "trending_niches"]
    assert (count(one, "trending_niches"), count(one, "platform_comparison")) == (3, 0)
    assert refresh(one) == ["platform_comparison", "trending_niches"]


def test_an_unpopulated_view_is_filled(sessions: tuple[Connection, Connection]) -> None:
    """As it is after pg_restore, where CONCURRENTLY is refused."""
    one, _ = sessions
    one.execute("REFRESH MATERIALIZED VIEW analytics.trending_niches WITH NO DATA")
    one.execute(ANALYSE)
    assert refresh(one) == ["trending_niches"]
    assert count(one, "trending_niches") == 3


@pytest.mark.parametrize("view", ["gone", "trend_cache"])
def test_a_mark_of_no_materialized_view_harms_nobody(sessions: tuple[Connection, Connection], view: str) -> None:
    one, _ = sessions
    one.execute("INSERT INTO analytics.stale_views (view_name) VALUES (%s)", [view])
    one.execute(ANALYSE)
    assert refresh(one) == ["trending_niches"]


def test_many_at_once(migrated: Engine) -> None:
    """Four sessions change and refresh at will: no error, and nothing that is shown is out of date unmarked."""
    start = Barrier(4)

    def work(me: int) -> None:
        with psycopg.connect(conninfo(migrated.url), autocommit=True) as connection:
            start.wait(60)
            for n in range(10):
                connection.execute(ANALYSE.replace("<= 3", f"= {1 + me * 10 + n}"))
                refresh(connection)

    with ThreadPoolExecutor(4) as pool:
        for job in [pool.submit(work, me) for me in range(4)]:
            job.result()
    with psycopg.connect(conninfo(migrated.url), autocommit=True) as connection:
        refresh(connection)
        assert marks(connection) == []
        assert count(connection, "trending_niches") == 40
