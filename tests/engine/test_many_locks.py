"""One attempt waits for all the locks that it acquires together no longer than it would for one."""

import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from alembic_online import acquire, open_session
from alembic_online.retry import WAIT, RetryPolicy
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL

from operations.scope import SCOPE
from tests.engine.conftest import run
from tests.fixtures.databases import Clone, conninfo

MANY = [f"busy_{number:02}" for number in range(12)]
PARTITIONED = "CREATE TABLE public.busy (n int) PARTITION BY LIST (n)"
SLOW = 0.75 * WAIT  # ms for which each is waited for
WAITED = """
    SELECT count(*) FROM pg_locks
    WHERE relation = %s::regclass AND NOT granted AND clock_timestamp() - waitstart > %s * interval '1 ms'
"""
EXCLUSIVE = "AccessExclusiveLock"


class Waiting(RetryPolicy):
    """Waits at each try, as where transactions are short."""

    def next_wait(self, longest_in_the_way: Callable[[], float]) -> int:
        super().next_wait(longest_in_the_way)
        return WAIT


def let_go(url: URL, holder: psycopg.Connection[object], is_over: threading.Event) -> None:
    """End what holds one after the other, each when it has been waited for."""
    with psycopg.connect(conninfo(url), autocommit=True) as observer:
        for name in MANY:
            while observer.execute(WAITED, [name, SLOW]).fetchone() == (0,):
                if is_over.is_set():
                    return
            holder.execute(SQL("ROLLBACK TO {}").format(Identifier(name)))


def read(url: URL, table: str, is_over: threading.Event, waits: list[float]) -> None:
    with psycopg.connect(conninfo(url), autocommit=True) as reader:
        while not is_over.is_set():
            began = time.monotonic()
            reader.execute(SQL("SELECT FROM ONLY {}").format(Identifier(table)))
            waits.append(time.monotonic() - began)


@pytest.mark.parametrize("partitioned", [False, True], ids=["tables", "partitions"])
def test_the_application_waits_for_one_attempt(clone: Clone, partitioned: bool) -> None:
    url = clone("empty")
    if partitioned:
        parts = [f"PARTITION OF public.busy FOR VALUES IN ({number})" for number in range(len(MANY))]
        run(url, PARTITIONED, *(f"CREATE TABLE {name} {part}" for name, part in zip(MANY, parts, strict=True)))
    else:
        run(url, *(f"CREATE TABLE {name} (n int)" for name in MANY))
    wanted, waits, is_over = ["busy"] if partitioned else MANY, [], threading.Event()
    with psycopg.connect(conninfo(url)) as holder, open_session(url, SCOPE) as session:
        for name in reversed(MANY):
            holder.execute(SQL("SAVEPOINT {0}; LOCK TABLE {0} IN ACCESS SHARE MODE").format(Identifier(name)))
        others = [
            threading.Thread(target=let_go, args=(url, holder, is_over)),
            threading.Thread(target=read, args=(url, wanted[0], is_over, waits)),
        ]
        for other in others:
            other.start()
        try:
            with session.connection.transaction():
                policy = Waiting(20)
                acquire(session, {f"public.{name}": EXCLUSIVE for name in wanted}, "a step", policy)
                left = session.connection.execute("SELECT current_setting('statement_timeout')").fetchone()
        finally:
            is_over.set()
            for other in others:
                other.join()
    assert left == ("0",)
    assert policy.tries > len(MANY) / 2
    assert max(waits) < 5 * WAIT / 1000
