"""The operations that are ours, beside Alembic's own: statements for one object, and what has to be done by hand."""

from dataclasses import dataclass, replace
from typing import Any

from alembic.operations.ops import MigrateOperation

from alembic_online.catalog.snapshot import Identity


@dataclass(frozen=True)
class Step(MigrateOperation):
    """Statements about one object. A concurrent one runs outside a transaction and is safe to run again."""

    verb: str
    identity: Identity
    up: tuple[str, ...]
    down: tuple[str, ...]
    concurrent: bool = False

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


@dataclass(frozen=True)
class ByHand(MigrateOperation):
    """Differences that cannot be generated safely: what is wrong, and how a person puts it right."""

    reasons: tuple[tuple[str, str], ...]

    def reverse(self) -> "ByHand":
        return self

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("by_hand", *(what for what, _ in self.reasons))
