"""What a job is: a declaration that the runner executes and the verification proves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Executable, FromClause, Select, Table, and_, func
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

from models import Base

Bound = int | datetime


@dataclass(frozen=True)
class Slice:
    """A part of a job's source, from `lower` up to but not including `upper`, and what "now" is to the backfill."""

    lower: Bound
    upper: Bound
    as_of: datetime

    def of(self, column: Any) -> ColumnElement[bool]:
        """Whether a row belongs to the slice by this column."""
        return and_(column >= self.lower, column < self.upper)


@dataclass(frozen=True)
class Job:
    """What a job fills, from where, keyed how, with which statement, and how it is proved.

    `cut` is the column along which the source is cut into ranges of `width`, `key` a unique bigint; both must never
    change and (together) be indexed. `write` gives the statements that fill the targets from a batch of source rows, as
    CTEs that return a row for each row written; the first counts. Writing a row again must change nothing.
    `expected` and `actual` are, for a slice, what should be in the target and what is: `key` and values.
    """

    name: str
    fills: tuple[type[Base], ...]
    source: type[DeclarativeBase]
    cut: InstrumentedAttribute[Any]
    key: InstrumentedAttribute[Any]
    time: InstrumentedAttribute[Any]
    width: int | timedelta
    write: Callable[[CTE, Slice], tuple[CTE, ...]]
    expected: Callable[[Slice], Select[*tuple[Any, ...]]]
    actual: Callable[[Slice], Select[*tuple[Any, ...]]]
    needs: str | None = None
    """The job whose ranges come first, and whose changes make this one's stale."""
    locks: bool = False
    """Whether the batch's rows are changed: they are locked then, and those that the application holds are left."""
    prepare: Callable[[CTE, Slice], CTE] | None = None
    """What takes long, worked out before the rows are locked: for every row its key, and columns added to the batch."""
    seconds: float = 0.5
    """How long a batch should take, and so how long the application may wait for a row of it."""
    grows: bool = True
    """Whether rows that come later are its business; False where their writer fills them itself."""
    before: Executable | None = None
    """What to run before each batch, in a transaction of its own."""
    instead: Callable[[Connection], bool] | None = None
    """Does the work of a whole range by other means; False where that does not apply."""

    @property
    def table(self) -> Table:
        return table_of(self.source)

    @property
    def targets(self) -> tuple[str, ...]:
        """The tables it fills, qualified."""
        return tuple(f"{table_of(model).schema or 'public'}.{table_of(model).name}" for model in self.fills)

    @property
    def order(self) -> tuple[InstrumentedAttribute[Any], ...]:
        """The columns by which the source is walked."""
        return (self.key,) if self.cut is self.key else (self.cut, self.key)

    def lower(self) -> ColumnElement[Any]:
        """The lower bound of the range to which a row of the source belongs."""
        if isinstance(self.width, timedelta):
            return func.date_bin(self.width, self.cut, datetime(2000, 1, 1, tzinfo=UTC))
        return self.cut - self.cut % self.width

    def bound(self, stored: str) -> Bound:
        """A bound or cursor as it was before it was stored."""
        return datetime.fromisoformat(stored) if isinstance(self.width, timedelta) else int(stored)

    def stored(self, bound: Bound) -> str:
        """The same text for the same value, whatever the session's time zone."""
        return bound.astimezone(UTC).isoformat() if isinstance(bound, datetime) else str(bound)

    def slice(self, lower: str, upper: str, as_of: datetime) -> Slice:
        return Slice(self.bound(lower), self.bound(upper), as_of)


def table_of(model: type[DeclarativeBase]) -> Table:
    """The table of a model."""
    table: FromClause = model.__table__
    assert isinstance(table, Table)
    return table
