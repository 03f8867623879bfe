"""Replicas that are named: their readers do not wait behind replay; what goes wrong with one is said, and bounded."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from alembic_online import replicas as engine
from alembic_online.replica import NoStandbyError, Replica, identity
from alembic_online.replicas import EXCLUSIVE, following
from sqlalchemy import URL, Engine

from operations.embedded import Server
from operations.phase1 import Shape
from tests.engine.conftest import current, refusal, until
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.replicas import FELT, Readers, another_standby, report, short_readers
from tests.fixtures.revisions import HEAD
from tests.revisions.conftest import APPLICATION, deploy


def address(server: Server, url: URL) -> str:
    return server.url(str(url.database)).render_as_string(hide_password=False)


def minding(url: URL, *servers: Server, x: tuple[str, ...] = ("deadline=60s",)) -> Alembic:
    """Alembic that is told of these replicas."""
    return Alembic(url, x=(*x, "replicas=" + " ".join(address(server, url) for server in servers)))


def lag(cluster: Cluster, server: Server, url: URL) -> float:
    """Seconds until a standby has replayed what is written on the primary by now."""
    with psycopg.connect(conninfo(url)) as primary:
        (lsn,) = primary.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone() or ("",)
    began = time.monotonic()
    cluster.until(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'", server)
    return time.monotonic() - began


@contextmanager
def once(happened: Callable[[], bool], act: Callable[[], object]) -> Iterator[None]:
    """In the middle of the block: as soon as something happened, act."""

    def wait() -> None:
        until(happened, "the moment")
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    yield
    thread.join()


MANY = 100
"""Short reads that take longer than WAL that no commit waits for takes to reach a replica."""


def reading_on(readers: Readers, caplog: pytest.LogCaptureFixture) -> Callable[[], bool]:
    """Whether it was said that a report is waited for, and short readers go on reading since."""
    before: list[int] = []

    def happened() -> bool:
        if not before and any(": waits for the end of pid " in message for message in caplog.messages):
            before.append(readers.reads)
        return bool(before) and readers.reads > before[0] + MANY

    return happened


@pytest.fixture(autouse=True)
def everything_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "alembic.online")


@pytest.fixture
def url(cluster: Cluster, cluster_clone: Clone, second_standby: Server) -> URL:
    """Phase 1 on the primary, and on both replicas."""
    made = cluster_clone("phase1_table")
    cluster.caught_up()
    return made


def test_a_report_is_waited_for_and_readers_do_not_wait(
    cluster: Cluster, url: URL, second_standby: Server, caplog: pytest.LogCaptureFixture
) -> None:
    there = second_standby.url(str(url.database))
    Alembic(url).upgrade("2.0.3")
    with (
        short_readers(there) as readers,
        short_readers(cluster.replica_url(str(url.database))) as others,
        report(there, 60) as end,
        once(reading_on(readers, caplog), end),
    ):
        minding(url, second_standby, cluster.replica).upgrade()
        assert lag(cluster, second_standby, url) < FELT
    assert max(readers.longest, others.longest) < FELT
    named = [message for message in caplog.messages if "application report" in message]
    assert named[0].startswith("blocked by pid ")
    assert "***" not in "".join(named)
    assert any(": waits for the end of pid " in message for message in named)
    assert current(url) == HEAD


def test_without_their_names_readers_wait(cluster: Cluster, url: URL, second_standby: Server) -> None:
    there = second_standby.url(str(url.database))
    Alembic(url).upgrade("2.0.3")
    with short_readers(there) as readers, report(there, 4):
        Alembic(url).upgrade()
        lag(cluster, second_standby, url)
    assert readers.longest > 0.5


@pytest.mark.parametrize(("x", "said"), [(("deadline=300ms",), "goes on after 300 ms"), (("replica-wait=0s",), "")])
def test_it_goes_on_after_the_deadline_or_where_it_is_told_not_to_wait(
    url: URL, second_standby: Server, caplog: pytest.LogCaptureFixture, x: tuple[str, ...], said: str
) -> None:
    with report(second_standby.url(str(url.database)), 30):
        Alembic(url).upgrade("2.0.3")
        minding(url, second_standby, x=x).upgrade()
    assert current(url) == HEAD
    assert any("goes on after" in message for message in caplog.messages) == bool(said)
    assert any("blocked by pid" in message for message in caplog.messages)
    assert said in "".join(caplog.messages)


def test_what_is_no_replica_is_refused_in_a_sentence(
    cluster: Cluster, url: URL, server: Server, second_standby: Server
) -> None:
    primary, other = conninfo(cluster.url(str(url.database))), conninfo(server.url("postgres"))
    elsewhere = conninfo(second_standby.url("postgres"))
    nobody = "postgresql://u:hunter2@127.0.0.1:1/d"
    for given, why in (
        (primary, "it follows no server: it is the primary itself, or was promoted"),
        (other, "it is another cluster (system identifier "),
        (elsewhere, "it is database postgres, not "),
        (nobody, "Replica postgresql://u:***@127.0.0.1:1/d cannot be reached: "),
        ("hunter2", "-x replicas: address 1 is malformed."),
    ):
        said = refusal(Alembic(url, x=(f"replicas={given}",)).upgrade)
        assert why in said
        assert "Next: " in said
        assert "hunter2" not in said
    assert current(url) is None


def test_one_that_is_stopped_or_promoted_meanwhile_is_left_out(
    cluster: Cluster, url: URL, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "LOST", 0.5)

    def waits() -> bool:
        return any(": waits for the end of pid " in message for message in caplog.messages)

    with another_standby(cluster) as first:
        there = first.url(str(url.database))
        with report(there, 30), once(waits, first.stop):
            minding(url, first, cluster.replica).upgrade()
        assert any("does not answer: " in message and "left out from now on" in message for message in caplog.messages)
        first.start()
        Alembic(url).downgrade("2.0.2")
        caplog.clear()
        with (
            psycopg.connect(conninfo(first.url("postgres")), autocommit=True) as session,
            report(there, 30),
            once(waits, lambda: session.execute("SELECT pg_promote(false)")),
        ):
            minding(url, first).upgrade()
        assert any("was promoted" in message for message in caplog.messages)
    assert current(url) == HEAD


def test_one_that_does_not_replay_is_waited_for_as_long_as_is_allowed(
    cluster: Cluster, url: URL, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "TELL_EVERY", 0.1)
    with cluster.replay_paused():
        began = time.monotonic()
        minding(url, cluster.replica, x=("replica-wait=300ms",)).upgrade("2.0.1")
    assert time.monotonic() - began < 10
    assert any("has not replayed it within 300 ms" in message for message in caplog.messages)
    assert any(message.endswith(" has replayed it, where replay is paused") for message in caplog.messages)
    assert current(url) == "2.0.1"


def test_a_role_that_may_not_see_replicas_is_told(
    cluster: Cluster, cluster_clone: Clone, connect: Callable[..., Engine], caplog: pytest.LogCaptureFixture
) -> None:
    made = deploy(cluster.primary, cluster_clone("empty"), Shape.TABLE, connect)
    unseen = "replicas go unseen: this role may not see pg_stat_replication"
    Alembic(made.owner.url).upgrade("2.0.1")
    assert any(unseen in message for message in caplog.messages)
    caplog.clear()
    minding(made.owner.url, cluster.replica).upgrade("2.0.2")
    Alembic(made.superuser.url).upgrade("2.0.3")
    assert not any(unseen in message for message in caplog.messages)


def test_a_role_that_may_not_see_into_sessions_takes_those_that_stay_for_long_ones(
    cluster: Cluster, cluster_clone: Clone, connect: Callable[..., Engine], second_standby: Server
) -> None:
    made = deploy(cluster.primary, cluster_clone("empty"), Shape.TABLE, connect)
    url = made.superuser.url
    there = second_standby.url(str(url.database))
    lag(cluster, second_standby, url)
    with (
        psycopg.connect(conninfo(url), autocommit=True) as primary,
        closing(Replica(there.set(username=APPLICATION), identity(primary), "test")) as replica,
        report(there, 30),
    ):
        [found] = replica.readers({"public.features": EXCLUSIVE})
    assert found.transaction_seconds == 0
    assert "what it does is hidden from this role" in str(found)


FEATURES = {"public.features": EXCLUSIVE}
AT_ONCE = 0.0


def test_nothing_is_waited_for_by_whoever_holds_what_readers_wait_for(
    cluster: Cluster, url: URL, second_standby: Server
) -> None:
    there = second_standby.url(str(url.database))
    with (
        psycopg.connect(conninfo(url), autocommit=True) as primary,
        psycopg.connect(conninfo(url)) as migrator,
        following([there], primary, "test", migrator.info.backend_pid, limit=1) as replicas,
        report(there, 30),
    ):
        until(lambda: replicas.readers(FEATURES) != [], "the report is no short reader")
        migrator.execute("LOCK TABLE hot_niches_today")
        assert replicas.wait_for_readers(FEATURES, "a step") == AT_ONCE
        assert replicas.wait_until_replayed("a step") == AT_ONCE


def test_a_step_waits_for_queries_no_longer_than_the_limit_over_all_its_tries_and_says_so_once(
    url: URL, second_standby: Server, caplog: pytest.LogCaptureFixture
) -> None:
    there = second_standby.url(str(url.database))
    limit = 2.0
    with (
        psycopg.connect(conninfo(url), autocommit=True) as primary,
        following([there], primary, "test", limit=limit) as replicas,
        report(there, 30),
    ):
        until(lambda: replicas.readers(FEATURES) != [], "the report is no short reader")
        first, *more = (replicas.wait_for_readers(FEATURES, "a step") for _ in range(3))
    assert first > limit
    assert sum(more) < limit
    assert len([message for message in caplog.messages if "goes on after 2.0 s" in message]) == 1


def test_who_replays_a_lock_is_no_reader(cluster: Cluster, url: URL, second_standby: Server) -> None:
    there = second_standby.url(str(url.database))
    replayed = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'public.features'::regclass AND granted)"
    with (
        psycopg.connect(conninfo(url), autocommit=True) as primary,
        psycopg.connect(conninfo(url)) as migrator,
        psycopg.connect(conninfo(there), autocommit=True) as session,
        closing(Replica(there, identity(primary), "test")) as replica,
    ):
        migrator.execute("LOCK TABLE features")
        primary.execute("SELECT pg_logical_emit_message(true, 'test', '')")  # the lock's record goes along
        until(lambda: session.execute(replayed).fetchone() == (True,), "the lock is replayed")
        assert replica.readers(FEATURES) == []


@pytest.mark.parametrize("ask", [lambda replica: replica.replay("0/0"), lambda replica: replica.readers(FEATURES)])
def test_one_that_was_promoted_is_asked_no_more(cluster: Cluster, url: URL, ask: Callable[[Replica], object]) -> None:
    with another_standby(cluster) as first:
        there = first.url(str(url.database))
        lag(cluster, first, url)
        with (
            psycopg.connect(conninfo(url), autocommit=True) as primary,
            closing(Replica(there, identity(primary), "test")) as replica,
            psycopg.connect(conninfo(there), autocommit=True) as session,
        ):
            ask(replica)
            session.execute("SELECT pg_promote()")
            with pytest.raises(NoStandbyError, match="was promoted"):
                ask(replica)
