"""What becomes of the data in what a step drops: whoever migrates says it."""

from collections.abc import Sequence
from typing import Protocol

from alembic_online.parts import Part
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import Session


class Keeper(Protocol):
    """What becomes of the data in what a step drops. Each method may refuse by raising OnlineError."""

    def prepare(self, columns: Sequence[Part], policy: RetryPolicy) -> None:
        """Before an attempt at the step that drops these columns of one table; nothing is locked."""

    def columns(self, session: Session, columns: Sequence[Part]) -> None:
        """In the step's transaction, the table locked for the step alone, before it drops them."""

    def table(self, session: Session, table: Part) -> None:
        """In the step's transaction, the table locked for the step alone, before it drops it."""

    def close(self) -> None:
        """At the end of the run, however it ended."""


class Discard:
    """Lets everything go: the person at the console asked for it."""

    def prepare(self, columns: Sequence[Part], policy: RetryPolicy) -> None: ...

    def columns(self, session: Session, columns: Sequence[Part]) -> None: ...

    def table(self, session: Session, table: Part) -> None: ...

    def close(self) -> None: ...
