"""The operations that are ours, beside Alembic's own: statements for one object, and what has to be done by hand."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from alembic.operations.ops import CreateIndexOp, MigrateOperation, OpContainer

from alembic_online.catalog.snapshot import Identity

EXTEND = "extend"
"""The verb of a step that comes in a revision before all others: what it adds can be used once it is committed."""


def flat(operations: Iterable[MigrateOperation]) -> Iterator[MigrateOperation]:
    """Operations without the containers that Alembic groups them in."""
    for operation in operations:
        if isinstance(operation, OpContainer):
            yield from flat(operation.ops)
        else:
            yield operation


@dataclass(frozen=True)
class Step(MigrateOperation):
    """Statements about one object. A concurrent one runs outside a transaction and is safe to run again.

    `others` are relations, as "public.orders", that it locks besides the object's own. Of concurrent ones, `first` are
    those that come in a revision before all others.
    """

    verb: str
    identity: Identity
    up: tuple[str, ...]
    down: tuple[str, ...]
    concurrent: bool = False
    others: tuple[str, ...] = ()
    first: bool = False

    def reverse(self) -> "Step":
        opposite = {"create": "drop", "drop": "create"}.get(self.verb, self.verb)
        return replace(self, verb=opposite, up=self.down, down=self.up)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return (f"{self.verb}_{self.identity.kind}", str(self.identity))


@dataclass(frozen=True)
class OutsideTransaction(MigrateOperation):
    """Concurrent steps, in one autocommit block."""

    steps: tuple[Step, ...]

    def reverse(self) -> "OutsideTransaction":
        return OutsideTransaction(tuple(step.reverse() for step in reversed(self.steps)))

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("outside_transaction", *(step.to_diff_tuple() for step in self.steps))


class IndexOfNewTable(CreateIndexOp):
    """An index that Alembic creates after its table; on the way back it goes with that."""

    def reverse(self) -> Step:  # type: ignore[override]
        identity = Identity("index", self.schema or "public", self.table_name, str(self.index_name))
        return Step("drop", identity, (), ())


@dataclass(frozen=True)
class ByHand(MigrateOperation):
    """Differences that cannot be generated safely: what is wrong, and how a person puts it right."""

    reasons: tuple[tuple[str, str], ...]

    def reverse(self) -> "ByHand":
        return self

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("by_hand", *(what for what, _ in self.reasons))


@dataclass(frozen=True)
class PerhapsRenamed(MigrateOperation):
    """A column that is added and one that is dropped, of the same type: written beside them is the rename."""

    schema: str | None
    table: str
    old: str
    new: str

    def reverse(self) -> "PerhapsRenamed":
        return replace(self, old=self.new, new=self.old)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("perhaps_renamed", self.schema, self.table, self.old, self.new)
