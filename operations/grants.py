"""Grants that an upgrade left out because a group role was missing: made up for once the role is there.

A role that was not even granted the use of the schema was missing when the schema was made. Where it was granted to a
role, somebody has revoked what the role lacks, and that is not granted again.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from models import ANALYTICS, ROLES
from models.views import SQL
from operations.queries import query
from operations.status.half_way import half_way

log = logging.getLogger("alembic.online")

GRANT = re.compile(r"\('(\w+)', '([\w, ]+)', '([^']+)'\)")


@dataclass(frozen=True)
class Missing:
    """A grant that the models make and that is not there; of a role that is missing itself, without a statement."""

    role: str
    statement: str | None


def missing(connection: psycopg.Connection[Any]) -> list[Missing]:
    """Every grant to a group role, on what there is, that is not there."""
    wanted = GRANT.findall((SQL / "grants.sql").read_text(encoding="utf-8"))
    names = ("roles", "privileges", "objects")
    parameters: dict[str, Sequence[str]] = dict(zip(names, map(list, zip(*wanted, strict=True)), strict=True))
    with connection.cursor(row_factory=class_row(Missing)) as cursor:
        return cursor.execute(query("upgrade/missing_grants"), parameters).fetchall()


def late(connection: psycopg.Connection[Any]) -> list[str]:
    """The group roles that are there and got nothing; none while a rollback has taken away what it gives back."""
    if any(each.blocks for each in half_way(connection)):
        return []
    parameters = {"roles": list(ROLES), "schema": ANALYTICS}
    return [row[0] for row in connection.execute(query("upgrade/late_roles"), parameters)]


def make_up(connection: psycopg.Connection[Any]) -> None:
    """Grant to the roles that came late what the models say they have. `connection` is in autocommit mode.

    Where this role may not, it is said who may.
    """
    roles = late(connection)
    if not roles:
        return
    if connection.execute(query("upgrade/may_grant"), {"schema": ANALYTICS}).fetchone() != (True,):
        log.warning(
            "%s got no rights so far: `sidb upgrade` as the role that owns schema %s", ", ".join(roles), ANALYTICS
        )
        return
    with connection.transaction():
        statements = [each.statement for each in missing(connection) if each.role in roles and each.statement]
        for statement in statements:
            connection.execute(statement.encode())
    log.info("Granted to %s what was left out while it was missing: %d privileges", ", ".join(roles), len(statements))
