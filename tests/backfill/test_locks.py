"""The lock on staging, with real processes that are stopped while they hold it; how commands wait: test_waits."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from queue import Queue
from threading import Event, Thread
from time import monotonic

import psycopg
import pytest
from sqlalchemy import Engine, NullPool, text
from sqlalchemy.exc import OperationalError

from backfill.locks import staging, watched
from operations.backfilling import reach
from tests.backfill.test_kills import stopped
from tests.fixtures.databases import conninfo

LIMIT = 20


def holding(engine: Engine, command: str, alone: bool) -> AbstractContextManager[int]:
    """A process that holds the lock on staging in a transaction, and is stopped there."""
    url = engine.url

    def hold(stand_still: Callable[[], None]) -> None:
        with (
            reach(url, poolclass=NullPool).connect() as connection,
            staging(connection, command, alone=alone),
            connection.begin(),
        ):
            connection.execute(text("SELECT 1"))
            stand_still()

    return stopped(hold)


class Waiter:
    """Somebody who enters the lock in a thread of this process; what it said."""

    def __init__(self, engine: Engine, command: str, alone: bool) -> None:
        self.said: Queue[str] = Queue()
        self.got = Event()
        self.thread = Thread(target=self._enter, args=(engine, command, alone))
        self.thread.start()

    def _enter(self, engine: Engine, command: str, alone: bool) -> None:
        with (
            engine.connect() as connection,
            watched(connection, self.said.put, Event()),
            staging(connection, command, alone=alone),
        ):
            self.got.set()


@pytest.mark.parametrize(
    ("holder", "waiter"),
    [("load", "finish"), ("finish", "load"), ("load", "plan"), ("plan", "plan"), ("finish", "plan")],
)
def test_one_waits_for_the_other_says_for_whom_and_goes_on(migrated: Engine, holder: str, waiter: str) -> None:
    with holding(migrated, holder, holder != "load") as pid:
        waiting = Waiter(migrated, waiter, waiter != "load")
        said = waiting.said.get(timeout=LIMIT)
        assert f"(sidb backfill {holder}, user " in said
        assert "idle in transaction" in said
        assert not waiting.got.is_set()
        os.kill(pid, signal.SIGCONT)  # it comes to its end, and nobody has to wait any longer
        assert waiting.got.wait(LIMIT)
        waiting.thread.join(LIMIT)
    assert waiting.said.empty(), "it is said once"


def test_loads_do_not_wait_for_each_other(migrated: Engine) -> None:
    with holding(migrated, "load", alone=False):
        waiting = Waiter(migrated, "load", alone=False)
        assert waiting.got.wait(LIMIT)
        waiting.thread.join(LIMIT)
    assert waiting.said.empty()


def test_the_session_has_its_name_back_and_the_lock_is_gone(migrated: Engine) -> None:
    with migrated.connect() as connection:
        before = connection.scalar(text("SHOW application_name"))
        connection.rollback()
        with suppress(RuntimeError), staging(connection, "plan", alone=True), connection.begin():
            connection.execute(text("SELECT 1"))
            raise RuntimeError
        assert connection.scalar(text("SHOW application_name")) == before
        assert connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0


def test_who_looks_is_not_taken_for_the_application_at_work(migrated: Engine) -> None:
    """Else a worker would rest for its own watch."""
    others = text("SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> :own")
    with migrated.connect() as connection, watched(connection, lambda _: None, Event()):
        own = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        names: list[str] = []
        while names != ["sidb backfill watch"]:
            with connection.begin():
                names = list(connection.scalars(others, {"own": own}))


@pytest.mark.parametrize(("mode", "says"), [("SHARE", True), ("ROW EXCLUSIVE", False)])
def test_short_waits_for_the_same_session_are_said_too(migrated: Engine, mode: str, says: bool) -> None:
    told: list[str] = []
    with psycopg.connect(conninfo(migrated.url)) as holder, migrated.connect() as connection:
        holder.execute(f"LOCK TABLE public.features IN {mode} MODE".encode())
        with watched(connection, told.append, Event()):
            began = monotonic()
            while not told and monotonic() < began + (60 if says else 5):
                with connection.begin():
                    connection.execute(text("SELECT pg_sleep(0.3)"))  # what it does besides
                with suppress(OperationalError), connection.begin():
                    connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
                    connection.execute(text("LOCK TABLE public.features IN ROW EXCLUSIVE MODE"))
        assert [each.startswith(f"Waiting for process {holder.info.backend_pid} ") for each in told] == [True] * says
