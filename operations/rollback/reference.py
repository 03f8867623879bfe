"""The foreign key that archived events get before they come back whole, so that nobody waits for its validation.

Where they do not come back whole after all, it goes again: it would keep niches that nothing else refers to.
"""

from alembic_online import Session, acquire
from psycopg.sql import SQL, Identifier

from operations.queries import query
from operations.rollback.conflicts import Table

FEATURES = "public.features"
REFERENCE = "analytics_events_niche_id_fkey"


def drop(session: Session, table: Table) -> None:
    """Drop what an earlier attempt has left of it, table by table. Raises OnlineError."""
    for relation in _with_it(session, table):
        with session.connection.transaction():
            locks = dict.fromkeys([relation, FEATURES], "AccessExclusiveLock")
            acquire(session, locks, f"restore of {table.relation}")
            _drop(session, relation)


def drop_locked(session: Session, table: Table) -> None:
    """The same in the open transaction, which has locked the table with its partitions, and what it refers to."""
    for relation in _with_it(session, table):
        _drop(session, relation)


def _with_it(session: Session, table: Table) -> list[str]:
    parameters = {"archived": table.archived, "name": REFERENCE}
    found = session.connection.execute(query("rollback/archived_references"), parameters).fetchall()
    return [name for (name,) in found]


def _drop(session: Session, relation: str) -> None:
    session.connection.execute(SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(SQL(relation), Identifier(REFERENCE)))
