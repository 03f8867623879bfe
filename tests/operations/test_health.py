"""What bulk work minds: each trouble, and the application at work, made for real and seen by the backfill's health."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from alembic_online import database
from sqlalchemy import Engine, text

from backfill.pacing import Throttle, Trouble
from operations.embedded import Server
from operations.health import Health, throttle
from tests.engine.conftest import until
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.roles import Login
from tests.fixtures.server import throwaway_server

FEATURES = ["public.features"]
ALL = 1.0
"""The share of the time that batches may take where nobody else is at work."""


def trouble(engine: Engine, health: Health) -> Trouble | None:
    with engine.connect() as connection:
        return health.trouble(connection, FEATURES)


def reason(engine: Engine, health: Health) -> str | None:
    found = trouble(engine, health)
    return found.reason if found else None


@pytest.fixture
def sidb(migrated: Engine) -> Iterator[Engine]:
    """Sessions as this project's commands have them."""
    engine = database.engine(migrated.url, connect_args={"application_name": "sidb"})  # as the command is called
    yield engine
    engine.dispose()


@contextmanager
def session(engine: Engine) -> Iterator[psycopg.Connection]:
    """A session of the application's."""
    with psycopg.connect(conninfo(engine.url), autocommit=True) as connection:
        yield connection


def test_a_replica_behind_and_an_archive_that_fails(
    cluster: Cluster, cluster_clone: Clone, connect: Callable[..., Engine]
) -> None:
    url = cluster_clone("migrated_table")
    engine = connect(url)
    cluster.caught_up()
    assert trouble(engine, Health()) is None
    with cluster.writing(url), cluster.replay_paused():
        until(lambda: reason(engine, Health(lag_seconds=0.2)) == "replica_lag", "the replica is behind")
    with cluster.archive_failing():
        assert trouble(engine, Health()) == Trouble("wal_archiving", "archiving WAL fails")
    assert trouble(engine, Health()) is None


def test_sessions_that_wait_for_a_lock(migrated: Engine) -> None:
    assert trouble(migrated, Health()) is None
    update = "UPDATE features SET demand_score = 1 WHERE niche_id = 1"
    with session(migrated) as holder, session(migrated) as waiting, waiting.pipeline():
        holder.execute("BEGIN")
        holder.execute(update)
        waiting.execute(update)  # sent, and not waited for
        waiting.pgconn.flush()
        until(lambda: reason(migrated, Health()) == "lock_waiters", "a session has waited for 0.1 s")
        found = trouble(migrated, Health())
        assert found is not None
        assert found.detail == "1 sessions wait for locks"
        holder.execute("COMMIT")
    assert trouble(migrated, Health()) is None


def test_connections_near_their_limit(migrated: Engine) -> None:
    found = trouble(migrated, Health(connections_share=0.001))
    assert found is not None
    assert found.reason == "connections"
    assert found.detail.endswith(" of 197 connections are used")


def test_connections_are_counted_by_a_role_that_may_not_see_what_they_do(
    login: Login, connect: Callable[..., Engine]
) -> None:
    role = connect(login())
    with session(connect(administrator(role.url))) as _, session(role) as _:
        found = trouble(role, Health(connections_share=0.001))
    assert found is not None
    assert int(found.detail.split()[0]) >= 3


def test_what_is_reserved_is_not_for_applications(server: Server, pg_bin: Path, connect: Callable[..., Engine]) -> None:
    with psycopg.connect(conninfo(server.url("postgres"))) as connection:
        has_the_setting = connection.info.server_version >= 160_000
    with throwaway_server(pg_bin, {"reserved_connections": "7"} if has_the_setting else {}) as own:
        found = trouble(connect(own.url("postgres")), Health(connections_share=0.001))
    assert found == Trouble("connections", f"1 of {190 if has_the_setting else 197} connections are used")


def test_autovacuum_at_work_on_a_table_to_be_filled(pg_bin: Path, connect: Callable[..., Engine]) -> None:
    slow = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
    at_once = "autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0"
    with throwaway_server(pg_bin, {"autovacuum_naptime": "1s"}) as server:
        engine = connect(server.url("postgres"))
        with psycopg.connect(conninfo(server.url("postgres")), autocommit=True) as application:
            application.execute(f"CREATE TABLE features (n int) WITH ({slow}, {at_once})")
            application.execute("INSERT INTO features SELECT * FROM generate_series(1, 9999)")
            application.execute("CREATE TABLE others (n int); CREATE TABLE whole (n int) PARTITION BY LIST (n)")
            application.execute("ALTER TABLE whole ATTACH PARTITION features DEFAULT")
            application.execute("DELETE FROM features")
            application.execute("SELECT pg_stat_force_next_flush()")
            until(lambda: reason(engine, Health()) == "autovacuum", "autovacuum is at it")
        with engine.connect() as connection:
            assert Health().trouble(connection, ["public.others"]) is None
            found = Health().trouble(connection, ["public.others", "public.whole"])
            assert found == Trouble("autovacuum", "autovacuum works on features")


def share(engine: Engine, health: Health | None = None) -> float:
    with engine.connect() as connection:
        return (health or Health()).share(connection)


def test_nobody_else_is_at_work_beside_our_own_commands(sidb: Engine) -> None:
    with sidb.connect() as other:
        other.execute(text("SELECT 1"))
        until(lambda: share(sidb) == ALL, "nobody was at work for a second")
        other.execute(text("SELECT 1"))
        assert share(sidb) == ALL


def test_the_application_is_at_work_for_a_second_after_each_statement(sidb: Engine) -> None:
    with session(sidb) as application:
        application.execute("SELECT 1")
        assert share(sidb, Health(beside_application=0.25)) == 0.25
        until(lambda: share(sidb) == ALL, "it rests")
        application.execute("BEGIN")
        application.execute("SELECT 1")
        assert share(sidb) < ALL
        until(lambda: share(sidb) == ALL, "a transaction left open is no work")


def test_a_statement_that_runs_for_long_is_work(sidb: Engine) -> None:
    with session(sidb) as holder, session(sidb) as application, application.pipeline():
        holder.execute("SELECT pg_advisory_lock(1)")
        application.execute("SELECT pg_advisory_lock(1)")
        application.pgconn.flush()
        since = "SELECT clock_timestamp() - query_start > interval '1.2 seconds' FROM pg_stat_activity WHERE pid = %s"
        pid = application.info.backend_pid
        until(lambda: holder.execute(since, [pid]).fetchone() == (True,), "it has run for more than a second")
        holder.execute("SET application_name = 'sidb itself'")
        assert share(sidb) < ALL
        holder.execute("SELECT pg_advisory_unlock(1)")


def test_what_the_role_may_not_see_counts_as_work(
    migrated: Engine, login: Login, connect: Callable[..., Engine]
) -> None:
    plain = connect(login(), connect_args={"application_name": "sidb"})
    watching = connect(login("pg_monitor"), connect_args={"application_name": "sidb"})
    with session(migrated):
        until(lambda: share(watching) == ALL, "the session does nothing")
        assert share(plain) < ALL


def test_reading_rests_for_the_application_from_when_it_is_at_work(sidb: Engine) -> None:
    """Within one transaction, too, in which PostgreSQL would go on telling what it told first."""
    rests: list[float] = []
    with sidb.connect() as connection, connection.begin():
        reading = replace(throttle(connection, 0.25), wait=rests.append)
        with reading.piece():
            connection.execute(text("SELECT 1"))
        assert rests == []
        with session(sidb) as application:
            application.execute("SELECT 1")
            with reading.piece():
                connection.execute(text("SELECT pg_sleep(0.02)"))
            with reading.piece():
                [rest] = rests
            assert rest >= 0.06
            never = replace(throttle(connection, 1.0), wait=rests.append)
            for _ in range(2):
                with never.piece():
                    connection.execute(text("SELECT pg_sleep(0.02)"))
        assert len(rests) == 1


def test_of_pieces_within_pieces_each_moment_counts_once() -> None:
    rests: list[float] = []

    def wait(seconds: float) -> None:
        rests.append(seconds)
        time.sleep(seconds)

    reading, began = Throttle(lambda: 0.5, wait), time.monotonic()
    with reading.piece():
        for _ in range(3):
            with reading.piece():
                done = time.monotonic() + 0.02
                while time.monotonic() < done:
                    pass
    assert len(rests) == 2, "between them"
    assert sum(rests) < 0.6 * (time.monotonic() - began)  # three quarters, if twice
