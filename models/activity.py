"""Activity: events counted by niche, day and type, kept exact by triggers that only append.

Writers append deltas, so that they never wait for one another; ``analytics.drain_niche_daily_activity()`` folds the
deltas into the summary; the view ``analytics.niche_daily_activity`` adds the two and is exact at every moment.
The SQL is in ``sql/functions``, ``sql/triggers`` and ``sql/views``.
"""

from datetime import date

from sqlalchemy import DDL, BigInteger, Date, Identity, Index, Text, column, event, table, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ANALYTICS, Base, Timestamp

niche_daily_activity = table(
    "niche_daily_activity",
    column("niche_id", BigInteger),
    column("day", Date),
    column("event_type", Text),
    column("events", BigInteger),
    schema=ANALYTICS,
)
"""The view to read: number of events of a niche on a UTC day by type, exact at every moment."""


class NicheDailyActivitySummary(Base):
    """Events of a niche on a day by type, as of the last drain; read the view instead."""

    __tablename__ = "niche_daily_activity_summary"

    niche_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="The niche")
    day: Mapped[date] = mapped_column(Date, primary_key=True, comment="The UTC day")
    event_type: Mapped[str] = mapped_column(primary_key=True, comment="Type of the events")
    events: Mapped[int] = mapped_column(comment="Number of events as of the last drain")

    __table_args__ = (
        # The drain deletes rows whose count has come down to zero.
        Index("empty", "niche_id", postgresql_where=text("events = 0")),
        {"schema": ANALYTICS, "comment": "Events by niche, UTC day and type as of the last drain"},
    )


class NicheDailyActivityDelta(Base):
    """A change to the summary that is not folded in yet; appended by the triggers on analytics_events."""

    __tablename__ = "niche_daily_activity_delta"

    niche_id: Mapped[int] = mapped_column(comment="The niche")
    day: Mapped[date] = mapped_column(Date, comment="The UTC day")
    event_type: Mapped[str] = mapped_column(comment="Type of the events")
    events: Mapped[int] = mapped_column(comment="Number of events to add; negative where events went")

    __table_args__ = ({"schema": ANALYTICS, "comment": "Changes to the summary that are not folded in yet"},)
    # No key in the database: its index would be one hot page that all writers of events share.
    __mapper_args__ = {"primary_key": [niche_id, day, event_type]}  # noqa: RUF012 (the declarative API's own attribute)


# Without a key, logical replication needs the whole row to replay the drain's deletes.
event.listen(
    NicheDailyActivityDelta.__table__,
    "after_create",
    DDL("ALTER TABLE %(fullname)s REPLICA IDENTITY FULL"),  # type: ignore[no-untyped-call]
)


class StaleView(Base):
    """A mark that a materialized view is behind its base tables; appended by triggers, one a statement."""

    __tablename__ = "stale_views"

    mark_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True, comment="Key of the mark")
    view_name: Mapped[str] = mapped_column(comment="The materialized view, in schema analytics")
    marked_at: Mapped[Timestamp] = mapped_column(
        server_default=text("clock_timestamp()"), comment="When a base table changed"
    )

    __table_args__ = (
        {"schema": ANALYTICS, "comment": "Marks of materialized views that refresh_stale_views has to refresh"},
    )
