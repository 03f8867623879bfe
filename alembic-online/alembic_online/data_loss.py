"""Going down: what a downgrade would drop and nobody could compute again."""

from collections.abc import Collection, Iterable
from typing import Any

import psycopg
from alembic.script import Script
from psycopg.sql import SQL, Identifier

from alembic_online.errors import OnlineError
from alembic_online.options import Options
from alembic_online.queries import query
from alembic_online.scope import Scope
from alembic_online.validation import removed


def dropped_tables(script: Script) -> set[str]:
    """The base tables that a revision's downgrade drops, but for those that triggers fill (its `computed`)."""
    return removed(script, "downgrade", "table") - computed(script)


def dropped_relations(script: Script) -> set[str]:
    """The tables and materialized views that a revision's downgrade drops."""
    return removed(script, "downgrade", "table") | removed(script, "downgrade", "materialized view")


def columns_of_what_stays(script: Script) -> dict[str, list[str]]:
    """The columns that a revision's downgrade drops from tables that stay: by table, those that triggers fill too."""
    found: dict[str, list[str]] = {}
    tables = removed(script, "downgrade", "table")
    for column in sorted(removed(script, "downgrade", "column")):
        relation, _, name = column.rpartition(".")
        if relation not in tables:
            found.setdefault(relation, []).append(name)
    return found


def dropped_columns(connection: psycopg.Connection[Any], script: Script) -> dict[str, list[str]]:
    """Of these, the columns that are there, and of a base table."""
    found = {
        relation: [column for column in columns if column_default(connection, relation, column) is not None]
        for relation, columns in columns_of_what_stays(script).items()
    }
    return {relation: columns for relation, columns in found.items() if columns}


def refuse_loss(connection: psycopg.Connection[Any], scripts: Iterable[Script], remedy: str) -> None:
    """Raise OnlineError if downgrades of these revisions would drop data; lists all of it."""
    losses: list[str] = []
    for script in scripts:
        tables = dropped_tables(script)
        losses += rows_in(connection, tables)
        columns = removed(script, "downgrade", "column") - computed(script)
        losses += [
            f"{column}: holds values"
            for column in sorted(columns)
            if column.rpartition(".")[0] not in tables | computed(script) and _holds_values(connection, column)
        ]
    if losses:
        raise refusal(losses, remedy)


def rows_in(connection: psycopg.Connection[Any], tables: Collection[str]) -> list[str]:
    """Those of the tables that hold a row, as a person reads it."""
    return [
        f"{table}: holds rows"
        for table in sorted(tables)
        if _true(connection, "SELECT to_regclass(%s) IS NOT NULL", [table])
        and _true(connection, SQL("SELECT EXISTS (SELECT FROM {})").format(Identifier(*table.split("."))))
    ]


def remedy(scope: Scope, options: Options) -> str:
    """What to do about a refusal: keep the data, where the project can; drop it."""
    keep = f"keep it with `{scope.rollback_command}`, or " if scope.rollback_command else ""
    return f"{keep}drop it with {options.written('discard-data', 'yes')}."


def refusal(losses: list[str], remedy: str) -> OnlineError:
    return OnlineError(
        "\n".join(
            ["The downgrade would drop what cannot be computed again; it was not run."]
            + [f"  {loss}" for loss in losses]
        ),
        remedy,
    )


def computed(script: Script) -> set[str]:
    """The tables and columns that triggers fill: what they hold can be computed again."""
    return set(getattr(script.module, "computed", ()))


def column_default(connection: psycopg.Connection[Any], relation: str, column: str) -> SQL | None:
    """A column's default as PostgreSQL prints it, NULL where there is none; None: no such column of a base table."""
    parameters = {"relation": relation, "column": column}
    row = connection.execute(query("run/column_default"), parameters).fetchone()
    return SQL(row[0]) if row else None


def _holds_values(connection: psycopg.Connection[Any], column: str) -> bool:
    """Whether a row differs from the column's default; False where it is not a table's column."""
    schema, table, name = column.split(".")
    row = connection.execute(query("run/column_default"), {"relation": f"{schema}.{table}", "column": name}).fetchone()
    if row is None:
        return False
    default = SQL(row[0])  # an expression as PostgreSQL prints it
    return _true(
        connection,
        SQL("SELECT EXISTS (SELECT FROM {} WHERE {} IS DISTINCT FROM {})").format(
            Identifier(schema, table), Identifier(name), default
        ),
    )


def _true(connection: psycopg.Connection[Any], statement: Any, parameters: Any = None) -> bool:
    row = connection.execute(statement, parameters).fetchone()
    return bool(row and row[0])
