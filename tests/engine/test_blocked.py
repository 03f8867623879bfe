"""Whoever is in the way is named, waiting ends, and idle sessions are ended only where that is wanted."""

import logging
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import count

import psycopg
import pytest
from alembic_online import blockers
from alembic_online.blockers import Blocker, Blockers
from alembic_online.retry import LONG, STARVING_AFTER, STARVING_EVERY, RetryPolicy
from sqlalchemy import Engine

from operations.embedded import Server
from tests.engine.conftest import applied, current, ledger, refusal, until
from tests.fixtures.databases import ROOT, Alembic, Clone, conninfo
from tests.fixtures.logs import when_told
from tests.fixtures.revisions import HEAD
from tests.revisions.conftest import make_role


def test_the_deadline_ends_it_at_the_last_whole_step(clone: Clone) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("1.0.0")
    with psycopg.connect(conninfo(url), application_name="report") as blocker:
        blocker.execute("UPDATE features SET updated_at = now() WHERE niche_id = 1")
        said = refusal(Alembic(url, x=("deadline=2s",)).upgrade)
        pid = blocker.info.backend_pid
    assert "2.0.0 upgrade: could not acquire its locks" in said
    assert f"pid {pid} on features (user postgres, application report, idle in transaction, transaction open" in said
    assert "Next: run it again" in said
    assert current(url) == "1.0.0"
    failed = ledger(url)[-1]
    assert (failed.revision, failed.outcome) == ("2.0.0", "failed")
    assert failed.lock_tries > 1
    Alembic(url).upgrade()
    assert current(url) == HEAD


def test_a_prepared_transaction_is_named_and_nobody_queues_behind_it(clone: Clone) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("1.0.0")
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE features SET updated_at = now() WHERE niche_id = 1")
        connection.execute("PREPARE TRANSACTION 'left o''ver'")
        said = refusal(Alembic(url, x=("deadline=400ms",)).upgrade)
        assert "prepared transaction 'left o''ver' on features (of postgres, for" in said
        assert "ROLLBACK PREPARED 'left o''ver'" in said
        assert "nobody now" not in said
        wanted = {"public.features": "ShareRowExclusiveLock"}
        assert Blockers(connection, connection.info.backend_pid, None).longest(wanted) == math.inf
        connection.execute("ROLLBACK PREPARED 'left o''ver'")
    Alembic(url).upgrade()
    assert current(url) == HEAD


def test_no_try_waits_behind_what_may_never_end() -> None:
    policy = RetryPolicy(600)
    policy.began -= 500  # it starves
    waits = {policy.next_wait(lambda: math.inf) for _ in range(100)}
    assert waits == {0}
    assert max(policy.next_wait(lambda: 60.0) for _ in range(100)) > 0


def test_a_wait_of_who_starves_grows_and_has_a_cap() -> None:
    """Whoever waits for a lock makes everybody behind it wait as long."""
    longest = []
    for starving in (-1, 1, 31, 61, 91, 3_600, 100_000):
        policy = RetryPolicy(600)
        policy.began -= STARVING_AFTER + starving
        longest.append(max(policy.next_wait(lambda: 60.0) for _ in range(3 * STARVING_EVERY)))
    assert longest == [0, 20, 40, 80, 160, 200, 200]
    assert {policy.next_wait(lambda: LONG) for _ in range(2 * STARVING_EVERY)} == {20, 200}, (
        "many locks, none of them long"
    )


@pytest.mark.parametrize(("age", "waits"), [(LONG, [0, 20, 20]), (LONG + 0.01, [0, 0, 0])])
def test_a_gap_between_short_transactions_is_waited_for(age: float, waits: list[int]) -> None:
    policy = RetryPolicy(600)
    assert [policy.next_wait(lambda: age) for _ in waits] == waits


@pytest.mark.parametrize(("after", "times"), [(30.0, 1), (0.0, 3)])
def test_who_is_in_the_way_is_named_again_after_a_while_and_of_each_step(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, after: float, times: int
) -> None:
    monkeypatch.setattr(blockers, "TELL_EVERY", 0.0)
    monkeypatch.setattr(blockers, "REMIND_AFTER", after)
    caplog.set_level(logging.INFO, "alembic.online")
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url)) as blocker, psycopg.connect(conninfo(url), autocommit=True) as observer:
        blocker.execute("SELECT FROM features LIMIT 1")
        in_the_way = Blockers(observer, 0, None)
        for what in ("one step", "one step", "one step", "the next"):
            in_the_way.missed({"public.features": "AccessExclusiveLock"}, what)
    assert [message.partition(": ")[0] for message in caplog.messages] == ["one step"] * times + ["the next"]


def test_it_goes_on_when_the_blocker_ends(clone: Clone) -> None:
    url = clone("phase1_table")
    blocker = psycopg.connect(conninfo(url), application_name="report")
    blocker.execute("UPDATE features SET updated_at = now() WHERE niche_id = 1")
    named = f"blocked by pid {blocker.info.backend_pid} on features (user postgres, application report"
    with when_told(named, blocker.close):
        Alembic(url).upgrade()
    assert blocker.closed
    assert [step for step in applied(url) if step == "2.0.0 upgrade"] == ["2.0.0 upgrade"]
    waited = next(entry for entry in ledger(url) if entry.revision == "2.0.0")
    assert waited.lock_tries > 1
    assert waited.seconds_waited > 0


def test_an_idle_blocker_is_ended_only_if_that_is_wanted(clone: Clone) -> None:
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url)) as blocker:
        blocker.execute("UPDATE features SET updated_at = now() WHERE niche_id = 1")
        refusal(Alembic(url, x=("deadline=300ms",)).upgrade)
        blocker.execute("SELECT 1")
        Alembic(url, x=("deadline=30s", "end-idle-after=200ms")).upgrade()
        with pytest.raises(psycopg.OperationalError):
            blocker.execute("SELECT 1")
    assert current(url) == HEAD


def test_a_lock_that_nobody_declared_is_not_waited_for_either(clone: Clone) -> None:
    """A view's reader is in the way of its drop: the step is rolled back, and run again as a whole."""
    url = clone("migrated_table")
    reader = psycopg.connect(conninfo(url))
    reader.execute("SELECT * FROM analytics.current_trends")
    with when_told(f"blocked by another session, perhaps pid {reader.info.backend_pid}", reader.close):
        Alembic(url).downgrade("2.0.5")
    missed = [entry for entry in ledger(url) if (entry.revision, entry.direction) == ("2.0.6", "downgrade")]
    assert {entry.outcome for entry in missed[:-1]} == {"missed"}
    assert missed[-1].outcome == "applied"


def test_an_index_built_concurrently_waits_and_names_whom(clone: Clone) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.4")
    old = psycopg.connect(conninfo(url), application_name="report")
    old.execute("LOCK TABLE analytics.trend_cache IN ROW EXCLUSIVE MODE; SELECT pg_sleep(1.1)")
    soon = threading.Timer(0.7, old.close)  # for so long the index waits
    with when_told(f"2.0.5 upgrade: waits for the end of pid {old.info.backend_pid}", soon.start):
        Alembic(url).upgrade()
    assert old.closed
    assert [entry.outcome for entry in ledger(url) if entry.revision == "2.0.5"] == ["applied"]


def test_who_was_young_when_an_index_began_to_wait_is_named_too(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    url = clone("migrated_table")
    Alembic(url).downgrade("2.0.5")
    asked, old_transactions = count(), Blockers.old_transactions
    with psycopg.connect(conninfo(url), application_name="report") as young:

        def just_before(self: Blockers) -> list[Blocker]:
            found = old_transactions(self)
            if next(asked) == 0:
                young.execute("SELECT FROM analytics.trend_cache")
            return found

        monkeypatch.setattr(Blockers, "old_transactions", just_before)
        with when_told(f"2.0.5 downgrade: waits for the end of pid {young.info.backend_pid}", young.rollback):
            Alembic(url).downgrade("2.0.4")
    assert current(url) == "2.0.4"


def test_role_level_timeouts_do_not_cut_a_step_short(clone: Clone, connect: Callable[..., Engine]) -> None:
    url = clone("phase1_table")
    with connect(url).begin() as connection:
        for setting in ("statement_timeout = '1ms'", "idle_in_transaction_session_timeout = '1ms'", "lock_timeout = 0"):
            connection.exec_driver_sql(f"ALTER DATABASE {url.database} SET {setting}")
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": conninfo(url)},
        check=True,
        capture_output=True,
    )
    with connect(url.set(database="postgres"), isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {url.database} RESET ALL")
    assert current(url) == HEAD


def test_a_session_that_the_role_may_not_look_into(clone: Clone, server: Server) -> None:
    """The age of its transaction is hidden, but not that it is still open."""
    url = clone("phase1_table")
    make_role(server, "migrating")
    wanted = {"public.features": "AccessExclusiveLock"}
    with (
        psycopg.connect(conninfo(url)) as blocker,
        psycopg.connect(conninfo(url.set(username="migrating")), autocommit=True) as observer,
    ):
        blocker.execute("SELECT * FROM features LIMIT 1")
        in_the_way = Blockers(observer, 0, None)
        assert in_the_way.longest(wanted) <= LONG
        until(lambda: in_the_way.longest(wanted) > LONG, "it is taken for long")
        assert str(in_the_way.blockers(wanted)[0]).startswith(
            f"pid {blocker.info.backend_pid} on features (user postgres, "
        )
