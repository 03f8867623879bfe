"""Of the sessions that have a transaction open, only those that hold what was asked for are in the way."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic_online import acquire, open_session
from alembic_online.acquisition import gave_up
from alembic_online.blockers import Blockers
from alembic_online.options import Options
from alembic_online.retry import RetryPolicy
from sqlalchemy import URL

from operations.scope import SCOPE
from tests.engine.conftest import until
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.server import throwaway_server

WANTED = {"public.features": "AccessExclusiveLock"}


@pytest.fixture
def url(clone: Clone) -> URL:
    return clone("phase1_table")


@pytest.fixture
def observer(url: URL) -> Iterator[psycopg.Connection[object]]:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        yield connection


@contextmanager
def idle(url: URL, statement: str) -> Iterator[psycopg.Connection[object]]:
    """A session that has been idle in a transaction for a moment, whose transaction is more than a second old."""
    with closing(psycopg.connect(conninfo(url), application_name="report")) as session:
        session.execute(statement.encode())
        session.execute("SELECT pg_sleep(1.1)")
        yield session


def test_an_idle_session_that_is_in_nobodys_way_is_not_ended(
    url: URL, observer: psycopg.Connection[object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "alembic.online")
    with idle(url, "SELECT FROM hot_niches_today LIMIT 1") as bystander:
        Blockers(observer, 0, end_idle_after=0.0).missed(WANTED, "a step")
        bystander.execute("SELECT 1")
        pid = bystander.info.backend_pid
    [told] = caplog.messages
    assert told.startswith(f"a step: blocked by another session, perhaps pid {pid} (user postgres, ")


def test_only_the_one_that_holds_the_lock_is_ended(
    url: URL, observer: psycopg.Connection[object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "alembic.online")
    with idle(url, "SELECT FROM features LIMIT 1") as holder, idle(url, "SELECT 1") as bystander:
        pid = holder.info.backend_pid
        Blockers(observer, 0, end_idle_after=0.0).missed(WANTED, "a step")
        bystander.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            holder.execute("SELECT 1")
    assert [message.partition(" (")[0] for message in caplog.messages] == [
        f"a step: blocked by pid {pid} on features",
        f"Ended pid {pid}, which was idle in a transaction for 1 s",
    ]


def test_nobody_is_told_to_end_a_session_that_may_be_in_nobodys_way(
    url: URL, observer: psycopg.Connection[object]
) -> None:
    with idle(url, "SELECT FROM hot_niches_today LIMIT 1") as bystander:
        pid, found = bystander.info.backend_pid, Blockers(observer, 0, None).blockers(WANTED)
        said = str(gave_up("a step", RetryPolicy(1), found, Options()))
    assert f"\n  another session, perhaps pid {pid} (user postgres, " in said
    assert "end-idle-after" not in said
    assert "pg_terminate_backend" not in said


PARTITIONED = """
    CREATE TABLE log (day date) PARTITION BY RANGE (day);
    CREATE TABLE log_year PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY RANGE (day);
    CREATE TABLE "Log May" PARTITION OF log_year FOR VALUES FROM ('2025-05-01') TO ('2025-06-01');
    CREATE TABLE older () INHERITS (features)
"""


@pytest.mark.parametrize(("wanted", "part"), [("public.log", '"Log May"'), ("public.features", "older")])
def test_whoever_holds_a_partition_or_a_child_is_in_the_way(
    url: URL, observer: psycopg.Connection[object], wanted: str, part: str
) -> None:
    observer.execute(PARTITIONED)
    with psycopg.connect(conninfo(url)) as reader:
        reader.execute(f"SELECT FROM ONLY {part}".encode())
        [found] = Blockers(observer, 0, None).holders({wanted: "AccessExclusiveLock"})
        assert (found.pid, found.relation) == (reader.info.backend_pid, part)


SLOW = """
    CREATE ROLE theirs; CREATE ROLE plain LOGIN IN ROLE pg_read_all_data; GRANT CREATE ON SCHEMA public TO plain;
    CREATE TABLE log (n int) PARTITION BY RANGE (n);
    CREATE TABLE log_1 PARTITION OF log DEFAULT WITH (
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
        autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0
    );
    ALTER TABLE log OWNER TO plain;
    CREATE MATERIALIZED VIEW counted WITH (
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
        autovacuum_vacuum_threshold = 0, autovacuum_vacuum_insert_threshold = 0,
        autovacuum_vacuum_insert_scale_factor = 0
    ) AS SELECT * FROM generate_series(1, 200000) AS s (n);
    ALTER MATERIALIZED VIEW counted OWNER TO plain;
    INSERT INTO log SELECT * FROM generate_series(1, 200000);
    DELETE FROM log
"""


@pytest.mark.parametrize(
    ("role", "vacuumed", "wanted", "owner"),
    [
        ("postgres", "log_1", "public.log", "postgres"),
        ("plain", "log_1", "public.log", "theirs"),
        ("plain", "counted", "public.counted", "plain"),
    ],
)
def test_an_autovacuum_yields(pg_bin: Path, role: str, vacuumed: str, wanted: str, owner: str) -> None:
    """Also one of a partition of another owner or of a materialized view, which LOCK TABLE refuses."""
    with throwaway_server(pg_bin, {"autovacuum_naptime": "1s"}) as server:
        url = server.url("postgres")
        with psycopg.connect(conninfo(url), autocommit=True) as connection:
            connection.execute(SLOW)
            connection.execute(f"ALTER TABLE log_1 OWNER TO {owner}")
            connection.execute("SELECT pg_stat_force_next_flush()")
        opened = open_session(url.set(username=role), SCOPE, Options(deadline=15))
        with opened as session, session.connection.transaction():
            leaf = {f"public.{vacuumed}": "AccessExclusiveLock"}
            until(
                lambda: [each for each in session.blockers.holders(leaf) if each.is_autovacuum] != [], "it is at work"
            )
            acquire(session, {wanted: "AccessExclusiveLock"}, "a step")
