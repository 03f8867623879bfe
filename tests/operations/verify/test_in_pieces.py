"""Verification beside the application: nothing that it holds outlasts what it reads just then."""

import psycopg
from sqlalchemy import NullPool, create_engine

from backfill.pacing import Throttle
from operations.findings import Check
from operations.verify import backfilled, constraints, derived, indexes, readers
from operations.verify.subject import WHOLE, Subject
from operations.verify.verification import look_at
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator

IN_TRANSACTION = "SELECT FROM pg_stat_activity WHERE pid = %s AND xact_start IS NOT NULL"
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
