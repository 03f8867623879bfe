"""The difference of two snapshots."""

from dataclasses import dataclass
from typing import Literal

from alembic_online.catalog.snapshot import Identity, Snapshot


@dataclass(frozen=True)
class Change:
    """One object that differs: `before` is None where it was added, `after` where it was removed."""

    identity: Identity
    before: str | None
    after: str | None

    @property
    def verb(self) -> Literal["added", "removed", "changed"]:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    def __str__(self) -> str:
        return f"{self.verb} {self.identity}"


def diff(before: Snapshot, after: Snapshot) -> list[Change]:
    """Every difference: first what was removed, users before what they use; then the rest, what is used first."""
    removed = [Change(identity, text, None) for identity, text in before.items() if identity not in after]
    others = [Change(i, before.get(i), text) for i, text in after.items() if before.get(i) != text]
    return [*reversed(removed), *others]
