"""What is offered to whoever did not get a lock works when it is typed, on those that are in the way."""

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import psycopg
import pytest
from sqlalchemy import URL

from tests.engine.conftest import refusal, until
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.lived_in import OWNER, administrator

HOLD = "SELECT FROM public.features LIMIT 1"
AGAIN = (
    "\nNext: run it again when these transactions have ended, which is safe: what is done stays, or let it wait longer"
    " (-x"
)


@pytest.fixture
def url(clone: Clone) -> URL:
    """Of an owner who is no superuser, and sees of others' sessions only that they are there."""
    found = clone("lived_in_table")
    Alembic(found).upgrade("2.0.3")
    return found


def said(url: URL, *x: str) -> str:
    """What is said of 2.0.4, and what to type."""
    found = refusal(Alembic(url, x=("deadline=400ms", *x)).upgrade)
    assert "2.0.4 upgrade: could not acquire its locks within 0 s" in found
    return found


@contextmanager
def active(url: URL) -> Iterator[int]:
    """Somebody who is at work on features; its pid."""
    with psycopg.connect(conninfo(url)) as working, psycopg.connect(conninfo(url), autocommit=True) as looking:
        pid = working.info.backend_pid

        def work() -> None:
            with suppress(psycopg.OperationalError):
                working.execute("SELECT pg_sleep(60) FROM (SELECT FROM public.features LIMIT 1) AS f")

        at_work = threading.Thread(target=work)
        at_work.start()
        sleeps = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep')"
        until(lambda: looking.execute(sleeps, [pid]).fetchone() == (True,), "it is at work")
        try:
            yield pid
        finally:
            looking.execute("SELECT pg_terminate_backend(%s)", [pid])
            at_work.join()
            working.close()


def test_an_idle_session_of_its_own(url: URL) -> None:
    with closing(psycopg.connect(conninfo(url))) as blocker:
        blocker.execute(HOLD)
        blocker.execute("SELECT pg_sleep(1.1)")
        found = said(url)
        assert f"{AGAIN} deadline=1h), or let it disconnect those that are idle in a transaction" in found
        assert "for longer than 1s (-x end-idle-after=1s), which loses their open work." in found
        assert "pg_terminate_backend" not in found
        Alembic(url, x=("deadline=30s", "end-idle-after=1s")).upgrade()


def test_an_active_session_is_not_ended_as_an_idle_one(url: URL) -> None:
    with active(url) as pid:
        found = said(url, "end-idle-after=1ms")
        assert f"{AGAIN} deadline=1h), or have them ended (SELECT pg_t" in found
        assert "(-x end-idle-after" not in found
        typed(url, found, f"SELECT pg_terminate_backend({pid});")
        Alembic(url).upgrade()


def test_sessions_that_this_role_may_neither_see_nor_end(url: URL) -> None:
    admin = administrator(url)
    with closing(psycopg.connect(conninfo(admin), application_name="report")) as blocker:
        blocker.execute(HOLD)
        pid = blocker.info.backend_pid
        found = said(url, "end-idle-after=1ms")
        hidden = "(user postgres, application report; what it does is hidden from this role)"
        assert f"\n  pid {pid} on features {hidden}\n" in found
        assert f"{AGAIN} deadline=1h), or have them ended by an administrator (SELECT pg_t" in found
        assert "(-x end-idle-after" not in found
        typed(admin, found, f"GRANT pg_monitor TO {OWNER};")
        try:
            found = said(url, "end-idle-after=1ms")
            assert f"\n  pid {pid} on features (user postgres, application report, idle in transaction, tran" in found
            assert "hidden" not in found
            assert "(-x end-idle-after" not in found, "it may not be ended by this role"
            typed(admin, found, f"SELECT pg_terminate_backend({pid});")
        finally:
            with psycopg.connect(conninfo(admin), autocommit=True) as connection:
                connection.execute(f"REVOKE pg_monitor FROM {OWNER}".encode())
        Alembic(url).upgrade()


@pytest.mark.parametrize("limit", ["end-idle-after=1ms", "end-idle-after=1h"])
def test_an_index_built_concurrently_ends_idle_sessions_as_well(clone: Clone, limit: str) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.4")
    with closing(psycopg.connect(conninfo(url))) as blocker:
        blocker.execute("LOCK TABLE analytics.trend_cache IN ROW EXCLUSIVE MODE; SELECT pg_sleep(1.1)")
        if limit.endswith("1h"):
            assert "2.0.5 upgrade: could not acquire its locks" in refusal(
                Alembic(url, x=("deadline=1500ms", limit)).upgrade
            )
            blocker.execute("SELECT 1")
        else:
            Alembic(url, x=("deadline=20s", limit)).upgrade()
            with pytest.raises(psycopg.OperationalError):
                blocker.execute("SELECT 1")


def typed(url: URL, found: str, statement: str) -> None:
    """Type what is offered."""
    assert re.search(re.escape(statement), found), found
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(statement.encode())
