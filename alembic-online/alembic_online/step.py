"""One step as the guard runs it: what it asks for before its first statement, and what it held before each commit."""

import logging
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import psycopg
from alembic.runtime.migration import RevisionStep

from alembic_online import data_loss, lock_modes
from alembic_online.acquisition import MISSED, acquire, gave_up
from alembic_online.archiver import Archiver
from alembic_online.errors import OnlineError
from alembic_online.ledger import Ledger
from alembic_online.queries import query
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import LOCK_TIMEOUT_MS, Session

log = logging.getLogger("alembic.online")

CONCURRENTLY = re.compile(
    r"\s*(--[^\n]*\n\s*)*((CREATE\s+(UNIQUE\s+)?|DROP\s+|REINDEX\s+(\([^)]*\)\s*)?)(INDEX|TABLE)\s+CONCURRENTLY|VACUUM)\b",
    re.I,
)
"""Statements that cannot run in a transaction, wait for others' transactions, and hold up nobody meanwhile."""

UNDECLARED = "RowExclusiveLock"
"""What a step may hold on a relation without declaring it: as the application itself does."""


class Step:
    """A revision's upgrade or downgrade, over all its attempts."""

    def __init__(
        self,
        step: RevisionStep,
        session: Session,
        ledger: Ledger,
        policy: RetryPolicy,
        archiver: Archiver | None,
    ) -> None:
        self.script = step.revision
        self.direction: Literal["upgrade", "downgrade"] = "upgrade" if step.is_upgrade else "downgrade"
        self.name = f"{self.script.revision} {self.direction}"
        self.session = session
        self.ledger = ledger
        self.policy = policy
        self.archiver = archiver
        declared: Mapping[str, Mapping[str, str]] = getattr(self.script.module, "locks", {})
        self.declared = dict(declared.get(self.direction, {}))
        self.dropped: set[str] = set()
        self.kept_if_filled: set[str] = set()
        if self.direction == "downgrade":
            self.dropped = data_loss.dropped_relations(self.script)
            self.kept_if_filled = set() if session.options.discard_data else data_loss.dropped_tables(self.script)
        self.wanted = {**dict.fromkeys(sorted(self.dropped), "AccessExclusiveLock"), **self.declared}
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
        if self.archiver and self.direction == "downgrade":
            self.archiver.prepare(self.script, self.policy)

    def before_statement(self) -> None:
        """In a transaction: the first statement of the step is preceded by acquiring its locks."""
        self.policy.interrupt()
        if self.acquired:
            return
        self.acquired = True
        acquire(self.session, self.wanted, self.name, self.policy)
        self.session.connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        if self.archiver and self.direction == "downgrade":
            self.archiver.move(self.session, self.script)
        if losses := data_loss.rows_in(self.session.connection, self.kept_if_filled):
            raise data_loss.refusal(losses, data_loss.remedy(self.session.scope, self.session.options))

    def alone(self, cursor: psycopg.Cursor[Any], statement: str, parameters: Any) -> None:
        """Outside of a transaction: each statement acquires its locks by itself, and is safe to run again."""
        self.policy.interrupt()
        if CONCURRENTLY.match(statement):
            self._concurrently(cursor, statement, parameters)
            return
        while True:
            wait = self.policy.next_wait(partial(self.session.blockers.long, self.declared))
            try:
                with cursor.connection.transaction():
                    cursor.connection.execute(f"SET LOCAL lock_timeout = {max(wait, 1)}")
                    cursor.execute(statement, parameters)
                    self.record()
                return
            except MISSED:
                self.session.blockers.missed(self.declared, self.name)
                if self.policy.over:
                    raise self.gave_up() from None
                self.policy.pause()

    def record(self) -> None:
        """Before a commit: add up rows and locks; warn if the step holds more than it declares."""
        connection = self.session.connection
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

    def applied(self) -> None:
        """Before the last commit: say in the ledger that it is one."""
        tries, waited = self.policy.tries, self.policy.waited
        self.ledger.applied(self.session.connection, self.entry, tries, waited, self.rows_changed, self.locks)

    def gave_up(self) -> OnlineError:
        """The error that ends it when its locks could not be acquired, with who is in the way now."""
        blockers = self.session.blockers.blockers(self.declared)
        return gave_up(self.name, self.policy, blockers, self.session.options)

    def _concurrently(self, cursor: psycopg.Cursor[Any], statement: str, parameters: Any) -> None:
        # Cancelled while it waits, it would leave an invalid index: it may wait for as long as the step may.
        self.session.blockers.name_old_transactions(self.name)
        cursor.connection.execute(f"SET lock_timeout = {int(self.policy.seconds * 1000)}")
        try:
            cursor.execute(statement, parameters)
        finally:
            if not cursor.connection.closed:
                cursor.connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
