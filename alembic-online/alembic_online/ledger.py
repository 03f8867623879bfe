"""The ledger: a row for each attempt at a migration step, in a schema that no downgrade drops.

That a step was applied is written in the step's own transaction, so that the ledger says so if and only if it is; the
rest is written on a session in autocommit mode, so that it survives a step's rollback.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from alembic_online.errors import OnlineError
from alembic_online.queries import query

Before = Mapping[str, str]
"""The catalog before a step: what each object is called, and a hash of its definition."""


@dataclass(frozen=True)
class Entry:
    """One attempt at a step, as `sidb history` shows it. Times are in seconds."""

    step_id: int
    revision: str
    direction: str
    outcome: str
    started: datetime
    finished: datetime | None
    seconds: float | None
    lock_tries: int
    seconds_waited: float
    rows_changed: int | None
    locks: dict[str, str] | None
    victims: int | None
    longest_victim_seconds: float | None
    observed: dict[str, list[float]] | None
    validated: bool | None
    who: str
    client: str
    code_version: str
    message: str | None


@dataclass(frozen=True)
class Applied:
    """The step that was applied last."""

    step_id: int
    revision: str
    direction: str
    validated: bool | None
    before: Before


class Ledger:
    """Reads and writes `sidb.step` on a session in autocommit mode."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def exists(self) -> bool:
        """Whether there is a ledger; OnlineError where this role may not use it."""
        usable = "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = 'sidb'"
        if self.connection.execute(usable).fetchone() == (False,):
            raise OnlineError(
                "The records of the rollout, in schema sidb, belong to another role.",
                "migrate as the role that did it before, or grant this one its membership.",
            )
        row = self.connection.execute("SELECT to_regclass('sidb.step') IS NOT NULL").fetchone()
        return bool(row and row[0])

    def open(self) -> None:
        """Create the ledger at first use; close the entries of runs that were killed."""
        if not self.exists():
            self.connection.execute(query("ledger/create"))
        self.connection.execute(query("ledger/interrupted"))

    def start(self, revision: str, direction: str, client: str, before: Before) -> int:
        """A new attempt; returns the number by which the other methods know it."""
        parameters = {
            "revision": revision,
            "direction": direction,
            "client": client,
            "code_version": version("social-intelligence-db"),
            "before": Jsonb(before),
        }
        row = self.connection.execute(query("ledger/start"), parameters).fetchone()
        assert row is not None
        return int(row[0])

    def gave_up(self, step_id: int, outcome: str, message: str, lock_tries: int, seconds_waited: float) -> None:
        """The attempt was rolled back: `missed` (to be tried again) or `failed`."""
        parameters = {
            "step_id": step_id,
            "outcome": outcome,
            "message": message,
            "lock_tries": lock_tries,
            "seconds_waited": seconds_waited,
        }
        self.connection.execute(query("ledger/gave_up"), parameters)

    def observed(self, step_id: int, victims: int, longest: float, observed: Mapping[str, Any]) -> None:
        parameters = {
            "step_id": step_id,
            "victims": victims,
            "longest_victim_seconds": longest,
            "observed": Jsonb(observed),
        }
        self.connection.execute(query("ledger/observed"), parameters)

    def validated(self, step_id: int, *, valid: bool, message: str | None = None) -> None:
        parameters = {"step_id": step_id, "validated": valid, "message": message}
        self.connection.execute(query("ledger/validated"), parameters)

    def last_applied(self) -> Applied | None:
        with self.connection.cursor(row_factory=class_row(Applied)) as cursor:
            return cursor.execute(query("ledger/last_applied")).fetchone()

    def before(self, revision: str, direction: str) -> Before | None:
        """The catalog before the first attempt at a step that has not been applied since; None: not attempted yet."""
        row = self.connection.execute(query("ledger/before"), {"revision": revision, "direction": direction}).fetchone()
        return row[0] if row else None

    def history(self) -> list[Entry]:
        """Every attempt, the oldest first; empty where there is no ledger yet."""
        if not self.exists():
            return []
        with self.connection.cursor(row_factory=class_row(Entry)) as cursor:
            return cursor.execute(query("ledger/history")).fetchall()


def applied(
    migration: psycopg.Connection[Any],
    step_id: int,
    lock_tries: int,
    seconds_waited: float,
    rows_changed: int,
    locks: Mapping[str, str],
) -> None:
    """Say that the step is applied, within its own transaction."""
    parameters = {
        "step_id": step_id,
        "lock_tries": lock_tries,
        "seconds_waited": seconds_waited,
        "rows_changed": rows_changed,
        "locks": Jsonb(locks),
    }
    migration.execute(query("ledger/applied"), parameters)
