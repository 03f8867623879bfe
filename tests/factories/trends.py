"""Cached trends: charts of one niche, correlations of a pair."""

from datetime import timedelta

import factory

from models import TrendCache
from tests.factories.base import NOW, NicheKey, RowFactory


class TrendCacheFactory(RowFactory):
    """A chart of a niche, calculated a minute ago and valid for 24 hours."""

    class Meta:
        model = TrendCache

    class Params:
        correlation = factory.Trait(
            trend_type="correlation",
            related_niche_id=NicheKey(),
            parameters={},
            trend_data={"coefficient": 0.8, "relationship": "leads", "lag_days": 2},
            valid_until=NOW + timedelta(hours=1),
        )
        expired = factory.Trait(created_at=NOW - timedelta(hours=25), valid_until=NOW - timedelta(hours=1))
        general = factory.Trait(niche_id=None)

    trend_type = "chart"
    trend_source = "niche_trends"
    trend_data = factory.LazyAttribute(lambda _: {"points": [{"at": str(NOW), "demand": 0.5, "forecast": False}]})
    parameters = factory.LazyAttribute(lambda _: {"period": "30d", "granularity": "daily"})
    created_at = NOW - timedelta(minutes=1)
    valid_until = NOW + timedelta(hours=24)
    niche_id = NicheKey()
