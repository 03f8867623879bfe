"""The libraries beside which autogenerate is measured: each is told to expect what it reads of a right database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from alembic_online.catalog import autogenerate
from sqlalchemy import Connection, MetaData
from sqlalchemy.orm import Session

from models import ROLES

ALEMBIC = ("alembic.autogenerate.*",)


def declare_nothing(_connection: Connection, _metadata: MetaData, _schema: str) -> dict[str, Any]:
    """Plain Alembic, and ours, need nothing but the models."""
    return {}


def declare_to_alembic_utils(connection: Connection, _metadata: MetaData, schema: str) -> dict[str, Any]:
    from alembic_utils import replaceable_entity as entities
    from alembic_utils.pg_function import PGFunction
    from alembic_utils.pg_grant_table import PGGrantTable
    from alembic_utils.pg_materialized_view import PGMaterializedView
    from alembic_utils.pg_policy import PGPolicy
    from alembic_utils.pg_trigger import PGTrigger
    from alembic_utils.pg_view import PGView

    kinds = [PGFunction, PGView, PGMaterializedView, PGTrigger, PGPolicy, PGGrantTable]
    with Session(connection) as session:
        found = [entity for kind in kinds for entity in kind.from_database(session, schema)]
    entities.registry.clear()
    entities.register_entities(found, schemas=[schema], entity_types=kinds)
    return {}


def declare_to_declarative_extensions(connection: Connection, metadata: MetaData, _schema: str) -> dict[str, Any]:
    from sqlalchemy_declarative_extensions import (
        Functions,
        Grants,
        Procedures,
        Roles,
        Views,
        declare_database,
        dialects,
    )

    _register_declarative_extensions()
    declare_database(
        metadata,
        roles=Roles(ignore_unspecified=True).are(*ROLES),
        grants=Grants(only_defined_roles=True).are(*dialects.get_grants(connection, roles=ROLES)),
        views=Views().are(*dialects.get_views(connection)),
        functions=Functions().are(*dialects.get_functions(connection)),
        procedures=Procedures().are(*dialects.get_procedures(connection)),
    )
    return {}


@cache
def _register_declarative_extensions() -> None:
    from sqlalchemy_declarative_extensions import register_alembic_events

    # Its reader of triggers stops at one for TRUNCATE and another event (an AssertionError), as Phase 2 has them.
    register_alembic_events(databases=False, schemas=False, rows=False, roles=False, triggers=False)


def declare_to_postgresql_enum(_connection: Connection, _metadata: MetaData, _schema: str) -> dict[str, Any]:
    """It registers itself, and reads enums from the models."""
    import alembic_postgresql_enum

    assert alembic_postgresql_enum
    return {}


def declare_to_pg_autogen(connection: Connection, _metadata: MetaData, schema: str) -> dict[str, Any]:
    import alembic_pg_autogen
    from alembic_pg_autogen.inspect import inspect_functions, inspect_triggers, inspect_views

    assert alembic_pg_autogen
    readers = {"pg_functions": inspect_functions, "pg_triggers": inspect_triggers, "pg_views": inspect_views}
    return {name: [each.definition for each in read(connection, [schema])] for name, read in readers.items()}


@dataclass(frozen=True)
class Library:
    """`declare` tells it what a right database holds, and gives the options that it wants of Alembic's environment."""

    title: str
    declare: Callable[[Connection, MetaData, str], dict[str, Any]] = declare_nothing
    plugins: Sequence[str] = field(default=ALEMBIC)


LIBRARIES = {
    "ours": Library("this project", plugins=autogenerate.PLUGINS),
    "plain": Library("Alembic 1.20"),
    "alembic_utils": Library("alembic-utils 0.8.8", declare_to_alembic_utils),
    "declarative_extensions": Library("sqlalchemy-declarative-extensions 0.17", declare_to_declarative_extensions),
    "postgresql_enum": Library("alembic-postgresql-enum 1.11", declare_to_postgresql_enum),
    "pg_autogen": Library("alembic-pg-autogen 0.3", declare_to_pg_autogen, (*ALEMBIC, "alembic_pg_autogen.*")),
}
