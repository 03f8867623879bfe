"""The entity-relationship diagram of the schema reference, in Mermaid, which GitHub draws.

Written here because paracelsus, which makes such diagrams from models, leaves schema names out.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from models import ANALYTICS
from operations.documentation.catalog import qualified, read

SHORT = {"timestamp with time zone": "timestamptz", "double precision": "float8"}
"""Types whose name holds spaces, which Mermaid does not take."""


def of(connection: Connection, relations: Sequence[Row[Any]]) -> str:
    """The tables, with their keys and what they refer to, as a fenced block."""
    lines = [line for each in relations if each.kind == "table" for line in entity(connection, qualified(each))]
    lines += [
        f'    "{each.parent}" {"|o" if each.nullable else "||"}--o{{ "{each.child}" : {each.column_name}'
        for each in read(connection, "references", schema=ANALYTICS)
    ]
    return "\n".join(["```mermaid", "erDiagram", *lines, "```\n"])


def entity(connection: Connection, table: str) -> Iterator[str]:
    """A table with its columns; a type without its length, which stands in the reference."""
    yield f'    "{table}" {{'
    for column in read(connection, "columns", relation=table):
        keys = [key for key, holds in (("PK", column.primary), ("FK", column.refers)) if holds]
        kind = re.sub(r"\(.*\)", "", column.type)
        for long, short in SHORT.items():
            kind = kind.replace(long, short)
        yield f"        {kind} {column.name} {', '.join(keys)}".rstrip()
    yield "    }"
