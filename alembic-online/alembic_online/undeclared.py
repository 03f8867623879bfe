"""What a step drops though nobody was prepared for it: found in one attempt, and prepared for in the next one."""

from collections.abc import Iterable

from alembic_online.errors import OnlineError
from alembic_online.parts import Part


class Undeclared(Exception):  # noqa: N818 - no failure: the step is run again, prepared for it
    """The step drops these columns or tables, and nothing was prepared for it."""

    def __init__(self, found: Iterable[Part], others: Iterable[Part] = ()) -> None:
        super().__init__(f"drops what it does not declare: {', '.join(sorted({part.name for part in found}))}")
        self.parts = frozenset([*found, *others])
        """Those parts as the step calls them, and as others do, where it has renamed their table."""
        self.names = ", ".join(sorted({part.name for part in self.parts}))


class Written(Undeclared):
    """Values were written into these columns of a large table since they were read: they are read again beforehand."""

    def __str__(self) -> str:
        return f"values were written into {self.names} after it was read"

    def refusal(self, name: str, discard: str) -> OnlineError:
        """The error that ends it where that happens each time."""
        return OnlineError(
            f"{name}: values are written into {self.names} each time that it has been read, and the table is too large"
            " to be read while everybody waits for it; it was rolled back.",
            f"have applications write nothing into it any more, and run it again; or drop it with {discard}.",
        )
