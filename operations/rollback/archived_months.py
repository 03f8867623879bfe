"""Puts the archived events by month back at once, whatever their size, where those there now are empty.

What takes time is done in the archive, where nobody waits: the foreign key is validated on each partition, and then
added to the whole, which takes theirs over and reads no row. In one transaction the empty tree goes, and the archived
one comes with all its months. A month that it does not have is made by the next `sidb maintain`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic_online import Session, acquire
from alembic_online.catalog import Identity, Snapshot
from psycopg.sql import SQL, Composed, Identifier

from models import ANALYTICS, PARTITIONS
from operations.queries import query
from operations.rollback import access, swap
from operations.rollback.conflicts import EVENTS, Table, is_empty, written_to
from operations.rollback.merge import keep
from operations.rollback.records import Records, Rollback
from operations.rollback.reference import FEATURES, REFERENCE, drop_locked

WHOLE = f"ALTER TABLE {{}} ADD CONSTRAINT {REFERENCE} FOREIGN KEY (niche_id) REFERENCES public.features (niche_id)"
PART = f"{WHOLE} NOT VALID"
VALIDATE_REFERENCE = f"ALTER TABLE {{}} VALIDATE CONSTRAINT {REFERENCE}"
PLAIN_KEY = "analytics_events_plain_key"
"""What the way back built on the first partition."""


@dataclass(frozen=True)
class Tree:
    """An archived tree, its partitions, whether its foreign key is still missing, and what it gets when it is back."""

    table: Table
    partitions: list[str]
    lacks_reference: bool
    after: list[str]


def drop_plain_key(session: Session) -> None:
    """Drop what the way back built on the first partition, where it got no further. Raises OnlineError."""
    connection, first = session.connection, f"{PARTITIONS}.analytics_events_first"
    row = connection.execute(query("rollback/left_on_partition"), {"index": f"{PARTITIONS}.{PLAIN_KEY}"}).fetchone()
    if row == (True,):
        with connection.transaction():
            acquire(session, {first: "AccessExclusiveLock"}, f"end of {PLAIN_KEY}")
            connection.execute(SQL("DROP INDEX {}").format(Identifier(PARTITIONS, PLAIN_KEY)))


def plan(session: Session, live: Snapshot, table: Table, archive: str) -> Tree | None:
    """How the tree is exchanged; None where either is no tree, they differ, or others have built on it."""
    own_table = Identity("table", ANALYTICS, EVENTS.partition(".")[2])
    if table.relation != EVENTS or " PARTITION BY " not in live.get(own_table, ""):
        return None
    there = swap.at_home(session, archive, ANALYTICS)
    own = [identity for identity in live if swap.belongs(live, identity, own_table)]
    differing = [identity for identity in own if there.get(identity) != live[identity]]
    reference = Identity("constraint", ANALYTICS, own_table.name, REFERENCE)
    if any(not _may_differ(identity, there, reference) for identity in differing):
        return None
    if swap.is_built_on(live, own) or swap.dependants(live, own_table):
        return None
    found = session.connection.execute(query("rollback/partitions"), {"relation": table.archived}).fetchall()
    after = [live[identity] for identity in differing if identity.kind not in ("constraint", "sequence")]
    return Tree(table, [name for (name,) in found], reference in differing, after)


def _may_differ(identity: Identity, there: dict[Identity, str], reference: Identity) -> bool:
    return (
        identity in (reference,)
        or identity.kind in ("sequence", "privilege")
        or (identity.kind in ("trigger", "comment") and identity not in there)
    )


def exchange(records: Records, rollback: Rollback, tree: Tree) -> None:
    """Exchange it. Raises OnlineError where somebody has written into the table meanwhile; nothing is lost then."""
    table, connection = tree.table, records.connection
    what = f"restore of {table.relation}"
    if tree.lacks_reference:
        _add_reference(records, tree, what)
    rights = [right for right in records.rights(rollback) if swap.is_of(right, table)]
    locks = dict.fromkeys([table.relation, table.archived, FEATURES], "AccessExclusiveLock")
    with connection.transaction():
        acquire(records.session, locks, what)
        if is_still_empty := is_empty(connection, table):
            used = swap.sequence(connection, table)
            # Each journey to the server is time under the locks.
            connection.execute(SQL("; ").join(_moves(tree)))
            access.grant(connection, rights)
            if tree.after:
                connection.execute(SQL("; ").join(map(SQL, tree.after)))
            swap.go_on_counting(connection, table, used)
            keep(connection, rollback, table.kept_as, "swapped")
        else:
            drop_locked(records.session, table)
    if not is_still_empty:
        raise written_to(table)


def _add_reference(records: Records, tree: Tree, what: str) -> None:
    """To each partition, validated while others write, and then to the whole, which reads no row."""
    connection, whole = records.connection, tree.table.archived
    for relation in [*tree.partitions, whole]:
        with connection.transaction():
            acquire(records.session, dict.fromkeys([relation, FEATURES], "ShareRowExclusiveLock"), what)
            if not _refers(connection, relation):
                connection.execute(SQL(WHOLE if relation == whole else PART).format(SQL(relation)))
        if relation != whole:
            with connection.transaction():
                acquire(records.session, {relation: "ShareUpdateExclusiveLock", FEATURES: "RowShareLock"}, what)
                connection.execute(SQL(VALIDATE_REFERENCE).format(SQL(relation)))


def _refers(connection: psycopg.Connection[Any], relation: str) -> bool:
    """Whether an attempt that was interrupted has added the foreign key to it."""
    asked = "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s)"
    return connection.execute(asked, [relation, REFERENCE]).fetchone() == (True,)


def _moves(tree: Tree) -> Iterator[Composed]:
    table = tree.table
    archive = table.archived.partition(".")[0]
    yield SQL("DROP INDEX IF EXISTS {}").format(Identifier(archive, PLAIN_KEY))
    yield SQL("DROP TABLE {}").format(table.here)
    yield SQL("ALTER TABLE {} SET SCHEMA {}").format(table.aside, Identifier(ANALYTICS))
    for name in tree.partitions:
        yield SQL("ALTER TABLE {} SET SCHEMA {}").format(SQL(name), Identifier(PARTITIONS))
