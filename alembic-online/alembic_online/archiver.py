"""What keeps the data that a downgrade would drop; a program that goes back gives the engine one."""

from typing import Protocol

from alembic.script import Script

from alembic_online.retry import RetryPolicy
from alembic_online.sessions import Session


class Archiver(Protocol):
    """Moves out of a downgrade's way what it would drop."""

    def prepare(self, script: Script, policy: RetryPolicy) -> None:
        """Before each attempt at the revision's downgrade, with no lock held."""

    def move(self, session: Session, script: Script) -> None:
        """In the downgrade's own transaction, before its first statement, with its locks held."""
