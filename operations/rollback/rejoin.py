"""Copies of columns of a table that was put aside whole, too: they join it in the archive, before it comes back.

Then a value is where its row is, whatever way that comes back and whatever id it gets; by the keys of the table that is
there now, it might reach another one.
"""

from collections.abc import Iterable
from typing import Any

import psycopg
from alembic_online import acquire
from alembic_online.catalog import Identity, Snapshot
from alembic_online.parts import unwritten
from psycopg.sql import SQL, Identifier

from operations.queries import query
from operations.rollback.merge import keep
from operations.rollback.records import Archived, Records, Rollback


def rejoin(records: Records, rollback: Rollback, live: Snapshot, waiting: Iterable[Archived]) -> None:
    """Let them join. Nothing is lost where this is interrupted, nor where the restore is refused after it."""
    waiting = [kept for kept in waiting if kept.state == "archived"]
    tables = {kept.relation: kept for kept in waiting if kept.is_table}
    for copy in waiting:
        if not copy.is_table and copy.relation in tables:
            _rejoin(records, rollback, live, copy, tables[copy.relation])


def _rejoin(records: Records, rollback: Rollback, live: Snapshot, copy: Archived, table: Archived) -> None:
    connection = records.connection
    names = columns_of_copy(connection, rollback.archive, copy)
    added = {name: unwritten(connection, copy.relation, name) for name in names}
    there = columns_of_copy(connection, rollback.archive, copy, of=table.kept_as)
    if not names or there or None in added.values():
        return  # another column is called so: it comes back by key
    aside, own = (Identifier(rollback.archive, kept.kept_as) for kept in (table, copy))
    keys, _ = connection.execute(query("rollback/key_of_copy"), {"relation": own.as_string()}).fetchone() or ([], 0)
    same = SQL(" AND ").join(SQL("t.{0} = c.{0}").format(Identifier(key)) for key in keys)
    with connection.transaction():
        acquire(records.session, {aside.as_string(): "AccessExclusiveLock"}, f"restore of {copy.name}")
        for name, (default, type_name) in ((name, found) for name, found in added.items() if found is not None):
            add = SQL("ALTER TABLE {} ADD COLUMN {} {} DEFAULT {}")
            connection.execute(
                add.format(aside, Identifier(name), SQL(_type(live, copy, name, type_name)), SQL(default))
            )
        values = SQL(", ").join(SQL("{0} = c.{0}").format(Identifier(name)) for name in names)
        update = SQL("UPDATE {} AS t SET {} FROM {} AS c WHERE {}").format(aside, values, own, same)
        restored = connection.execute(update).rowcount
        for name in names:
            _complete(connection, aside, live, _column(copy, name))
        keep(connection, rollback, copy.kept_as, "restored", restored=restored)


def _complete(connection: psycopg.Connection[Any], aside: Identifier, live: Snapshot, identity: Identity) -> None:
    """What the column has in the table that is there now, and could not have while it was filled."""
    column = live.columns.get(identity)
    if column is None:
        return
    alter = SQL("ALTER TABLE {} ALTER COLUMN {} ").format(aside, Identifier(identity.part))
    if column.default is not None:
        connection.execute(alter + SQL("SET DEFAULT {}").format(SQL(column.default)))
    missing = SQL("SELECT EXISTS (SELECT FROM {} AS t WHERE t.{} IS NULL)").format(aside, Identifier(identity.part))
    if column.required and connection.execute(missing).fetchone() == (False,):
        connection.execute(alter + SQL("SET NOT NULL"))


def _column(copy: Archived, name: str) -> Identity:
    schema, _, relation = copy.relation.partition(".")
    return Identity("column", schema, relation, name)


def _type(live: Snapshot, copy: Archived, name: str, type_name: str) -> str:
    """With its collation, where the catalog tells it."""
    column = live.columns.get(_column(copy, name))
    return column.type if column is not None else type_name


def columns_of_copy(
    connection: psycopg.Connection[Any], archive: str, copy: Archived, *, of: str | None = None
) -> list[str]:
    """Those of a copy's columns that its table in the archive has; `of`: another table."""
    relation = Identifier(archive, of or copy.kept_as).as_string()
    found = connection.execute(
        "SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = to_regclass(%s) AND a.attname = ANY(%s)"
        " AND NOT a.attisdropped ORDER BY a.attnum",
        [relation, copy.kept_columns],
    )
    return [name for (name,) in found]
