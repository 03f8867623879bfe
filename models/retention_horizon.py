"""Retention: from which day on rows are kept, and the daily activity of the days before it.

Whatever counts events anew or writes history leaves days before the horizon alone: their events go, or have gone, and
their activity stays. ``analytics.move_retention_horizon`` moves the horizon, always before rows go.
"""

from datetime import date

from sqlalchemy import Date, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ANALYTICS, NOW, Base, Timestamp


class Retention(Base):
    """The horizon of a table; one without a row here is kept whole."""

    __tablename__ = "retention"

    relation: Mapped[str] = mapped_column(primary_key=True, comment="The table, in schema analytics")
    kept_from: Mapped[date] = mapped_column(
        Date, comment="UTC day from which rows are kept; those of earlier days go, or have gone"
    )
    moved_at: Mapped[Timestamp] = mapped_column(server_default=NOW, comment="When the horizon was moved last")

    __table_args__ = ({"schema": ANALYTICS, "comment": "The horizon of each table whose rows are kept for a time"},)


class NicheDailyActivityKept(Base):
    """Events of a niche on a day by type, of days whose events go: not to be counted again; read the view instead."""

    __tablename__ = "niche_daily_activity_kept"

    niche_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="The niche")
    day: Mapped[date] = mapped_column(Date, primary_key=True, comment="The UTC day, before the horizon of the events")
    event_type: Mapped[str] = mapped_column(primary_key=True, comment="Type of the events")
    events: Mapped[int] = mapped_column(comment="Number of events that were recorded, less those erased")

    __table_args__ = (
        # The drain deletes rows whose count has come down to zero.
        Index("empty", "niche_id", postgresql_where=text("events = 0")),
        {"schema": ANALYTICS, "comment": "Events by niche, UTC day and type of days before the horizon of the events"},
    )
