"""Rows of an archive that do not fit into the tables as they are now; found and named before anything is changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable, Composed, Identifier

from operations.queries import query
from operations.rollback.records import Archived

NAMED = 5  # keys named for each kind


@dataclass(frozen=True)
class Key:
    """A unique key; `is_integer`: of one column of integers; `nulls_collide`: it takes two NULLs for the same."""

    is_primary: bool
    is_integer: bool
    nulls_collide: bool
    columns: list[str]


@dataclass(frozen=True)
class Reference:
    """A column that refers to another table's."""

    column_name: str
    referred: str
    referred_column: str


@dataclass(frozen=True)
class Misfit:
    """So many rows of a table that do not fit, and why; `kind` decides which option helps."""

    relation: str
    kind: str
    why: str
    rows: int
    keys: list[int]

    def __str__(self) -> str:
        more = ", …" if self.rows > len(self.keys) else ""
        named = f" ({', '.join(map(str, self.keys))}{more})" if self.keys else ""
        return f"{self.relation}: {self.rows:,} rows {self.why}{named}"


@dataclass(frozen=True)
class Table:
    """A table in the archive and the one it belongs to.

    `key` is the column of integers by which its rows are merged in batches; None: it has none, and can only be moved
    back whole.
    """

    relation: str
    archived: str
    columns: list[str]
    content: list[str]
    """The columns but those that say when a row was written."""
    key: str | None
    keys: list[Key]
    references: list[Reference]

    @property
    def here(self) -> Identifier:
        return Identifier(*self.relation.split("."))

    @property
    def aside(self) -> Identifier:
        return Identifier(*self.archived.split("."))

    def vanished(self, reference: Reference) -> Composed:
        """Whether what a row `a` of the archive refers to is gone."""
        return SQL("a.{} IS NOT NULL AND NOT EXISTS (SELECT FROM {} AS r WHERE r.{} = a.{})").format(
            Identifier(reference.column_name),
            Identifier(*reference.referred.split(".")),
            Identifier(reference.referred_column),
            Identifier(reference.column_name),
        )

    def is_there(self) -> Composed | SQL:
        """Whether the table holds a row `a` of the archive already, as after a backfill that filled it again."""
        if self.key is None:
            return SQL("false")
        one, other = (
            SQL(", ").join(SQL("{}.{}").format(SQL(row), Identifier(column)) for column in self.content) for row in "na"
        )
        # As texts: there are types without equality.
        return SQL("EXISTS (SELECT FROM {0} AS n WHERE n.{1} = a.{1} AND ROW({2})::text = ROW({3})::text)").format(
            self.here, Identifier(self.key), one, other
        )

    def collides(self, key: Key) -> Composed:
        """Whether a row of the table has a key of a row `a` of the archive, and is another one."""
        equal = SQL("IS NOT DISTINCT FROM") if key.nulls_collide else SQL("=")
        same = SQL(" AND ").join(SQL("n.{0} {1} a.{0}").format(Identifier(column), equal) for column in key.columns)
        return SQL("(EXISTS (SELECT FROM {} AS n WHERE {}) AND NOT {})").format(self.here, same, self.is_there())


def table(connection: psycopg.Connection[Any], archived: Archived, archive: str) -> Table:
    """What there is to know of a table before its rows come back."""
    aside = f"{archive}.{archived.relation.partition('.')[2]}"
    parameters = {"relation": archived.relation, "archived": aside}
    columns = connection.execute(query("rollback/columns"), parameters).fetchall()
    with connection.cursor(row_factory=class_row(Key)) as cursor:
        keys = cursor.execute(query("rollback/keys"), parameters).fetchall()
    with connection.cursor(row_factory=class_row(Reference)) as cursor:
        references = cursor.execute(query("rollback/references"), parameters).fetchall()
    by_key = next((key.columns[0] for key in keys if key.is_integer), None)
    content = [name for name, is_time in columns if not is_time]
    return Table(archived.relation, aside, [name for name, _ in columns], content, by_key, keys, references)


def find(connection: psycopg.Connection[Any], checked: Table, place: int | None) -> Iterator[Misfit]:
    """The misfits among the rows behind `place`, the key up to which they are back."""
    for reference in checked.references:
        why = f"whose {reference.column_name} is gone from {reference.referred}"
        yield from _misfit(connection, checked, "vanished", why, checked.vanished(reference), place)
    if not is_empty(connection, checked):
        for key in checked.keys:
            kind = "same id" if key.is_primary else "same key"
            why = f"whose {', '.join(key.columns)} a newer row has"
            yield from _misfit(connection, checked, kind, why, checked.collides(key), place)


def is_empty(connection: psycopg.Connection[Any], checked: Table) -> bool:
    row = connection.execute(SQL("SELECT NOT EXISTS (SELECT FROM {})").format(checked.here)).fetchone()
    return bool(row and row[0])


def _misfit(
    connection: psycopg.Connection[Any], checked: Table, kind: str, why: str, condition: Composed, place: int | None
) -> Iterator[Misfit]:
    parts: dict[str, Composable]
    if checked.key is None:
        parts = {"keys": SQL("ARRAY[]::bigint []"), "further": SQL("%(place)s::bigint IS NULL")}
    else:
        key = Identifier(checked.key)
        parts = {
            "keys": SQL("(array_agg(a.{key} ORDER BY a.{key}))[:{named}]").format(key=key, named=NAMED),
            "further": SQL("a.{key} > coalesce(%(place)s::bigint, a.{key} - 1)").format(key=key),
        }
    statement = SQL("SELECT count(*), {keys} FROM {aside} AS a WHERE {further} AND {condition}").format(
        aside=checked.aside, condition=condition, **parts
    )
    row = connection.execute(statement, {"place": place}).fetchone()
    assert row is not None
    if row[0]:
        yield Misfit(checked.relation, kind, why, row[0], row[1])
