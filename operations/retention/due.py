"""How it stands with retention: what is switched on, for how many rows the time is over, and when rows went last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import psycopg
from alembic_online.database import engine
from alembic_online.sessions import driver
from psycopg.rows import namedtuple_row
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import URL, NullPool

from operations.queries import query
from operations.retention.tables import TABLES, Kept, settings

UNSEEN = "not known whether it is on, since this role may not read sidb.retention"
COUNTED = 100_000
"""Rows of a table up to which they are counted; of more, the planner's estimate is good enough."""
CHEAP = 10_000
"""The planner's cost up to which a query is run that asks whether there are any."""
SMALL = 1 << 26
"""Bytes of a table up to which rows are counted where nothing is known of their number."""


@dataclass(frozen=True)
class Due:
    """A table: for how many months rows are kept (`is_on`), or would be by the contract, and about how many are older.

    `is_on` is None where this role may not read the settings, `rows` where not the rows. `last`: when rows went.
    `aside`: set aside, and still there.
    """

    table: str
    is_on: bool | None
    months: int
    kept_from: date
    rows: int | None
    last: datetime | None = None
    aside: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = "an unknown number of rows is" if self.rows is None else f"about {self.rows:,} rows are"
        if self.is_on:
            parts = [f"kept for {self.months} months; {rows} from before {self.kept_from}"]
        else:
            parts = [
                f"{UNSEEN if self.is_on is None else 'off'}; {rows} older than the contract's {self.months} months"
            ]
        if self.is_on and self.last is not None:
            parts.append(f"rows went last on {self.last:%Y-%m-%d}")
        if self.aside:
            parts.append(f"still there: {', '.join(self.aside)}")
        return "; ".join(parts)


def lines(found: Sequence[Due]) -> list[str]:
    """In a few lines: the tables that are switched on, or have rows set aside, one each, and the others together."""
    said = [f"{each.table}: {each}" for each in found if each.is_on or each.aside]
    if rest := [each for each in found if not (each.is_on or each.aside)]:
        word = UNSEEN if any(each.is_on is None for each in rest) else "off"
        which = word if len(rest) == len(found) else f"{word} for {', '.join(each.table for each in rest)}"
        said.append(f"{which}; {_older_of(rest)}")
    return said


def _older_of(tables: Sequence[Due]) -> str:
    rows = f"about {sum(each.rows or 0 for each in tables):,} rows are older than the retention periods"
    unread = [each.table for each in tables if each.rows is None]
    return f"{rows}, besides those of {', '.join(unread)}, which this role may not read" if unread else rows


@dataclass(frozen=True)
class Standing:
    """How it stands in a database."""

    database: str
    tables: list[Due]


def due_of(url: URL) -> list[Due]:
    """Of the database at this address. Raises OnlineError."""
    with engine(url, poolclass=NullPool, settings={"lock_timeout": "2s"}).connect() as connection, connection.begin():
        return due(driver(connection))


def due(connection: psycopg.Connection[Any]) -> list[Due]:
    """Of all tables that are there; in the caller's transaction. Reads only."""
    return list(_due(connection))


def _due(connection: psycopg.Connection[Any]) -> Iterator[Due]:
    wanted = settings(connection)
    months = {each.name: wanted[each.name].months if wanted and each.name in wanted else each.months for each in TABLES}
    recorded = connection.execute(query("retention/usable")).fetchone() == (True,)
    gone = {row.relation: row for row in _rows(connection, query("retention/last"))} if recorded else {}
    parameters = {"relations": list(months), "months": list(months.values())}
    there = {row.relation: row for row in _rows(connection, query("retention/tables"), parameters)}
    for kept in TABLES:
        if (found := there.get(kept.name)) is not None:
            past = gone.get(kept.name)
            yield Due(
                kept.name,
                None if wanted is None else kept.name in wanted,
                found.months,
                found.kept_from,
                _older(connection, kept, found) if found.is_readable else None,
                past.last if past else None,
                (past.aside or []) if past else [],
            )


def _older(connection: psycopg.Connection[Any], kept: Kept, found: Any) -> int:
    if not found.bytes:
        return 0
    chosen = SQL("FROM {}{} WHERE {} < {}::timestamp AT TIME ZONE 'UTC'").format(
        SQL("" if found.is_partitioned else "ONLY "),  # rows of tables that inherit are others'
        Identifier("analytics", kept.name),
        Identifier(kept.time),
        found.kept_from,
    )
    if found.rows <= COUNTED and (found.rows or found.bytes <= SMALL):  # statistics may have been lost
        [(rows,)] = connection.execute(SQL("SELECT count(*) ") + chosen).fetchall()
    else:
        rows = _estimated(connection, chosen)
    return int(rows)


def _estimated(connection: psycopg.Connection[Any], chosen: Composed) -> int:
    """About how many rows; 0 where there is none: of each scan the planner expects one at least."""
    [(explained,)] = connection.execute(SQL("EXPLAIN (FORMAT json) SELECT ") + chosen).fetchall()
    plan = explained[0]["Plan"]
    rows = int(plan["Plan Rows"])
    if plan["Total Cost"] > CHEAP:  # without an index all rows would be read to find none
        return rows if rows > len(plan.get("Plans", [plan])) else 0
    is_any = connection.execute(SQL("SELECT EXISTS (SELECT ") + chosen + SQL(")")).fetchone() == (True,)
    return rows if is_any else 0


def _rows(connection: psycopg.Connection[Any], statement: Any, parameters: Any = None) -> list[Any]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, parameters).fetchall()
