"""What the views show: the plain ones what is current, the materialized ones what was true at the last refresh."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Row, null, orm, text

from tests.factories import (
    NOW,
    ContentRecommendationFactory,
    CrossPlatformMetricFactory,
    FeatureFactory,
    InsightFactory,
    TrendCacheFactory,
)

SOON = NOW + timedelta(hours=1)
JUST_NOW = NOW - timedelta(seconds=1)


def shown(session: orm.Session, view: str, key: str) -> set[int]:
    session.flush()
    return set(session.scalars(text(f"SELECT {key} FROM analytics.{view}")))  # noqa: S608


def test_current_trends_have_not_expired(session: orm.Session) -> None:
    current = [
        TrendCacheFactory(),
        TrendCacheFactory(correlation=True),
        TrendCacheFactory(general=True),
        TrendCacheFactory(valid_until=SOON),
    ]
    TrendCacheFactory(expired=True)
    TrendCacheFactory(valid_until=JUST_NOW)
    assert shown(session, "current_trends", "trend_id") == {row.trend_id for row in current}


def test_active_recommendations_have_not_expired(session: orm.Session) -> None:
    active = [ContentRecommendationFactory(), ContentRecommendationFactory(personal=True, valid_until=SOON)]
    ContentRecommendationFactory(expired=True)
    ContentRecommendationFactory(valid_until=JUST_NOW)
    assert shown(session, "active_recommendations", "recommendation_id") == {r.recommendation_id for r in active}


def test_published_insights_are_out_and_have_not_expired(session: orm.Session) -> None:
    published = [
        InsightFactory(),
        InsightFactory(general=True),
        InsightFactory(lasting=True),
        InsightFactory(published_at=JUST_NOW),
    ]
    InsightFactory(draft=True)
    InsightFactory(draft=True, lasting=True)
    InsightFactory(scheduled=True)
    InsightFactory(expired=True)
    InsightFactory(valid_until=JUST_NOW)
    assert shown(session, "published_insights", "insight_id") == {row.insight_id for row in published}


def refreshed(session: orm.Session, view: str) -> list[Row[tuple[object, ...]]]:
    session.flush()
    session.execute(text("SELECT analytics.refresh_stale_views()"))
    return list(session.execute(text(f"SELECT * FROM analytics.{view} ORDER BY 1, 2")).all())  # noqa: S608


def test_trending_niches_are_the_analysed_ones_with_their_trend(session: orm.Session) -> None:
    niches = {
        FeatureFactory(rising=True).niche_id: ("rising", 13),
        FeatureFactory(falling=True).niche_id: ("falling", 13),
        FeatureFactory(analysed=True).niche_id: ("stable", 14),
        FeatureFactory(analysed=True, trend_vector=[]).niche_id: ("stable", 0),
    }
    FeatureFactory()  # not analysed: not shown
    rows = refreshed(session, "trending_niches")
    assert {row.niche_id: (row.direction, row.days_trending) for row in rows} == niches
    trend = text(
        "SELECT niche_id, phrase, opportunity, (t).direction, (t).days, (t).slope, (t).volatility, (t).confidence,"
        " last_analyzed_at FROM (SELECT *, analytics.trend_of(trend_vector) AS t FROM features) AS f"
        " WHERE trend_vector IS NOT NULL ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [tuple(row) for row in session.execute(trend)]


def test_platform_comparison_takes_the_newest_of_each_platform(session: orm.Session) -> None:
    niche, other = FeatureFactory().niche_id, FeatureFactory().niche_id
    CrossPlatformMetricFactory(niche_id=niche, platform="youtube", demand_score=Decimal("0.6"))
    CrossPlatformMetricFactory(niche_id=niche, platform="youtube", yesterday=True, demand_score=Decimal("0.1"))
    CrossPlatformMetricFactory(niche_id=niche, platform="tiktok", yesterday=True, demand_score=Decimal("0.2"))
    CrossPlatformMetricFactory(niche_id=niche, platform="instagram", demand_score=None)
    CrossPlatformMetricFactory(niche_id=other, platform="youtube", demand_score=Decimal(0))
    CrossPlatformMetricFactory(niche_id=other, platform="tiktok", undated=True)  # of no day: cannot be the newest
    CrossPlatformMetricFactory(niche_id=None, platform="tiktok")
    rows = refreshed(session, "platform_comparison")
    assert [(row.niche_id, row.platform, row.demand_score, row.demand_share, row.demand_rank) for row in rows] == [
        (niche, "instagram", None, None, 3),
        (niche, "tiktok", Decimal("0.2"), Decimal("0.25"), 2),
        (niche, "youtube", Decimal("0.6"), Decimal("0.75"), 1),
        (other, "youtube", 0, None, 1),
    ]
    assert [row.metric_date for row in rows if row.platform == "tiktok"] == [(NOW - timedelta(days=1)).date()]


# Statements, and how often they mark the view.
FEATURE_STATEMENTS = {
    "INSERT INTO features (phrase) VALUES ('new')": 1,
    "UPDATE features SET phrase = phrase || '!'": 1,
    "UPDATE features SET opportunity = (demand_score * monetise_score) / GREATEST(supply_score, 0.01),"
    " updated_at = now()": 1,  # the nightly scorer
    "UPDATE features SET trend_vector = '[]'": 1,
    "UPDATE features SET last_analyzed_at = now()": 1,
    "DELETE FROM features WHERE niche_id = 200": 1,
    "TRUNCATE features CASCADE": 1,
    "UPDATE features SET demand_score = 0.5, monetise_score = 0.5, supply_score = 0.5 WHERE niche_id = 1": 0,  # API
    "UPDATE features SET updated_at = now(), analytics_version = 1": 0,
}
METRIC = "INSERT INTO analytics.cross_platform_metrics (niche_id, platform) VALUES (1, 'youtube')"
METRIC_STATEMENTS = {
    METRIC: 1,
    "UPDATE analytics.cross_platform_metrics SET demand_score = 0.5": 1,
    "DELETE FROM analytics.cross_platform_metrics": 1,
    "TRUNCATE analytics.cross_platform_metrics": 1,
    f"{METRIC} ON CONFLICT (niche_id, platform, metric_date) DO UPDATE SET demand_score = 0.1": 2,
    "SELECT count(*) FROM analytics.cross_platform_metrics": 0,
}


@pytest.mark.parametrize(
    ("view", "statements"), [("trending_niches", FEATURE_STATEMENTS), ("platform_comparison", METRIC_STATEMENTS)]
)
def test_marks(session: orm.Session, view: str, statements: dict[str, int]) -> None:
    """What could change the view appends a mark (to triggers, an upsert is two statements), and nothing else does."""
    for statement, marks in statements.items():
        with session.begin_nested() as savepoint:
            session.execute(text("DELETE FROM analytics.stale_views"))
            session.execute(text(statement))
            found = session.scalars(text("SELECT view_name FROM analytics.stale_views")).all()
            savepoint.rollback()
        if statement.startswith("TRUNCATE features"):  # its CASCADE reaches the metrics too
            assert sorted(found) == ["platform_comparison", view], statement
        else:
            assert found == [view] * marks, statement


def test_an_undated_metric_has_no_day(session: orm.Session) -> None:
    assert CrossPlatformMetricFactory(updated_at=null()).metric_date is None
    assert CrossPlatformMetricFactory(updated_at=NOW).metric_date == NOW.date()


@pytest.mark.parametrize(("instant", "day"), [("2017-09-13 23:59:59+00", 13), ("2017-09-13 23:59:59-01", 14)])
def test_the_day_of_a_metric_is_the_utc_day(session: orm.Session, instant: str, day: int) -> None:
    session.execute(text("SET LOCAL timezone = 'Pacific/Kiritimati'"))
    row = CrossPlatformMetricFactory(updated_at=text(f"timestamptz '{instant}'"))
    assert row.metric_date.day == day
