"""Tables of records in a schema that no downgrade drops, brought up to date on use.

Each component (the ledger is one) has numbered versions: statements that lead from the one before. What has been run
is written down in `component`, so that a new column reaches databases that were made by older code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from alembic_online.errors import OnlineError
from alembic_online.queries import query


@dataclass(frozen=True)
class Component:
    """Tables of one concern. `versions`: SQL, oldest first, in which `{bookkeeping}` stands for the schema.

    The first version must be safe to run where its tables are there already: code from before versions were
    written down may have made them.
    """

    name: str
    versions: Sequence[str]

    def sql(self, statement: str, schema: str) -> bytes:
        """A statement with its schema filled in."""
        return SQL(statement).format(bookkeeping=Identifier(schema)).as_bytes()


def bring_up_to_date(connection: psycopg.Connection[Any], schema: str, component: Component) -> None:
    """Make the component's tables what this code expects, those of the role that owns the schema where this one may
    give them to it, as a superuser may. `connection` is in autocommit mode.

    Raises OnlineError where a newer version of the code has been here, or this role may not use the schema.
    """
    refuse_unusable(connection, schema)
    if version(connection, schema, component) == len(component.versions):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"bookkeeping in {schema}"])
        if connection.execute("SELECT to_regnamespace(quote_ident(%s)) IS NULL", [schema]).fetchone() == (True,):
            connection.execute(component.sql(query("bookkeeping/create_schema"), schema))
        before = _of_another(connection, schema)
        connection.execute(component.sql(query("bookkeeping/create"), schema))
        done = version(connection, schema, component)
        if done > len(component.versions):
            raise OnlineError(
                f"A newer version of this code wrote the records in schema {schema} ({component.name} {done}).",
                "use that version, or a newer one.",
            )
        for statements in component.versions[done:]:
            connection.execute(component.sql(statements, schema))
        parameters = {"component": component.name, "version": len(component.versions)}
        connection.execute(component.sql(query("bookkeeping/reached"), schema), parameters)
        for name, owner in _of_another(connection, schema) - before:  # else who owns the schema could not use them
            connection.execute(SQL("ALTER TABLE {} OWNER TO {}").format(SQL(name), Identifier(owner)))


def _of_another(connection: psycopg.Connection[Any], schema: str) -> set[tuple[str, str]]:
    return set(connection.execute(query("bookkeeping/of_another"), {"schema": schema}).fetchall())


def version(connection: psycopg.Connection[Any], schema: str, component: Component) -> int:
    """The version of a component's tables; 0: none was written down."""
    there = "SELECT to_regclass(format('%%I.component', %s::text)) IS NOT NULL"
    if connection.execute(there, [schema]).fetchone() != (True,):
        return 0
    statement = component.sql("SELECT version FROM {bookkeeping}.component WHERE component = %s", schema)
    row = connection.execute(statement, [component.name]).fetchone()
    return int(row[0]) if row else 0


def refuse_unusable(connection: psycopg.Connection[Any], schema: str) -> None:
    """Raise OnlineError where this role may not use the schema."""
    usable = "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = %s"
    if connection.execute(usable, [schema]).fetchone() == (False,):
        raise OnlineError(
            f"The records of earlier migrations, in schema {schema}, belong to another role.",
            "migrate as the role that did it before, or grant this one its membership.",
        )
