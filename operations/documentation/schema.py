"""docs/schema.md: every object of the models as PostgreSQL stores it, with the meaning that its comment gives."""

from collections.abc import Iterator, Sequence
from inspect import getdoc
from typing import Any

from sqlalchemy import Connection, Row

from models import ANALYTICS, HOT_NICHES_TODAY, ROLES, SQL_FILES, Base, SqlFile
from operations.documentation import diagram
from operations.documentation.catalog import qualified, read
from operations.documentation.markdown import code, generated, table
from operations.embedded import CLONE

GRANTEES = (*ROLES, "PUBLIC")
PHASE1 = {table.name: table for table in Base.metadata.tables.values() if table.schema is None}
DOC = {(table.name, column.name): column.doc for table in PHASE1.values() for column in table.columns}
"""What Phase 1's columns mean, which carry no comments in the database."""


def page(connection: Connection) -> str:
    """The schema reference. The models must stand built in the connection's database."""
    # With an empty search path, PostgreSQL prints every name with its schema.
    connection.exec_driver_sql("SET LOCAL search_path = ''")
    relations = read(connection, "relations", schema=ANALYTICS, tables=list(PHASE1))
    return "\n".join(
        [
            generated("the comments of the models"),
            "# Schema reference\n",
            "Tables, views and functions of the newest revision, as PostgreSQL stores them.\n",
            "## Diagram\n",
            diagram.of(connection, relations),
            "## Tables and views\n",
            table(
                ["name", "kind", "meaning"],
                ([f"[{qualified(each)}](#{anchor(each)})", each.kind, meaning(each)] for each in relations),
            ),
            *(part for each in relations for part in section(connection, each)),
            "## Functions\n",
            table(
                ["function", "returns", "has the rights of", "meaning"],
                (
                    [code(each.name), code(each.result), "its owner" if each.definer else "its caller", each.meaning]
                    for each in read(connection, "functions", schema=ANALYTICS)
                ),
            ),
            "## Rights\n",
            "What the group roles may do; `PUBLIC` is everybody. Phase 1's tables keep the rights that they have.\n",
            rights(connection),
        ]
    )


def section(connection: Connection, relation: Row[Any]) -> Iterator[str]:
    """One table or view."""
    yield f"### {qualified(relation)}\n"
    by = f", partitioned by `{relation.partitioned}`" if relation.partitioned else ""
    yield f"{relation.kind.capitalize()}{by}. {meaning(relation)}\n"
    columns = read(connection, "columns", relation=qualified(relation))
    yield of_table(relation, columns) if relation.kind == "table" else of_view(columns)
    for title, source in (("constraint", "constraints"), ("index", "indexes")):
        if found := read(connection, source, relation=qualified(relation)):
            yield table([title, "definition"], ([code(each.name), code(each.definition)] for each in found))
    if found := read(connection, "triggers", relation=qualified(relation)):
        yield table(
            ["trigger", "definition", "meaning"],
            ([code(each.name), code(each.definition), each.meaning] for each in found),
        )
    for declared in SQL_FILES:
        if relation.kind != "table" and declared.name == relation.name:
            yield f"Its query: {link(declared)}\n"
    if relation.name == HOT_NICHES_TODAY.name:
        yield f"Where Phase 1 made it a materialized view, it stays one: {link(HOT_NICHES_TODAY)}\n"


def of_table(relation: Row[Any], columns: Sequence[Row[Any]]) -> str:
    return table(
        ["column", "type", "null", "default", "meaning"],
        (
            [
                code(each.name),
                each.type,
                "yes" if each.nullable else "no",
                code(each.default),
                each.meaning or DOC.get((relation.name, each.name)),
            ]
            for each in columns
        ),
    )


def of_view(columns: Sequence[Row[Any]]) -> str:
    return table(["column", "type", "meaning"], ([code(each.name), each.type, each.meaning] for each in columns))


def rights(connection: Connection) -> str:
    """What each role may do to each object; an object that none of them may touch is left out."""
    found: dict[str, dict[str, str | None]] = {}
    for each in read(connection, "privileges", schema=ANALYTICS, roles=list(GRANTEES)):
        found.setdefault(f"{each.kind} `{each.name}`", {})[each.role] = each.rights
    return table(
        ["object", *(f"`{role}`" for role in GRANTEES)],
        ([name, *of_role.values()] for name, of_role in found.items() if any(of_role.values())),
    )


def link(declared: SqlFile) -> str:
    path = declared.path.relative_to(CLONE)
    return f"[{path}](../{path})"


def anchor(relation: Row[Any]) -> str:
    """The heading's address, as GitHub makes it: in small letters without dots."""
    return qualified(relation).replace(".", "")


def meaning(relation: Row[Any]) -> str:
    """The comment; for Phase 1's tables the first paragraph of the model's docstring."""
    if relation.meaning:
        return str(relation.meaning)
    model = next(each.class_ for each in Base.registry.mappers if each.local_table is PHASE1[relation.name])
    return str(getdoc(model)).partition("\n\n")[0]
