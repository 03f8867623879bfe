"""Closing tables to applications, and opening them again exactly as they were."""

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from alembic_online.errors import OnlineError
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier

from operations.findings import Finding
from operations.queries import query
from operations.rollback import checks
from operations.rollback.records import Phase, Records, Right, Rollback
from operations.rollback.way import Way

GRACE = 1.0  # seconds in which a session may finish what it is at
ENDING_MS = 5_000  # to wait for a session to end once it is told to


@dataclass(frozen=True)
class Relation:
    """A relation that exists: its kind as in pg_class, its owner, and whether this role may act as the owner.

    A function has the kind f, a schema n.
    """

    relation: str
    kind: str
    owner: str
    ours: bool


@dataclass(frozen=True)
class Insider:
    """A role that no REVOKE blocks, why, and how many sessions of it are here."""

    role: str
    why: str
    sessions: int


@dataclass(frozen=True)
class Busy:
    """A session that holds a lock on one of the relations."""

    pid: int
    who: str
    application: str

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.who}, {self.application or 'unnamed'})"


def relations(connection: psycopg.Connection[Any], names: Collection[str]) -> list[Relation]:
    """Those of the relations that exist."""
    with connection.cursor(row_factory=class_row(Relation)) as cursor:
        return cursor.execute(query("rollback/relations"), {"relations": list(names)}).fetchall()


def rights(connection: psycopg.Connection[Any], names: Collection[str]) -> list[Right]:
    """What anybody but the owner may do to the relations, in an order in which it can be granted again."""
    with connection.cursor(row_factory=class_row(Right)) as cursor:
        return cursor.execute(query("rollback/rights"), {"relations": list(names)}).fetchall()


def refuse_what_cannot_be_opened(connection: psycopg.Connection[Any], names: Collection[str]) -> None:
    """Raise OnlineError where this role may not revoke a privilege, or not grant it again as it was."""
    lines = [f"  {each.relation} belongs to {each.owner}" for each in relations(connection, names) if not each.ours]
    grantors = {(right.grantor, right.relation) for right in rights(connection, names)}
    for grantor, relation in sorted(grantors):
        row = connection.execute("SELECT pg_has_role(%s, 'MEMBER')", [grantor]).fetchone()
        if row != (True,):
            lines.append(f"  {relation}: {grantor} passed privileges on")
    if lines:
        raise OnlineError(
            "\n".join(["This role could not open the tables again as they were; nothing was changed.", *lines]),
            "make it a member of the roles named (GRANT role TO this role), or roll back as a superuser.",
        )


def close(records: Records, rollback: Rollback, back: Way) -> Finding:
    """Revoke everybody's privileges on relations but the owner's, and write down what they were, in one transaction.

    Written down, too, are privileges that go with their object: on columns, functions, and the schema.
    """
    connection, names = records.connection, back.affected
    with connection.transaction():
        found = rights(connection, back.remembered)
        of_columns = [
            right
            for right in rights(connection, sorted(back.columns))
            if right.column_name in back.columns[right.relation]
        ]
        records.remember(rollback, [*found, *of_columns])
        for each in relations(connection, names):
            grantees = sorted({right.grantee for right in found if right.relation == each.relation})
            if grantees:
                connection.execute(
                    SQL("REVOKE ALL ON {} FROM {} CASCADE").format(
                        _object(each), SQL(", ").join(_grantee(grantee) for grantee in grantees)
                    )
                )
        if left := rights(connection, names):
            raise OnlineError(
                "These privileges could not be revoked; nothing was changed:\n"
                + "\n".join(f"  {shown(right)}" for right in left),
                "revoke them as the role that granted them.",
            )
        records.reached(rollback, "closed")
    return _closed(connection, names, len({right.relation for right in found} & set(names)))


def end_sessions(connection: psycopg.Connection[Any], names: Collection[str]) -> Finding:
    """End the sessions that still hold a lock on one of the relations; those that this role may not end are named."""
    names = list(names)
    until = time.monotonic() + GRACE
    while (busy := _busy(connection, names)) and time.monotonic() < until:
        time.sleep(0.02)
    refused = []
    for session in busy:
        try:
            connection.execute("SELECT pg_terminate_backend(%s, %s)", [session.pid, ENDING_MS])
        except psycopg.errors.InsufficientPrivilege:
            refused.append(session)
    left = [session for session in _busy(connection, names) if session in refused]
    if left:
        return checks.SESSIONS.warning(
            f"this role may not end {', '.join(map(str, left))}: the rollback waits for them"
        )
    ended = [session for session in busy if session not in refused]
    return checks.SESSIONS.ok(", ".join(map(str, ended)) or "there were none")


def open_again(records: Records, rollback: Rollback, phase: Phase) -> Finding:
    """Grant again what was revoked, as far as the relations are there; reaches `phase` in the same transaction."""
    with records.connection.transaction():
        granted, missing = grant_again(records, rollback)
        records.reached(rollback, phase)
    return opened(granted, missing)


def opened(granted: int, missing: Sequence[Right]) -> Finding:
    if missing:
        return checks.OPENED.failed("not granted again: " + "; ".join(shown(right) for right in missing))
    if granted:
        return checks.OPENED.ok(f"{granted} privileges are as they were")
    return checks.OPENED.ok("nothing that was closed remains; privileges are kept with the archive")


def grant_again(records: Records, rollback: Rollback) -> tuple[int, list[Right]]:
    """Grant what is missing of what was remembered, within the open transaction.

    How many privileges are as they were, and those that could not be granted. What is not there is left out.
    """
    connection = records.connection
    remembered = records.rights(rollback)
    names = {right.relation for right in remembered}
    here = {each.relation for each in relations(connection, names)}
    wanted = [right for right in remembered if right.relation in here and _has_column(connection, right)]
    missing = _not_held(connection, wanted, here)
    grant(connection, missing)
    # Who owned the object granted it; where another role has made it anew, that is another one now.
    owners = {each.relation: each.owner for each in relations(connection, here)}
    missing = [replace(right, grantor=owners[right.relation]) for right in _not_held(connection, missing, here)]
    grant(connection, missing)
    missing = _not_held(connection, missing, here)
    return len(wanted) - len(missing), missing


def _not_held(connection: psycopg.Connection[Any], wanted: Sequence[Right], names: Collection[str]) -> list[Right]:
    now = rights(connection, names)
    return [right for right in wanted if right not in now]


def grant(connection: psycopg.Connection[Any], wanted: Sequence[Right]) -> None:
    """Grant each right as its grantor did, within the open transaction; what cannot be granted is left out."""
    able = {
        str(role): bool(is_member)
        for role, is_member in connection.execute("SELECT rolname::text, pg_has_role(oid, 'MEMBER') FROM pg_roles")
    }
    objects = {each.relation: each for each in relations(connection, {right.relation for right in wanted})}
    by_owners: list[Composed] = []
    by_others: list[tuple[str, Composed]] = []  # who were given the right to pass it on, by these
    for right in wanted:
        if not able.get(right.grantor) or (right.grantee and right.grantee not in able):
            continue
        granted = objects[right.relation]
        statement = SQL("GRANT {}{} ON {} TO {}{}").format(
            SQL(right.privilege),
            SQL(" ({})").format(Identifier(right.column_name)) if right.column_name else SQL(""),
            _object(granted),
            _grantee(right.grantee),
            SQL(" WITH GRANT OPTION") if right.is_grantable else SQL(""),
        )
        if right.grantor == granted.owner:
            by_owners.append(statement)
        else:
            by_others.append((right.grantor, statement))
    connection.execute(SQL("; ").join(by_owners))
    for grantor, statement in by_others:
        with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(grantor)))
            connection.execute(statement)
            connection.execute("RESET ROLE")


def shown(right: Right) -> str:
    column = f" ({right.column_name})" if right.column_name else ""
    option = " with grant option" if right.is_grantable else ""
    return f"{right.privilege}{column} on {right.relation} to {right.grantee or 'PUBLIC'} by {right.grantor}{option}"


def _closed(connection: psycopg.Connection[Any], names: Iterable[str], relations_closed: int) -> Finding:
    with connection.cursor(row_factory=class_row(Insider)) as cursor:
        insiders = cursor.execute(query("rollback/not_shut_out"), {"relations": list(names)}).fetchall()
    detail = f"privileges on {relations_closed} relations revoked and remembered"
    here = [f"{each.role} ({each.why}, {each.sessions} sessions)" for each in insiders if each.sessions]
    if here:
        return checks.CLOSED.warning(f"{detail}; REVOKE does not block: {', '.join(here)}, connected now")
    absent = ", ".join(f"{each.role} ({each.why})" for each in insiders)
    return checks.CLOSED.ok(f"{detail}; REVOKE does not block, when they connect: {absent or 'nobody'}")


def _busy(connection: psycopg.Connection[Any], names: list[str]) -> list[Busy]:
    with connection.cursor(row_factory=class_row(Busy)) as cursor:
        return cursor.execute(query("rollback/sessions"), {"relations": names}).fetchall()


def _has_column(connection: psycopg.Connection[Any], right: Right) -> bool:
    """Whether the column is there that a right is about; True for a whole relation."""
    there = "SELECT FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped"
    return (
        not right.column_name or connection.execute(there, [right.relation, right.column_name]).fetchone() is not None
    )


def _object(relation: Relation) -> Composed:
    """It as GRANT and REVOKE name it."""
    match relation.kind:
        case "f":
            return SQL("ROUTINE {}").format(SQL(relation.relation))  # a signature, as PostgreSQL prints it
        case "n":
            return SQL("SCHEMA {}").format(Identifier(relation.relation))
        case "S":
            return SQL("SEQUENCE {}").format(Identifier(*relation.relation.split(".", 1)))
        case _:
            return SQL("TABLE {}").format(Identifier(*relation.relation.split(".", 1)))


def _grantee(grantee: str) -> SQL | Identifier | Composed:
    return Identifier(grantee) if grantee else SQL("PUBLIC")
