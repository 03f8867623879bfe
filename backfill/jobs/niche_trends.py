"""Trends of each niche: ``trend_vector`` from the daily activity, and the 90-day chart in ``trend_cache``.

The days are the 90 before "now", complete ones: today is not over, and would look like a fall. Scorings measure a
niche and are no activity in it: they are left out.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CTE,
    Date,
    Numeric,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, insert

from backfill.job import Part, Rows, only, table_of
from backfill.jobs.niche_scores import SCORED
from backfill.jobs.phase1 import Phase1Job
from models import AnalyticsEvent, Feature, TrendCache, niche_daily_activity

DAYS = 90
FORECAST_DAYS = 7
MOST_OPPORTUNITY = literal(Decimal("9.99999"), Numeric)  # what Phase 1 can hold
VERSION = 1
CHART_LIVES = timedelta(hours=24)
CHART = {"trend_type": "chart", "trend_source": "niche_trends"}
PERIOD = {"period": f"{DAYS}d", "granularity": "daily"}


def window(as_of: datetime) -> tuple[date, date]:
    """The first and the last day of a vector."""
    last = as_of.astimezone(UTC).date() - timedelta(days=1)
    return last - timedelta(days=DAYS - 1), last


def vectors(as_of: datetime, meant: Callable[[Any], Any]) -> CTE:
    """``(niche_id, trend_vector)`` of the niches that are meant and were active."""
    first, last = window(as_of)
    activity = niche_daily_activity.c
    daily = (
        select(activity.niche_id, activity.day, func.sum(activity.events).label("events"))
        .where(meant(activity.niche_id), activity.day.between(first, last))
        .where(activity.event_type != SCORED["event_type"])
        .group_by(activity.niche_id, activity.day)
        .cte("daily")
    )
    niches = select(daily.c.niche_id).distinct().subquery()
    days = _days(first, last)
    events = func.coalesce(daily.c.events, 0)
    return (
        select(niches.c.niche_id, _series(days.c.day, events).label("trend_vector"))
        .select_from(niches.join(days, true()))
        .outerjoin(daily, and_(daily.c.niche_id == niches.c.niche_id, daily.c.day == days.c.day))
        .group_by(niches.c.niche_id)
        .cte("vectors")
    )


def quiet(part: Part) -> Any:
    """The vector of a niche without activity."""
    days = _days(*window(part.as_of))
    return select(_series(days.c.day, literal(0))).scalar_subquery()


def _days(first: date, last: date) -> Any:
    series = func.generate_series(0, (last - first).days).table_valued("number").render_derived()
    return select((literal(first, Date) + series.c.number).label("day")).subquery()


def _series(day: Any, events: Any) -> Any:
    return func.jsonb_agg(aggregate_order_by(func.jsonb_build_array(day, events), day))


def prepare(listed: CTE, part: Part, meant: Callable[[Any], Any]) -> CTE:
    """The vector and the points of the chart of each niche; `meant`: whether a niche may be one of those."""
    active = vectors(part.as_of, meant)
    computed = (
        select(listed, func.coalesce(active.c.trend_vector, quiet(part)).label("computed"))
        .outerjoin(active, active.c.niche_id == listed.c.niche_id)
        .cte("computed")
    )
    points = _points(computed, part)
    series = (
        select(points.c.niche_id, func.jsonb_agg(aggregate_order_by(points.c.point, points.c.at)).label("points"))
        .group_by(points.c.niche_id)
        .subquery()
    )
    return (
        select(
            computed.c.niche_id, computed.c.computed, func.coalesce(series.c.points, literal([], JSONB)).label("points")
        )
        .outerjoin(series, series.c.niche_id == computed.c.niche_id)
        .cte("prepared")
        .prefix_with("MATERIALIZED")
    )


def _charts(batch: CTE, part: Part) -> CTE:
    values = {
        "niche_id": batch.c.niche_id,
        **{name: literal(value) for name, value in CHART.items()},
        "parameters": literal(PERIOD, JSONB),
        "trend_data": func.jsonb_build_object("points", batch.c.points),
        "created_at": literal(part.as_of),
        "valid_until": func.greatest(func.now(), literal(part.as_of)) + CHART_LIVES,
    }
    upsert = insert(TrendCache).from_select(list(values), select(*values.values()).where(_not_newer(batch.c, part)))
    new = upsert.excluded
    upsert = upsert.on_conflict_do_update(
        constraint="trend_cache_key",
        set_={"trend_data": new.trend_data, "created_at": new.created_at, "valid_until": new.valid_until},
        where=TrendCache.created_at <= new.created_at,  # a chart that the application made since stays
    )
    return upsert.returning(TrendCache.trend_id).cte("charts")


def _points(computed: CTE, part: Part) -> Any:
    """Points of the chart: the mean scores of each day that has some, and the present ones carried along the trend."""
    first, last = window(part.as_of)
    event = AnalyticsEvent
    day = cast(func.timezone("UTC", event.event_timestamp), Date)

    def mean(name: str, places: int) -> Any:
        """Of the scorings that give a number: a payload is the application's, and may hold anything."""
        value = event.event_data[name]
        number = case((func.jsonb_typeof(value) == "number", cast(value.astext, Numeric)))
        return func.round(func.avg(number), places)

    past = (
        select(
            event.niche_id,
            day.label("at"),
            _point(day, mean("demand_score", 4), mean("supply_score", 4), mean("opportunity", 5)).label("point"),
        )
        .where(event.niche_id.in_(select(computed.c.niche_id)), event.event_type == SCORED["event_type"])
        .where(event.event_timestamp >= datetime.combine(first, datetime.min.time(), UTC))
        .where(event.event_timestamp < datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC))
        .group_by(event.niche_id, day)
    )
    known = func.analytics.trend_of(computed.c.computed).table_valued("slope", "confidence").lateral("known")
    trends = select(computed.c.niche_id, known.c.slope, known.c.confidence).join(known, true()).cte("trends")
    trend = trends.prefix_with("MATERIALIZED")  # or it is worked out for each point
    ahead = func.generate_series(1, FORECAST_DAYS).table_valued("number").render_derived("ahead")
    at = literal(last, Date) + ahead.c.number
    factor = func.greatest(0, 1 + cast(trend.c.slope, Numeric) * ahead.c.number)
    confidence = func.round(
        cast(trend.c.confidence, Numeric) * (1 - cast(ahead.c.number, Numeric) / (2 * FORECAST_DAYS)), 4
    )
    forecast = (
        select(
            computed.c.niche_id,
            at.label("at"),
            _point(
                at,
                func.round(func.least(1, computed.c.demand_score * factor), 4),
                computed.c.supply_score,
                func.round(func.least(MOST_OPPORTUNITY, computed.c.opportunity * factor), 5),
                confidence,
            ).label("point"),
        )
        .select_from(computed.join(trend, trend.c.niche_id == computed.c.niche_id).join(ahead, true()))
        .where(computed.c.demand_score.is_not(None))
    )
    return union_all(past, forecast).subquery("points")


def _point(at: Any, demand: Any, supply: Any, opportunity: Any, confidence: Any = None) -> Any:
    is_forecast = literal(confidence is not None)
    parts = {"at": at, "demand": demand, "supply": supply, "opportunity": opportunity, "forecast": is_forecast}
    parts["confidence"] = null() if confidence is None else confidence
    return func.jsonb_build_object(*(part for item in parts.items() for part in item))


def _not_newer(niche: Any, part: Part) -> Any:
    """Whether nobody has analysed the niche since "now"."""
    return or_(niche.last_analyzed_at.is_(None), niche.last_analyzed_at <= part.as_of)


class NicheTrends(Phase1Job):
    """Niches, and their activity."""

    def meant(self, listed: CTE, niche_id: Any) -> Any:
        """Whether a niche lies among those listed. Bounds, unlike a list, are seen through the view by the planner."""
        ends = [select(end(listed.c.niche_id)).scalar_subquery() for end in (func.min, func.max)]
        return niche_id.between(*ends)

    def take(self, listed: CTE, part: Part) -> CTE:
        """What takes long is worked out before the rows are locked; those that the application holds are left."""
        prepared = prepare(listed, part, lambda niche_id: self.meant(listed, niche_id))
        features = table_of(Feature)
        rows = only(select(features, prepared.c.computed, prepared.c.points, self.kept(Feature)), Feature)
        locked = rows.join(prepared, prepared.c.niche_id == features.c.niche_id)
        return locked.with_for_update(of=features, skip_locked=True, key_share=True).cte("batch")

    def write(self, batch: CTE, part: Part) -> tuple[CTE, ...]:
        present = batch.c
        changed = or_(
            present.trend_vector.is_distinct_from(present.computed),
            present.last_analyzed_at.is_(None),
            present.analytics_version < VERSION,
        )
        filled = (
            update(Feature)
            .with_hint("ONLY", dialect_name="postgresql")
            .values(trend_vector=present.computed, last_analyzed_at=part.as_of, analytics_version=VERSION)
            .where(Feature.niche_id == present.niche_id, changed, _not_newer(present, part))
            .returning(Feature.niche_id, self.kept(Feature))
            .cte("filled")
        )
        return filled, self.unchanged(filled, batch), _charts(batch, part)

    def expected(self, part: Part) -> Rows:
        """The vectors, computed anew, of niches that nobody has analysed since; the chart is a cache, and expires."""
        active = vectors(part.as_of, part.of)
        vector = func.coalesce(active.c.trend_vector, quiet(part)).label("trend_vector")
        return (
            only(select(Feature.niche_id.label("key"), vector), Feature)
            .outerjoin(active, active.c.niche_id == Feature.niche_id)
            .where(part.of(Feature.niche_id), _not_newer(Feature, part))
        )

    def actual(self, part: Part) -> Rows:
        vector = case((Feature.analytics_version >= VERSION, Feature.trend_vector)).label("trend_vector")
        rows = only(select(Feature.niche_id.label("key"), vector), Feature)
        return rows.where(part.of(Feature.niche_id), _not_newer(Feature, part))


NICHE_TRENDS = NicheTrends(
    name="niche_trends",
    fills=(Feature.trend_vector, Feature.last_analyzed_at, TrendCache),
    partition_column=Feature.niche_id,
    key=Feature.niche_id,
    time=Feature.updated_at,
    width=1_000,
    needs="event_history",
    seconds=0.2,  # of which rows are locked for a part
    before=select(func.analytics.drain_niche_daily_activity()),
)
