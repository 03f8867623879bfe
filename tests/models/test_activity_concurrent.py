"""Daily activity stays exact, and nobody deadlocks or waits for ever, while everything happens at once."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import psycopg
import pytest
from sqlalchemy import URL, Engine

from tests.engine.conftest import until
from tests.fixtures.databases import conninfo
from tests.fixtures.roles import Login
from tests.models.test_activity import DIFFERENCE, EVENT_WRITER

WRITERS = 16
TRANSACTIONS = 45  # a writer's, in three parts: before the TRUNCATE, before the rebuild, after it
NICHES = 12

INSERT = """
INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
SELECT
    (ARRAY['view', 'search'])[1 + n %% 2],
    'web',
    timestamptz '2017-09-13 00:00+00' + %(hours)s * interval '1 hour' + n * interval '7 hours',
    '{}',
    %(me)s,
    nullif((%(niche)s + n) %% 12, 0)
FROM generate_series(1, %(rows)s) AS numbers (n)
"""

# What a writer does to events of its own, many at a time …
OWN = [
    INSERT,
    INSERT,
    "UPDATE analytics.analytics_events SET event_timestamp = event_timestamp + %(hours)s * interval '1 hour'"
    " WHERE user_id = %(me)s AND niche_id <= %(niche)s",
    "UPDATE analytics.analytics_events SET niche_id = %(niche)s WHERE user_id = %(me)s AND event_type = 'view'",
    "UPDATE analytics.analytics_events SET niche_id = NULL WHERE user_id = %(me)s AND niche_id = %(niche)s",
    "UPDATE analytics.analytics_events SET event_type = 'watch' WHERE user_id = %(me)s AND niche_id = %(niche)s",
    "DELETE FROM analytics.analytics_events WHERE user_id = %(me)s AND niche_id = %(niche)s",
]

# … and to those of others, one in a transaction, so that writers cannot deadlock over rows.
ANYBODYS = [
    "UPDATE analytics.analytics_events SET event_timestamp = event_timestamp + interval '1 day', niche_id = %(niche)s"
    " WHERE event_id = (SELECT min(event_id) FROM analytics.analytics_events WHERE niche_id > %(niche)s)",
    "DELETE FROM analytics.analytics_events"
    " WHERE event_id = (SELECT max(event_id) FROM analytics.analytics_events WHERE niche_id < %(niche)s)",
]

Connection = psycopg.Connection[tuple[object, ...]]


def write(connection: Connection, seed: int, between: Callable[[int], None]) -> int:
    """A writer's life; returns how many of its transactions were rolled back on purpose."""
    chance = random.Random(seed)  # noqa: S311 - the same choices at every run
    rolled_back = 0
    for done in range(TRANSACTIONS):
        between(done)
        facts = {
            "me": f"writer-{seed}",
            "niche": chance.randrange(1, NICHES),
            "hours": chance.randrange(-40, 40),
            "rows": 5,
        }
        if chance.random() < 0.3:
            connection.execute(chance.choice(ANYBODYS), facts)
            continue
        undo = chance.random() < 0.25
        rolled_back += undo
        with connection.transaction(force_rollback=undo):
            for _ in range(chance.randrange(1, 4)):
                with connection.transaction(force_rollback=chance.random() < 0.25):
                    connection.execute(chance.choice(OWN), facts)
    return rolled_back


def connected(url: URL) -> Connection:
    # Whatever waits for longer than a minute here waits for ever.
    return psycopg.connect(conninfo(url), autocommit=True, options="-c statement_timeout=60s")


@pytest.fixture
def owner(migrated: Engine) -> Iterator[Connection]:
    with connected(migrated.url) as connection:
        yield connection


def assert_exact(owner: Connection) -> None:
    for _ in ("pending", "drained"):
        assert owner.execute(DIFFERENCE).fetchall() == []
        owner.execute("SELECT analytics.drain_niche_daily_activity()")
    assert owner.execute("SELECT count(*) FROM analytics.niche_daily_activity_delta").fetchone() == (0,)
    assert owner.execute("SELECT count(*) > 20 FROM analytics.niche_daily_activity").fetchone() == (True,)


def test_everything_at_once(owner: Connection, migrated: Engine, login: Login) -> None:
    """16 writers with table privileges only, two drainers, a reader, a TRUNCATE and a rebuild, and not one error."""
    application = login(*EVENT_WRITER)
    truncating, rebuilding = Barrier(WRITERS + 1), Barrier(WRITERS + 1)
    written = Event()

    def between(done: int) -> None:
        if done == TRANSACTIONS // 3:
            truncating.wait(60)
        elif done == 2 * TRANSACTIONS // 3:
            rebuilding.wait(60)

    def writer(seed: int) -> int:
        try:
            with connected(application) as connection:
                return write(connection, seed, between)
        except BaseException:
            truncating.abort()
            rebuilding.abort()
            raise

    def drainer() -> int:
        drained = 0
        with connected(migrated.url) as connection:
            while not written.is_set():
                drained += connection.execute("SELECT analytics.drain_niche_daily_activity()").fetchone()[0] or 0
        return drained

    def reader() -> int:
        reads = 0
        with connected(application.set(username=migrated.url.username)) as connection:
            while not written.is_set():
                assert connection.execute(DIFFERENCE).fetchall() == []
                reads += 1
        return reads

    def truncater() -> None:
        truncating.wait(60)
        with connected(application) as connection:
            connection.execute("TRUNCATE analytics.analytics_events")

    def rebuilder() -> None:
        rebuilding.wait(60)
        with connected(migrated.url) as connection:
            connection.execute("SELECT analytics.rebuild_niche_daily_activity()")

    with ThreadPoolExecutor(WRITERS + 5) as pool:
        background = [pool.submit(job) for job in (drainer, drainer, reader)]
        try:
            foreground = [pool.submit(writer, seed) for seed in range(WRITERS)]
            events = [pool.submit(job) for job in (truncater, rebuilder)]
            rolled_back = sum(job.result() for job in foreground)
            for job in events:
                job.result()
        finally:
            written.set()
        drained_one, drained_two, reads = (job.result() for job in background)

    assert rolled_back > WRITERS
    assert drained_one + drained_two > WRITERS
    assert reads > 0
    assert_exact(owner)


def test_rebuild_while_eight_write(owner: Connection, migrated: Engine, login: Login) -> None:
    """Counts that were wrong before are exact after, and stay so: no event is counted twice or not at all."""
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        for hours in range(30):
            owner.execute(INSERT, {"me": "load", "niche": hours, "hours": hours, "rows": 1000})
    assert owner.execute(DIFFERENCE).fetchall() != []

    application = login(*EVENT_WRITER)
    start = Barrier(9)

    def between(done: int) -> None:
        if done == 1:
            start.wait(60)

    def writer(seed: int) -> None:
        with connected(application) as connection:
            write(connection, seed, between)

    def rebuilder() -> None:
        with connected(migrated.url) as connection:
            start.wait(60)
            for _ in range(3):
                connection.execute("SELECT analytics.rebuild_niche_daily_activity()")
                assert connection.execute(DIFFERENCE).fetchall() == []

    with ThreadPoolExecutor(9) as pool:
        for job in [*(pool.submit(writer, seed) for seed in range(8)), pool.submit(rebuilder)]:
            job.result()
    assert_exact(owner)


def test_two_drain_at_once(owner: Connection, migrated: Engine) -> None:
    """Each delta is folded in once: by one of them, or by the other after it."""
    start = Barrier(2)

    def drainer() -> int:
        drained = 0
        with connected(migrated.url) as connection:
            for _ in range(20):
                start.wait(60)
                drained += connection.execute("SELECT analytics.drain_niche_daily_activity()").fetchone()[0] or 0
        return drained

    for hours in range(40):
        owner.execute(INSERT, {"me": "one", "niche": hours, "hours": hours, "rows": 20})
    waiting = owner.execute("SELECT count(*) FROM analytics.niche_daily_activity_delta").fetchone()[0]
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(lambda _: drainer(), range(2))) == waiting
    assert_exact(owner)


def test_writers_do_not_wait_for_a_drain_or_each_other(owner: Connection, migrated: Engine, login: Login) -> None:
    """An open drain and an open writer of the same niche and day hold up nobody."""
    facts = {"me": "one", "niche": 3, "hours": 0, "rows": 5}
    application = login(*EVENT_WRITER)
    owner.execute(INSERT, facts)
    with connected(application) as first, connected(application) as second, connected(migrated.url) as drainer:
        second.execute("SET lock_timeout = '1ms'")
        with drainer.transaction(), first.transaction():
            drainer.execute("SELECT analytics.drain_niche_daily_activity()")
            first.execute(INSERT, facts)
            second.execute(INSERT, facts)
            second.execute("UPDATE analytics.analytics_events SET event_type = 'watch' WHERE niche_id = 4")
            second.execute("DELETE FROM analytics.analytics_events WHERE niche_id = 5")
    assert owner.execute(DIFFERENCE).fetchall() == []


def test_reading_and_draining_do_not_deadlock_with_truncate(migrated: Engine) -> None:
    """All take their locks in one order."""
    done = Event()

    def repeat(statement: str) -> int:
        times = 0
        with connected(migrated.url) as connection:
            while not done.is_set():
                connection.execute(statement)
                times += 1
        return times

    with ThreadPoolExecutor(4) as pool:
        read = "SELECT count(*) FROM analytics.niche_daily_activity"
        others = [pool.submit(repeat, s) for s in (read, read, "SELECT analytics.drain_niche_daily_activity()")]
        try:
            with connected(migrated.url) as connection:
                for hours in range(150):
                    connection.execute(INSERT, {"me": "one", "niche": 1, "hours": hours, "rows": 5})
                    connection.execute("TRUNCATE analytics.analytics_events")
        finally:
            done.set()
        assert min(job.result() for job in others) > 0


def test_a_rebuild_does_not_deadlock_with_truncate(owner: Connection, migrated: Engine) -> None:
    """It asks for the events first, as a TRUNCATE does, and holds nothing while it waits for them."""
    owner.execute(INSERT, {"me": "one", "niche": 1, "hours": 1, "rows": 5})
    waits = "SELECT FROM pg_locks WHERE NOT granted AND pid = %s"
    with connected(migrated.url) as rebuilding, ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute("LOCK TABLE analytics.analytics_events")
            rebuilt = pool.submit(rebuilding.execute, "SELECT analytics.rebuild_niche_daily_activity()")
            until(lambda: owner.execute(waits, [rebuilding.info.backend_pid]).fetchone() is not None, "it waits")
            owner.execute("SET LOCAL lock_timeout = '1ms'; TRUNCATE analytics.analytics_events")
        assert rebuilt.result().fetchone() == (0,)
