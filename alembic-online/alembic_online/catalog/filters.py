"""What Alembic's own comparison may look at: what is the project's."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.schema import BLANK_SCHEMA

from alembic_online.catalog.snapshot import query
from alembic_online.errors import OnlineError
from alembic_online.parts import VERSION_TABLE
from alembic_online.scope import Scope

KINDS = {
    "column": "column",
    "index": "index",
    "unique_constraint": "constraint",
    "foreign_key_constraint": "constraint",
    "check_constraint": "constraint",
}
"""Of what stands on a table: how Alembic calls it, and the catalog."""


def models(scope: Scope) -> MetaData:
    """The models as Alembic compares them: without the name of schema public, which it leaves out in the database too.

    Raises OnlineError on a table that stands in none of the scope's schemas: nothing of it would be seen.
    """
    for table in scope.metadata.tables.values():
        schema = table.schema or "public"
        if schema not in scope.schemas and f"{schema}.{table.name}" not in scope.shared:
            raise OnlineError(
                f"Table {schema}.{table.name} of the models is in schema {schema}, which is not the project's.",
                f"add {schema} to the scope's `schemas`, or the table to `shared`, or put the table elsewhere.",
            )
    if all(table.schema != "public" for table in scope.metadata.tables.values()):
        return scope.metadata
    unnamed = MetaData(naming_convention=scope.metadata.naming_convention)
    for table in scope.metadata.tables.values():
        name: Any = None if table.schema == "public" else table.schema
        table.to_metadata(unnamed, schema=name, referred_schema_fn=_referred)
    return unnamed


def _referred(_table: Table, _to: str | None, _key: ForeignKeyConstraint, referred: str | None) -> Any:
    return BLANK_SCHEMA if referred == "public" else referred


def unnamed(metadata: MetaData) -> set[str]:
    """The tables of the models with a constraint that has no name, as "public.orders"; a primary key needs none."""
    return {
        f"{table.schema or 'public'}.{table.name}"
        for table in metadata.tables.values()
        for constraint in table.constraints
        if not isinstance(constraint, PrimaryKeyConstraint) and not isinstance(constraint.name, str)
    }


def only(scope: Scope, connection: Connection) -> dict[str, Any]:
    """The options of Alembic's environment by which it sees neither partitions and extensions' tables in the scope's
    schemas nor, on a shared table, anything but the scope's additions.
    """
    own = {None if schema == "public" else schema for schema in scope.schemas}

    @cache
    def relations() -> set[str]:
        parameters = {"schemas": list(scope.schemas), "shared": list(scope.shared), "version_table": VERSION_TABLE}
        return {row.name for row in connection.execute(query("relations"), parameters)}

    def include_name(name: str | None, type_: str, parent_names: Any) -> bool:
        if type_ == "schema":
            return name is None or name in own
        if type_ == "table":
            return f"{parent_names['schema_name'] or 'public'}.{name}" in relations()
        return True

    def include_object(item: Any, name: str | None, type_: str, _reflected: bool, compare_to: Any) -> bool:
        table = item if type_ == "table" else item.table
        schema = table.schema or "public"
        if f"{schema}.{table.name}" not in scope.shared:
            return True
        if type_ == "table":
            return compare_to is not None  # neither created nor dropped: it is others'
        return type_ not in KINDS or scope.owns(KINDS[type_], schema, table.name, name or "")

    return {"include_name": include_name, "include_object": include_object}
