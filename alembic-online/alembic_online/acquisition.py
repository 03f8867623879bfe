"""Asking for locks without standing in front of traffic.

The locks that a step declares are asked for together, before its first statement, and let go together when one of them
is not to be had. `alembic_online.retry` says how long each try waits.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.sql import SQL, Identifier

from alembic_online import lock_modes
from alembic_online.errors import OnlineError
from alembic_online.queries import query
from alembic_online.retry import LONG, RetryPolicy
from alembic_online.sessions import Session, named

log = logging.getLogger("alembic.online")

TELL_EVERY = 2.0  # seconds between two lines about who is in the way
AUTOVACUUM_YIELDS = "2500ms"  # it is cancelled after deadlock_timeout, 1 s by default

Done = TypeVar("Done")

MISSED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
"""What is tried again; nothing else is."""


class Blockers:
    """Finds, names, and where that is allowed removes, whoever holds up the migration; on a session of its own."""

    def __init__(self, observer: psycopg.Connection[Any], migrator: int, end_idle_after: float | None) -> None:
        self.observer = observer
        self.migrator = migrator
        self.end_idle_after = end_idle_after
        self.told = 0.0
        self.seen: dict[str, float] = {}

    def blockers(self, wanted: Mapping[str, str]) -> list[Session]:
        """Who is in the way of the locks wanted; where that is nobody, whoever has a transaction open for long."""
        return self.holders(wanted) or self.old_transactions()

    def long(self, wanted: Mapping[str, str]) -> bool:
        """Whether a transaction that has been open for long is in the way of the locks wanted.

        Its age may be hidden from this role: then since when it has been seen there.
        """
        now = time.monotonic()
        holders = self.holders(wanted)
        self.seen = {holder.transaction: self.seen.get(holder.transaction, now) for holder in holders}
        return any(max(holder.transaction_seconds, now - self.seen[holder.transaction]) > LONG for holder in holders)

    def holders(self, wanted: Mapping[str, str]) -> list[Session]:
        """Who holds, or asks before us for, a lock that conflicts with one of those wanted."""
        pairs = [
            (relation, mode) for relation, strongest in wanted.items() for mode in lock_modes.conflicting(strongest)
        ]
        parameters = {"relations": [p[0] for p in pairs], "modes": [p[1] for p in pairs], "migrator": self.migrator}
        return named(self.observer, "blockers", parameters)

    def old_transactions(self) -> list[Session]:
        """Whose transactions have been open for more than a second."""
        return named(self.observer, "old_transactions", {"migrator": self.migrator})

    def missed(self, wanted: Mapping[str, str], what: str) -> None:
        """Deal with a miss: name who is in the way, make autovacuum yield, end idle sessions if that is wanted."""
        if time.monotonic() - self.told < TELL_EVERY:
            return
        self.told = time.monotonic()
        for blocker in self.blockers(wanted):
            log.info("%s: in the way is %s", what, blocker)
            if blocker.is_autovacuum and not blocker.urgent:
                self._shoo_autovacuum(wanted, blocker)
            elif (
                self.end_idle_after is not None
                and blocker.state.startswith("idle in transaction")
                and blocker.state_seconds > self.end_idle_after
            ):
                self._end(blocker)

    def name_old_transactions(self, what: str) -> None:
        """Say whom a statement that runs concurrently will wait for; nobody waits behind it."""
        for old in self.old_transactions():
            log.info("%s: waits for the end of %s", what, old)

    def _shoo_autovacuum(self, wanted: Mapping[str, str], blocker: Session) -> None:
        # It yields to a session that waits. Waiting in this mode, we hold up nobody but it.
        relations = [
            relation for relation in wanted if blocker.relation in (relation, relation.removeprefix("public."))
        ]
        for relation in relations:
            with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.WrongObjectType):
                self.observer.execute(
                    SQL(
                        "BEGIN; SET LOCAL lock_timeout = {}; LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE; COMMIT"
                    ).format(AUTOVACUUM_YIELDS, Identifier(*relation.split(".")))
                )
            if self.observer.info.transaction_status:
                self.observer.execute("ROLLBACK")

    def _end(self, blocker: Session) -> None:
        try:
            self.observer.execute("SELECT pg_terminate_backend(%s)", [blocker.pid])
            log.warning("Ended pid %s, which was idle in a transaction for %.0f s", blocker.pid, blocker.state_seconds)
        except psycopg.errors.InsufficientPrivilege:
            log.warning("pid %s may not be ended by this role (pg_signal_backend is needed)", blocker.pid)


def ask(
    connection: psycopg.Connection[Any],
    wanted: Mapping[str, str],
    patience: RetryPolicy,
    in_the_way: Blockers,
    what: str,
) -> None:
    """Get all locks wanted (relation to mode), in the open transaction; relations that do not exist are left out.

    Raises OnlineError, naming who is in the way, when patience is over; nothing is held then.
    """
    statements = _statements(connection, wanted)
    if not statements:
        return
    began = time.monotonic()
    while True:
        wait = patience.next_wait(partial(in_the_way.long, wanted))
        try:
            with connection.transaction():  # inside the open one: a savepoint, whose rollback lets all of them go
                for statement in statements:
                    connection.execute(statement(wait))
            break
        except MISSED:
            in_the_way.missed(wanted, what)
            if patience.over:
                raise gave_up(what, patience, in_the_way.blockers(wanted)) from None
            patience.pause()
    patience.waited += time.monotonic() - began


def again(work: Callable[[], Done], patience: RetryPolicy) -> Done:
    """Do it, and do it again when it misses a lock, until patience is over; what it began must be undone by then."""
    while True:
        try:
            return work()
        except MISSED:
            if patience.over:
                raise
            patience.pause()


def gave_up(what: str, patience: RetryPolicy, blockers: list[Session]) -> OnlineError:
    """The error that ends a step which did not get its locks."""
    lines = [f"  {blocker}" for blocker in blockers] or ["  nobody now: others were, in turn"]
    return OnlineError(
        "\n".join(
            [f"{what}: its locks could not be had in {patience.seconds:.0f} s and {patience.tries} tries.", *lines]
        ),
        "run it again when these sessions are done (the database is at the last whole step), "
        "or give it longer (-x deadline=1h), or have idle ones ended (-x end-idle-after=60s).",
    )


def _statements(connection: psycopg.Connection[Any], wanted: Mapping[str, str]) -> list[Any]:
    """For each relation that exists, a function from the ms to wait (0: not at all) to the statement that locks it."""
    found = connection.execute(query("run/lockable"), {"relations": list(wanted)}).fetchall()
    return [_statement(name, kind, owner, lock_modes.sql(wanted[name])) for name, kind, owner in found]


def _statement(name: str, kind: str, owner: str, mode: str) -> Any:
    relation = Identifier(*name.split("."))
    if kind == "m":  # LOCK TABLE refuses these: a change that changes nothing locks them, and 1 ms is the least to wait
        change = SQL("ALTER MATERIALIZED VIEW {} OWNER TO {}").format(relation, Identifier(owner))
        return lambda wait: SQL("SET LOCAL lock_timeout = {}; {}").format(max(wait, 1), change)
    table = SQL("LOCK TABLE {} IN " + mode + " MODE").format(relation)
    return lambda wait: SQL("SET LOCAL lock_timeout = {}; {}").format(wait, table) if wait else table + SQL(" NOWAIT")
