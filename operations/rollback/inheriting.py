"""Tables of others that inherit from ours: a column that a downgrade drops goes in them, too, with what it holds there.

Their rows are theirs, and not copied. Where such a column holds values, it is refused, with the statements by which the
table keeps them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic_online import OnlineError, parts
from alembic_online.parts import Part
from psycopg.rows import class_row

from operations.queries import query
from operations.rollback.way import Way

BEFOREHAND = "nothing was changed."
IN_A_STEP = "the step was rolled back."


@dataclass(frozen=True)
class Inheriting:
    """A table that inherits from one of ours, the columns of that in which it holds values, and what keeps these."""

    theirs: str
    ours: str
    columns: list[str]
    detach: list[str]

    def __str__(self) -> str:
        return f"{self.theirs}: {', '.join(self.columns)} of {self.ours}"


def refuse(connection: psycopg.Connection[Any], columns: Iterable[Part], done: str) -> None:
    """Raise OnlineError where a table that inherits one of the columns holds values in it which nothing computes again.

    `done`: what became of the work.
    """
    found = list(_holding(connection, [part for part in columns if not part.computed]))
    if not found:
        return
    lines = [f"  {each}" for each in found]
    detach = "".join(f"\n  {statement};" for each in found for statement in each.detach)
    attach = "".join(f"\n  ALTER TABLE {each.theirs} INHERIT {each.ours};" for each in found)
    raise OnlineError(
        "\n".join([f"Tables of others that inherit from ours hold values in columns that would go; {done}", *lines]),
        f"detach these tables, which then keep the columns as their own, and run it again:{detach}\n"
        f"After a later `sidb restore`:{attach}",
    )


def refuse_on_the_way(connection: psycopg.Connection[Any], way: Way) -> None:
    """The same for all that a rollback drops, before its first step."""
    going = [each for script in way.scripts for each in way.columns_of(script).items()]
    names = [f"{relation}.{column}" for relation, columns in going for column in columns]
    computed = way.computed
    found = parts.named(connection, names)
    refuse(connection, (part for part in found if computed.isdisjoint({part.name, part.table_name})), BEFOREHAND)


def _holding(connection: psycopg.Connection[Any], columns: Sequence[Part]) -> Iterator[Inheriting]:
    for ours in {part.oid: part for part in columns}.values():
        names = [str(part.column_name) for part in columns if part.oid == ours.oid]
        with connection.cursor(row_factory=class_row(Part)) as cursor:
            inherited = cursor.execute(query("rollback/inherited"), {"oid": ours.oid, "names": names}).fetchall()
        for theirs in dict.fromkeys(part.table_name for part in inherited):
            own = [part for part in inherited if part.table_name == theirs]
            if held := [str(part.column_name) for part in own if parts.holds(connection, part)]:
                parameters = {"theirs": theirs, "ours": ours.table_name, "names": names}
                renamed = [row[0] for row in connection.execute(query("rollback/own_not_null"), parameters)]
                detach = [f"ALTER TABLE {theirs} NO INHERIT {ours.table_name}", *renamed]
                yield Inheriting(theirs, ours.table_name, held, detach)
