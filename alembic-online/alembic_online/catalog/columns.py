"""Changes of a column that is there before and after: the statements for each part of it, or why there are none."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from alembic.operations import ops
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from alembic_online.catalog import constraints, foreign_keys
from alembic_online.catalog.diff import diff
from alembic_online.catalog.partition_constraints import on_partitions
from alembic_online.catalog.partitioned import stands_on
from alembic_online.catalog.snapshot import REBUILT, Column, Identity, Snapshot
from alembic_online.catalog.statements import (
    NOT_ENFORCED,
    NOT_VALID,
    beside,
    is_check,
    named,
    new_name,
    removal,
    validate,
    whole,
)
from alembic_online.catalog.steps import PerhapsRenamed, Step

IN_BATCHES = "in batches of a few thousand rows, each committed: UPDATE {table} SET {new} = {value} WHERE {new} IS NULL"
RETYPED = (
    "write it in steps: ALTER TABLE {table} ADD COLUMN {new} {type}; a trigger BEFORE INSERT OR UPDATE that sets"
    " NEW.{new} := {value}; " + IN_BATCHES + "; build the indexes and keys of {old} on {new} CONCURRENTLY; then, in one"
    " transaction, ALTER TABLE {table} RENAME COLUMN {old} TO {old}_before; ALTER TABLE {table} RENAME COLUMN {new} TO"
    " {old}, and drop the trigger; the old column is dropped in a later revision"
)
FILLED = (
    "write it in steps: ALTER TABLE {table} ADD COLUMN {new} {type}; ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT"
    " {value}, which new rows take at once; then " + IN_BATCHES
)
MARKED = (
    "write it by hand: ALTER TABLE {table} ALTER COLUMN {old} ADD GENERATED {kind} AS IDENTITY (START WITH …) or DROP"
    " IDENTITY: only you know at which number it has to go on"
)
STORED = (
    "make it VIRTUAL, which writes no row, where the server is PostgreSQL 18; or write it in steps: ALTER TABLE {table}"
    " ADD COLUMN {new} {type}; a trigger BEFORE INSERT OR UPDATE that sets it; then " + IN_BATCHES
)
COMPUTED = (
    "write it in steps: a column with the new expression under a new name, filled like any other, that takes the old"
    " one's place"
)
UNPROVED = (
    "write it by hand: the column without NOT NULL; then ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {old} NOT"
    " VALID"
)
VIRTUAL = "v"
GENERATED = {"a": "ALWAYS", "d": "BY DEFAULT"}

Why = tuple[str, str]
"""What cannot be generated, and how a person does it."""


def is_known(operation: ops.DropColumnOp) -> bool:
    """Whether SQLAlchemy knows the type of a column that is dropped: else Alembic could not write the way back."""
    return not isinstance(operation.to_column().type, NullType)


def perhaps_renamed(before: Snapshot, after: Snapshot) -> list[PerhapsRenamed]:
    """The renames that added and dropped columns of one type may be."""
    return [
        PerhapsRenamed(None if old.schema == "public" else old.schema, old.name, old.part, new.part)
        for old in before
        for new in after
        if old.kind == new.kind == "column"
        and old not in after
        and new not in before
        and (old.schema, old.name) == (new.schema, new.name)
        and before.columns[old].type == after.columns[new].type
    ]


def rehearse(connection: Connection, before: Snapshot, after: Snapshot) -> dict[Identity, str]:
    """Columns whose type changes in a way that holds up everybody, and what PostgreSQL does.

    It is asked, with an empty copy of the table, rolled back: whether it can convert the column, and whether it writes
    new files for the table or its indexes. What it cannot be asked counts as rewriting.
    """
    found = {}
    for change in diff(before, after):
        old, new = before.columns.get(change.identity), after.columns.get(change.identity)
        if change.identity.kind == "column" and old and new and old.type != new.type:
            why = _rehearsed(connection, before.removals[change.identity], new)
            checks = ", ".join(check.part for check in _checks(change.identity, before))
            if why is None and checks and any(user.kind in REBUILT for user in before.users(change.identity)):
                why = f"checks every row against {checks} again while everybody waits"
            if why is None and (keys := foreign_keys.checked_anew(change.identity, before, new)):
                why = f"may check every row against {keys} again while everybody waits"
            if why is not None:
                found[change.identity] = why
    return found


def _rehearsed(connection: Connection, drop: str, new: Column) -> str | None:
    table, _, column = drop.removeprefix("ALTER TABLE ").partition(" DROP COLUMN ")
    files = text(
        "SELECT array_agg(pg_relation_filenode(c.oid) ORDER BY c.oid) FROM pg_class AS c"
        " WHERE c.oid = 'pg_temp.rehearsed'::regclass"
        " OR c.oid IN (SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = 'pg_temp.rehearsed'::regclass)"
    )
    copy = f"CREATE TEMPORARY TABLE rehearsed (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES)"
    change = f"ALTER TABLE pg_temp.rehearsed ALTER COLUMN {column} TYPE {new.type}"
    with connection.begin_nested() as rehearsal:
        try:
            connection.exec_driver_sql(copy, execution_options={"no_parameters": True})
            there = connection.scalar(files)
            connection.exec_driver_sql(change, execution_options={"no_parameters": True})
            rewrites = connection.scalar(files) != there
        except DBAPIError as error:
            return f"PostgreSQL does not convert by itself ({str(error.orig).splitlines()[0]}): it needs USING"
        finally:
            rehearsal.rollback()
    return "rewrites the table, or its indexes, while everybody waits" if rewrites else None


def altered(identity: Identity, before: Snapshot, after: Snapshot) -> Iterator[Step]:
    """The steps that make a column what it is to be; those that read its rows do so while the application goes on."""
    old, new = before.columns[identity], after.columns[identity]
    alter = named(before, identity)
    checks = _checks(identity, before) if old.type != new.type else []
    there = _that_stay(checks, before, after)
    up, down = (tuple(_with_checks(_altered(alter, *way), there)) for way in ((old, new), (new, old)))
    if up or down:
        others = foreign_keys.locked(identity, before) if old.type != new.type else ()
        yield Step("alter", identity, up, down, concurrent=bool(checks), others=others)
    if (old.required, old.valid) != (new.required, new.valid):
        up, down = (_nullable(identity, *way, before, after) for way in ((old, new), (new, old)))
        yield Step("require", identity, up, down, concurrent=True)


def _altered(alter: str, old: Column, new: Column) -> list[str]:
    statements = []
    if old.type != new.type:
        statements.append(f"{alter} TYPE {new.type}")
    if old.default != new.default:
        statements.append(f"{alter} DROP DEFAULT" if new.default is None else f"{alter} SET DEFAULT {new.default}")
    if old.generated != new.generated and old.generated[:1] == new.generated[:1] == VIRTUAL:
        statements.append(f"{alter} SET EXPRESSION AS ({new.generated[1:]})")
    if old.identity and new.identity and old.identity != new.identity:
        statements.append(f"{alter} SET GENERATED {GENERATED[new.identity]}")
    return statements


def _is_only_computed(identity: Identity, before: Snapshot, after: Snapshot) -> bool:
    """Whether its values are stored nowhere: PostgreSQL exchanges the expression, but on tables with a CHECK."""
    old, new = before.columns[identity], after.columns[identity]
    on_table = [i for i in (*before, *before.others) if i.kind == "constraint" and _is_beside(i, identity)]
    checks = any(i not in before or is_check(before[i]) for i in on_table)  # of others' it is not known
    return old.generated[:1] == new.generated[:1] == VIRTUAL and not checks


def _is_beside(one: Identity, other: Identity) -> bool:
    return (one.schema, one.name) == (other.schema, other.name)


def _checks(identity: Identity, snapshot: Snapshot) -> list[Identity]:
    return [user for user in snapshot.users(identity) if user.kind == "constraint" and is_check(snapshot[user])]


def _that_stay(checks: list[Identity], before: Snapshot, after: Snapshot) -> list[tuple[Identity, Snapshot]]:
    """The CHECKs that are there while the type is changed, each as it is in a snapshot. Those that go have gone before,
    outside a transaction; other names and comments have been given, and other conditions are to come.
    """
    renamed = {old: new for new, old in constraints.renamed(before, after).items()}
    there = [check for check in (renamed.get(check, check) for check in checks) if check in after]
    return [(check, before if before.get(check, after[check]) != after[check] else after) for check in there]


def _with_checks(altered: list[str], checks: list[tuple[Identity, Snapshot]]) -> Iterator[str]:
    """A change of type that reads no row: each CHECK on the column is exchanged in the same statement for one that is
    NOT VALID, and validated afterwards. Safe to run again at every point."""
    if not checks:
        yield from altered
        return
    retyped, *more = altered
    table, _, what = retyped.partition(" ALTER COLUMN ")
    gone = [removal(snapshot, check).removeprefix(f"{table} ") for check, snapshot in checks]
    anew = [_unread(snapshot[check].removeprefix(f"{table} ")) for check, snapshot in checks]
    yield f"{table} {', '.join([*gone, f'ALTER COLUMN {what}', *anew])}"
    yield from more
    for check, snapshot in checks:
        definition, *comments = whole(snapshot, check)
        if not definition.endswith((NOT_VALID, NOT_ENFORCED)):
            yield validate(snapshot.removals[check])
        yield from comments


def _unread(check: str) -> str:
    """A CHECK for which no row is read."""
    return check if check.endswith((NOT_VALID, NOT_ENFORCED)) else check + NOT_VALID


def _nullable(identity: Identity, old: Column, new: Column, before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """What makes it nullable or not, while NOT NULL has the name that it has after the change."""
    table, _, column = before.removals[identity].partition(" DROP COLUMN ")
    name = after.columns[identity].named or before.columns[identity].named
    optional = f"{named(before, identity)} DROP NOT NULL"
    if stands_on(identity, before):
        optional = on_partitions(optional)
    if not new.required:
        return (optional,)
    if not new.valid:
        alone = Identity(
            "setting", identity.schema, identity.name, f"no inheritance of NOT NULL of column {identity.part}"
        )
        inherited = " NO INHERIT" if alone in after else ""
        return (optional, f"{table} ADD CONSTRAINT {name} NOT NULL {column}{inherited}{NOT_VALID}")
    if old.required:
        return (f"{table} VALIDATE CONSTRAINT {name}",)
    return _required(identity, before, after)


def _required(identity: Identity, before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """NOT NULL without a scan under its lock: a CHECK, validated, proves it. Safe to run again at every point."""
    table, _, column = before.removals[identity].partition(" DROP COLUMN ")
    taken = beside(replace(identity, kind="constraint"), before, after)
    check = new_name(f"{identity.name}_{identity.part}", "filled", taken)
    return (
        f"{table} DROP CONSTRAINT IF EXISTS {check}",
        f"{table} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID",
        f"{table} VALIDATE CONSTRAINT {check}",
        f"{table} ALTER COLUMN {column} SET NOT NULL",
        f"{table} DROP CONSTRAINT IF EXISTS {check}",
    )


def by_hand(identity: Identity, before: Snapshot, after: Snapshot, rehearsed: Mapping[Identity, str]) -> Iterator[Why]:
    """What a changed column has that is not generated."""
    old, new = before.columns[identity], after.columns[identity]
    words = _words(before, identity, new)
    if old.generated != new.generated and not _is_only_computed(identity, before, after):
        yield f"changed {identity} cannot be generated: it computes another value, which rewrites the table", COMPUTED
    if identity in rehearsed:
        words["value"] = f"{words['old']}::{new.type}"
        why = f"changed {identity} cannot be generated: from {old.type} to {new.type}, it {rehearsed[identity]}"
        yield why.replace("it PostgreSQL", "PostgreSQL"), RETYPED.format(**words)
    if old.identity != new.identity and not (old.identity and new.identity):
        kind = GENERATED.get(new.identity or old.identity, "")
        yield f"changed {identity} cannot be generated: its identity", MARKED.format(kind=kind, **words)


def added_by_hand(identity: Identity, before: Snapshot, after: Snapshot) -> Iterator[Why]:
    """A column that is added to a table with rows, each of which would be written while everybody waits."""
    new = after.columns[identity]
    table = Identity("table", identity.schema, identity.name)
    if not new.valid:
        yield (
            f"added {identity} cannot be generated: its NOT NULL is to be NOT VALID",
            UNPROVED.format(**_words(after, identity, new), name=new.named),
        )
    if new.rewrites and (table in before or table in before.others):
        words = _words(after, identity, new)
        words["new"] = words["old"]
        words["value"] = new.default or "…"
        way = STORED if new.generated else FILLED
        what = (
            f"added {identity} cannot be generated: {new.type} with its value rewrites the table while everybody waits"
        )
        yield what, way.format(**words)


def _words(snapshot: Snapshot, identity: Identity, new: Column) -> dict[str, str]:
    drop = snapshot.removals[identity]
    table, _, column = drop.removeprefix("ALTER TABLE ").partition(" DROP COLUMN ")
    free = new_name(identity.part, "new", beside(identity, snapshot))
    return {"table": table, "old": column, "new": free, "type": new.type, "value": column}
