"""How an erasure spares the application: short transactions, short waits, and rests where many rows go."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from alembic_online.acquisition import retried
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import driver
from rich.console import Console
from sqlalchemy import Connection

from backfill.pacing import Throttle
from operations.health import Health, share_now

AT_ONCE = 20_000
"""Rows that go without a rest: about what a batch of the backfill moves."""
LOCK_TIMEOUT = "50ms"
LOOK_AGAIN = 1.0
"""Seconds between two looks at the health while something speaks against going on."""

Done = TypeVar("Done")


@dataclass
class Pace:
    """Runs the pieces of an erasure on its working session, each in a transaction of its own.

    `path` is the application's search path, on which others' triggers find what they name; `share` what part of the
    time may be taken beside the application, `deadline` for how many seconds locks are tried for.
    """

    connection: Connection
    path: str
    share: float
    deadline: float
    console: Console
    health: Health = field(default_factory=Health)
    rows: int = 0
    """Rows that went so far."""
    throttle: Throttle = field(init=False)

    def __post_init__(self) -> None:
        self.throttle = Throttle(self._share)

    @property
    def session(self) -> psycopg.Connection[Any]:
        return driver(self.connection)

    def transaction(self, work: Callable[[psycopg.Connection[Any]], Done]) -> Done:
        """Do it in a transaction, and again where another session holds what it needs."""

        return self._retried(work, Throttle())

    def _retried(self, work: Callable[[psycopg.Connection[Any]], Done], throttle: Throttle) -> Done:
        """Rest, and try until the deadline; attempts that missed a lock were no work, and nobody rests from them."""
        throttle.rest_now()

        def once() -> Done:
            with throttle.piece(), self.connection.begin():
                settings = {"path": self.path, "timeout": LOCK_TIMEOUT}
                self.session.execute(
                    "SELECT set_config('search_path', %(path)s, true), set_config('lock_timeout', %(timeout)s, true)",
                    settings,
                )
                return work(self.session)

        return retried(once, RetryPolicy(self.deadline), self.connection.engine.url)

    def batch(self, tables: Sequence[str], work: Callable[[psycopg.Connection[Any]], int]) -> int:
        """A piece that writes; beyond AT_ONCE rows it waits for a healthy database, and rests for the application."""

        def lasting_later(session: psycopg.Connection[Any]) -> int:
            # The commit that records the erasure's progress makes all before it durable: no other waits for the disk.
            session.execute("SELECT set_config('synchronous_commit', 'off', true)")
            return work(session)

        if self.rows <= AT_ONCE:
            done = self.transaction(lasting_later)
        else:
            self._wait_for_health(tables)
            done = self._retried(lasting_later, self.throttle)
        self.rows += done
        return done

    def read(self, work: Callable[[psycopg.Connection[Any]], Done]) -> Done:
        """A piece that reads much, with a rest before the next."""
        return self._retried(work, self.throttle)

    def _share(self) -> float:
        with self.connection.begin():
            return share_now(self.session, self.share)

    def _wait_for_health(self, tables: Sequence[str]) -> None:
        if self.share >= 1:
            return
        told = ""
        while True:
            with self.connection.begin():
                trouble = self.health.trouble(self.connection, tables)
            if trouble is None:
                return
            if trouble.reason != told:
                self.console.print(f"Holding back: {trouble.detail}", soft_wrap=True)
                told = trouble.reason
            time.sleep(LOOK_AGAIN)
