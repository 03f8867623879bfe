"""Reads what is measured, in one read-only transaction; what this role may not see becomes a question left open."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from alembic_online.database import engine, shown
from alembic_online.errors import OnlineError
from alembic_online.held import reason
from alembic_online.messages import first_line
from alembic_online.sessions import driver
from psycopg import sql
from psycopg.rows import class_row
from sqlalchemy import URL, NullPool

from models import ANALYTICS, SQL_FILES, Base
from operations.findings import Check
from operations.monitor.growth import Growth, read_growth
from operations.monitor.thresholds import BLOAT, DELTAS, MANY_BYTES, READ_TIMES, REPLICAS, RETENTION, VIEWS
from operations.queries import query
from operations.retention.due import Due, due
from operations.status.amiss import amiss

# A monitor must not become the load, nor wait behind a migration.
# Without a search path, names are printed whole.
CAREFULLY = """
    SET TRANSACTION READ ONLY;
    SET LOCAL statement_timeout = '30s';
    SET LOCAL lock_timeout = '2s';
    SET LOCAL search_path = ''
"""

Connection = psycopg.Connection[Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    """What decides which questions can be asked; the schemas of two extensions are None where these are missing."""

    at: datetime
    standby: bool
    role: str
    sees_all: bool
    counted_since: datetime | None
    statements_schema: str | None
    tuples_schema: str | None


@dataclass(frozen=True)
class Table:
    """A table or materialized view; counters since statistics were last reset, on this server.

    `partitioned`: the sum of its partitions, which are tables besides.
    """

    oid: int
    name: str
    view: bool
    partitioned: bool
    rows: int
    bytes: int
    index_bytes: int
    whole_scans: int
    index_scans: int
    dead_rows: int
    vacuumed: datetime | None
    analyzed: datetime | None
    xid_age: int
    blocks_hit: int
    blocks_read: int
    autovacuum: bool


@dataclass(frozen=True)
class Index:
    name: str
    of_table: int
    bytes: int
    scans: int
    unique: bool
    valid: bool
    partitioned: bool


@dataclass(frozen=True)
class Statement:
    """A statement on the new tables, its parameters replaced; `reads`: it changes nothing."""

    id: str
    query: str
    reads: bool
    calls: int
    mean_seconds: float
    max_seconds: float
    total_seconds: float


@dataclass(frozen=True)
class View:
    """`stale_seconds` is None where the view is not marked, `refreshed_seconds` where PostgreSQL does not know."""

    name: str
    populated: bool
    stale_seconds: float | None
    refreshed_seconds: float | None


@dataclass(frozen=True)
class Replica:
    name: str
    seconds: float


@dataclass(frozen=True)
class Slot:
    name: str
    active: bool


@dataclass(frozen=True)
class Months:
    """Partitions of events: how many whole months ahead there are, and about how many rows none of them takes."""

    ahead: int
    default_rows: int


@dataclass(frozen=True)
class Open:
    """Why a question could not be asked, and what would let it be."""

    why: str
    remedy: str


@dataclass
class Readings:
    """All that was read. `open` has the checks that could not be looked at, whole or in part.

    `first`: what to type before anything else, while a rollback or a restore is half-way, or the revision unknown.
    """

    database: str
    server: Server
    tables: Sequence[Table]
    indexes: Sequence[Index]
    statements: Sequence[Statement] = ()
    bloat: dict[int, float] = field(default_factory=dict)
    bloat_measured: bool = False
    views: Sequence[View] = ()
    deltas: int | None = None
    months: Months | None = None
    retention: Sequence[Due] = ()
    replicas: Sequence[Replica] = ()
    slots: Sequence[Slot] = ()
    growth: Growth = field(default_factory=Growth)
    first: str | None = None
    open: dict[Check, Open] = field(default_factory=dict)


def read(url: URL, *, thorough: bool = True, keep: bool = True) -> Readings:
    """Look at the database. `thorough`: measure bloat with pgstattuple where there is one, which reads pages.

    With `keep`, keeps the day's sample of sizes where this role may; changes nothing else. Raises OnlineError where
    the new tables are missing, and where the database cannot be read.
    """
    opened = engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with opened.connect() as held:
        connection = driver(held)
        try:
            readings = _read(connection, url, thorough)
            new = [table for table in readings.tables if table.name.startswith(f"{ANALYTICS}.")]
            sizes = {table.name: (table.rows, table.bytes + table.index_bytes) for table in new}
            readings.growth = read_growth(connection, sizes, keep=keep and not readings.server.standby)
            return readings
        except psycopg.Error as error:
            step = "see what holds the tables (SELECT * FROM pg_stat_activity), then run sidb monitor again."
            raise OnlineError(f"{shown(url)} could not be read: {reason(error, held)}", step) from None


def _read(connection: Connection, url: URL, thorough: bool) -> Readings:
    with connection.transaction():
        connection.execute(CAREFULLY)
        (server,) = _rows(connection, Server, query("monitor/server"), {})
        schemas, names = zip(*_relations(), strict=True)
        parameters = {"schemas": list(schemas), "names": list(names)}
        tables = _rows(connection, Table, query("monitor/tables"), parameters)
        first = next((each.next_step for each in amiss(connection) if each.blocks), None)
        if not any(table.name.startswith(f"{ANALYTICS}.") for table in tables):
            raise OnlineError(f"The new tables are not in {shown(url)}.", first or "sidb upgrade")
        oids = [table.oid for table in tables]
        indexes = _rows(connection, Index, query("monitor/indexes"), {"tables": oids})
        found = Readings(shown(url), server, tables, indexes, first=first)
        _statements(connection, found, server)
        _bloat(connection, found, server.tuples_schema if thorough else None)
        _activity(connection, found, server)
    return found


def _relations() -> list[tuple[str, str]]:
    """Schema and name of the tables and materialized views that the models declare, Phase 1's two with them."""
    tables = [(table.schema or "public", table.name) for table in Base.metadata.tables.values()]
    return tables + [(ANALYTICS, file.name) for file in SQL_FILES if file.kind == "materialized_view"]


def _statements(connection: Connection, found: Readings, server: Server) -> None:
    preload = "set shared_preload_libraries = 'pg_stat_statements', restart, and"
    if server.statements_schema is None:
        remedy = f"{preload} CREATE EXTENSION pg_stat_statements;"
        found.open[READ_TIMES] = Open("the extension pg_stat_statements is not in this database", remedy)
        return
    new = [name for schema, name in _relations() if schema == ANALYTICS]
    new += [file.name for file in SQL_FILES if file.kind == "view"]
    names = {"relations": rf"\m({'|'.join(new)}|hot_niches_today)\M"}
    try:
        with connection.transaction():
            statements = _in_schema("monitor/statements", server.statements_schema)
            found.statements = _rows(connection, Statement, statements, names)
            row = connection.execute(_in_schema("monitor/hidden_statements", server.statements_schema)).fetchone()
    except psycopg.errors.ObjectNotInPrerequisiteState:
        found.open[READ_TIMES] = Open("pg_stat_statements is not loaded by this server", f"{preload} look again.")
        return
    if row and row[0]:
        why = f"{row[0]:,} statements of other roles are hidden from {server.role}"
        found.open[READ_TIMES] = Open(why, _grant(server.role))


def _bloat(connection: Connection, found: Readings, measured_in: str | None) -> None:
    large = [table.oid for table in found.tables if table.bytes >= MANY_BYTES and not table.partitioned]
    text: str | sql.Composed = query("monitor/bloat_estimated")
    if measured_in is not None:
        may = "SELECT has_function_privilege(%s, 'EXECUTE')"
        function = f"{sql.Identifier(measured_in).as_string()}.pgstattuple_approx(regclass)"
        if connection.execute(may, [function]).fetchone() == (True,):
            found.bloat_measured = True
            text = _in_schema("monitor/bloat_measured", measured_in)
    found.bloat = {oid: share for oid, share in connection.execute(text, {"tables": large}) if share is not None}
    dark = [table for table in found.tables if table.oid in large and table.oid not in found.bloat]
    may = "SELECT given.oid FROM unnest(%s::oid []) AS given (oid) WHERE has_table_privilege(given.oid, 'SELECT')"
    readable = {oid for (oid,) in connection.execute(may, [[table.oid for table in dark]])}
    # One that was analysed while it was empty has no statistics either.
    if young := [table.name for table in dark if table.analyzed is None or table.oid in readable]:
        found.open[BLOAT] = Open(f"{len(young)} large tables were never analysed", f"ANALYZE {', '.join(young)};")
    elif dark:
        grant = "GRANT analytics_reader, or pg_stat_scan_tables where pgstattuple is installed, to this role."
        found.open[BLOAT] = Open(f"no statistics of {len(dark)} large tables are visible", grant)


def _activity(connection: Connection, found: Readings, server: Server) -> None:
    views = [table.oid for table in found.tables if table.view]
    internal = f"GRANT SELECT ON ALL TABLES IN SCHEMA {ANALYTICS} TO {sql.Identifier(server.role).as_string()};"
    try:
        with connection.transaction():
            found.views = _rows(connection, View, query("monitor/views"), {"views": views})
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable) as error:
        found.open[VIEWS] = _closed(error, internal)
    try:
        with connection.transaction():
            row = connection.execute(query("monitor/pending_deltas")).fetchone()
            found.deltas = row[0] if row else None
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable) as error:
        found.open[DELTAS] = _closed(error, internal)
    found.months = next(iter(_rows(connection, Months, query("monitor/months"), {})), None)
    try:
        with connection.transaction():
            found.retention = due(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        found.open[RETENTION] = _closed(error, internal)
    found.slots = _rows(connection, Slot, query("monitor/slots"), {})
    found.replicas = _rows(connection, Replica, query("monitor/replicas"), {})
    if found.replicas and not server.sees_all and not server.standby:
        found.open[REPLICAS] = Open(f"the lag of replicas is hidden from {server.role}", _grant(server.role))
        found.replicas = ()


def _closed(error: psycopg.Error, grant: str) -> Open:
    if isinstance(error, psycopg.errors.UndefinedTable):
        return Open("they come with revision 2.0.6", "sidb upgrade")
    return Open(first_line(error), grant)


def _grant(role: str) -> str:
    return f"as an administrator: GRANT pg_monitor TO {sql.Identifier(role).as_string()};"


def _in_schema(name: str, schema: str) -> sql.Composed:
    return sql.SQL(query(name)).format(schema=sql.Identifier(schema))


def _rows(connection: Connection, kind: type[T], text: Any, parameters: dict[str, Any]) -> list[T]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(text, parameters).fetchall()
