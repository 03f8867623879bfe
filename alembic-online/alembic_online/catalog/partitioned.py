"""An index of a partitioned table: built on each partition by itself, so that writers go on.

Which partitions there are, only the database knows that a revision runs in. The revision asks it, in code of its own.
"""

import re
from textwrap import indent

from alembic_online import queries
from alembic_online.catalog.snapshot import PARTITIONED, Identity, Snapshot

NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
INDEX = re.compile(
    rf"(?P<create>CREATE (?:UNIQUE )?INDEX )(?:IF NOT EXISTS )?(?P<name>{NAME})"
    rf" ON ONLY (?P<table>(?P<schema>{NAME})\.{NAME})(?P<definition> USING .+)",
    re.DOTALL,
)
"""The definition of such an index, as PostgreSQL prints it and as it stands in a step."""

OFFLINE = """\
-- Which partitions there are, only the database knows: each one's writers wait while its index is built, unless one
-- like it is there that was built CONCURRENTLY, on the partition, beforehand.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX IF EXISTS {index};
-- squawk-ignore require-concurrent-index-creation, prefer-robust-stmts
{create}"""


def is_index(definition: str | None) -> bool:
    """Whether it is the index of a partitioned table."""
    return definition is not None and INDEX.match(definition) is not None


def stands_on(identity: Identity, snapshot: Snapshot) -> bool:
    """Whether something stands on a table that is there and is partitioned, be it a shared one."""
    table = Identity("table", identity.schema, identity.name)
    return table in snapshot.partitioned or PARTITIONED in snapshot.get(table, "")


def on_table(definition: str) -> str:
    """The statement that creates the index without those of the partitions, and can be run again."""
    return re.sub(r"^(CREATE (?:UNIQUE )?INDEX )", r"\1IF NOT EXISTS ", definition)


def whole(definition: str) -> str:
    """The statement that builds it on all partitions at once, while writers wait."""
    found = INDEX.match(definition)
    assert found is not None
    return f"{found['create']}{found['name']} ON {found['table']}{found['definition']}"


def offline(statement: str) -> str:
    """What builds it without knowing the partitions."""
    return OFFLINE.format(index=_called(statement), create=whole(statement))


def for_each_partition(statement: str) -> str:
    """Python source of a revision: what builds it on each partition of the database at hand, and attaches it."""
    found = INDEX.match(statement)
    assert found is not None
    parameters = {"index": _called(statement), "definition": found["definition"]}
    query = indent(queries.query("catalog/index_partitions").strip(), " " * 8)
    return (
        "# What an interrupted run left is completed; a partition that is added meanwhile has it already.\n"
        f'partitions = sa.text(\n    """\n{query}\n    """\n)\n'
        f"for statement in op.get_bind().scalars(partitions, {parameters!r}).all():\n"
        '    op.execute(sa.DDL(statement.replace("%", "%%")))'
    )


def _called(statement: str) -> str:
    found = INDEX.match(statement)
    assert found is not None
    return f"{found['schema']}.{found['name']}"
