"""Closing tables to applications, and opening them again exactly as they were."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier

from operations.errors import SidbError
from operations.findings import Finding
from operations.queries import query
from operations.rollback import checks
from operations.rollback.records import Records, Right, Rollback

GRACE = 1.0  # seconds in which a session may finish what it is at
ENDING_MS = 5_000  # to wait for a session to end once it is told to


@dataclass(frozen=True)
class Relation:
    """A relation that exists: its kind as in pg_class, its owner, and whether this role may act as the owner."""

    relation: str
    kind: str
    owner: str
    ours: bool


@dataclass(frozen=True)
class Insider:
    """A role that no REVOKE shuts out, why, and how many sessions of it are here."""

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
    """Raise SidbError where this role may not revoke a privilege, or not grant it again as it was."""
    lines = [f"  {each.relation} belongs to {each.owner}" for each in relations(connection, names) if not each.ours]
    grantors = {(right.grantor, right.relation) for right in rights(connection, names)}
    for grantor, relation in sorted(grantors):
        row = connection.execute("SELECT pg_has_role(%s, 'MEMBER')", [grantor]).fetchone()
        if row != (True,):
            lines.append(f"  {relation}: {grantor} passed privileges on")
    if lines:
        raise SidbError(
            "\n".join(["This role could not open the tables again as they were; nothing was changed.", *lines]),
            "make it a member of the roles named (GRANT role TO this role), or roll back as a superuser.",
        )


def close(records: Records, rollback: Rollback, names: Collection[str]) -> Finding:
    """Revoke everybody's privileges but the owner's, and write down what they were, in one transaction."""
    connection = records.connection
    with connection.transaction():
        found = rights(connection, names)
        records.remember(rollback, found)
        for each in relations(connection, names):
            grantees = sorted({right.grantee for right in found if right.relation == each.relation})
            if grantees:
                kind = SQL("SEQUENCE") if each.kind == "S" else SQL("TABLE")
                connection.execute(
                    SQL("REVOKE ALL ON {} {} FROM {} CASCADE").format(
                        kind, _name(each.relation), SQL(", ").join(_grantee(grantee) for grantee in grantees)
                    )
                )
        if left := rights(connection, names):
            raise SidbError(
                "These privileges could not be revoked; nothing was changed:\n"
                + "\n".join(f"  {shown(right)}" for right in left),
                "revoke them as the role that granted them.",
            )
        records.reached(rollback, "closed")
    return _closed(connection, names, len({right.relation for right in found}))


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


def open_again(records: Records, rollback: Rollback, phase: Any) -> Finding:
    """Grant again what was revoked, as far as the relations are there; reaches `phase` in the same transaction."""
    connection = records.connection
    with connection.transaction():
        remembered = records.rights(rollback)
        here = {each.relation for each in relations(connection, {right.relation for right in remembered})}
        wanted = [right for right in remembered if right.relation in here]
        missing = grant(connection, wanted)
        records.reached(rollback, phase)
    now = rights(connection, here)
    missing += [right for right in wanted if right not in now and right not in missing]
    if missing:
        return checks.OPENED.failed("not granted again: " + "; ".join(shown(right) for right in missing))
    if here:
        return checks.OPENED.ok(f"{len(wanted)} privileges on {len(here)} relations are as they were")
    return checks.OPENED.ok("nothing that was closed remains; privileges are kept with the archive")


def grant(connection: psycopg.Connection[Any], wanted: Sequence[Right]) -> list[Right]:
    """Grant each right as its grantor did, within the open transaction; those of roles that are gone are returned."""
    known = {row[0] for row in connection.execute("SELECT rolname::text FROM pg_roles")}
    owners = {each.relation: each for each in relations(connection, {right.relation for right in wanted})}
    gone = []
    for right in wanted:
        if right.grantor not in known or right.grantee not in known | {""}:
            gone.append(right)
            continue
        relation = owners[right.relation]
        if right.grantor != relation.owner:
            connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(right.grantor)))
        connection.execute(
            SQL("GRANT {}{} ON {} {} TO {}{}").format(
                SQL(right.privilege),
                SQL(" ({})").format(Identifier(right.column_name)) if right.column_name else SQL(""),
                SQL("SEQUENCE") if relation.kind == "S" else SQL("TABLE"),
                _name(right.relation),
                _grantee(right.grantee),
                SQL(" WITH GRANT OPTION") if right.is_grantable else SQL(""),
            )
        )
        if right.grantor != relation.owner:
            connection.execute("RESET ROLE")
    return gone


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
        return checks.CLOSED.warning(f"{detail}; connected and not shut out: {', '.join(here)}")
    absent = ", ".join(f"{each.role} ({each.why})" for each in insiders)
    return checks.CLOSED.ok(f"{detail}; not connected, and not shut out if they come: {absent or 'nobody'}")


def _busy(connection: psycopg.Connection[Any], names: list[str]) -> list[Busy]:
    with connection.cursor(row_factory=class_row(Busy)) as cursor:
        return cursor.execute(query("rollback/sessions"), {"relations": names}).fetchall()


def _name(relation: str) -> Identifier:
    return Identifier(*relation.split(".", 1))


def _grantee(grantee: str) -> SQL | Identifier | Composed:
    return Identifier(grantee) if grantee else SQL("PUBLIC")
