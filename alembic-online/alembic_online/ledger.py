"""The ledger: a row for each attempt at a migration step, in a schema that no downgrade drops.

That a step was applied is written in the step's own transaction, so that the ledger says so if and only if it is; the
rest is written on a session in autocommit mode, so that it survives a step's rollback.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from alembic_online.bookkeeping import Component, bring_up_to_date, refuse_unusable
from alembic_online.errors import OnlineError
from alembic_online.planned import Direction
from alembic_online.queries import query
from alembic_online.scope import Scope
from alembic_online.watcher import Observed

COMMITTING = 5000  # ms to wait for a session that is perhaps still committing, though nobody waits for its answer

Before = Mapping[str, str]
"""The catalog before a step: what each object is called, and a hash of its definition."""


@dataclass(frozen=True)
class Entry:
    """One attempt at a step. Times are in seconds."""

    step_id: int
    revision: str
    direction: Direction
    outcome: str
    started: datetime
    finished: datetime | None
    seconds: float | None
    lock_tries: int
    seconds_waited: float
    rows_changed: int | None
    locks: dict[str, str] | None
    blocked_sessions: int | None
    longest_block_seconds: float | None
    observed: dict[str, list[float]] | None
    validated: bool | None
    who: str
    client: str
    code_version: str
    message: str | None
    samples: dict[str, list[float]] | None = None
    alerts: list[str] | None = None


@dataclass(frozen=True)
class Applied:
    """The step that was applied last."""

    step_id: int
    revision: str
    direction: Direction
    validated: bool | None
    is_looked_at: bool
    """Whether it was, with whatever outcome: a run that was killed may not have come to it."""
    before: Before


LEDGER = Component("ledger", [query("ledger/create"), query("ledger/create_samples")])


class Ledger:
    """Reads and writes the table `step` of the bookkeeping schema, on a session in autocommit mode."""

    def __init__(self, connection: psycopg.Connection[Any], scope: Scope) -> None:
        self.connection = connection
        self.scope = scope

    def exists(self) -> bool:
        """Whether there is a ledger; OnlineError where this role may not use it."""
        refuse_unusable(self.connection, self.scope.bookkeeping)
        row = self.connection.execute(
            "SELECT to_regclass(format('%%I.step', %s::text)) IS NOT NULL", [self.scope.bookkeeping]
        ).fetchone()
        return bool(row and row[0])

    def open(self) -> None:
        """Create the ledger at first use, or bring it up to date; close the entries of runs that were killed.

        OnlineError where the session of one is still committing.
        """
        bring_up_to_date(self.connection, self.scope.bookkeeping, LEDGER)
        try:
            self._execute("interrupted")
        except psycopg.errors.LockNotAvailable:
            raise OnlineError(
                "The session of an earlier run is still committing its step; nothing was changed.",
                "run it again when that session has ended; one that waits for a synchronous standby ends with it.",
            ) from None

    def start(self, revision: str, direction: str, client: str, before: Before) -> int:
        """A new attempt; returns the number by which the other methods know it."""
        parameters = {
            "revision": revision,
            "direction": direction,
            "client": client,
            "code_version": self.scope.version,
            "before": Jsonb(before),
        }
        row = self._execute("start", parameters).fetchone()
        assert row is not None
        return int(row[0])

    def gave_up(self, step_id: int, outcome: str, message: str, lock_tries: int, seconds_waited: float) -> bool:
        """The attempt was rolled back: `missed` (to be tried again) or `failed`. False where it was not: it is applied.

        psycopg.OperationalError: that is not known, its session may still be committing.
        """
        parameters = {
            "step_id": step_id,
            "outcome": outcome,
            "message": message,
            "lock_tries": lock_tries,
            "seconds_waited": seconds_waited,
        }
        with self.connection.transaction():
            self.connection.execute(f"SET LOCAL lock_timeout = {COMMITTING}")
            self._execute("gave_up", parameters)
            row = self._execute("is_applied", {"step_id": step_id}).fetchone()
        return row == (False,)

    def observed(self, step_id: int, seen: Observed) -> None:
        """What the watcher saw of the attempt."""
        parameters = {
            "step_id": step_id,
            "blocked_sessions": seen.blocked_sessions,
            "longest_block_seconds": seen.longest_wait,
            "observed": Jsonb(dict(seen.measures)),
            "samples": Jsonb(seen.series),
            "alerts": list(seen.alerts),
        }
        self._execute("observed", parameters)

    def validated(self, step_id: int, *, valid: bool | None, message: str | None = None) -> None:
        """An applied step left what it should, or not; None: nobody says what it should, as `message` tells."""
        parameters = {"step_id": step_id, "validated": valid, "message": message}
        self._execute("validated", parameters)

    def last_applied(self) -> Applied | None:
        with self.connection.cursor(row_factory=class_row(Applied)) as cursor:
            return cursor.execute(self._sql("last_applied")).fetchone()

    def before(self, revision: str, direction: str) -> Before | None:
        """The catalog before the first attempt at a step that has not been applied since; None: not attempted yet."""
        row = self._execute("before", {"revision": revision, "direction": direction}).fetchone()
        return row[0] if row else None

    def is_begun(self, revision: str, direction: str) -> bool:
        """Whether the step was attempted and has not been applied since."""
        return self.exists() and self.before(revision, direction) is not None

    def history(self) -> list[Entry]:
        """Every attempt, the oldest first; empty where there is no ledger yet."""
        if not self.exists():
            return []
        with self.connection.cursor(row_factory=class_row(Entry)) as cursor:
            return cursor.execute(self._sql("history")).fetchall()

    def applied(
        self,
        migration: psycopg.Connection[Any],
        step_id: int,
        lock_tries: int,
        seconds_waited: float,
        rows_changed: int,
        locks: Mapping[str, str],
    ) -> None:
        """Say that the step is applied, within its own transaction, on the session that migrates."""
        parameters = {
            "step_id": step_id,
            "lock_tries": lock_tries,
            "seconds_waited": seconds_waited,
            "rows_changed": rows_changed,
            "locks": Jsonb(locks),
        }
        migration.execute(self._sql("applied"), parameters)

    def _execute(self, name: str, parameters: Mapping[str, Any] | None = None) -> psycopg.Cursor[Any]:
        return self.connection.execute(self._sql(name), parameters)

    def _sql(self, name: str) -> bytes:
        return LEDGER.sql(query(f"ledger/{name}"), self.scope.bookkeeping)
