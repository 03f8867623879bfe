"""Statements made of what PostgreSQL printed."""

import re
from collections.abc import Iterator

from alembic_online.catalog.diff import Change
from alembic_online.catalog.snapshot import Identity, Snapshot

NOT_VALID = " NOT VALID"


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


def named(snapshot: Snapshot, column: Identity) -> str:
    """How a statement begins that alters a column."""
    return snapshot.removals[column].replace(" DROP COLUMN ", " ALTER COLUMN ", 1)


def quoted(name: str) -> str:
    return name if re.fullmatch("[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'


def new_name(name: str, suffix: str) -> str:
    """A name of its own for something that stands beside another, quoted, within PostgreSQL's 63 bytes."""
    cut = name.encode()[: 62 - len(suffix)].decode(errors="ignore")
    return quoted(f"{cut}_{suffix}")


def removal(snapshot: Snapshot, constraint: Identity) -> str:
    """What drops a constraint, and can be run again."""
    return snapshot.removals[constraint].replace(" DROP CONSTRAINT ", " DROP CONSTRAINT IF EXISTS ", 1)


def validate(removal: str) -> str:
    return removal.replace(" DROP CONSTRAINT ", " VALIDATE CONSTRAINT ", 1)


def replaceable(change: Change) -> bool:
    """Whether CREATE OR REPLACE will do: arguments and result are the same."""
    return bool(change.before and change.after) and _signature(change.before) == _signature(change.after)


def _signature(definition: str | None) -> list[str]:
    return (definition or "").split("\n", 2)[:2]


def is_check(definition: str | None) -> bool:
    """Whether a constraint is a CHECK."""
    return definition is not None and re.match(r"ALTER TABLE .+? ADD CONSTRAINT .+? CHECK \(", definition) is not None


def altered_sequence(before: str, after: str) -> str | None:
    """The statement that makes a sequence another one; None where another column is to own it."""
    (old, _, old_owner), (new, _, owner) = before.partition(";\n"), after.partition(";\n")
    if old_owner != owner or old == new:
        return None
    return new.replace("CREATE SEQUENCE ", "ALTER SEQUENCE ", 1) + ("" if new.endswith(" CYCLE") else " NO CYCLE")
