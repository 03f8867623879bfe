"""The look before the first step: what would stop one of the steps is found before any of them is run.

It reads catalogs, takes no lock on anybody's relation and writes nothing. A step that was begun before is not asked who
uses what it replaces: a part of it may be done.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import DBAPIError

from alembic_online import lock_modes
from alembic_online.acquisition import until_read
from alembic_online.errors import OnlineError
from alembic_online.ledger import Ledger
from alembic_online.look.dependants import dependants
from alembic_online.look.holders import holders, readers
from alembic_online.look.lock_table import lock_table
from alembic_online.look.privileges import groups, privileges
from alembic_online.planned import Obstacle, Planned
from alembic_online.sessions import Session

log = logging.getLogger("alembic.online")

LOOK = "the look before the first step"
UNSEEN = Obstacle(
    "without these privileges not everything could be looked at",
    "grant these, and run it again: it then looks at the rest.",
)

__all__ = ["dependants", "groups", "lock_table", "look", "obstacles", "privileges"]


def look(session: Session, steps: Sequence[Planned], *, built_on: bool = True) -> None:
    """Raise OnlineError if something would stop one of the steps, with all that would; else tell what else matters.

    `built_on`: whether what others have built on what goes is in the way; False where the caller sees to that.
    """
    found = _found(session, steps, built_on)
    if stopping := [each for each in found if each.stops]:
        said = [
            "Not every step can be applied, so none was begun; nothing was changed.",
            *(f"  {each.what}" for each in stopping),
        ]
        if again := "".join(each.afterwards for each in stopping):
            said += ["Keep these statements, which make them again with owners, comments and grants:", "", again]
        steps_on = list(dict.fromkeys(each.next_step for each in stopping))
        if not any("run it again" in each for each in steps_on):
            comment = "-- " if all(each[:1].isupper() for each in steps_on) else ""  # SQL alone, to be pasted as it is
            steps_on.append(f"{comment}Then run it again, which is safe.")
        raise OnlineError("\n".join(said), "\n".join(steps_on))
    for each in found:
        log.warning("%s", each)


def obstacles(session: Session, steps: Sequence[Planned], *, built_on: bool = True) -> Iterator[Obstacle]:
    """What would stop one of the steps, and what is worth knowing before the first one."""
    connection, scope = session.observing, session.scope
    ledger = Ledger(session.observer, scope)

    def built() -> Iterator[Obstacle]:
        unbegun = [step for step in steps if not ledger.is_begun(step.script.revision, step.direction)]
        return dependants(connection, scope, unbegun if built_on else [])

    lacks = list(privileges(connection, scope, steps))
    yield from lacks
    questions: list[Callable[[], Iterable[Obstacle]]] = [
        lambda: groups(connection, scope, steps),
        built,
        lambda: lock_table(connection, steps),
        lambda: holders(session, _strongest(steps)),
        lambda: readers(session, _strongest(steps)),
        lambda: scope.obstacles(connection, steps),
    ]
    unseen = False
    for question in questions:
        try:
            yield from list(question())
        except (DBAPIError, InsufficientPrivilege) as error:  # whoever may not use a schema cannot ask what is in it
            if not lacks or not isinstance(getattr(error, "orig", error), InsufficientPrivilege):
                raise
            unseen = True
    if unseen:
        yield UNSEEN


def _found(session: Session, steps: Sequence[Planned], built_on: bool) -> list[Obstacle]:
    """All obstacles."""
    return until_read(
        session, lambda: list(obstacles(session, steps, built_on=built_on)), LOOK, lambda: _strongest(steps)
    )


def _strongest(steps: Sequence[Planned]) -> dict[str, str]:
    """The strongest lock on each relation that one of the steps takes."""
    found: dict[str, str] = {}
    for step in steps:
        for relation, mode in step.locks.items():
            if relation not in found or lock_modes.stronger(mode, found[relation]):
                found[relation] = mode
    return found
