"""What the migrating role lacks for the steps, down to their last statement, and the statements that give it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from alembic_online.catalog.snapshot import query as catalog_query
from alembic_online.parts import VERSION_TABLE, relations
from alembic_online.planned import Obstacle, Planned
from alembic_online.queries import query
from alembic_online.scope import Scope

CREATED = re.compile(r"added (?:table|view|materialized view|sequence|function|type|operator|index) ([^.]+)\.")
"""A line of a step that creates in a schema."""
REPLACED = "changed materialized view "


@dataclass(frozen=True)
class Lack:
    """Something that the role may not do, and the statement by which an administrator allows it."""

    what: str
    statement: str


def privileges(connection: Connection, scope: Scope, steps: Sequence[Planned]) -> Iterator[Obstacle]:
    """An obstacle for each thing that the role may not do and a step does."""
    for lack in missing(connection, scope, steps):
        yield Obstacle(lack.what, f"as an administrator: {lack.statement};")


def missing(connection: Connection, scope: Scope, steps: Sequence[Planned]) -> list[Lack]:
    """What the role lacks for the steps."""
    if not steps:
        return []
    lines = set().union(*(step.certain for step in steps))
    replaced = {line.removeprefix(REPLACED) for step in steps for line in step.lines if line.startswith(REPLACED)}
    parameters = {"schemas": list(scope.schemas), "shared": list(scope.shared), "version_table": VERSION_TABLE}
    there = {row.name for row in connection.execute(catalog_query("relations"), parameters)}
    owned = {name for name in there if _alters(lines, name)} | (there & {*relations(n for s in steps for n in s.drops)})
    locked = {relation for step in steps for relation in step.locks}
    asked = {
        "creates_schemas": any(line.startswith("added schema ") for line in lines),
        "schemas": [*scope.schemas, *scope.retained_schemas, scope.bookkeeping],
        "bookkeeping": scope.bookkeeping,
        "created_in": sorted({found[1] for line in lines if (found := CREATED.match(line))}),
        "replaced": sorted(replaced),
        "owned": sorted(owned),
        "locked": sorted(locked - owned),
        "default_schema": scope.default_schema,
        "version_table": VERSION_TABLE,
    }
    return [Lack(row.lacks, row.statement) for row in connection.execute(text(query("look/lacks")), asked)]


def groups(connection: Connection, scope: Scope, steps: Sequence[Planned]) -> Iterator[Obstacle]:
    """The group roles that are missing, and that this role may not create: told, grants to them are left out."""
    lines = set().union(*(step.lines for step in steps)) if steps else set()
    granted = [
        role for role in scope.group_roles if any(line.startswith(f"added privileges of {role} on ") for line in lines)
    ]
    for role in connection.scalars(text(query("look/missing_roles")), {"roles": granted}).all():
        yield Obstacle(
            f"role {role} is missing; it is optional, grants to it wait until it is there",
            f"as an administrator: CREATE ROLE {role} NOLOGIN;",
            stops=False,
        )


def _alters(lines: set[str], relation: str) -> bool:
    """Whether one of the changes is about a relation, or a part of it, that is there."""
    about = re.compile(rf"(?:added|removed|changed) (?!trigger ).*?(?:^| ){re.escape(relation)}(?:\.|$)")
    return any(about.match(line) for line in lines)
