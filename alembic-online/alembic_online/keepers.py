"""What becomes of the data in what a step drops: kept by the caller, refused or discarded."""

from collections.abc import Sequence
from typing import Any, Protocol

import psycopg

from alembic_online import parts
from alembic_online.errors import OnlineError
from alembic_online.following import Following, clear
from alembic_online.parts import Part
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import Session


class Keeper(Protocol):
    """What becomes of the data in what a step drops. Each method may refuse by raising OnlineError.

    What one did in a step's transaction may be undone with that; it is called again then.
    """

    def prepare(self, columns: Sequence[Part], policy: RetryPolicy) -> None:
        """Before each attempt at the step that drops these columns of one table; nothing is locked."""

    def columns(self, session: Session, columns: Sequence[Part]) -> None:
        """In the step's transaction, the table locked for the step alone, before it drops them."""

    def table(self, session: Session, table: Part) -> None:
        """In the step's transaction, the table locked for the step alone, before it drops it."""

    def close(self) -> None:
        """At the end of the run, however it ended."""


class Refuse:
    """Refuses to drop what holds rows or values."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.following = Following(session)

    def prepare(self, columns: Sequence[Part], policy: RetryPolicy) -> None:
        wanted = [part for part in columns if not part.computed]
        if wanted and not self.following.is_followed(wanted):
            self.following.begin(wanted, policy)
            self._refuse(self.session.observer, wanted)
            self.following.found_empty(wanted)

    def is_unread(self, session: Session, columns: Sequence[Part]) -> bool:
        """Whether these columns are to be read again before the table is locked, as it would be read under its lock."""
        wanted = [part for part in columns if not part.computed]
        return bool(wanted) and self.following.is_to_be_read_again(session, wanted)

    def columns(self, session: Session, columns: Sequence[Part]) -> None:
        wanted = [part for part in columns if not part.computed]
        if wanted and self.following.end(session, wanted) is not False:  # values were written, or nobody looked
            self._refuse(session.connection, wanted)

    def table(self, session: Session, table: Part) -> None:
        self._refuse(session.connection, [table])

    def close(self) -> None:
        clear(self.session)

    def _refuse(self, connection: psycopg.Connection[Any], dropped: Sequence[Part]) -> None:
        if losses := held(connection, dropped):
            raise refusal(losses, self.session)


class Discard:
    """Lets everything go: the person at the console asked for it."""

    def prepare(self, columns: Sequence[Part], policy: RetryPolicy) -> None: ...

    def columns(self, session: Session, columns: Sequence[Part]) -> None: ...

    def table(self, session: Session, table: Part) -> None: ...

    def close(self) -> None: ...


def held(connection: psycopg.Connection[Any], dropped: Sequence[Part]) -> list[str]:
    """Those of the parts that hold what cannot be computed again, as a person reads it."""
    whole = [*parts.tables(dropped), *(part for each in parts.columns(dropped).values() for part in each)]
    return [
        f"{part.name}: holds {'rows' if part.column_name is None else 'values'}"
        for part in whole
        if not part.computed and parts.holds(connection, part)
    ]


def refusal(losses: Sequence[str], session: Session, target: str = "REVISION") -> OnlineError:
    """The error that lists what would be lost, and says how it is kept on the way to `target`, or dropped."""
    command = session.scope.rollback_command
    keep = f"keep it with `{command} {target}`" if command else "move it to another schema (ALTER TABLE … SET SCHEMA …)"
    discard = session.options.written("discard-data", "yes")
    return OnlineError(
        "\n".join(
            ["The migration would drop what cannot be computed again; it was not run."] + [f"  {x}" for x in losses]
        ),
        f"{keep}, or drop it with {discard}.",
    )
