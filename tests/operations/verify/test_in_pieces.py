"""Verification beside the application: nothing that it holds outlasts what it reads just then."""

import threading

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine

from backfill.pacing import Throttle
from operations.findings import Check
from operations.verify import backfilled, constraints, derived, indexes, readers
from operations.verify.subject import WHOLE, Subject
from operations.verify.verification import look_at
from tests.engine.conftest import until
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.operations.verify.conftest import plant

IN_TRANSACTION = "SELECT FROM pg_stat_activity WHERE pid = %s AND xact_start IS NOT NULL"
WAITS = "SELECT FROM pg_locks WHERE pid = %s AND NOT granted"
OF_SEVERAL = (
    indexes.KEYS,
    indexes.INDEXES,
    *constraints.LOOKS,
    derived.MATERIALIZED_VIEWS,
    backfilled.SCORES,
    backfilled.TRENDS,
)
"""Checks that read several relations, or ranges."""


def test_who_rests_holds_neither_a_snapshot_nor_a_lock(clone: Clone) -> None:
    """A transaction that rests at 5 % holds back vacuum, and REFRESH with all of its readers, for twenty times as long
    as it reads."""
    url = clone("backfilled_table")
    rests: list[bool] = []
    with (
        create_engine(url, poolclass=NullPool).connect() as connection,
        psycopg.connect(conninfo(administrator(url)), autocommit=True) as observer,
    ):

        def rest(_: float) -> None:
            rests.append(observer.execute(IN_TRANSACTION, [subject.driver.info.backend_pid]).fetchone() is not None)

        subject = Subject(connection, WHOLE, lambda _: None, Throttle(lambda: 0.5, rest))
        often: dict[Check, int] = {}
        for file in (indexes, constraints, derived, backfilled):
            for check, look in file.LOOKS.items():
                before = len(rests)
                look_at(subject, check, look)
                often[check] = len(rests) - before
        before = len(rests)
        measured = len(list(readers.within_budget(subject)))
    assert not any(rests)
    assert [check for check in OF_SEVERAL if often[check] < 3] == []
    assert len(rests) - before > measured * readers.RUNS


@pytest.mark.parametrize(
    ("check", "begun", "ended"),
    [
        (
            derived.HOT_NICHES,
            "CREATE TEMPORARY TABLE kept AS SELECT * FROM public.hot_niches_today; TRUNCATE public.hot_niches_today",
            "INSERT INTO public.hot_niches_today SELECT * FROM kept",
        ),
        (
            derived.MATERIALIZED_VIEWS,
            "UPDATE analytics.cross_platform_metrics SET demand_score = 0.5 WHERE niche_id = 150;"
            " REFRESH MATERIALIZED VIEW analytics.platform_comparison",
            "DELETE FROM analytics.stale_views",
        ),
    ],
    ids=["a table", "a materialized view"],
)
def test_what_is_filled_anew_meanwhile_is_no_fault(check: Check, begun: str, ended: str, clone: Clone) -> None:
    """Its lock is waited for with a snapshot that is older than what is read then."""
    url = clone("backfilled_table")
    plant(url, "DELETE FROM analytics.stale_views")
    with (
        psycopg.connect(conninfo(administrator(url))) as application,
        psycopg.connect(conninfo(administrator(url)), autocommit=True) as observer,
        create_engine(url, poolclass=NullPool).connect() as connection,
    ):

        def end() -> None:
            until(lambda: observer.execute(WAITS, [pid]).fetchone() is not None, "it waits for the lock")
            application.execute(ended.encode())
            application.commit()

        ending = threading.Thread(target=end)

        def begin() -> None:
            application.execute(begun.encode())
            ending.start()

        def at_the_view(said: str) -> None:
            if said == "analytics.platform_comparison" and ending.ident is None:
                begin()

        subject = Subject(connection, WHOLE, at_the_view)
        pid = subject.driver.info.backend_pid
        connection.rollback()
        if check is derived.HOT_NICHES:
            begin()
        found = look_at(subject, check, derived.LOOKS[check])
        ending.join()
    assert found is not None
    assert found.verdict == "ok", found.detail
