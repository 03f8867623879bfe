"""The lock on staging, and waiting for others: with real processes, stopped while they hold what the test waits for."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Queue
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, NullPool, text

from backfill.errors import BackfillError
from backfill.locks import staging, watched
from operations.backfilling import reach
from tests.backfill.test_kills import ended, in_child

LIMIT = 20


@contextmanager
def holding(engine: Engine, command: str, alone: bool) -> Iterator[int]:
    """A process that holds the lock on staging in a transaction, and is stopped there."""
    url = engine.url
    reader, writer = os.pipe()

    def hold() -> None:
        with (
            reach(url, poolclass=NullPool).connect() as connection,
            staging(connection, command, alone=alone),
            connection.begin(),
        ):
            connection.execute(text("SELECT 1"))
            os.write(writer, b"held")
            os.kill(os.getpid(), signal.SIGSTOP)

    pid = in_child(hold)
    assert os.read(reader, 4) == b"held"
    os.waitpid(pid, os.WUNTRACED)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        ended(pid)
        os.close(reader)
        os.close(writer)


class Waiter:
    """Somebody who enters the lock in a thread of this process; what it said, and how it ended."""

    def __init__(self, engine: Engine, command: str, alone: bool) -> None:
        self.said: Queue[str] = Queue()
        self.stop = Event()
        self.got = Event()
        self.error: BackfillError | None = None
        self.thread = Thread(target=self._enter, args=(engine, command, alone))
        self.thread.start()

    def _enter(self, engine: Engine, command: str, alone: bool) -> None:
        try:
            with (
                engine.connect() as connection,
                watched(connection, self.said.put, self.stop),
                staging(connection, command, alone=alone),
            ):
                self.got.set()
        except BackfillError as error:
            self.error = error


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
    assert waiting.error is None
    assert waiting.said.empty(), "it is said once"


def test_loads_do_not_wait_for_each_other(migrated: Engine) -> None:
    with holding(migrated, "load", alone=False):
        waiting = Waiter(migrated, "load", alone=False)
        assert waiting.got.wait(LIMIT)
        waiting.thread.join(LIMIT)
    assert waiting.said.empty()


def test_a_killed_process_holds_nothing(migrated: Engine) -> None:
    with holding(migrated, "finish", alone=True) as pid:
        waiting = Waiter(migrated, "load", alone=False)
        waiting.said.get(timeout=LIMIT)
        os.kill(pid, signal.SIGKILL)
        assert waiting.got.wait(LIMIT)
        waiting.thread.join(LIMIT)


def test_who_waits_ends_when_asked_to_stop(migrated: Engine) -> None:
    with holding(migrated, "load", alone=False):
        waiting = Waiter(migrated, "finish", alone=True)
        waiting.stop.set()
        waiting.thread.join(LIMIT)
        assert not waiting.got.is_set()
        assert "Stopped as asked, while waiting for process" in str(waiting.error)


def test_whatever_lock_it_is(migrated: Engine) -> None:
    """A row that somebody changed and did not commit is waited for in the same words."""
    said: Queue[str] = Queue()
    change = text("UPDATE features SET demand_score = 0.5 WHERE niche_id = 1")

    def update() -> None:
        with migrated.connect() as connection, watched(connection, said.put, Event()), connection.begin():
            connection.execute(change)

    with migrated.connect() as other:
        transaction = other.begin()
        other.execute(change)
        thread = Thread(target=update)
        thread.start()
        pid = other.scalar(text("SELECT pg_backend_pid()"))
        assert f"process {pid} (" in said.get(timeout=LIMIT)
        transaction.rollback()
        thread.join(LIMIT)
    assert not thread.is_alive()


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
