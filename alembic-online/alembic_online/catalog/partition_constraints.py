"""A key or foreign key of a partitioned table: each partition has it by itself first, and the table takes theirs over.

PostgreSQL takes neither USING INDEX for such a table nor, before 18, a foreign key that is NOT VALID. As with an index,
a revision asks the database for its partitions; so it does where NOT NULL goes, which they may have by themselves.
"""

import re
from textwrap import indent

from alembic_online import queries
from alembic_online.catalog.statements import FOREIGN_KEY, KEY

ONLY = "ALTER TABLE ONLY "
"""How the statement begins that stands for all of them in a step; by itself it is never executed."""

OFFLINE = """\
-- Which partitions there are, only the database knows: everybody waits while their rows are read, unless each one has
-- one like it already, built beforehand as a new revision builds it online.
-- squawk-ignore ban-drop-constraint
ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name},
-- squawk-ignore {rules}
ADD CONSTRAINT {name} {addition}"""
NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
ADDED = re.compile(rf"{ONLY}(?P<table>{NAME}\.{NAME}) ADD CONSTRAINT (?P<name>{NAME}) (?P<what>.+)", re.DOTALL)
OPTIONAL = re.compile(rf"{ONLY}(?P<table>{NAME}\.{NAME}) ALTER COLUMN (?P<name>{NAME}) DROP NOT NULL")


def on_partitions(statement: str) -> str:
    """What stands in a step for a statement that adds a constraint, or drops NOT NULL."""
    return statement.replace("ALTER TABLE ", ONLY, 1)


def is_one(statement: str) -> bool:
    """Whether it is what `on_partitions` returned."""
    return statement.startswith(ONLY)


def offline(statement: str) -> str:
    """What adds it without knowing the partitions, in the place of one that may be there."""
    if OPTIONAL.fullmatch(statement):
        return statement.replace(ONLY, "ALTER TABLE ", 1)
    found, key = _found(statement), _key(statement)
    rules = "constraint-missing-not-valid, " + (
        "adding-foreign-key-constraint"
        if not key
        else "disallowed-unique-constraint"
        if key["kind"] == "UNIQUE"
        else "adding-serial-primary-key-field"
    )
    return OFFLINE.format(
        table=found["table"], name=found["name"], rules=rules, addition=key.get("addition", found["what"])
    )


def for_each_partition(statement: str) -> str:
    """Python source of a revision: what gives it to each partition of the database at hand, and then to the table."""
    if found := OPTIONAL.fullmatch(statement):
        source, parameters = "partition_optional", {"table": found["table"], "column": _unquoted(found["name"])}
    else:
        found = _found(statement)
        parameters = {"table": found["table"], "name": _unquoted(found["name"])}
        key = _key(statement)
        source = "partition_keys" if key else "partition_foreign_keys"
        parameters |= key or {"definition": found["what"]}
    query = indent(queries.query(f"catalog/{source}").strip(), " " * 8)
    return (
        "# What a partition has by itself already is taken over. What an interrupted run left is completed.\n"
        f'partitions = sa.text(\n    """\n{query}\n    """\n)\n'
        f"for statement in op.get_bind().scalars(partitions, {parameters!r}).all():\n"
        '    op.execute(sa.DDL(statement.replace("%", "%%")))'
    )


def _key(statement: str) -> dict[str, str]:
    """What the query has to know of a key; of a foreign key, nothing."""
    definition = statement.replace(ONLY, "ALTER TABLE ", 1)
    key = None if FOREIGN_KEY.match(definition) else KEY.fullmatch(definition)
    if key is None:
        return {}
    options, nulls, timing = key["options"] or "", key["nulls"] or "", key["when"] or ""
    stored = f" WITH {options}" if options else ""
    return {
        "kind": key["kind"],
        "definition": _found(statement)["what"].partition(" /* index WITH ")[0],
        "options": options[1:-1],
        "columns": f"{key['columns']}{nulls}{stored}",
        "timing": timing,
        "addition": f"{key['kind']}{nulls} {key['columns']}{stored}{timing}",
    }


def _found(statement: str) -> re.Match[str]:
    found = ADDED.fullmatch(statement)
    assert found is not None
    return found


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
