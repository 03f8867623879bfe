"""One step as the guard runs it: what it asks for before its first statement, and what it held before each commit."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import psycopg
from alembic.runtime.migration import RevisionStep
from psycopg.pq import TransactionStatus

from alembic_online import lock_modes
from alembic_online.acquisition import MISSED, acquire, gave_up
from alembic_online.commands import commands, refuse
from alembic_online.data_loss import Drops
from alembic_online.errors import OnlineError
from alembic_online.keepers import Keeper
from alembic_online.ledger import Ledger
from alembic_online.parts import Part
from alembic_online.planned import Direction, Planned
from alembic_online.queries import query
from alembic_online.replicas import EXCLUSIVE
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import LOCK_TIMEOUT_MS, Session
from alembic_online.settings import PINNED
from alembic_online.undeclared import Undeclared

log = logging.getLogger("alembic.online")

CONCURRENTLY = re.compile(
    r"\s*(--[^\n]*\n\s*)*((CREATE\s+(UNIQUE\s+)?|DROP\s+|REINDEX\s+(\([^)]*\)\s*)?)(INDEX|TABLE)\s+CONCURRENTLY|VACUUM)\b",
    re.I,
)
"""Statements that cannot run in a transaction, wait for others' transactions, and hold up nobody meanwhile."""

NAME = r"(?:\"(?:[^\"]|\"\")+\"|[^\s\".()]+)"
CREATE_INDEX = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    rf"(?P<index>{NAME})\s+ON\s+(?:ONLY\s+)?(?P<table>{NAME}(?:\s*\.\s*{NAME})?)",
    re.I,
)
"""One that names its index."""

UNDECLARED = "RowExclusiveLock"
"""What a step may hold on a relation without declaring it: as the application itself does."""

CAPPED = f"SET lock_timeout = {LOCK_TIMEOUT_MS}"
"""Also where the body has set another value, LOCAL or not."""


def exclusive(drops: Iterable[Part]) -> dict[str, str]:
    """The locks that dropping these takes."""
    return {part.table_name: EXCLUSIVE for part in drops}


class Step:
    """A revision's upgrade or downgrade, over all its attempts."""

    def __init__(
        self,
        step: RevisionStep,
        session: Session,
        ledger: Ledger,
        policy: RetryPolicy,
        keeper: Keeper,
    ) -> None:
        self.script = step.revision
        self.direction: Direction = "upgrade" if step.is_upgrade else "downgrade"
        self.name = f"{self.script.revision} {self.direction}"
        self.session = session
        self.ledger = ledger
        self.policy = policy
        self.declared = Planned(self.script, self.direction).locks
        self.drops = Drops(session, self.script, self.direction, self.name, keeper)
        self.wanted: dict[str, str] = {}
        self.committed = False
        """Whether an attempt committed a part of the step: an autocommit block does."""
        self.entry = 0
        self.acquired = False
        self.rows_changed = 0
        self.locks: dict[str, str] = {}
        self.relations: dict[int, str] = {}

    def begin(self, entry: int) -> None:
        """A new attempt, which the ledger knows as `entry`."""
        self.entry = entry
        self.acquired = False
        self.rows_changed = 0
        self.locks = {}
        self.relations = {oid: name for oid, _, name in self.session.observer.execute(query("run/relations"))}
        self.wanted = {**self.drops.locks(), **self.declared}
        self.drops.prepare(self.policy)

    def execute(self, connection: psycopg.Connection[Any], statement: str, work: Callable[[], object]) -> None:
        """Run a statement of the step's body, which `work` executes on the migration's connection."""
        self.policy.interrupt()
        found = commands(statement)
        refuse(found, self.name)
        self._refuse_ended(connection)  # by what was executed past SQLAlchemy
        if connection.autocommit:
            self._alone(connection, statement, work)
            return
        if not self.acquired:
            self.acquired = True
            acquire(self.session, self.wanted, self.name, self.policy)
            connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}{self.drops.announced}")
            self.drops.begin(again=not self.committed)
        self.drops.execute(statement, work, again=not self.committed)
        self._refuse_ended(connection)
        if any(command.may_set for command in found):
            connection.execute(CAPPED)

    def _refuse_ended(self, connection: psycopg.Connection[Any]) -> None:
        """Raise OnlineError where the step's transaction is over, though nobody has committed it by SQLAlchemy."""
        if not self.acquired or connection.info.transaction_status != TransactionStatus.IDLE:
            return
        self.acquired, self.committed = False, True
        raise OnlineError(
            f"{self.name}: a statement of its body has ended the step's transaction. What it did until then was"
            " committed unchecked, or rolled back.",
            "compare what the revision does with the database, put that right by hand, and take the COMMIT or ROLLBACK"
            " out of the revision.",
        )

    def _alone(self, connection: psycopg.Connection[Any], statement: str, work: Callable[[], object]) -> None:
        """Outside of a transaction: each statement acquires its locks by itself, and is safe to run again.

        Tables of which it drops columns are locked beforehand once that is found out, and no others: the application
        goes on with these.
        """
        if CONCURRENTLY.match(statement):
            self._drop_interrupted(connection, statement)
            self._concurrently(connection, statement, work)
            self.committed = True
            return
        drops: list[Part] = []
        while True:
            self._wait_for_readers(self.declared)
            wait = self.policy.next_wait(partial(self.session.blockers.longest, self.declared))
            try:
                with connection.transaction():
                    if drops:
                        acquire(self.session, exclusive(drops), self.name, self.policy)
                    connection.execute(f"SET LOCAL lock_timeout = {max(wait, 1)}{self.drops.announced}")
                    if drops:
                        self.drops.begin(drops, again=True)
                    self.drops.execute(statement, work, again=True)
                    self.record(again=True)
                self.committed = True
                return
            except Undeclared as found:
                self.drops.learn(found)
                drops = self.drops.meant_by(statement)
            except psycopg.errors.DependentObjectsStillExist:  # of columns that are followed, the triggers do
                if drops or not (drops := self.drops.meant_by(statement)):
                    raise
            except MISSED:
                self.session.blockers.missed(self.declared, self.name)
                if self.policy.over:
                    raise self.gave_up() from None
                self.policy.pause()
            self.drops.prepare(self.policy)  # what was found, was found under locks that are gone

    def before_commit(self, *, last: bool) -> None:
        """Before a commit of the step's own transaction; the `last` one says in the ledger that the step is applied."""
        self.record(again=not self.committed)
        if last:  # what the body has set for the session ends with the step
            self.session.connection.execute(f"{CAPPED}; SET statement_timeout = {PINNED['statement_timeout']}")
        self.committed = True
        self.acquired = False  # the locks go; what follows acquires its own
        if last:
            tries, waited = self.policy.tries, self.policy.waited
            self.ledger.applied(self.session.connection, self.entry, tries, waited, self.rows_changed, self.locks)

    def record(self, *, again: bool) -> None:
        """Before a commit: see to what is gone, add up rows and locks; warn if the step holds more than it declares.

        `again`: whether what was committed now can be run again instead.
        """
        connection = self.session.connection
        self.drops.before_commit(again=again)
        connection.execute("SELECT pg_stat_force_next_flush()")  # else the next transaction's rows would include these
        parameters = {"bookkeeping": self.session.scope.bookkeeping}
        row = connection.execute(query("run/rows_changed"), parameters).fetchone()
        self.rows_changed += row[0] if row else 0
        for oid, mode, still_there in connection.execute(query("run/locks_held")).fetchall():
            if (relation := self.relations.get(oid)) is None:
                continue
            if relation not in self.locks or lock_modes.stronger(mode, self.locks[relation]):
                self.locks[relation] = mode
            if still_there and lock_modes.stronger(mode, self.wanted.get(relation, UNDECLARED)):
                log.warning(
                    "%s holds %s on %s: declare it in the revision's `locks`, so that it is acquired beforehand",
                    self.name,
                    mode,
                    relation,
                )

    def gave_up(self) -> OnlineError:
        """The error that ends it when its locks could not be acquired, with who is in the way now."""
        blockers = self.session.blockers.blockers({**self.drops.locks(), **self.declared})
        return gave_up(self.name, self.policy, blockers, self.session.options)

    def _wait_for_readers(self, locks: Mapping[str, str]) -> None:
        self.policy.began += self.session.replicas.wait_for_readers(locks, self.name, self.policy.interrupt)

    def _drop_interrupted(self, connection: psycopg.Connection[Any], statement: str) -> None:
        """Where an index is to be built that is there and invalid: it was interrupted, and is built anew."""
        if (found := CREATE_INDEX.match(statement)) is None:
            return
        for (name,) in connection.execute(query("run/invalid_index"), found.groupdict()).fetchall():
            log.info(
                "%s: index %s is invalid, as when it was interrupted: it is dropped, and built anew", self.name, name
            )
            drop = f"DROP INDEX CONCURRENTLY IF EXISTS {name}"
            self._concurrently(connection, drop, partial(connection.execute, drop.encode()))

    def _concurrently(self, connection: psycopg.Connection[Any], statement: str, work: Callable[[], object]) -> None:
        if (
            not statement.lstrip().upper().startswith("CREATE")
        ):  # what goes is locked in the end, and replicas replay that
            self._wait_for_readers(dict.fromkeys(self.declared, EXCLUSIVE))
        # Cancelled while it waits, it would leave an invalid index: it may wait for as long as the step may.
        connection.execute(f"SET lock_timeout = {int(self.policy.seconds * 1000)}")
        try:
            with self.session.blockers.named_while_waiting(self.name):
                work()
        finally:
            if not connection.closed:
                connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
