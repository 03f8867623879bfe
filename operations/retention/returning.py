"""What a restore brings back of retention: the horizons, and the activity of the days before that of the events."""

from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from operations.queries import query
from operations.retention.tables import EVENTS, TABLES

RELATIONS = ("analytics.retention", "analytics.niche_daily_activity_kept")
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('analytics.niche_daily_activity', 0))"
NO_EVENTS = SQL("(SELECT NULL::bigint AS niche_id, NULL::timestamptz AS event_timestamp, NULL::text AS event_type)")


def come_back(connection: psycopg.Connection[Any], archive: str, *, with_events: bool) -> str | None:
    """Merge both from the archive, in the open transaction; the horizon of the events is given, if there is one.

    `with_events`: the archive has events that are not back yet.
    """
    connection.execute(LOCK)  # nobody drains or counts anew meanwhile
    events = Identifier(archive, EVENTS.name) if with_events else NO_EVENTS
    statement = SQL(query("retention/come_back")).format(archive=Identifier(archive), events=events)
    row = connection.execute(statement).fetchone()
    if connection.execute("SELECT to_regclass('sidb.expiry') IS NOT NULL").fetchone() == (True,):
        # Tables come back with rows that are too old: the next sidb maintain looks for them.
        connection.execute("UPDATE sidb.expiry SET kept_from = '-infinity' WHERE aside IS NULL")
    return row[0] if row else None


def is_kept(relation: str) -> Composed | SQL:
    """Whether a row `a` is not before the horizon of a table; only where there is a table of horizons."""
    for each in TABLES:
        if each.relation == relation:
            return SQL(
                "NOT EXISTS (SELECT FROM analytics.retention AS r WHERE r.relation = {}"
                " AND a.{} < r.kept_from::timestamp AT TIME ZONE 'UTC')"
            ).format(each.name, Identifier(each.time))
    return SQL("true")


def is_wanted(connection: psycopg.Connection[Any], archive: str) -> bool:
    """Whether there is something to bring back: not at a revision without horizons, where none was set either."""
    return has_horizons(connection) or not _holds_nothing(connection, archive)


def _holds_nothing(connection: psycopg.Connection[Any], archive: str) -> bool:
    if connection.execute("SELECT to_regclass(%s) IS NULL", [f"{archive}.retention"]).fetchone() == (True,):
        return True
    statement = SQL("SELECT NOT EXISTS (SELECT FROM {}) AND NOT EXISTS (SELECT FROM {})")
    names = (Identifier(archive, relation.partition(".")[2]) for relation in RELATIONS)
    return connection.execute(statement.format(*names)).fetchone() == (True,)


def has_horizons(connection: psycopg.Connection[Any]) -> bool:
    """Whether there is a table of horizons at this revision."""
    return connection.execute("SELECT to_regclass('analytics.retention') IS NOT NULL").fetchone() == (True,)
