"""What a step does to rows without dropping what holds them: rewrites, empties, deletes."""

import logging

from alembic_online import parts
from alembic_online.parts import Part
from alembic_online.queries import query
from alembic_online.sessions import Session

log = logging.getLogger("alembic.online")


def tell(session: Session, name: str, before: parts.Inventory, after: parts.Inventory) -> None:
    """Tell it in the log: `before` is what others see, `after` what the open transaction of the step made of it."""
    for key, then in before.items():
        now = after.get(key)
        if now is None:
            continue
        if then.type != now.type:
            log.warning("%s: %s changes from %s to %s in about %d rows", name, now.name, then.type, now.type, then.rows)
        elif then.file != now.file and now.column_name is None and then.rows and _is_empty(session, now):
            log.warning("%s: empties %s of about %d rows", name, now.name, then.rows)
    parameters = {"bookkeeping": session.scope.bookkeeping, "version_table": parts.VERSION_TABLE}
    for table_name, rows in session.connection.execute(query("run/deleted"), parameters).fetchall():
        log.warning("%s: deletes %d rows of %s", name, rows, table_name)


def _is_empty(session: Session, table: Part) -> bool:
    row = session.connection.execute("SELECT pg_relation_size(%s::oid) = 0", [table.oid]).fetchone()
    return bool(row and row[0])
