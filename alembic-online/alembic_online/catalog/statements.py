"""Statements made of what PostgreSQL printed, and what has to be written by hand."""

import re
from collections.abc import Iterator

from alembic_online.catalog.diff import Change
from alembic_online.catalog.snapshot import Identity, Snapshot

# How a person does what is not generated, in a revision written by hand.
BY_HAND = {
    "schema": "write a revision by hand that creates or drops the schema",
    "table": "write the ALTER TABLE by hand: row security, LOGGED or UNLOGGED, storage options, replica identity",
    "column": "write the revision by hand: ALTER COLUMN … ADD, SET or DROP for an identity; a generated column or one"
    " of another collation is added under a new name, filled in batches, and takes the old one's place",
    "constraint": "write the revision by hand: for a key, build a unique index concurrently and add it USING INDEX;"
    " an exclusion holds up writers while it is built",
    "disabled": "write a revision by hand: check the rows written meanwhile, then ALTER TABLE … ENABLE TRIGGER ALL",
    "sequence": "write the ALTER SEQUENCE by hand, or CREATE and DROP SEQUENCE with its column",
    "unmet": "the table is not the project's: have its owner put it right",
    "type": "write a revision by hand that creates, alters or drops the type",
}


def whole(snapshot: Snapshot, identity: Identity) -> Iterator[str]:
    """An object with everything that goes with it: indexes, triggers, comments, privileges."""
    yield snapshot[identity]
    if identity.kind == "function":  # everybody may call a new function
        yield snapshot.removals[identity].replace("DROP ", "REVOKE ALL ON ", 1) + " FROM PUBLIC"
    for child in snapshot:
        if child.kind != "function" and snapshot.parent(child) == identity:
            yield from whole(snapshot, child)


def concurrently(snapshot: Snapshot, identity: Identity) -> Iterator[str]:
    """Build an index without holding up writers, after what may be left of it; an invalid one is not brought back."""
    if identity not in snapshot or snapshot[identity].endswith("/* INVALID */"):
        return
    definition, *comments = whole(snapshot, identity)
    yield re.sub(r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY ", definition)
    yield from comments


def validate(removal: str) -> str:
    return removal.replace(" DROP CONSTRAINT ", " VALIDATE CONSTRAINT ", 1)


def replaceable(change: Change) -> bool:
    """Whether CREATE OR REPLACE will do: arguments and result are the same."""
    return bool(change.before and change.after) and _signature(change.before) == _signature(change.after)


def _signature(definition: str | None) -> list[str]:
    return (definition or "").split("\n", 2)[:2]


def is_check(definition: str | None) -> bool:
    """Whether a constraint, or the lack of one, is a CHECK."""
    return definition is None or re.match(r"ALTER TABLE .+? ADD CONSTRAINT .+? CHECK \(", definition) is not None
