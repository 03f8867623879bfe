"""Events: what happened, one row an event (plan, "Sample Migration Script"), in partitions by month.

The partitions stand in a schema of their own; which there are at first is in ``sql/partitions.sql``.
"""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ANALYTICS, NOW, Base, RetentionPeriod, Timestamp
from models.niches import Feature


class AnalyticsEvent(Base):
    """A granular event; columns and the first four indexes are the plan's to the letter.

    The key holds event_timestamp, too, by which the table is partitioned: event_id alone is unique by its sequence.
    """

    __tablename__ = "analytics_events"

    event_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=True, comment="Key of the event with event_timestamp, in order of arrival"
    )
    event_type: Mapped[str] = mapped_column(comment="What happened, for example niche_scored, search or view")
    event_source: Mapped[str] = mapped_column(comment="Which program or platform reported it")
    event_timestamp: Mapped[Timestamp] = mapped_column(
        primary_key=True, comment="When it happened; its UTC date is the event's day"
    )
    event_data: Mapped[dict[str, Any]] = mapped_column(comment="Payload, as its event_type defines it")
    user_id: Mapped[str | None] = mapped_column(comment="Who did it; NULL: nobody in particular. Subject to erasure")
    niche_id: Mapped[int | None] = mapped_column(
        ForeignKey(Feature.niche_id), comment="The niche it concerns; NULL: none in particular"
    )
    created_at: Mapped[Timestamp | None] = mapped_column(server_default=NOW, comment="When the row was written")

    __table_args__ = (
        Index("timestamp", "event_timestamp"),
        Index("type_source", "event_type", "event_source"),
        Index("niche_id", "niche_id"),
        Index("user_id", "user_id"),
        # niche_history: one niche's scoring events over a year, in order of time
        Index("niche_history", "niche_id", "event_type", "event_timestamp"),
        {
            "schema": ANALYTICS,
            "comment": "Granular events, one row each, partitioned by month; counted by niche, day and type in"
            " niche_daily_activity",
            "postgresql_partition_by": "RANGE (event_timestamp)",
            "info": {"retention": RetentionPeriod("event_timestamp", months=24)},
        },
    )
