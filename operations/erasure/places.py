"""Where ids of users are: found in the catalog, so that no partition, archive or half-loaded file is forgotten."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable, Identifier

from models import ANALYTICS, Base
from operations.queries import query

MODELS = [table.name for table in Base.metadata.tables.values() if table.schema == ANALYTICS]
WITH_USERS = [
    table.name for table in Base.metadata.tables.values() if table.schema == ANALYTICS and "user_id" in table.columns
]


@dataclass(frozen=True)
class Table:
    """A table that holds rows of users, by its `name` as SQL writes it; `is_live`: applications write to it.

    `keys`: its primary key's columns.
    """

    name: str
    schema: str
    relation: str
    is_live: bool
    is_indexed: bool
    keys: list[str]
    columns: list[str]

    @property
    def identifier(self) -> Identifier:
        return Identifier(self.schema, self.relation)

    @property
    def is_staged(self) -> bool:
        """Whether its rows came with a file: staging, or the table of a file that is half loaded."""
        return "file_id" in self.columns

    @property
    def passes_over_locked(self) -> bool:
        """Whether rows that others have locked are left, and counted afterwards; else they are waited for."""
        return self.is_live or bool(self.is_indexed and self.keys)

    @property
    def holds_events(self) -> bool:
        return {"event_id", "event_timestamp"} <= set(self.columns) and not self.is_staged


@dataclass(frozen=True)
class Leaf:
    """A table that holds rows itself, by its name as SQL writes it, and its size."""

    name: str
    schema: str
    relation: str
    pages: int

    @property
    def identifier(self) -> Identifier:
        return Identifier(self.schema, self.relation)

    def parts(self, pages: int) -> list[Composable]:
        """Conditions on a row `t`, each true for the rows of so many pages; the last one for all that came later."""
        begins = list(range(0, max(self.pages, 1), pages))
        first = [SQL("t.ctid >= {}::tid").format(f"({begin},0)") for begin in begins]
        ends = [SQL(" AND t.ctid < {}::tid").format(f"({begin},0)") for begin in begins[1:]]
        return [SQL("{}{}").format(begin, end) for begin, end in zip(first, [*ends, SQL("")], strict=True)]


@dataclass(frozen=True)
class Searched(Leaf):
    """A table with texts or payloads in these columns."""

    columns: list[str]
    keys: list[str]


def tables(connection: psycopg.Connection[Any]) -> list[Table]:
    """The tables with ids of users, those that applications write to first."""
    with connection.cursor(row_factory=class_row(Table)) as cursor:
        return cursor.execute(query("erasure/places"), {"models": WITH_USERS}).fetchall()


def leaves(connection: psycopg.Connection[Any], relation: str) -> list[Leaf]:
    """The table, its partitions and its children, as far as they hold rows."""
    with connection.cursor(row_factory=class_row(Leaf)) as cursor:
        return cursor.execute(query("erasure/leaves"), {"relation": relation}).fetchall()


def searched(connection: psycopg.Connection[Any]) -> list[Searched]:
    """The tables of ours that hold texts or payloads."""
    with connection.cursor(row_factory=class_row(Searched)) as cursor:
        return cursor.execute(query("erasure/searched"), {"models": MODELS}).fetchall()


def triggers_of_others(connection: psycopg.Connection[Any]) -> list[str]:
    """Triggers of others that fire where rows of users go."""
    return [row[0] for row in connection.execute(query("erasure/triggers_of_others"), {"models": WITH_USERS})]


def elsewhere(connection: psycopg.Connection[Any]) -> list[str]:
    """Tables of others with a column user_id."""
    return [row[0] for row in connection.execute(query("erasure/elsewhere"), {"models": WITH_USERS})]
