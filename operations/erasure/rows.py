"""Rows of users go: by the index on user_id where there is one, else by reading a table in parts."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier

from operations.erasure.archived_columns import Followers, followers
from operations.erasure.archived_counts import COLUMNS
from operations.erasure.pace import Pace
from operations.erasure.places import Leaf, Table, leaves
from operations.erasure.records import Erasure, keep_place
from operations.queries import query

BATCH = 2_000
"""Rows of an indexed table in a transaction."""
PAGES = 4_096
"""Pages that are read in a transaction: 32 MB."""
BY_INDEX = "SELECT set_config('enable_seqscan', 'off', true)"
"""Whatever the statistics make of a user with many rows."""


def count(connection: psycopg.Connection[Any], table: Table) -> int:
    """Rows of the session's users in a table."""
    if table.is_indexed:
        connection.execute(BY_INDEX)
    statement = SQL("SELECT count(*) FROM pg_temp.erasing_user AS u JOIN {} AS t ON t.user_id = u.user_id")
    row = connection.execute(statement.format(table.identifier)).fetchone()
    assert row is not None
    return int(row[0])


def left(pace: Pace, table: Table) -> int:
    """Rows of the session's users that are in a table all the same; none where it is no longer there."""
    try:
        return pace.transaction(partial(count, table=table))
    except psycopg.errors.UndefinedTable:
        if pace.transaction(partial(_is_there, table=table)):
            raise
        return 0


def erase(pace: Pace, erasure: Erasure, table: Table) -> int:
    """Delete the rows of the session's users from a table; how many. What others hold at the moment is left."""
    try:
        return _erase(pace, erasure, table)
    except psycopg.errors.UndefinedTable:  # dropped meanwhile by an expiry, or by a load that has staged its rows
        if pace.transaction(partial(_is_there, table=table)):
            raise
        return 0


def _is_there(connection: psycopg.Connection[Any], table: Table) -> bool:
    asked = "SELECT to_regclass(%s) IS NOT NULL"
    return connection.execute(asked, [table.name]).fetchone() == (True,)


def _erase(pace: Pace, erasure: Erasure, table: Table) -> int:
    allow_deletes(pace, [table])
    archived = pace.transaction(partial(followers, table=table))
    if table.is_indexed and table.keys:
        return _by_index(pace, erasure, table, archived)
    gone = 0
    # From a live table by its name, whatever leaf a row is in: its triggers count what goes.
    keys = [*table.keys, "user_id"] if table.is_live and table.keys else ["ctid"]
    for leaf in pace.transaction(lambda connection: leaves(connection, table.name)):
        relation = leaf.identifier if keys == ["ctid"] else table.identifier
        for part in leaf.parts(PAGES):
            statement = _deletion(_chosen_in(leaf, part, keys, table), relation, keys, table, archived)
            gone += pace.batch([leaf.name], partial(_batch, erasure, table, statement))
    return gone


def allow_deletes(pace: Pace, tables: Iterable[Table]) -> None:
    """Where a publication takes part of a table without a key, as of a file that is half loaded, identify its rows."""
    names = [leaf.name for table in tables for leaf in pace.transaction(partial(leaves, relation=table.name))]

    def identify(connection: psycopg.Connection[Any]) -> None:
        for (name,) in connection.execute(query("erasure/unpublishable"), {"relations": names}).fetchall():
            connection.execute(SQL("ALTER TABLE {} REPLICA IDENTITY FULL").format(SQL(name)))

    pace.transaction(identify)


def _by_index(pace: Pace, erasure: Erasure, table: Table, archived: Followers) -> int:
    keys = [*table.keys, "user_id"]  # a table that inherits may hold the same key for somebody else
    rows = SQL(
        "SELECT e.* FROM pg_temp.erasing_user AS u CROSS JOIN LATERAL (SELECT {keys} FROM {table} AS t"
        " WHERE t.user_id = u.user_id LIMIT {most} FOR UPDATE SKIP LOCKED) AS e LIMIT {most}"
    ).format(keys=_columns("t", keys), table=table.identifier, most=BATCH)
    statement = _deletion(rows, table.identifier, keys, table, archived)
    gone = 0
    while batch := pace.batch([table.name], partial(_batch, erasure, table, statement)):
        gone += batch
    return gone


def _chosen_in(leaf: Leaf, part: Composable, keys: list[str], table: Table) -> Composed:
    return SQL(
        "SELECT {keys} FROM ONLY {leaf} AS t"
        " WHERE {part} AND t.user_id IN (SELECT u.user_id FROM pg_temp.erasing_user AS u) FOR UPDATE{skipping}"
    ).format(
        keys=_columns("t", keys),
        leaf=leaf.identifier,
        part=part,
        skipping=SQL(" SKIP LOCKED" if table.passes_over_locked else ""),
    )


def _deletion(chosen: Composed, relation: Identifier, keys: list[str], table: Table, archived: Followers) -> Composed:
    """Deletes the chosen rows, and what is known and counted of them elsewhere; gives their number."""
    same = SQL(" AND ").join(SQL("d.{0} = c.{0}").format(Identifier(key)) for key in keys)
    known = [name for name in ("event_id", "file_id", *COLUMNS) if name in table.columns]
    told = list(dict.fromkeys([*known, *archived.columns]))
    return SQL(
        "WITH chosen AS MATERIALIZED ({chosen}), gone AS (DELETE FROM {only}{relation} AS d USING chosen AS c"
        " WHERE {same} RETURNING {told}){followed} SELECT count(*) FROM gone"
    ).format(
        chosen=chosen,
        only=SQL("ONLY " if keys == ["ctid"] else ""),
        relation=relation,
        same=same,
        told=_columns("d", told) if told else SQL("1"),
        followed=SQL("").join([*(SQL(query(f"erasure/{name}")) for name in _followers(table)), *archived.statements]),
    )


def _followers(table: Table) -> list[str]:
    """What goes with the rows: statements that read the CTE gone."""
    found = ["touched_niches"] if table.is_live and "niche_id" in table.columns and table.holds_events else []
    if table.holds_events:
        found.append("known_lines")
    if table.is_staged:
        found += ["counted_files", "known_set_aside"]
    return found


def _batch(erasure: Erasure, table: Table, statement: Composed, connection: psycopg.Connection[Any]) -> int:
    if table.is_indexed:
        connection.execute(BY_INDEX)
    row = connection.execute(statement, {"erasure_id": erasure.erasure_id}).fetchone()
    assert row is not None
    if row[0]:
        keep_place(connection, erasure, table.name, row[0])
    return int(row[0])


def _columns(row: str, names: list[str]) -> Composed:
    return SQL(", ").join(SQL("{}.{}").format(SQL(row), Identifier(name)) for name in names)
