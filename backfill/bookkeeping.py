"""The backfill's tables as this code expects them: created on first use, and brought up to date."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.schema import CreateSchema

from backfill.queries import query
from backfill.tables import SCHEMA, Bookkeeping, PauseOrder, StagedEvent

VERSIONS = {
    "backfill_events": ("file_id bigint", "line bigint"),
    "backfill_files": (
        "series bigint NOT NULL DEFAULT 0",
        "lines bigint NOT NULL DEFAULT 0",
        "added bigint",
        "oldest timestamptz",
        "newest timestamptz",
        "erased bigint NOT NULL DEFAULT 0",
        "expired bigint NOT NULL DEFAULT 0",
    ),
    "backfill_ranges": ("walked bigint []", "files bigint []", "waiting bigint []"),
    "backfill_set_aside": ("again boolean NOT NULL DEFAULT false",),
}
"""Columns that came after 2.0.6, by table: for databases whose bookkeeping is older."""

_FORMER = (
    # Bounds as version 2.0.6 wrote them, which held neither infinity nor the year 10000, as days.
    text("""
    UPDATE sidb.backfill_ranges SET
        lower = (lower::timestamptz AT TIME ZONE 'UTC')::date - date '1970-01-01',
        upper = (upper::timestamptz AT TIME ZONE 'UTC')::date - date '1970-01-01'
    WHERE lower LIKE '%T%'
    """),
    # A pause, which was kept in the one row that planning locks.
    text("""
    INSERT INTO sidb.backfill_pause_orders (at)
    SELECT (to_jsonb(c) ->> 'paused_at')::timestamptz
    FROM sidb.backfill_control AS c
    WHERE to_jsonb(c) ->> 'paused_at' IS NOT NULL
    """),
)
"""Takes over what version 2.0.6 wrote in another form; run once, when the table of pauses is made."""

_COLUMNS = text("""
SELECT c.relname, a.attname
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = to_regnamespace(:schema) AND a.attnum > 0 AND NOT a.attisdropped
""")

_IS_ANOTHER_TABLE = text(
    "SELECT EXISTS (SELECT FROM sidb.backfill_targets AS t WHERE t.job = 'event_history' "
    "AND to_regclass('analytics.analytics_events') IS NOT NULL AND t.oid NOT IN "
    "(SELECT p.relid::oid::bigint FROM pg_partition_tree(to_regclass('analytics.analytics_events')) AS p))"
)
"""Its ids begin anew, and those of staged events must not be given out again."""


def create(engine: Engine) -> None:
    """Create what is not there yet; any number of processes may do so at once, and where all is there none waits."""
    with engine.begin() as connection:
        bring_up_to_date(connection)


def bring_up_to_date(connection: Connection) -> None:
    """The same, in the caller's transaction."""
    if _lacking(connection):
        alone(connection, "tables")
        lacking = _lacking(connection)
        connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
        with of_the_schemas_owner(connection):
            Bookkeeping.metadata.create_all(connection)
        added = _lacking(connection)
        for table, columns in VERSIONS.items():
            for column in columns:
                if (table, column.partition(" ")[0]) in added:
                    connection.execute(text(f"ALTER TABLE {SCHEMA}.{table} ADD COLUMN {column}"))
        if (PauseOrder.__tablename__, "at") in lacking:
            for statement in _FORMER:
                connection.execute(statement)
    if connection.scalar(_IS_ANOTHER_TABLE):
        alone(connection, "tables")
        connection.execute(query("continue_event_ids"))


@contextmanager
def of_the_schemas_owner(connection: Connection) -> Iterator[None]:
    """What tables the block creates in the schema belong to the schema's owner, where this role may give them to it, as
    a superuser may: else the owner could not use them."""

    def of_another() -> set[tuple[str, str]]:
        return {(name, owner) for name, owner in connection.execute(query("of_another"), {"schema": SCHEMA})}

    before = of_another()
    yield
    for name, owner in of_another() - before:
        given = f"ALTER TABLE {name} OWNER TO {connection.dialect.identifier_preparer.quote_identifier(owner)}"
        connection.exec_driver_sql(given, execution_options={"no_parameters": True})  # of names as they are


def _lacking(connection: Connection) -> set[tuple[str, str]]:
    """Columns that are not there, with their tables."""
    wanted = {(table.name, column.name) for table in Bookkeeping.metadata.tables.values() for column in table.columns}
    return wanted.difference((row[0], row[1]) for row in connection.execute(_COLUMNS, {"schema": SCHEMA}))


def drop_staged(connection: Connection) -> int:
    """Drop staging, children too, keeping of each row what tells a later load that it is in; the number of rows.

    An empty one is made at once: whoever waits for the table finds that.
    """
    rows = connection.execute(query("keep_lines")).rowcount
    connection.execute(text(f"DROP TABLE {StagedEvent.__table__} CASCADE"))
    with of_the_schemas_owner(connection):
        StagedEvent.__table__.create(connection)  # type: ignore[attr-defined]
    return rows


def alone(connection: Connection, what: str) -> None:
    """Until the end of the transaction, nobody else does `what` to the bookkeeping."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sidb backfill {what}", 0))))
