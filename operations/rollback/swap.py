"""Puts an archived table back at once, whatever its size, where the table that is there now is empty.

All that can be done beforehand is done in the archive, where nobody waits: the indexes, and the materialized views,
which come with their rows, so that readers never meet an empty one. Then, in one transaction with its locks asked for
as the guard asks for them, the empty table goes with what depends on it, the archived one comes, and gets what the
empty one had and it lacks: foreign keys NOT VALID, triggers, comments, privileges, views. What takes time follows while
the application goes on: foreign keys are validated.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic_online import OnlineError, Session, acquire
from alembic_online.acquisition import until_read
from alembic_online.catalog import Identity, Snapshot, definitions
from alembic_online.catalog.statements import called, whole
from alembic_online.messages import first_line
from psycopg.sql import SQL, Identifier

from models import ANALYTICS
from operations.findings import Finding
from operations.queries import query
from operations.rollback import access, checks, kept_statements
from operations.rollback.conflicts import Table, is_empty, written_to
from operations.rollback.left_behind import made_by_revisions
from operations.rollback.merge import keep
from operations.rollback.records import Records, Right, Rollback
from operations.rollback.reference import FEATURES
from operations.scope import SCOPE

LATER = ("constraint", "index", "trigger", "comment", "privilege", "sequence")
"""What may differ between the archived table and the new one: the archived one gets it, or has gone on counting."""


@dataclass(frozen=True)
class Swap:
    """Statements by which an archived table takes its place: in the archive, and before and after it moves.

    `views`: those that fill materialized views in the archive. `others`: those that make again what others had on
    either table.
    """

    table: Table
    indexes: list[str]
    views: list[str]
    before: list[str]
    after: list[str]
    others: list[str]
    locks: dict[str, str]


def plan(session: Session, live: Snapshot, table: Table, archive: str, definitions_kept: list[str]) -> Swap | None:
    """How `table` is swapped; None where its columns or keys are other ones by now, it is partitioned, or others have
    built on it: then its rows are merged.
    """
    schema, _, name = table.relation.partition(".")
    own_table = Identity("table", schema, name)
    if " PARTITION BY " in live[own_table]:
        return None
    there = at_home(session, archive, schema)
    own = [identity for identity in live if belongs(live, identity, own_table)]
    differing = [identity for identity in own if there.get(identity) != live[identity]]
    for identity in differing:
        changed = identity in there and identity.kind not in ("sequence", "privilege")
        key = identity.kind == "constraint" and " FOREIGN KEY " not in live[identity]
        if changed or key or identity.kind not in LATER:
            return None
    if is_built_on(live, own):
        return None
    indexes = [
        live[identity].replace(f" ON {table.relation} ", f" ON {archive}.{name} ", 1)
        for identity in differing
        if identity.kind == "index"
    ]
    ours = made_by_revisions()
    others: list[str] = []
    after: list[str] = []
    for identity in differing:
        if identity.kind not in ("index", "sequence"):
            made = kept_statements.unvalidated(live[identity]) if identity.kind == "constraint" else live[identity]
            (after if identity.kind == "privilege" or str(identity) in ours else others).append(made)
    others += kept_statements.missing(definitions_kept, live, table.relation)
    users = dependants(live, own_table)
    names = [f"{user.schema}.{user.name}" for user in users]
    found = access.relations(session.connection, names)
    if not all(each.ours for each in found):  # nor may this role drop them
        return None
    owners = {each.relation: each.owner for each in found}
    without_rows = _without_rows(session)
    views: list[str] = []
    for user, name in zip(users, names, strict=True):
        is_later = name in without_rows or not live.uses.get(user, frozenset()).isdisjoint(users)
        filled, created = _created(live, table, user, owners[name], is_later=is_later)
        views += filled
        after += created
    before = [*(live.removals[user] for user in reversed(users)), f"DROP TABLE {table.relation}"]
    locks = dict.fromkeys(_lockable(session, kept_statements.referred(others)), "ShareRowExclusiveLock")
    locks |= dict.fromkeys([table.relation, table.archived, *names, FEATURES], "AccessExclusiveLock")
    return Swap(table, indexes, views, before, after, others, locks)


def _lockable(session: Session, names: Sequence[str]) -> list[str]:
    """Of tables, named as in SQL, those that are there and that this role may lock."""
    may = (
        "SELECT t.name FROM unnest(%s::text []) AS t (name)"
        " WHERE has_table_privilege(to_regclass(t.name), 'UPDATE, DELETE, TRUNCATE')"
    )
    return [name for (name,) in session.connection.execute(may, [list(names)])]


def _without_rows(session: Session) -> set[str]:
    """Materialized views that nobody has filled: that they can be filled is not known."""
    listed = "SELECT format('%s.%s', v.schemaname, v.matviewname) FROM pg_matviews AS v WHERE NOT v.ispopulated"
    return {name for (name,) in session.connection.execute(listed)}


def _created(
    live: Snapshot, table: Table, user: Identity, owner: str, *, is_later: bool
) -> tuple[list[str], list[str]]:
    """The statements that make a view on the table again: those that fill it in the archive, and those behind the move.

    `is_later`: a materialized view on other views on the table, or without rows, is filled by `finish`.
    """
    definition, *rest = whole(live, user)
    alter = live.removals[user].replace("DROP ", "ALTER ", 1)
    owned = SQL("{} OWNER TO {}").format(SQL(alter), Identifier(owner)).as_string()
    if user.kind != "materialized_view":
        return [], [definition, owned, *rest]
    if is_later:
        return [], [f"{definition}\nWITH NO DATA", owned, *rest]
    archive = table.archived.partition(".")[0]
    indexes = [live[each] for each in live if each.kind == "index" and live.parent(each) == user]
    moved = alter.replace(f" {user.schema}.", f" {archive}.", 1) + f" SET SCHEMA {user.schema}"
    filled = [_renamed(statement, [table.relation, called(user)], archive) for statement in (definition, *indexes)]
    return filled, [moved, owned, *(statement for statement in rest if statement not in indexes)]


def _renamed(statement: str, names: Sequence[str], schema: str) -> str:
    """A statement with these relations by their names in another schema."""
    for name in names:
        there = f"{schema}.{name.partition('.')[2]}".replace("\\", r"\\")
        statement = re.sub(rf"(?<![\w.\"]){re.escape(name)}(?![\w\"$])", there, statement)
    return statement


def exchange(records: Records, rollback: Rollback, swap: Swap) -> list[str]:
    """Swap the tables. The statements of others that could not be run.

    Raises OnlineError where somebody has written into the table meanwhile; nothing is changed then.
    """
    table, connection = swap.table, records.connection
    with connection.transaction():
        for statement in swap.indexes:
            connection.execute(statement)
    rights = [right for right in records.rights(rollback) if is_of(right, table)]
    with connection.transaction():
        for statement in swap.views:  # what they read is locked by nobody, and nothing of them is left where this ends
            connection.execute(statement)
        acquire(records.session, swap.locks, f"restore of {table.relation}")
        if not is_empty(connection, table):
            raise written_to(table)
        used = sequence(connection, table)
        moved = SQL("ALTER TABLE {} SET SCHEMA {}").format(table.aside, Identifier(table.relation.partition(".")[0]))
        # Each journey to the server is time under the locks.
        connection.execute(SQL("; ").join([*map(SQL, swap.before), moved]))
        access.grant(connection, rights)
        connection.execute(SQL("; ").join(map(SQL, swap.after)))
        left = _make_again(connection, swap.others)
        go_on_counting(connection, table, used)
        keep(connection, rollback, table.kept_as, "swapped")
    finish(records.session, views_only=True)
    return left


def _make_again(connection: psycopg.Connection[Any], statements: Sequence[str]) -> list[str]:
    """Run them within the open transaction, one by one where they cannot be run together; those that fail, and why.

    What they name may be gone by now, or be another role's.
    """
    try:
        with connection.transaction():
            connection.execute(SQL("; ").join(map(SQL, statements)))
    except psycopg.Error as error:
        if connection.broken:
            raise
        if len(statements) == 1:
            return [f"-- {first_line(error)}\n{statements[0]}"]
        return [failed for each in statements for failed in _make_again(connection, [each])]
    return []


def finish(session: Session, *, views_only: bool = False) -> dict[str, Finding]:
    """What exchanges left to do, also those that were interrupted: it takes time, and holds up nobody.

    Materialized views without rows come first: until they are filled, readers get an error. What others have, and
    cannot be finished, is a finding each, by its name in the catalog. Raises OnlineError where it is ours.
    """
    parameters = {"schema": ANALYTICS, "ours": sorted(made_by_revisions())}
    unfinished = session.connection.execute(query("rollback/unfinished"), parameters).fetchall()
    found = {}
    for relation, name, statement, is_view, is_ours in unfinished:
        if views_only and not is_view:
            continue
        try:
            with session.connection.transaction():
                acquire(session, {relation: "ShareUpdateExclusiveLock"}, f"restore of {relation}")
                session.connection.execute(statement)
        except (psycopg.Error, OnlineError) as error:
            if is_ours or session.connection.broken:
                raise
            state = "without rows" if is_view else "not validated"
            detail = f"{name} is {state}: {first_line(error)}"
            found[name] = checks.DEPENDANTS.warning(detail, f"where it is still wanted, as its owner: {statement};")
    return found


def belongs(live: Snapshot, identity: Identity, table: Identity) -> bool:
    seen: Identity | None = identity
    while seen is not None:
        if seen == table:
            return True
        seen = live.parent(seen)
    return False


def at_home(session: Session, archive: str, schema: str) -> dict[Identity, str]:
    """What is in the archive, as it would be called in a schema."""
    found = until_read(
        session, lambda: definitions(session.observing, SCOPE.of(archive)), f"the look at what {archive} holds"
    )
    return {
        Identity(each.kind, schema, each.name, each.part): text.replace(f"{archive}.", f"{schema}.")
        for each, text in found.items()
        if each.schema == archive
    }


def is_built_on(live: Snapshot, own: Sequence[Identity]) -> bool:
    """Whether something of others uses a table, which would be in the way of its exchange."""
    return any(user.kind == "foreign" and not uses.isdisjoint(own) for user, uses in live.uses.items())


def dependants(live: Snapshot, table: Identity) -> list[Identity]:
    """Views and materialized views on the table, and those on them, in order of creation."""
    found = {table}
    waiting = [table]
    while waiting:
        used = waiting.pop()
        parts = [used, *(identity for identity in live if belongs(live, identity, used))]
        for user in {user for part in parts for user in live.users(part)} - found:
            if user.kind in ("view", "materialized_view"):
                found.add(user)
                waiting.append(user)
    return [identity for identity in live if identity in found and identity != table]


def is_of(right: Right, table: Table) -> bool:
    """The table's own rights, and those of the sequence of its key."""
    return right.relation in (table.relation, f"{table.relation}_{table.key}_seq")


def sequence(connection: psycopg.Connection[Any], table: Table) -> int | None:
    """The highest key that the empty table has given away; None: none."""
    row = connection.execute(
        "SELECT pg_sequence_last_value(pg_get_serial_sequence(%s, %s))", [table.relation, table.key]
    )
    found = row.fetchone()
    return found[0] if found else None


def go_on_counting(connection: psycopg.Connection[Any], table: Table, used: int | None) -> None:
    if used is not None:
        statement = (
            "SELECT setval(sequence, greatest(pg_sequence_last_value(sequence), %s))"
            " FROM (SELECT pg_get_serial_sequence(%s, %s)::regclass AS sequence) AS own"
        )
        connection.execute(statement, [used, table.relation, table.key])
