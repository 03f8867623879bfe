"""Whoever held what could not be locked is named: those of this database, and no more of them than can be read."""

from contextlib import ExitStack

import psycopg
import pytest
from alembic_online.blockers import Blockers
from alembic_online.held import holders, named
from sqlalchemy import URL

from tests.fixtures.databases import Clone, conninfo

WANTED = {"public.features": "AccessExclusiveLock"}
HOLD = "LOCK TABLE features IN SHARE MODE"


@pytest.fixture
def url(clone: Clone) -> URL:
    return clone("phase1_table")


@pytest.mark.parametrize(("count", "more"), [(1, ")"), (3, ")"), (4, "), and 1 more"), (5, "), and 2 more")])
def test_three_are_named_and_the_others_counted(url: URL, count: int, more: str) -> None:
    with ExitStack() as crowd:
        for _ in range(count):
            crowd.enter_context(psycopg.connect(conninfo(url))).execute(HOLD)
        said = named(url, 0)
    assert said.startswith("pid ")
    assert said.count("pid ") == min(count, 3)
    assert said[said.rindex(")") :] == more


def test_a_prepared_transaction_holds_as_a_session_does(url: URL) -> None:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(f"BEGIN; {HOLD}; PREPARE TRANSACTION 'left'")
        said = named(url, 0)
        connection.execute("ROLLBACK PREPARED 'left'")
    assert said.startswith("prepared transaction 'left' on public.features (of postgres, ")


@pytest.mark.parametrize(
    ("seconds", "locks", "is_named"),
    [(1.1, None, True), (0, None, False), (1.1, {"public.hot_niches_today": "ShareLock"}, False)],
)
def test_an_old_transaction_is_named_where_nobody_knows_which_lock_was_asked_for(
    url: URL, seconds: float, locks: dict[str, str] | None, is_named: bool
) -> None:
    with psycopg.connect(conninfo(url)) as old:
        old.execute("SELECT FROM features LIMIT 1")
        old.execute("SELECT pg_sleep(%s)", [seconds])
        found = [each.pid for each in holders(url, locks=locks)]
        assert found == ([old.info.backend_pid] if is_named else [])
        perhaps = f"another session, perhaps pid {old.info.backend_pid} (user postgres, "
        assert named(url, 0, locks).startswith(perhaps if is_named else "another session")
        assert ("perhaps" in named(url, 0, locks)) is is_named


def test_whoever_asks_is_not_in_its_own_way(url: URL) -> None:
    with psycopg.connect(conninfo(url)) as asking:
        asking.execute(HOLD)
        assert holders(url, asking.info.backend_pid, WANTED) == []


@pytest.mark.parametrize("end", ["SELECT pg_sleep(1.1)", "PREPARE TRANSACTION 'elsewhere'"])
def test_whoever_is_in_another_database_is_in_nobodys_way(url: URL, clone: Clone, end: str) -> None:
    """Its tables have the same oids: both were copied from one."""
    with (
        psycopg.connect(conninfo(url), autocommit=True) as observer,
        psycopg.connect(conninfo(clone("phase1_table")), autocommit=True) as elsewhere,
    ):
        elsewhere.execute(f"BEGIN; {HOLD}")
        elsewhere.execute(end)
        in_the_way = Blockers(observer, 0, None)
        found = in_the_way.holders(WANTED), in_the_way.old_transactions()
        elsewhere.execute("ROLLBACK PREPARED 'elsewhere'" if "PREPARE" in end else "ROLLBACK")
    assert found == ([], [])
