"""Ids within payloads and texts of rows that are not the user's own: found, and left to whoever wrote them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from operations.erasure.pace import Pace
from operations.erasure.places import Searched, searched
from operations.erasure.users import HELD, MENTIONED

PAGES = 4_096
NAMED = 10
"""Rows that are named for each column."""


@dataclass
class Mention:
    """So many rows of a table whose column holds an id; some of them by their keys."""

    table: str
    column: str
    rows: int
    keys: list[str]


def find(pace: Pace, told: Callable[[str], None]) -> list[Mention]:
    """Search all texts and payloads of ours for the session's users; `told` hears of each table."""
    found: dict[tuple[str, str], Mention] = {}
    for table in pace.transaction(searched):
        told(table.name)
        for part in table.parts(PAGES):
            for column, rows, keys in pace.read(partial(_rows, statement=_search(table, part))):
                mention = found.setdefault((table.name, column), Mention(table.name, column, 0, []))
                mention.rows += rows
                mention.keys = [*mention.keys, *keys][:NAMED]
    return list(found.values())


def _rows(connection: psycopg.Connection[Any], statement: Composed) -> list[Any]:
    return connection.execute(statement).fetchall()


def _search(table: Searched, part: Any) -> Composed:
    key = SQL(", ").join(SQL("t.{}").format(Identifier(name)) for name in table.keys or ["ctid"])
    columns = [SQL("t.{}").format(Identifier(name)) for name in table.columns]
    values = SQL(", ").join(SQL("({}, t.{}::text)").format(Literal(name), Identifier(name)) for name in table.columns)
    return SQL(
        "SELECT s.name, count(*), (array_agg(s.key))[:{named}] FROM ("
        "SELECT concat_ws(' ', {key}) AS key, v.name, v.value FROM ONLY {table} AS t"
        " CROSS JOIN LATERAL (VALUES {values}) AS v (name, value) WHERE {part} AND {held} OFFSET 0) AS s"
        " WHERE {mentioned} GROUP BY s.name"
    ).format(
        named=NAMED,
        key=key,
        table=table.identifier,
        values=values,
        part=part,
        held=HELD.format(value=SQL("concat_ws(E'\\n', {})").format(SQL(", ").join(columns))),
        mentioned=MENTIONED.format(value=SQL("s.value")),
    )
