"""Whether the server's table of locks has room for the largest step."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, text

from alembic_online.planned import Obstacle, Planned, kind
from alembic_online.queries import query

LOCKS_PER_OBJECT = 3
"""For each table, index, constraint and so on that a step changes: at most 2.6 were measured, beyond OTHERS."""
OTHERS = 16
"""For catalogs, and for what the step only refers to."""
WITHOUT_LOCK = ("comment", "privileges", "column")
"""What is changed under the lock of its relation, and takes none of its own."""


def lock_table(connection: Connection, steps: Sequence[Planned]) -> Iterator[Obstacle]:
    """An obstacle where max_locks_per_transaction is too small for a step."""
    relations = sorted({relation for step in steps for relation in step.locks})
    rows = connection.execute(text(query("look/partitions")), {"relations": relations})
    partitions = {row.name: row.relations for row in rows}
    needed, name = max(((_locks(step, partitions), step.name) for step in steps), default=(0, ""))
    row = connection.execute(text(query("look/lock_table"))).one()
    if needed > row.room - row.used:
        yield Obstacle(
            f"{name} takes up to {needed} locks; the server has room for {row.room}, of which {row.used} are in use",
            "as an administrator: ALTER SYSTEM SET max_locks_per_transaction ="
            f" {row.per_transaction * 2 + needed // row.sessions}; and restart the server.",
        )


def _locks(step: Planned, partitions: Mapping[str, int]) -> int:
    objects = max((sum(kind(line) not in WITHOUT_LOCK for line in form) for form in step.changes), default=0)
    of_partitions = sum(partitions.get(relation, 0) for relation in step.locks)
    return LOCKS_PER_OBJECT * objects + len(step.locks) + of_partitions + OTHERS
