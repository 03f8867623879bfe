"""Other people's sessions that hold up a migration: found, named, and ended where that is allowed."""

import logging
import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Literal

from alembic_online.lock_modes import conflicting
from alembic_online.queries import query

log = logging.getLogger("alembic.online")

WAITS_FOR = "SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids(%s))"
AGAIN = 0.5  # seconds between two looks at whom a statement waits for
TELL_EVERY = 2.0  # seconds between two looks at who is in the way
REMIND_AFTER = 30.0
"""Seconds after which somebody is named again who has been in the way of a step all the time."""
# A transaction that waits for a lock: an autovacuum that holds it is cancelled after the waiter's deadlock_timeout.
YIELDING = """
    BEGIN;
    SELECT set_config('lock_timeout', (1500 + 1000 * extract(epoch FROM s.yields::interval))::int::text, true)
    FROM (SELECT current_setting('deadlock_timeout')) AS s (yields);
    {waiting};
    ROLLBACK
"""
REFUSED = (
    psycopg.errors.WrongObjectType,  # a materialized view
    psycopg.errors.InsufficientPrivilege,  # a partition of another owner
)
"""Why LOCK TABLE does not even wait."""
NOT_LOCKED = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.UndefinedTable,  # dropped meanwhile
)
"""What an autovacuum is not made to yield for."""


@dataclass(frozen=True)
class Blocker:
    """Somebody's session that is in the way, or a prepared transaction, whose `application` is then its name."""

    pid: int
    who: str
    application: str
    backend_type: str
    state: str
    urgent: bool
    transaction_seconds: float
    state_seconds: float
    query_start: datetime | None
    transaction: str
    relation: str | None
    may_end: bool
    """Whether this role may end it."""
    hidden_from: str | None
    """This role's name, where it may not see what the session does and since when."""

    @property
    def is_idle(self) -> bool:
        """Whether it does nothing in an open transaction."""
        return self.state.startswith("idle in transaction")

    @property
    def is_autovacuum(self) -> bool:
        return self.backend_type == "autovacuum worker"

    @property
    def is_prepared(self) -> bool:
        """Whether no session has it: a transaction that was prepared, and ends when somebody says how."""
        return self.backend_type == "prepared transaction"

    @property
    def is_certain(self) -> bool:
        """Whether it holds what is in the way; else it only has a transaction open."""
        return self.relation is not None

    @property
    def named(self) -> str:
        """As what is in the way, or may be."""
        return str(self) if self.is_certain else f"another session, perhaps {self}"

    def __str__(self) -> str:
        if self.is_prepared:
            on = f" on {self.relation}" if self.relation else ""
            gid = Literal(self.application).as_string()
            return (
                f"prepared transaction {gid}{on} (of {self.who}, for {self.transaction_seconds:.1f} s; it ends by "
                f"COMMIT PREPARED {gid} or ROLLBACK PREPARED {gid})"
            )
        if self.is_autovacuum:
            return f"autovacuum (pid {self.pid}, {self.state}, for {self.transaction_seconds:.1f} s)"
        on = f" on {self.relation}" if self.relation else ""
        if self.hidden_from:
            named = f"user {self.who}, application {self.application or 'unnamed'}"
            return f"pid {self.pid}{on} ({named}; what it does is hidden from this role)"
        started = f", last statement began {self.query_start:%H:%M:%S} UTC" if self.query_start else ""
        return (
            f"pid {self.pid}{on} (user {self.who}, application {self.application or 'unnamed'}, {self.state}, "
            f"transaction open for {self.transaction_seconds:.1f} s{started})"
        )


class Blockers:
    """Finds, names, and where that is allowed removes, whoever holds up the session `migrator`; on one of its own."""

    def __init__(self, observer: psycopg.Connection[Any], migrator: int, end_idle_after: float | None) -> None:
        self.observer = observer
        self.migrator = migrator
        self.end_idle_after = end_idle_after
        self.told = 0.0
        self.named: dict[tuple[str, str], float] = {}
        self.seen: dict[str, float] = {}

    def blockers(self, wanted: Mapping[str, str]) -> list[Blocker]:
        """Who is in the way of the locks wanted; where that is nobody, whoever has a transaction open for long."""
        return self.holders(wanted) or self.old_transactions()

    def longest(self, wanted: Mapping[str, str]) -> float:
        """For how many seconds a transaction in the way of the locks wanted has been open; 0: none is in the way.

        Its age may be hidden from this role: then since when it has been seen there. Infinite: it was prepared, and may
        never end.
        """
        now = time.monotonic()
        holders = self.holders(wanted)
        self.seen = {holder.transaction: self.seen.get(holder.transaction, now) for holder in holders}
        ages = [max(holder.transaction_seconds, now - self.seen[holder.transaction]) for holder in holders]
        return math.inf if any(holder.is_prepared for holder in holders) else max(ages, default=0.0)

    def holders(self, wanted: Mapping[str, str]) -> list[Blocker]:
        """Who holds, or asks before us for, a lock that conflicts with one of those wanted."""
        pairs = [(relation, mode) for relation, strongest in wanted.items() for mode in conflicting(strongest)]
        parameters = {"relations": [p[0] for p in pairs], "modes": [p[1] for p in pairs], "migrator": self.migrator}
        return self._named("blockers", parameters)

    def old_transactions(self) -> list[Blocker]:
        """Whose transactions have been open for more than a second."""
        return self._named("old_transactions", {"migrator": self.migrator})

    def missed(self, wanted: Mapping[str, str], what: str) -> None:
        """Deal with a miss: name who is in the way, make autovacuum yield, end idle sessions if that is wanted.

        Who only has a transaction open may be in nobody's way, and is named.
        """
        if time.monotonic() - self.told < TELL_EVERY:
            return
        self.told = time.monotonic()
        for blocker in self.blockers(wanted):
            if self.told - self.named.get((what, blocker.transaction), -math.inf) >= REMIND_AFTER:
                self.named[what, blocker.transaction] = self.told
                log.info("%s: blocked by %s", what, blocker.named)
            if not blocker.is_certain:
                continue
            if blocker.is_autovacuum and not blocker.urgent:
                self._shoo_autovacuum(blocker)
            else:
                self._end_idle(blocker)

    @contextmanager
    def named_while_waiting(self, what: str) -> Iterator[None]:
        """Say for whose end a statement that runs concurrently waits; nobody waits behind it."""
        named = {(old.pid, old.application) for old in self._waits_for(what, self.old_transactions())}
        done = threading.Event()

        def look_again() -> None:
            while not done.wait(AGAIN):  # who was young when it began may be old by now
                with suppress(psycopg.Error):  # the session is lost: the statement's own error says it
                    in_the_way = self.observer.execute(WAITS_FOR, [self.migrator]).fetchall()
                    found = [old for old in self.old_transactions() if (old.pid,) in in_the_way]
                    for old in found:
                        self._end_idle(old)
                    new = [old for old in found if (old.pid, old.application) not in named]
                    named.update((old.pid, old.application) for old in self._waits_for(what, new))

        looking = threading.Thread(target=look_again, name="who is waited for", daemon=True)
        looking.start()
        try:
            yield
        finally:
            done.set()
            looking.join()

    def _waits_for(self, what: str, found: list[Blocker]) -> list[Blocker]:
        for old in found:
            log.info("%s: waits for the end of %s", what, old)
        return found

    def _named(self, name: str, parameters: dict[str, Any]) -> list[Blocker]:
        with self.observer.cursor(row_factory=class_row(Blocker)) as cursor:
            return cursor.execute(query(f"run/{name}"), parameters).fetchall()

    def _shoo_autovacuum(self, blocker: Blocker) -> None:
        # It yields to a session that waits. Waiting in this mode, we hold up nobody but it.
        assert blocker.relation is not None
        relation = SQL(blocker.relation)
        with suppress(*NOT_LOCKED):
            try:
                self._wait(SQL("LOCK TABLE ONLY {} IN SHARE UPDATE EXCLUSIVE MODE").format(relation))
            except REFUSED:
                # COMMENT takes the same lock, and finds out only then what it is, and whose: nothing comes of it. An
                # event trigger of others may refuse it.
                with suppress(psycopg.DatabaseError):
                    self._wait(SQL("COMMENT ON TABLE {} IS NULL").format(relation))

    def _wait(self, waiting: Composed) -> None:
        try:
            self.observer.execute(SQL(YIELDING).format(waiting=waiting))
        finally:
            if self.observer.info.transaction_status:
                self.observer.execute("ROLLBACK")

    def _end_idle(self, blocker: Blocker) -> None:
        """End it, if that is wanted of one that has been idle for so long."""
        if self.end_idle_after is None or not blocker.is_idle or blocker.state_seconds <= self.end_idle_after:
            return
        try:
            self.observer.execute("SELECT pg_terminate_backend(%s)", [blocker.pid])
            log.warning("Ended pid %s, which was idle in a transaction for %.0f s", blocker.pid, blocker.state_seconds)
        except psycopg.errors.InsufficientPrivilege:
            log.warning("pid %s may not be ended by this role: %s's sessions are not its own", blocker.pid, blocker.who)
