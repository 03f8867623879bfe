"""Tables and their columns as parts that a step can drop: which there are, and what they hold."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Rollback
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable, Identifier

from alembic_online.composed import Printed
from alembic_online.errors import OnlineError
from alembic_online.queries import query

VERSION_TABLE = "alembic_version"
"""Alembic's own."""
WORD = re.compile(r'"(?:[^"]|"")+"|[^."]+')


@dataclass(frozen=True, kw_only=True)
class Part:
    """A table (`attnum` 0) or a column of one; `table_name` and `name` are as SQL writes them.

    `computed`: what it holds can be computed again, as its revision says.
    """

    oid: int
    attnum: int
    schema: str
    relation: str
    column_name: str | None
    table_name: str
    name: str
    computed: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """What it is, whatever it is called."""
        return self.oid, self.attnum

    @property
    def table(self) -> Identifier:
        return Identifier(self.schema, self.relation)


@dataclass(frozen=True, kw_only=True)
class Stored(Part):
    """A part as a session sees it: a column's type, the file that holds the table, about how many rows it has.

    `inherited`: of a table, the columns by number that go with its parent's, or by themselves once it is detached.
    """

    type: str | None
    file: int
    rows: int
    inherited: list[int] | None


Inventory = dict[tuple[int, int], Stored]
"""Parts by what they are."""


def named(connection: psycopg.Connection[Any], names: Collection[str]) -> list[Part]:
    """Those of the named tables and columns that are there."""
    with connection.cursor(row_factory=class_row(Part)) as cursor:
        return cursor.execute(query("run/named_parts"), {"names": list(names)}).fetchall()


def exclusive(connection: psycopg.Connection[Any]) -> list[int]:
    """The relations that the open transaction holds for itself alone: whatever it dropped is among them."""
    row = connection.execute(query("run/exclusive")).fetchone()
    return row[0] or [] if row else []


def stored(
    connection: psycopg.Connection[Any], oids: Collection[int], bookkeeping: str, *, inherited: bool = False
) -> Inventory:
    """The parts of these relations as this session sees them, but for the bookkeeping's.

    `inherited`: with the columns that are inherited; of many partitions, that is very many.
    """
    parameters = {
        "oids": list(oids),
        "inherited": inherited,
        "bookkeeping": bookkeeping,
        "version_table": VERSION_TABLE,
    }
    with connection.cursor(row_factory=class_row(Stored)) as cursor:
        return {row.key: row for row in cursor.execute(query("run/parts"), parameters)}


def keys(inventory: Inventory) -> set[tuple[int, int]]:
    """All that is there, with the columns that are inherited."""
    return inventory.keys() | {(part.oid, attnum) for part in inventory.values() for attnum in part.inherited or ()}


def tables(parts: Iterable[Part]) -> list[Part]:
    return [part for part in parts if part.column_name is None]


def within(connection: psycopg.Connection[Any], found: Collection[Part]) -> set[tuple[int, int]]:
    """What goes with these parts, as this session sees it: a table's partitions, the columns that inherit a column.

    Whoever reads one of the parts reads all of that.
    """
    if not found:
        return set()
    parameters = {"oids": [part.oid for part in found], "attnums": [part.attnum for part in found]}
    return {(oid, attnum) for oid, attnum in connection.execute(query("run/within"), parameters)}


def roots(connection: psycopg.Connection[Any], found: Collection[Part]) -> list[Part]:
    """Those of the parts that do not go with another one among them."""
    others = within(connection, found)
    return [part for part in found if part.key not in others and (part.oid, 0) not in others]


def words(name: str) -> list[str]:
    """A relation's schema and name out of a statement's text; where no schema is written, it is taken for public."""
    found = [each.strip('"').replace('""', '"') if '"' in each else each.lower() for each in WORD.findall(name.strip())]
    return found if len(found) > 1 else ["public", *found]


def relations(names: Iterable[str]) -> list[str]:
    """The relations that are meant by names as `schema.table` and `schema.table.column`."""
    words = [WORD.findall(name) for name in names]
    return sorted({".".join(each[:2]) for each in words})


def columns(parts: Collection[Part]) -> dict[str, list[Part]]:
    """The columns among them, by table, but for those of tables that are among them themselves."""
    whole = {part.oid for part in tables(parts)}
    found: dict[str, list[Part]] = {}
    for part in parts:
        if part.column_name is not None and part.oid not in whole:
            found.setdefault(part.table_name, []).append(part)
    return found


def holds(connection: psycopg.Connection[Any], part: Part) -> bool:
    """Whether a table has a row, or a row has a value in the column that somebody wrote."""
    where: Composable | None = SQL("true")
    if part.column_name is not None:
        where = written(connection, part.table_name, part.column_name)
        if where is None:
            _require(connection, part)
            return False  # it is generated
    statement = SQL("SELECT EXISTS (SELECT FROM {} WHERE {})").format(part.table, where)
    row = None
    with connection.transaction() as looking:
        connection.execute("SET LOCAL row_security = off")  # rather an error than rows that are not seen
        row = connection.execute(statement).fetchone()
        raise Rollback(looking)  # the setting would last as long as the transaction
    return bool(row and row[0])


def _require(connection: psycopg.Connection[Any], column: Part) -> None:
    """Raise OnlineError if there is no such column: nobody can say then that it holds nothing."""
    if connection.execute(query("run/column_there"), {"oid": column.oid, "attnum": column.attnum}).fetchone() is None:
        raise OnlineError(
            f"{column.name} is gone, and whether it held data cannot be determined.",
            "compare the table with what the revision expects; then run it again.",
        )


def written(
    connection: psycopg.Connection[Any], table_name: str, column: str, alias: Composable | None = None
) -> Composable | None:
    """The condition that a row holds a value in the column that somebody wrote: another than its default.

    None: the table has no such column, or it is generated. Compared bit by bit, which every type can be; where the
    default is another value each time, all values count but NULL.
    """
    found = unwritten(connection, table_name, column)
    if found is None:
        return None
    default, type_name = found
    value = SQL("{}.{}").format(alias, Identifier(column)) if alias else Identifier(column)
    # As records: two plain rows would be compared column by column, by the types' own operators.
    return SQL("CAST(ROW({}) AS record) OPERATOR(pg_catalog.*<>) CAST(ROW(CAST({} AS {})) AS record)").format(
        value, Printed(default), Printed(type_name)
    )


def unwritten(connection: psycopg.Connection[Any], table_name: str, column: str) -> tuple[str, str] | None:
    """What the column holds where nobody wrote a value, and its type, as PostgreSQL prints them.

    NULL where the default is another value each time. None: the table has no such column, or it is generated.
    """
    row = connection.execute(query("run/column_default"), {"relation": table_name, "column": column}).fetchone()
    return (str(row[0]), str(row[1])) if row is not None else None
