"""Attaches the archived events at once, as the first partition of the table that is there now, where that is empty.

What takes time is done in the archive, where nobody waits: the key with the partition column, the check of the bound,
the foreign key. Then the empty first partition makes room for it.
"""

from dataclasses import dataclass

from alembic_online import Session, acquire
from psycopg.sql import SQL, Composed, Identifier, Literal

from models import PARTITIONS
from operations.queries import query
from operations.rollback import access
from operations.rollback.conflicts import EVENTS, Table, is_empty, written_to
from operations.rollback.merge import keep
from operations.rollback.records import Records, Rollback
from operations.rollback.reference import FEATURES, REFERENCE, drop_locked

KEY, BOUND = "analytics_events_key", "analytics_events_bound"
SEQUENCE = "analytics_events_event_id_seq"


@dataclass(frozen=True)
class Attachment:
    """An archived table, the empty partition in whose place it comes, and the bound before which all its rows are.

    `indexes`: what an index of the partition is called, what it holds, and the archived table's own, if it has one.
    """

    table: Table
    partition: str
    bound: str
    indexes: list[tuple[str, str, str | None]]

    @property
    def first(self) -> Identifier:
        return Identifier(*self.partition.split("."))


def plan(session: Session, table: Table) -> Attachment | None:
    """How the table is attached; None where events are no partitions now, or have other columns, or rows are dated past
    the first one.
    """
    if table.relation != EVENTS:
        return None
    connection = session.connection
    parameters = {"relation": table.relation, "archived": table.archived}
    found = connection.execute(query("rollback/first_partition"), parameters).fetchone()
    if found is None or connection.execute(query("rollback/same_columns"), parameters).fetchone() != (True,):
        return None
    partition, bound = found
    later = SQL("SELECT EXISTS (SELECT FROM {} WHERE event_timestamp >= {})").format(table.aside, Literal(bound))
    if connection.execute(later).fetchone() != (False,):
        return None
    parameters = {"partition": partition, "archived": table.archived}
    return Attachment(
        table, partition, bound, connection.execute(query("rollback/partition_indexes"), parameters).fetchall()
    )


def attach(records: Records, rollback: Rollback, attachment: Attachment) -> None:
    """Attach it. Raises OnlineError where somebody has written into the table meanwhile; nothing is lost then."""
    table, connection = attachment.table, records.connection
    what = f"restore of {table.relation}"
    with connection.transaction():
        for statement in _beforehand(attachment):
            connection.execute(statement)
    with connection.transaction():
        acquire(records.session, {FEATURES: "ShareRowExclusiveLock"}, what)
        connection.execute(_reference(table))
    with connection.transaction():
        connection.execute(SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(table.aside, Identifier(REFERENCE)))
    rights = [right for right in records.rights(rollback) if right.relation == table.relation]
    locks = dict.fromkeys([table.relation, table.archived, FEATURES], "AccessExclusiveLock")
    with connection.transaction():
        acquire(records.session, locks, what)
        if is_still_empty := is_empty(connection, table):
            for statement in _exchange(attachment):
                connection.execute(statement)
            access.grant(connection, rights)
            keep(connection, rollback, table.kept_as, "swapped")
        else:
            drop_locked(records.session, table)
    if not is_still_empty:
        raise written_to(table)


def _beforehand(attachment: Attachment) -> list[Composed]:
    """An attempt that was interrupted has done a part of it."""
    aside, archive = attachment.table.aside, attachment.table.archived.partition(".")[0]
    check = SQL(
        "ALTER TABLE {0} DROP CONSTRAINT IF EXISTS {1}, ADD CONSTRAINT {1} CHECK (event_timestamp < {2})"
    ).format(aside, Identifier(BOUND), Literal(attachment.bound))
    key = SQL("CREATE UNIQUE INDEX {} ON {} (event_id, event_timestamp)").format(Identifier(KEY), aside)
    missing = [
        SQL("CREATE INDEX {} ON {}").format(Identifier(wanted), aside) + SQL(definition)
        for wanted, definition, there in attachment.indexes
        if there is None
    ]
    # One that is there was begun by a step that was killed, or is another one.
    return [check, SQL("DROP INDEX IF EXISTS {}").format(Identifier(archive, KEY)), key, *missing]


def _reference(table: Table) -> Composed:
    return SQL(
        "ALTER TABLE {0} DROP CONSTRAINT IF EXISTS {1}, ADD CONSTRAINT {1} FOREIGN KEY (niche_id)"
        " REFERENCES public.features (niche_id) NOT VALID"
    ).format(table.aside, Identifier(REFERENCE))


def _exchange(attachment: Attachment) -> list[Composed]:
    table = attachment.table
    here, aside, archive = table.here, table.aside, table.archived.partition(".")[0]
    name = attachment.partition.partition(".")[2]
    own = Identifier(archive, SEQUENCE)
    sequence = SQL("{}::regclass").format(Literal(f"{table.relation.partition('.')[0]}.{SEQUENCE}"))
    renamed = [
        SQL("ALTER INDEX {} RENAME TO {}").format(Identifier(archive, there), Identifier(wanted))
        for wanted, _, there in attachment.indexes
        if there is not None and there != wanted
    ]
    return [
        SQL("ALTER TABLE {} DETACH PARTITION {}").format(here, attachment.first),
        SQL("DROP TABLE {}").format(attachment.first),
        # Ids go on behind those of either.
        SQL(
            "SELECT setval({0}, greatest(pg_sequence_last_value({0}), pg_sequence_last_value({1}::regclass), 1))"
        ).format(sequence, Literal(own.as_string())),
        SQL("ALTER TABLE {} ALTER COLUMN event_id SET DEFAULT nextval({})").format(aside, sequence),
        SQL("DROP SEQUENCE {}").format(own),
        SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(aside, Identifier("analytics_events_pkey")),
        SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY USING INDEX {}").format(
            aside, Identifier(f"{name}_pkey"), Identifier(KEY)
        ),
        *renamed,
        SQL("ALTER TABLE {} RENAME TO {}").format(aside, Identifier(name)),
        SQL("ALTER TABLE {} SET SCHEMA {}").format(Identifier(archive, name), Identifier(PARTITIONS)),
        SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM (MINVALUE) TO ({})").format(
            here, attachment.first, Literal(attachment.bound)
        ),
        SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(attachment.first, Identifier(BOUND)),
    ]
