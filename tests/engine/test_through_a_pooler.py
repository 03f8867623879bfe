"""Through a pooler in session mode the driver's number of the session is the pooler's own: the server's is watched."""

import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from alembic_online import Session, open_session
from alembic_online.alerts import Alerts
from alembic_online.database import engine
from alembic_online.held import reason
from alembic_online.watcher import Watcher
from sqlalchemy import URL, NullPool, text
from sqlalchemy.exc import DBAPIError

from operations.scope import SCOPE
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.pooler import Pooler

WANTED = {"public.features": "AccessExclusiveLock"}
HOLD = "LOCK TABLE features IN ACCESS EXCLUSIVE MODE"


@pytest.fixture
def url(clone: Clone) -> URL:
    return clone("phase1_table")


@pytest.fixture
def session(url: URL, pooler: Pooler) -> Iterator[Session]:
    with open_session(pooler(url, "session"), SCOPE, autocommit=False) as opened:
        yield opened


def test_the_migrator_is_the_servers_process(session: Session) -> None:
    row = session.connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row == (session.blockers.migrator,) == (session.replicas.migrator,)
    assert row != (session.connection.info.backend_pid,), "the driver has the pooler's"


def test_it_is_not_in_its_own_way(session: Session) -> None:
    session.connection.execute(HOLD)
    assert session.blockers.holders(WANTED) == []
    assert session.replicas._migrator_holds()


def test_who_waits_for_it_is_seen_and_an_alert_stops_it(url: URL, session: Session) -> None:
    session.connection.execute(HOLD)
    with psycopg.connect(conninfo(url)) as waiting, psycopg.connect(conninfo(url), autocommit=True) as observer:
        waiting.execute("SET lock_timeout = '5s'")
        reader = threading.Thread(target=waiting.execute, args=("SELECT FROM features LIMIT 1",))
        reader.start()
        with closing(Watcher(observer, session.blockers.migrator, Alerts(0.5, "stop", ()))) as watcher:
            watcher.begin("a step")
            try:
                with pytest.raises(psycopg.errors.QueryCanceled):
                    session.connection.execute("SELECT pg_sleep(2)")
            finally:
                session.connection.rollback()
                reader.join()
            assert watcher.end().blocked_sessions == 1


def test_of_a_lock_that_was_missed_its_own_session_is_not_named(url: URL, pooler: Pooler) -> None:
    through = engine(pooler(url, "session"), settings={"lock_timeout": "50ms"}, poolclass=NullPool)
    with through.connect() as ours, psycopg.connect(conninfo(url), application_name="report") as other:
        ours.execute(text("LOCK TABLE public.hot_niches_today IN SHARE MODE"))
        other.execute(HOLD)
        with pytest.raises(DBAPIError) as missed, ours.begin_nested():
            ours.execute(text("SELECT FROM public.features"))
        said = reason(missed.value, ours)
    assert "application report" in said
    assert said.count("pid ") == 1
