"""Archived rows that conflict with the tables as they are now; found and named before anything is changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic_online import OnlineError
from alembic_online.composed import Printed
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable, Composed, Identifier

from backfill.tables import SCHEMA, Renumbered
from operations.queries import query
from operations.rollback.access import relations
from operations.rollback.only import only
from operations.rollback.records import Archived

EVENTS = "analytics.analytics_events"
RENUMBERED = f"{SCHEMA}.{Renumbered.__tablename__}"
NAMED = 5  # keys named for each kind
NO_COLUMN = "no column"
"""The kind of a conflict that is a value without a place."""


@dataclass(frozen=True)
class Key:
    """A unique key; `is_integer`: of one column of integers; `nulls_collide`: it takes two NULLs for the same."""

    is_primary: bool
    is_integer: bool
    nulls_collide: bool
    columns: list[str]


@dataclass(frozen=True)
class Reference:
    """A column that refers to another table's; `rows`: that table in a statement, without those that inherit."""

    column_name: str
    referred: str
    rows: str
    referred_column: str


@dataclass(frozen=True)
class Conflict:
    """So many archived rows that conflict with a table's current data, and why; `kind` decides which option helps."""

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
    back whole. `rows`: it in a statement, without the rows of tables that inherit from it.
    """

    relation: str
    archived: str
    kept_as: str
    columns: list[str]
    content: list[str]
    """The columns but those that say when a row was written."""
    types: list[str]
    """Those of `columns`, in the table that there is now."""
    key: str | None
    keys: list[Key]
    references: list[Reference]
    rows: Composed
    lacking: dict[str, str]
    """Columns of the archive that the table does not have, with their types."""
    only_with: list[str]
    """Where only rows are to come back that were left because of these columns: they hold a value in one of them."""
    noted: Identifier | None = None
    """Where it is noted under which id (`event_id`) a row is by now that had another one (`was`)."""

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
            Printed(reference.rows),
            Identifier(reference.referred_column),
            Identifier(reference.column_name),
        )

    def is_meant(self) -> Composable:
        """Whether a row `a` of the archive is one of those that are to come back."""
        return _any_value(self.only_with) if self.only_with else SQL("true")

    def has_no_place(self) -> Composable:
        """Whether a row `a` of the archive holds a value in a column that the table does not have."""
        return _any_value(list(self.lacking)) if self.lacking else SQL("false")

    def is_there(self) -> Composed | SQL:
        """Whether the table holds a row `a` of the archive already, as after a backfill that filled it again."""
        if self.key is None:
            return SQL("false")
        exists, key = SQL("EXISTS (SELECT FROM {} AS n WHERE {} AND {})"), Identifier(self.key)
        rest = self._same([column for column in self.content if column != self.key])
        found = [exists.format(self.rows, SQL("n.{0} = a.{0}").format(key), self._same(self.content))]
        # Written anew it has another id, under a key of which there can be no other row.
        further = [each for each in self.keys if self.key not in each.columns]
        found += [exists.format(self.rows, self._meets(each), rest) for each in further]
        if self.noted is not None:
            there = SQL("{0} AS r JOIN {1} AS n ON n.{2} = r.event_id").format(self.noted, self.rows, key)
            found.append(SQL("EXISTS (SELECT FROM {} WHERE r.was = a.{} AND {})").format(there, key, rest))
        return SQL("({})").format(SQL(" OR ").join(found))

    def noted_id(self) -> Composed:
        """The id under which a row `a` of the archive is to be, if that is noted and the id is free; else NULL."""
        noted, key = self.noted, Identifier(self.key or "")
        return SQL(
            "(SELECT r.event_id FROM {noted} AS r WHERE r.was = a.{key}"
            " AND NOT EXISTS (SELECT FROM {noted} AS later WHERE later.was = r.was AND later.event_id > r.event_id)"
            " AND NOT EXISTS (SELECT FROM {rows} AS n WHERE n.{key} = r.event_id))"
        ).format(noted=noted, key=key, rows=self.rows)

    def _same(self, columns: list[str]) -> Composed:
        """Whether `n` and `a` hold the same in these columns; as texts: there are types without equality."""
        one, other = (
            SQL(", ").join(SQL("{}.{}").format(SQL(row), Identifier(column)) for column in columns) for row in "na"
        )
        return SQL("ROW({})::text = ROW({})::text").format(one, other)

    def _meets(self, key: Key) -> Composed:
        equal = SQL("IS NOT DISTINCT FROM") if key.nulls_collide else SQL("=")
        return SQL(" AND ").join(SQL("n.{0} {1} a.{0}").format(Identifier(column), equal) for column in key.columns)

    def collides(self, key: Key) -> Composed:
        """Whether a row of the table has a key of a row `a` of the archive, and is another one."""
        met = SQL("EXISTS (SELECT FROM {} AS n WHERE {})").format(self.rows, self._meets(key))
        return SQL("({} AND NOT {})").format(met, self.is_there())


def table(connection: psycopg.Connection[Any], archived: Archived, archive: str) -> Table:
    """What there is to know of a table before its rows come back."""
    aside = f"{archive}.{archived.kept_as}"
    parameters = {"relation": archived.relation, "archived": aside}
    columns = connection.execute(query("rollback/columns"), parameters).fetchall()
    with connection.cursor(row_factory=class_row(Key)) as cursor:
        keys = cursor.execute(query("rollback/keys"), parameters).fetchall()
    with connection.cursor(row_factory=class_row(Reference)) as cursor:
        references = cursor.execute(query("rollback/references"), parameters).fetchall()
    by_key = next((key.columns[0] for key in keys if key.is_integer), None)
    content = [name for name, is_time, _ in columns if not is_time]
    noted = None
    if archived.relation == EVENTS:
        row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [RENUMBERED]).fetchone()
        noted = Identifier(*RENUMBERED.split(".")) if row == (True,) else None
    written, types = [name for name, *_ in columns], [each for *_, each in columns]
    rows = only(connection, Identifier(*archived.relation.split(".")))
    named = (archived.relation, aside, archived.kept_as)
    lacking = dict(connection.execute(query("rollback/columns_without_place"), parameters).fetchall())
    only_with = archived.left_columns if archived.place is None else []
    return Table(*named, written, content, types, by_key, keys, references, rows, lacking, only_with, noted)


def _any_value(columns: list[str]) -> Composed:
    held = SQL(" OR ").join(SQL("a.{} IS NOT NULL").format(Identifier(column)) for column in columns)
    return SQL("({})").format(held)


def find(connection: psycopg.Connection[Any], checked: Table, place: int | None) -> Iterator[Conflict]:
    """The conflicts among the rows behind `place`, the key up to which they are back."""
    for reference in checked.references:
        why = f"whose {reference.column_name} is gone from {reference.referred}"
        yield from count(connection, checked, "vanished", why, checked.vanished(reference), place)
    if not is_empty(connection, checked):
        for key in checked.keys:
            kind = "same id" if key.is_primary else "same key"
            why = f"whose {', '.join(key.columns)} a newer row has"
            yield from count(connection, checked, kind, why, checked.collides(key), place)


def is_empty(connection: psycopg.Connection[Any], checked: Table) -> bool:
    row = connection.execute(SQL("SELECT NOT EXISTS (SELECT FROM {})").format(checked.rows)).fetchone()
    return bool(row and row[0])


def written_to(table: Table) -> OnlineError:
    """To raise where a table that was to be exchanged is empty no more; nothing was lost."""
    return OnlineError(f"{table.relation} was written to just now.", "run `sidb restore` again: its rows are merged.")


def count(
    connection: psycopg.Connection[Any], checked: Table, kind: str, why: str, condition: Composed, place: int | None
) -> Iterator[Conflict]:
    """A conflict where rows `a` of the archive meet a condition, behind the place up to which they are back."""
    parts: dict[str, Composable]
    if checked.key is None:
        parts = {"keys": SQL("ARRAY[]::bigint []"), "further": SQL("%(place)s::bigint IS NULL")}
    else:
        key = Identifier(checked.key)
        parts = {
            "keys": SQL("(array_agg(a.{key} ORDER BY a.{key}))[:{named}]").format(key=key, named=NAMED),
            "further": SQL("a.{key} > coalesce(%(place)s::bigint, a.{key} - 1)").format(key=key),
        }
    statement = SQL("SELECT count(*), {keys} FROM {aside} AS a WHERE {further} AND {meant} AND {condition}").format(
        aside=checked.aside, meant=checked.is_meant(), condition=condition, **parts
    )
    row = connection.execute(statement, {"place": place}).fetchone()
    assert row is not None
    if row[0]:
        yield Conflict(checked.relation, kind, why, row[0], row[1])


def refuse_if_not_upgraded(connection: psycopg.Connection[Any], waiting: Iterable[Archived]) -> None:
    """Raise OnlineError where a table or a column is not there to which something of the archive belongs."""
    there = {each.relation for each in relations(connection, [kept.relation for kept in waiting])}
    missing = [kept.relation for kept in waiting if kept.relation not in there]
    for kept in waiting:
        for column in kept.kept_columns or []:
            row = connection.execute(
                "SELECT FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped",
                [kept.relation, column],
            ).fetchone()
            if row is None:
                missing.append(f"{kept.relation}.{column}")
    if missing:
        raise OnlineError(
            f"The archive cannot be restored yet: {', '.join(sorted(missing))} is not there.",
            "sidb upgrade, and then restore.",
        )


def refuse_unmergeable(connection: psycopg.Connection[Any], merged: Iterable[Table]) -> None:
    """Raise OnlineError where there is no key by which rows are merged in batches."""
    for table in merged:
        if table.key is None:
            why = "does not get all archived rows" if is_empty(connection, table) else "holds rows by now"
            raise OnlineError(
                f"{table.relation} {why}, and has no integer key by which they are merged; nothing was changed.",
                f"give it one, and restore; or insert those of {table.archived} by hand.",
            )
