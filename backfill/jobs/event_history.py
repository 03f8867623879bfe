"""History exported from elsewhere: from staging into ``analytics.analytics_events``."""

from datetime import timedelta
from typing import Any

from sqlalchemy import CTE, Select, and_, case, exists, func, select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from backfill.job import Job, Slice
from backfill.tables import StagedEvent
from models import AnalyticsEvent

CONTENT = ("event_timestamp", "event_type", "event_source", "event_data", "user_id", "niche_id")


def write(batch: CTE, _slice: Slice) -> tuple[CTE, ...]:
    columns = ["event_id", *CONTENT, "created_at"]
    values = [*(batch.c[name] for name in columns[:-1]), func.coalesce(batch.c.created_at, func.now())]
    # By niche: its row is locked once for all its events, and they come to lie together in the table and in indexes.
    rows = select(*values).order_by(batch.c.niche_id, batch.c.event_timestamp)
    moved = insert(AnalyticsEvent).from_select(columns, rows).on_conflict_do_nothing()
    return (moved.returning(AnalyticsEvent.event_id).cte("moved"),)


def expected(slice: Slice) -> Select[*tuple[Any, ...]]:
    staged = StagedEvent
    content = (getattr(staged, name) for name in CONTENT)
    return select(staged.event_id.label("key"), *content, staged.created_at).where(slice.of(staged.event_timestamp))


def actual(slice: Slice) -> Select[*tuple[Any, ...]]:
    """The staged rows as they are in the target, and rows beside them that hold the same: one was moved twice."""
    staged, event = StagedEvent, AnalyticsEvent
    content = [getattr(event, name) for name in CONTENT]
    created_at = case((staged.created_at.is_not(None), event.created_at)).label("created_at")
    moved = (
        select(event.event_id.label("key"), *content, created_at)
        .join(staged, staged.event_id == event.event_id)
        .where(slice.of(staged.event_timestamp))
    )
    same, twin = aliased(staged), aliased(staged)
    is_staged = exists().where(same.event_timestamp == event.event_timestamp, same.event_id == event.event_id)
    # Apart, so that only what is not staged, live traffic at most, is compared row by row.
    other = (
        select(event.event_id.label("key"), *content, event.created_at)
        .where(slice.of(event.event_timestamp), ~is_staged)
        .cte("other")
        .prefix_with("MATERIALIZED")
    )
    equal = and_(*(getattr(twin, name).is_not_distinct_from(other.c[name]) for name in CONTENT[1:]))
    doubled = select(other).where(exists().where(twin.event_timestamp == other.c.event_timestamp, equal))
    both = union_all(moved, doubled).subquery()
    return select(both)


EVENT_HISTORY = Job(
    name="event_history",
    fills=(AnalyticsEvent,),
    source=StagedEvent,
    cut=StagedEvent.event_timestamp,
    key=StagedEvent.event_id,
    time=StagedEvent.event_timestamp,
    width=timedelta(days=1),
    write=write,
    expected=expected,
    actual=actual,
)
