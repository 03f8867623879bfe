"""What a job is: a declaration that the runner executes and the verification proves."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Connection,
    Executable,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    cast,
    delete,
    exists,
    false,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from backfill.tables import Range, SetAside

Rows = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


@dataclass(frozen=True)
class Part:
    """A part of a job's source, from `lower` up to but not including `upper`, and what "now" is to the backfill.

    Of a source that comes in files, the rows of `files` are meant; None: of whichever.
    """

    job: "Job"
    lower: int
    upper: int
    as_of: datetime
    files: list[int] | None = None

    def of(self, column: Any) -> ColumnElement[bool]:
        """Whether a row belongs to the part by this column."""
        return self.job.within(column, self.lower, self.upper)


@dataclass
class Batch:
    """What one batch did: rows read, written, there already, and left because the application holds them.

    `over`: there is nothing behind it. `position` (the value of the partition column, as text) and `key` are the last
    row's. `also` are the rows that the statements returned beside the one that counts.
    """

    read: int
    written: int
    present: int
    skipped: int
    also: tuple[int, ...] = ()
    over: bool = False
    seconds: float = 0.0
    rest: float = 0.0
    """Seconds to rest after it."""
    position: str | None = None
    key: int | None = None


class NotWrittenError(Exception):
    """A target took rows without an error, and does not hold them as they were written."""


@dataclass(frozen=True)
class Job(ABC):
    """What a job fills, from where, keyed how, with which statement, and how it is proved.

    `partition_column` is the column along which the source is divided into ranges of `width`, `key` a unique bigint;
    both must never change and (together) be indexed. `time` says how recent a row is.
    """

    name: str
    fills: tuple[Any, ...]
    """Models, or columns of those that others fill as well."""
    partition_column: InstrumentedAttribute[Any]
    key: InstrumentedAttribute[Any]
    time: InstrumentedAttribute[Any]
    width: int
    writes_once: bool = False
    """Whether rows that it wrote are left to others from then on; else it keeps them up to date."""
    file: ColumnElement[int] | None = None
    """With which file a row of the source came, where it comes in files; each is there as a whole or not at all."""
    grows: bool = True
    """Whether it also fills rows that come later; False where their writer fills them itself."""
    is_in_parts: bool = False
    """Whether tables that inherit from the source are parts of it; else they are others' own."""
    needs: str | None = None
    """The job whose ranges come first, and whose changes make this one's stale."""
    seconds: float = 0.5
    """How long a batch should take, and so how long the application may wait for a row of it."""
    before: Executable | None = None
    """What to run before each batch, in a transaction of its own."""

    @abstractmethod
    def write(self, batch: CTE, part: Part) -> tuple[CTE, ...]:
        """Statements that fill the targets from a batch of source rows, as CTEs that return a row for each row written;
        the first counts. Writing a row again must change nothing."""

    @abstractmethod
    def expected(self, part: Part) -> Rows:
        """What should be in the target: `key` and values."""

    @abstractmethod
    def actual(self, part: Part) -> Rows:
        """What is in the target: `key` and values."""

    def take(self, listed: CTE, part: Part) -> CTE:
        """Which of the rows that are next are written, with what was worked out for them; the others come back."""
        return listed

    def new(self, part: Part) -> ColumnElement[bool]:
        """Whether a row of the source is still to be walked; a job that writes each row once says which are."""
        return true()

    def done(self, part: Part) -> ColumnElement[bool]:
        """Whether a row of the source has been walked; the part's files are those that were."""
        return true()

    def key_aside(self, _connection: Connection, _position: str, key: int) -> int:
        """The key under which a row of the source is set aside: no other row of the source has it."""
        return key

    def since(self, part: Part) -> Rows | None:
        """`key` and `what`, "deleted" or "changed": what others have done to rows that this job wrote."""
        return None

    def others(self, part: Part) -> Rows | None:
        """`key` and `what`: rows that others have rightly written, and that look like this job's."""
        return None

    def lower(self) -> ColumnElement[int]:
        """The lower bound of the range to which a row of the source belongs: a multiple of `width`."""
        # PostgreSQL's remainder of a negative number is negative.
        above = (self.partition_column % self.width + self.width) % self.width
        bound: ColumnElement[int] = self.partition_column - above
        return bound

    def within(self, column: Any, lower: int, upper: int) -> ColumnElement[bool]:
        return and_(column >= lower, column < upper)

    def shown(self, bound: int) -> str:
        """A bound for people."""
        return str(bound)

    @property
    def source(self) -> Any:
        """The model that it reads."""
        return self.key.class_

    @property
    def targets(self) -> tuple[str, ...]:
        """The tables it fills, qualified."""
        tables = [table_of(each) for each in self.fills]
        return tuple(dict.fromkeys(f"{table.schema or 'public'}.{table.name}" for table in tables))

    @property
    def order(self) -> tuple[InstrumentedAttribute[Any], ...]:
        """The columns by which the source is walked."""
        return (self.key,) if self.partition_column is self.key else (self.partition_column, self.key)

    def part(self, claimed: Range, as_of: datetime) -> Part:
        """What the present pass of a range is concerned with."""
        return Part(self, int(claimed.lower), int(claimed.upper), as_of, claimed.files)

    def read(self, *columns: Any) -> Select[*tuple[Any, ...]]:
        """SELECT from the source."""
        rows = select(*columns).select_from(table_of(self.source))
        return rows if self.is_in_parts else only(rows, self.source)

    def next_rows(self, claimed: Range, as_of: datetime, count: int, *columns: Any) -> Select[*tuple[Any, ...]]:
        """The next rows of the pass, newest first: beyond its cursor, and not set aside."""
        part = self.part(claimed, as_of)
        rows = self.read(*columns).where(part.of(self.partition_column), self.new(part))
        if claimed.cursor_key is not None:
            cursor = (cast(literal(claimed.cursor_cut, Text), self.partition_column.type), literal(claimed.cursor_key))
            rows = rows.where(tuple_(*self.order) < tuple_(*cursor[-len(self.order) :]))
        if claimed.rows_refused:
            aside = select(SetAside.key).where(SetAside.job == self.name, SetAside.again == false())
            rows = rows.where(self.key.not_in(aside))
        return rows.order_by(*(column.desc() for column in self.order)).limit(count)

    def batch(self, connection: Connection, claimed: Range, as_of: datetime, asked: int) -> Batch:
        """Write the next rows, in the caller's transaction. Raises DBAPIError or NotWrittenError."""
        source = table_of(self.source)
        part = self.part(claimed, as_of)
        listed = self.next_rows(claimed, as_of, asked, *source.c).cte("listed")
        taken = self.take(listed, part)
        written = list(self.write(taken, part))
        if claimed.rows_refused:
            again = delete(SetAside).where(SetAside.job == self.name, SetAside.again)
            keys = select(taken.c[self.key.key])
            written.append(again.where(SetAside.key.in_(keys)).returning(SetAside.key).cte("tried_again"))
        place = [listed.c[column.key] for column in self.order]
        last = select(place[0].label("position"), place[-1].label("key")).order_by(*place).limit(1).subquery()
        end = select(cast(last.c.position, Text).label("position"), last.c.key).subquery()
        counts = [select(func.count()).select_from(each).scalar_subquery() for each in (listed, taken, *written)]
        counted = select(*end.c, *counts).select_from(select(text("1")).subquery().outerjoin(end, text("true")))
        position, key, read, rows, done, *also = connection.execute(counted.add_cte(*written)).one()
        return Batch(read, done, rows - done, read - rows, tuple(also), over=read < asked, position=position, key=key)

    def forget_gone(self, connection: Connection, claimed: Range) -> None:
        """Of the range's rows that are to be tried again, those that the source no longer has: none is to be tried, and
        of a source that comes in files, none counts as lost."""
        inside = self.within(self.partition_column, int(claimed.lower), int(claimed.upper))
        row = self.read(self.key).where(self.key == SetAside.key, inside)
        gone = delete(SetAside).where(SetAside.job == self.name, SetAside.range_id == claimed.range_id, SetAside.again)
        rows = connection.execute(gone.where(~is_there(row, table_of(SetAside)))).rowcount
        if rows and self.file is not None:
            planned = {"planned": func.greatest(Range.planned - rows, 0)}
            connection.execute(update(Range).where(Range.range_id == claimed.range_id).values(planned))


def is_there(row: Select[*tuple[Any, ...]], of: FromClause) -> ColumnElement[bool]:
    """Whether such a row exists for each of these: looked up one by one in an index, whatever is known of the tables.

    A join would read the whole table for each batch where the planner thinks it small, or wrongly so.
    """
    return exists(row.correlate(of).offset(0))


def only(rows: Select[*tuple[Any, ...]], *models: Any) -> Select[*tuple[Any, ...]]:
    """Without the rows of tables that inherit from those of the models: they are others', and no key refers to them."""
    for model in models:
        rows = rows.with_hint(table_of(model), "ONLY", "postgresql")
    return rows


def table_of(filled: Any) -> Table:
    """The table of a model, or of one of its columns."""
    model: Any = filled.class_ if isinstance(filled, InstrumentedAttribute) else filled
    table: FromClause = model.__table__
    assert isinstance(table, Table)
    return table
