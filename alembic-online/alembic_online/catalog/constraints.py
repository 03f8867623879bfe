"""Keys, foreign keys and CHECKs on tables in use: rows are read while writers go on, and the change is an instant.

The index of a key is built beforehand and takes the old one's place; the others are added NOT VALID and validated. On
a partitioned table, each partition has a key or foreign key first. Each statement is one of its own, outside a
transaction, and can be run again.
"""

from collections.abc import Iterator
from dataclasses import replace

from alembic_online.catalog.diff import Change
from alembic_online.catalog.partition_constraints import on_partitions
from alembic_online.catalog.partitioned import stands_on
from alembic_online.catalog.snapshot import Identity, Snapshot
from alembic_online.catalog.statements import (
    FOREIGN_KEY,
    INVALID,
    KEY,
    NOT_ENFORCED,
    NOT_VALID,
    beside,
    called,
    concurrently,
    is_check,
    new_name,
    quoted,
    removal,
    validate,
    whole,
)
from alembic_online.catalog.steps import Step

SWITCHED_OFF = " /* its triggers are disabled */"


def is_online(definition: str | None, *, partitioned: bool = False) -> bool:
    """Whether a constraint that is there can be dropped, added and changed so: no exclusion, none without overlaps; of
    a `partitioned` table no foreign key that is to stay NOT VALID.
    """
    if definition is None or SWITCHED_OFF in definition or " WITHOUT OVERLAPS" in definition:
        return False
    if FOREIGN_KEY.match(definition):
        return not (partitioned and definition.endswith(NOT_VALID))
    return is_check(definition) or KEY.fullmatch(definition.removesuffix(INVALID)) is not None


def is_switched_off(change: Change) -> bool:
    """Whether a foreign key is as it should be but for its triggers, which are disabled: rows may break it."""
    return change.identity.kind == "constraint" and change.before == f"{change.after}{SWITCHED_OFF}"


def switched_on(identity: Identity, before: Snapshot, after: Snapshot) -> Step:
    """The step that exchanges such a key for one that is in force and validated. No way back switches it off again."""
    return replace(step(identity, before, after), down=())


def step(identity: Identity, before: Snapshot, after: Snapshot) -> Step:
    """The step that leads from one constraint, or none, to another one, or none."""
    verb = "create" if identity not in before else "drop" if identity not in after else "rebuild"
    up, down = tuple(_to(identity, after, before)), tuple(_to(identity, before, after))
    locked = tuple(sorted({*others(before, identity), *others(after, identity)}))
    return Step(verb, identity, up, down, concurrent=True, others=locked)


def indexes_of_their_names(before: Snapshot, after: Snapshot) -> dict[Identity, Identity]:
    """The indexes that go, by the new key that has their name."""
    going = {(i.schema, i.part): i for i in before if i.kind == "index" and i not in after}
    keys = [i for i in after if i.kind == "constraint" and i not in before and KEY.fullmatch(after[i])]
    return {key: going[key.schema, key.part] for key in keys if (key.schema, key.part) in going}


def is_like(index: Identity, key: Identity, before: Snapshot, after: Snapshot) -> bool:
    """Whether an index is what a key would build."""
    found = KEY.fullmatch(after[key])
    if found is None or found["options"]:
        return False
    table, _, name = after.removals[key].removeprefix("ALTER TABLE ").rpartition(" DROP CONSTRAINT ")
    built = f"CREATE UNIQUE INDEX {name} ON {table} USING btree {found['columns']}{found['nulls'] or ''}"
    return before[index] == built


def of_index(identity: Identity, index: Identity, before: Snapshot, after: Snapshot) -> Iterator[Step]:
    """The steps that make a key of an index that is there, and has its name: no row is read."""
    key = KEY.fullmatch(after[identity])
    assert key is not None
    table, _, name = after.removals[identity].removeprefix("ALTER TABLE ").rpartition(" DROP CONSTRAINT ")
    relation, constraint = table.replace("'", "''"), identity.part.replace("'", "''")
    made = (
        "DO $$\nBEGIN\n    IF NOT EXISTS (\n        SELECT FROM pg_catalog.pg_constraint AS k\n"
        f"        WHERE k.conrelid = '{relation}'::regclass AND k.conname = '{constraint}'\n    ) THEN\n"
        f"        ALTER TABLE {table} ADD CONSTRAINT {name} {key['kind']} USING INDEX {name}{key['when'] or ''};\n"
        "    END IF;\nEND\n$$"
    )
    forgotten = [before.removals[i] for i in before if i.kind == "comment" and before.parent(i) == index]
    up = (*forgotten, made, *list(whole(after, identity))[1:])
    down = (removal(after, identity), *concurrently(before, after, index))
    yield Step("drop", index, (), (), concurrent=True)  # what the next one does
    yield Step("create", identity, up, down, concurrent=True)


def anew(identity: Identity, snapshot: Snapshot) -> tuple[str, ...]:
    """The statements that have the rows checked once more, as after a change of a function that a CHECK calls."""
    return tuple(_to(identity, snapshot, snapshot))


def renamed(before: Snapshot, after: Snapshot) -> dict[Identity, Identity]:
    """Constraints that are there under another name, by their new one."""
    removed = {_nameless(before, i): i for i in before if i.kind == "constraint" and i not in after}
    added = [i for i in after if i.kind == "constraint" and i not in before]
    return {i: removed[_nameless(after, i)] for i in added if _nameless(after, i) in removed}


def rename(old: Identity, new: Identity, before: Snapshot, after: Snapshot) -> Step:
    """The step that renames a constraint; its comment stays, whatever it is to be is set besides."""
    table, _, was = before.removals[old].rpartition(" DROP CONSTRAINT ")
    _, _, is_now = after.removals[new].rpartition(" DROP CONSTRAINT ")
    up, down = (f"{table} RENAME CONSTRAINT {a} TO {b}" for a, b in ((was, is_now), (is_now, was)))
    _, *comment = whole(after, new)
    _, *comment_before = whole(before, old)
    return Step("alter", new, (up, *comment), (down, *comment_before))


def _nameless(snapshot: Snapshot, identity: Identity) -> str:
    head = snapshot.removals[identity].replace(" DROP CONSTRAINT ", " ADD CONSTRAINT ", 1)
    return f"{identity.schema}.{identity.name} {snapshot[identity].removeprefix(head)}"


def others(snapshot: Snapshot, identity: Identity) -> tuple[str, ...]:
    """The other table that a foreign key refers to."""
    if identity.kind != "constraint":
        return ()
    used = {called(i) for i in snapshot.uses.get(identity, ()) if i.kind in ("column", "constraint")}
    return tuple(sorted(used - {called(identity)}))


def _to(identity: Identity, goal: Snapshot, other: Snapshot) -> Iterator[str]:
    either = goal if identity in goal else other
    drop = removal(either, identity)
    if goal.get(identity, INVALID).endswith(INVALID):  # no way back leads to a key that is not in force
        yield drop
        return
    definition, (_, *rest) = goal[identity], whole(goal, identity)
    table, _, name = either.removals[identity].removeprefix("ALTER TABLE ").rpartition(" DROP CONSTRAINT ")
    if stands_on(identity, goal) and not is_check(definition):
        yield on_partitions(definition)
    elif key := KEY.fullmatch(definition):
        index = new_name(identity.part, "new", beside(replace(identity, kind="index"), goal, other))
        options = f" WITH {key['options']}" if key["options"] else ""
        columns = f"{key['columns']}{key['nulls'] or ''}{options}"
        yield f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(identity.schema)}.{index}"
        yield f"CREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} USING btree {columns}"
        yield f"{drop}, ADD CONSTRAINT {name} {key['kind']} USING INDEX {index}{key['when'] or ''}"
    elif definition.endswith(NOT_ENFORCED):  # no row is read for it
        yield drop
        yield definition
    else:
        addition = definition.removeprefix(f"ALTER TABLE {table} ").removesuffix(NOT_VALID)
        yield f"{drop}, {addition}{NOT_VALID}"
        if not definition.endswith(NOT_VALID):
            yield validate(either.removals[identity])
    yield from rest
