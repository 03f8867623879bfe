"""The keys that upserts stand on."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import orm, select
from sqlalchemy.dialects.postgresql import insert

from tests.factories import (
    ContentRecommendationFactory,
    CrossPlatformMetricFactory,
    InsightFactory,
    MlFeatureFactory,
    NicheDailyActivityKeptFactory,
    NicheDailyActivitySummaryFactory,
    RetentionFactory,
    TrendCacheFactory,
)
from tests.factories.base import RowFactory


@pytest.mark.parametrize(
    ("factory", "key", "values", "changed"),
    [
        (TrendCacheFactory, "trend_cache_key", {"niche_id": 1}, {"trend_data": {"points": []}}),
        (TrendCacheFactory, "trend_cache_key", {"niche_id": None}, {"trend_data": {"points": []}}),
        (
            CrossPlatformMetricFactory,
            "cross_platform_metrics_niche_id_platform_metric_date_key",
            {"niche_id": 1, "platform": "tiktok"},
            {"demand_score": Decimal("0.25")},
        ),
        (
            ContentRecommendationFactory,
            "content_recommendations_key",
            {"niche_id": 1, "title": "same"},
            {"opportunity_score": Decimal("0.25")},
        ),
        (
            MlFeatureFactory,
            "ml_features_niche_id_feature_set_model_version_key",
            {"niche_id": 1},
            {"vector": [3.0, 2.0, 1.0]},
        ),
        (InsightFactory, "insight_registry_key", {"niche_id": None, "title": "same"}, {"score": Decimal("0.25")}),
        (NicheDailyActivitySummaryFactory, "niche_daily_activity_summary_pkey", {"niche_id": 1}, {"events": 9}),
        (NicheDailyActivityKeptFactory, "niche_daily_activity_kept_pkey", {"niche_id": 1}, {"events": 9}),
        (RetentionFactory, "retention_pkey", {"relation": "trend_cache"}, {"kept_from": date(2017, 9, 1)}),
    ],
)
def test_upserts(
    session: orm.Session, factory: type[RowFactory], key: str, values: dict[str, Any], changed: dict[str, Any]
) -> None:
    """The same statement twice leaves one row, with what the second one brought."""
    model = factory._meta.model
    for news in ({}, changed):
        row = factory.build(**values, **news)
        written = {c.key: getattr(row, c.key) for c in model.__table__.columns if c.key in vars(row)}
        session.execute(insert(model).values(written).on_conflict_do_update(constraint=key, set_=written))
    kept = session.scalars(select(model)).one()
    assert {name: getattr(kept, name) for name in changed} == changed
