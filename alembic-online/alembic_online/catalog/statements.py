"""Statements made of what PostgreSQL printed."""

import re
from collections.abc import Collection, Iterator
from itertools import count

from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from alembic_online.catalog import partitioned
from alembic_online.catalog.diff import Change
from alembic_online.catalog.snapshot import Identity, Snapshot

NOT_VALID = " NOT VALID"
NOT_ENFORCED = " NOT ENFORCED"
INVALID = " /* INVALID */"
RELATIONS = ("table", "view", "materialized_view", "sequence")
KEY = re.compile(
    r"ALTER TABLE .+? ADD CONSTRAINT .+? (?P<kind>UNIQUE|PRIMARY KEY)(?P<nulls> NULLS NOT DISTINCT)?"
    r" (?P<columns>\(.+?\)(?: INCLUDE \(.+?\))?)(?P<when>(?: NOT)? DEFERRABLE.*?)?"
    r"(?: /\* index WITH (?P<options>\(.*\)) \*/)?",
    re.DOTALL,
)
FOREIGN_KEY = re.compile(r"ALTER TABLE .+? ADD CONSTRAINT .+? FOREIGN KEY \(")


def whole(snapshot: Snapshot, identity: Identity) -> Iterator[str]:
    """An object with everything that goes with it: indexes, triggers, comments, privileges."""
    yield with_options(snapshot[identity])
    if identity.kind == "function":  # everybody may call a new function
        yield snapshot.removals[identity].replace("DROP ", "REVOKE ALL ON ", 1) + " FROM PUBLIC"
    for child in snapshot:
        if child.kind != "function" and snapshot.parent(child) == identity:
            yield from whole(snapshot, child)


def with_options(definition: str) -> str:
    """A definition in which the storage parameters of a key's index stand where PostgreSQL reads them."""
    key = KEY.fullmatch(definition)
    if key is None or not key["options"]:
        return definition
    head = definition[: key.start("kind")]
    return f"{head}{key['kind']}{key['nulls'] or ''} {key['columns']} WITH {key['options']}{key['when'] or ''}"


def concurrently(goal: Snapshot, other: Snapshot, identity: Identity) -> Iterator[str]:
    """From an index of one state to that of another, without holding up writers; an invalid one is not brought back.

    What may be left of it is dropped first; what is left on a partitioned table is kept and completed.
    """
    either = goal if identity in goal else other
    wanted = goal.get(identity, INVALID)
    drop = either.removals[identity]
    if not partitioned.is_index(either[identity]):
        yield drop.replace("DROP INDEX", "DROP INDEX CONCURRENTLY IF EXISTS", 1)
    elif wanted.endswith(INVALID) or other.get(identity, wanted) not in (wanted, wanted + INVALID):
        yield drop.replace("DROP INDEX", "DROP INDEX IF EXISTS", 1)  # with those of the partitions
    if not wanted.endswith(INVALID):
        yield built(wanted)
        yield from list(whole(goal, identity))[1:]


def built(definition: str) -> str:
    """What builds an index beside writers; of a partitioned table it builds none of the partitions'."""
    if partitioned.is_index(definition):
        return partitioned.on_table(definition)
    return re.sub(r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY ", definition)


def named(snapshot: Snapshot, column: Identity) -> str:
    """How a statement begins that alters a column."""
    return snapshot.removals[column].replace(" DROP COLUMN ", " ALTER COLUMN ", 1)


def quoted(name: str) -> str:
    is_plain = re.fullmatch("[a-z_][a-z0-9_]*", name) and name not in RESERVED_WORDS
    return name if is_plain else '"' + name.replace('"', '""') + '"'


def called(identity: Identity) -> str:
    """A relation, or that of what stands on one, as SQL names it."""
    return f"{quoted(identity.schema)}.{quoted(identity.name)}"


def new_name(name: str, suffix: str, taken: Collection[str] = ()) -> str:
    """A name of its own for something that stands beside another, quoted, within PostgreSQL's 63 bytes."""
    for number in count(1):
        ending = suffix if number == 1 else f"{suffix}_{number}"
        found = f"{name.encode()[: 62 - len(ending)].decode(errors='ignore')}_{ending}"
        if found not in taken:
            break
    return quoted(found)


def beside(identity: Identity, *snapshots: Snapshot) -> set[str]:
    """The names of what is of the same kind on the same relation, ours or others'; of an index, in the schema."""
    found = (i for snapshot in snapshots for i in (*snapshot, *snapshot.others) if i.schema == identity.schema)
    if identity.kind == "index":
        return {i.part or i.name for i in found if i.kind in ("index", "constraint", *RELATIONS)}
    return {i.part for i in found if (i.kind, i.name) == (identity.kind, identity.name)}


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


def altered_sequence(before: str, after: str) -> tuple[str, ...]:
    """The statements that make a sequence another one."""
    (old, _, old_owner), (new, _, owner) = before.partition(";\n"), after.partition(";\n")
    altered = new.replace("CREATE SEQUENCE ", "ALTER SEQUENCE ", 1)
    statements = [] if old == new else [altered + ("" if new.endswith(" CYCLE") else " NO CYCLE")]
    if owner != old_owner:
        statements.append(owner or f"{altered.partition(' AS ')[0]} OWNED BY NONE")
    return tuple(statements)
