"""Locks: the one that orders all who work with staging, and how a command waits for other sessions.

`staging` is held by everybody who writes into staging, plans what is in it, or drops it:

- load, shared, around each transaction that stages rows or says how far a file is: any number of files at once;
- plan, alone, around its transaction: no row is staged, but not yet committed, while rows are counted;
- finish, alone, around its proof and the drop: nothing comes or goes between the two.

`watched` goes around all that a command does on a session: whatever lock a statement of it waits for, this one or a
row's, it is told for whom after a second, and the statement is cancelled once the command is asked to stop.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from threading import Event, Thread
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, func, select, text
from sqlalchemy.exc import DBAPIError

from backfill.errors import BackfillError
from backfill.queries import query

LOOK_EVERY = 0.25
TELL_AFTER = 1.0
"""Seconds that a statement waits before it is told for whom."""
OFTEN, FORGET = 3, 5.0
"""After so many short waits for the same session, with fewer seconds than that between them, it is named."""

Tell = Callable[[str], None]

_KEY = func.hashtextextended("sidb backfill staging", 0)


@contextmanager
def staging(connection: Connection, command: str, *, alone: bool = False) -> Iterator[None]:
    """Hold the lock on staging: shared, or `alone`. Enter it outside of a transaction, and begin yours within::

        with watched(connection, tell, stop):               # once, around all the command does on its session
            with staging(connection, "load"):               # for each transaction that touches staging
                with connection.begin():
                    ...

    The lock is taken before the transaction's snapshot and released after its commit, so that one sees all that those
    before it committed. It is the session's: it goes with a process that is killed. Waiters are served in turn, so that
    a load of many chunks lets finish in between two of them. While it is held the session's application_name says which
    `command` it is, for those who wait.
    """
    kind = "" if alone else "_shared"
    lock = select(getattr(func, f"pg_advisory_lock{kind}")(_KEY))
    name = select(func.current_setting("application_name"))
    with connection.begin():
        before = connection.scalar(name)
        connection.execute(_named(f"sidb backfill {command}"))
        connection.execute(lock)
    try:
        yield
    finally:
        if not (connection.closed or connection.invalidated):
            with nullcontext() if connection.in_transaction() else connection.begin():
                connection.execute(select(getattr(func, f"pg_advisory_unlock{kind}")(_KEY)))
                connection.execute(_named(before))


def plan_alone(connection: Connection) -> None:
    """Hold the lock on staging alone until the end of the caller's transaction, as plan does."""
    connection.execute(select(func.set_config("application_name", "sidb backfill plan", True)))
    connection.execute(select(func.pg_advisory_xact_lock(_KEY)))


def _named(name: str | None) -> Select[tuple[str]]:
    return select(func.set_config("application_name", name, False))


@contextmanager
def watched(connection: Connection, tell: Tell, stop: Event) -> Iterator[None]:
    """Say for whom a statement on this session waits, after a second and when it is another one by then.

    Who is told may wait as long as it takes: the session has no lock_timeout meanwhile, unless a transaction sets one.
    Raises BackfillError where `stop` was set while a statement waited: it was cancelled, and its transaction is undone.
    """
    with connection.begin():
        pid: int = connection.scalar(select(func.pg_backend_pid())) or 0
        connection.execute(text("SET lock_timeout = 0"))
    watch = _Watch(connection.engine, pid, tell, stop)
    thread = Thread(target=watch.look, daemon=True)
    thread.start()
    try:
        yield
    except DBAPIError:
        if watch.cancelled is None:
            raise
        raise BackfillError(
            f"Stopped as asked, while waiting for {watch.cancelled}.",
            "run it again; nothing is lost or doubled.",
        ) from None
    finally:
        watch.over.set()
        thread.join()
        if not (connection.closed or connection.invalidated or connection.in_transaction()):
            with connection.begin():
                connection.execute(text("RESET lock_timeout"))


class _Watch:
    """Looks from a session of its own at what another one waits for."""

    def __init__(self, engine: Engine, pid: int, tell: Tell, stop: Event) -> None:
        self.engine = engine
        self.pid = pid
        self.tell = tell
        self.stop = stop
        self.over = Event()
        self.cancelled: str | None = None

    def look(self) -> None:
        looks, blockers, told = 0, "", ""
        again, seen, last = "", 0, 0.0
        try:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as beside:
                beside.detach()  # it is closed at the end, with its name
                beside.execute(_named("sidb backfill watch"))  # or it would be taken for the application at work
                while not self.over.wait(LOOK_EVERY):
                    found = beside.execute(query("waits_for"), {"pid": self.pid}).all()
                    pids = ", ".join(str(each.pid) for each in found)
                    looks = looks + 1 if pids and pids == blockers else 0
                    if pids:
                        seen = seen + 1 if pids == again and time.monotonic() - last < FORGET else 1
                        again, last = pids, time.monotonic()
                    blockers = pids
                    is_long = looks * LOOK_EVERY >= TELL_AFTER
                    if not is_long and (not pids or seen < OFTEN):
                        continue
                    whom = _shown(found)
                    if pids != told:
                        self.tell(f"Waiting for {whom}")
                        told = pids
                    if is_long and self.stop.is_set() and self.cancelled is None:
                        self.cancelled = whom
                        beside.execute(select(func.pg_cancel_backend(self.pid)))
        except Exception:  # the server is gone, which the session that is watched says itself
            return


def _shown(blockers: Sequence[Row[Any]]) -> str:
    return "; ".join(
        f"process {each.pid} ({each.application}, user {each.role}, {each.state}, transaction open for "
        f"{each.seconds:.0f} s)"
        if each.pid
        else f"prepared transaction '{each.application}' (user {each.role}, for {each.seconds:.0f} s; it ends by COMMIT"
        " PREPARED or ROLLBACK PREPARED)"
        for each in blockers
    )
