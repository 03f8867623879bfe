"""Rows whose time is over: neither staged nor written, once their table's horizon has passed them."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from backfill.queries import query
from backfill.tables import LoadedFile, StagedEvent
from models import AnalyticsEvent

ROWS = 20_000  # that go from staging at once


def horizon(connection: Connection, relation: str = AnalyticsEvent.__tablename__) -> datetime | None:
    """From when on a table's rows are kept; None: whatever their age."""
    if not connection.scalar(select(func.to_regclass("analytics.retention").is_not(None))):
        return None
    found: datetime | None = connection.scalar(query("horizon"), {"relation": relation})
    return found


def drop_incoming(connection: Connection) -> int:
    """Take them out of the table of a file that is about to be staged; how many."""
    if (kept_from := horizon(connection)) is None:
        return 0
    while drop_staged(connection, kept_from):  # a file that lacks them lacks nothing
        pass
    rows: int = connection.execute(query("drop_expired_incoming"), {"horizon": kept_from}).rowcount
    return rows


def drop_staged(connection: Connection, kept_from: datetime) -> int:
    """Take some of them out of staging, and of what is known of it; how many."""
    if not connection.scalar(select(func.to_regclass(str(StagedEvent.__table__)).is_not(None))):
        return 0
    rows: int = connection.execute(query("drop_expired_staged"), {"horizon": kept_from, "rows": ROWS}).scalar_one()
    return rows


def of_files(connection: Connection) -> int:
    """How many records of loaded files are left out or gone because their time is over. Reads only."""
    if not is_known(connection):
        return 0
    return connection.scalar(select(func.coalesce(func.sum(LoadedFile.expired), 0))) or 0


def is_known(connection: Connection) -> bool:
    """Whether the backfill's bookkeeping is there, and not that of older code."""
    return bool(connection.scalar(query("knows_expired")))
