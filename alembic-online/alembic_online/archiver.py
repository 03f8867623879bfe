"""What keeps the data that a downgrade would drop; `operations.rollback` gives the guard one."""

from typing import Any, Protocol

import psycopg
from alembic.script import Script

from alembic_online.acquisition import Blockers
from alembic_online.retry import RetryPolicy


class Archiver(Protocol):
    """Moves out of a downgrade's way what it would drop."""

    def prepare(self, script: Script, patience: RetryPolicy, in_the_way: Blockers) -> None:
        """Before each attempt at the revision's downgrade, with no lock held."""

    def move(self, connection: psycopg.Connection[Any], script: Script) -> None:
        """In the downgrade's own transaction, before its first statement, with its locks held."""
