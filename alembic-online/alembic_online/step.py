"""One step as the guard runs it: what it asks for before its first statement, and what it held before each commit."""

import logging
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import psycopg
from alembic.runtime.migration import RevisionStep

from alembic_online import data_loss, ledger, lock_modes
from alembic_online.acquisition import MISSED, Blockers, ask, gave_up
from alembic_online.archiver import Archiver
from alembic_online.queries import query
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import LOCK_TIMEOUT_MS

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
        patience: RetryPolicy,
        in_the_way: Blockers,
        aside: Archiver | None,
        *,
        discard_data: bool,
    ) -> None:
        self.script = step.revision
        self.direction: Literal["upgrade", "downgrade"] = "upgrade" if step.is_upgrade else "downgrade"
        self.name = f"{self.script.revision} {self.direction}"
        self.patience = patience
        self.in_the_way = in_the_way
        self.aside = aside
        declared: Mapping[str, Mapping[str, str]] = getattr(self.script.module, "locks", {})
        self.declared = dict(declared.get(self.direction, {}))
        self.dropped: set[str] = set()
        self.kept_if_filled: set[str] = set()
        if self.direction == "downgrade":
            self.dropped = data_loss.dropped_relations(self.script)
            self.kept_if_filled = set() if discard_data else data_loss.dropped_tables(self.script)
        self.wanted = {**dict.fromkeys(sorted(self.dropped), "AccessExclusiveLock"), **self.declared}
        self.entry = 0
        self.asked = False
        self.rows_changed = 0
        self.locks: dict[str, str] = {}
        self.relations: dict[int, str] = {}

    def begin(self, entry: int, observer: psycopg.Connection[Any]) -> None:
        """A new attempt, which the ledger knows as `entry`."""
        self.entry = entry
        self.asked = False
        self.rows_changed = 0
        self.locks = {}
        self.relations = {oid: name for oid, _, name in observer.execute(query("run/relations"))}
        if self.aside and self.direction == "downgrade":
            self.aside.prepare(self.script, self.patience, self.in_the_way)

    def before_statement(self, connection: psycopg.Connection[Any]) -> None:
        """In a transaction: the first statement of the step is preceded by asking for its locks."""
        self.patience.interrupt()
        if self.asked:
            return
        self.asked = True
        ask(connection, self.wanted, self.patience, self.in_the_way, self.name)
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        if self.aside and self.direction == "downgrade":
            self.aside.move(connection, self.script)
        if losses := data_loss.rows_in(connection, self.kept_if_filled):
            raise data_loss.refusal(losses)

    def alone(self, cursor: psycopg.Cursor[Any], statement: str, parameters: Any) -> None:
        """Outside of a transaction: each statement is asked for by itself, and safe to run again."""
        self.patience.interrupt()
        if CONCURRENTLY.match(statement):
            self._concurrently(cursor, statement, parameters)
            return
        while True:
            wait = self.patience.next_wait(partial(self.in_the_way.long, self.declared))
            try:
                with cursor.connection.transaction():
                    cursor.connection.execute(f"SET LOCAL lock_timeout = {max(wait, 1)}")
                    cursor.execute(statement, parameters)
                    self.record(cursor.connection)
                return
            except MISSED:
                self.in_the_way.missed(self.declared, self.name)
                if self.patience.over:
                    raise gave_up(self.name, self.patience, self.in_the_way.blockers(self.declared)) from None
                self.patience.pause()

    def record(self, connection: psycopg.Connection[Any]) -> None:
        """Before a commit: add up rows and locks; warn if the step holds more than it declares."""
        row = connection.execute(query("run/rows_changed")).fetchone()
        self.rows_changed += row[0] if row else 0
        for oid, mode, still_there in connection.execute(query("run/locks_held")).fetchall():
            if (relation := self.relations.get(oid)) is None:
                continue
            if relation not in self.locks or lock_modes.stronger(mode, self.locks[relation]):
                self.locks[relation] = mode
            if still_there and lock_modes.stronger(mode, self.wanted.get(relation, UNDECLARED)):
                log.warning(
                    "%s holds %s on %s: declare it in the revision's `locks`, so that it is asked for beforehand",
                    self.name,
                    mode,
                    relation,
                )

    def applied(self, connection: psycopg.Connection[Any]) -> None:
        """Before the last commit: say in the ledger that it is one."""
        tries, waited = self.patience.tries, self.patience.waited
        ledger.applied(connection, self.entry, tries, waited, self.rows_changed, self.locks)

    def _concurrently(self, cursor: psycopg.Cursor[Any], statement: str, parameters: Any) -> None:
        # Cancelled while it waits, it would leave an invalid index: it may wait for as long as the step may.
        self.in_the_way.name_old_transactions(self.name)
        cursor.connection.execute(f"SET lock_timeout = {int(self.patience.seconds * 1000)}")
        try:
            cursor.execute(statement, parameters)
        finally:
            if not cursor.connection.closed:
                cursor.connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
