"""The foreign keys and triggers that were dropped when a table moved aside: which are missing, and which are otherwise.

What is there is known by its name, not by its text: somebody may have switched a trigger, or left a foreign key not
validated, and the upgrade has made it anew.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from alembic_online.catalog import Identity

from models import ANALYTICS

NAMED = re.compile(r"^(?:ALTER TABLE .*? ADD CONSTRAINT|CREATE (?:CONSTRAINT )?TRIGGER) (\"(?:[^\"]|\"\")+\"|\S+) ")
STATE = re.compile(r" NOT (?:VALID|ENFORCED)$")
REFERRED = re.compile(r" REFERENCES ((?:\"(?:[^\"]|\"\")+\"|[^\".(]+)(?:\.(?:\"(?:[^\"]|\"\")+\"|[^\".(]+))?)\(")


def identity(statement: str, table: str) -> Identity:
    """What a statement makes on a table, `schema.table`, as the catalog calls it."""
    named = NAMED.match(statement)
    part = named[1].strip('"').replace('""', '"') if named else ""
    schema, _, name = table.partition(".")
    return Identity("constraint" if is_constraint(statement) else "trigger", schema, name, part)


def is_constraint(statement: str) -> bool:
    return statement.startswith("ALTER TABLE ")


def missing(statements: Sequence[str], live: Mapping[Identity, str], table: str) -> list[str]:
    """Those that make what is not there, so that no row is read for it; but for foreign keys to another table of ours,
    which would be in the way of that one's exchange.
    """
    apart = to_others_of_ours(statements, live, table)
    return [unvalidated(each) for each in statements if identity(each, table) not in live and each not in apart]


def to_others_of_ours(statements: Sequence[str], live: Mapping[Identity, str], table: str) -> list[str]:
    """Those that make a foreign key that is not there to another table of schema analytics."""
    lost = [each for each in statements if identity(each, table) not in live]
    return [each for each in lost for name in referred([each]) if name.startswith(f"{ANALYTICS}.") and name != table]


def unvalidated(statement: str) -> str:
    """A statement that reads no row; what an administrator had not validated is not asked for twice."""
    return f"{statement} NOT VALID" if is_constraint(statement) and not STATE.search(statement) else statement


def referred(statements: Sequence[str]) -> list[str]:
    """The tables that foreign keys among the statements refer to, as SQL names them."""
    return [found[1] for each in statements if is_constraint(each) and (found := REFERRED.search(each))]


def changed(statements: Sequence[str], live: Mapping[Identity, str], table: str) -> Iterator[str]:
    """Statements that make a foreign key again as it was, of one that is there and is another one."""
    for each in filter(is_constraint, statements):
        there = live.get(identity(each, table))
        if there is not None and STATE.sub("", there) != STATE.sub("", each):
            named = NAMED.match(each)
            name = named[1] if named else ""
            yield each.replace(" ADD CONSTRAINT ", f" DROP CONSTRAINT {name}, ADD CONSTRAINT ", 1)
