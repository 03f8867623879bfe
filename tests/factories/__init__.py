"""Rows for tests: one factory for each model, valid by default, with traits for notable states.

They need the ``session`` fixture. The same rows at every run: what differs between rows comes from their number.
"""

from tests.factories.activity import (
    NicheDailyActivityDeltaFactory,
    NicheDailyActivitySummaryFactory,
    StaleViewFactory,
)
from tests.factories.base import NOW
from tests.factories.events import AnalyticsEventFactory
from tests.factories.insights import InsightFactory
from tests.factories.learning import MlFeatureFactory
from tests.factories.niches import FALLING, RISING, STABLE, FeatureFactory, HotNicheTodayFactory, daily
from tests.factories.platforms import CrossPlatformMetricFactory
from tests.factories.recommendations import ContentRecommendationFactory
from tests.factories.retention import NicheDailyActivityKeptFactory, RetentionFactory
from tests.factories.trends import TrendCacheFactory

__all__ = [
    "FALLING",
    "NOW",
    "RISING",
    "STABLE",
    "AnalyticsEventFactory",
    "ContentRecommendationFactory",
    "CrossPlatformMetricFactory",
    "FeatureFactory",
    "HotNicheTodayFactory",
    "InsightFactory",
    "MlFeatureFactory",
    "NicheDailyActivityDeltaFactory",
    "NicheDailyActivityKeptFactory",
    "NicheDailyActivitySummaryFactory",
    "RetentionFactory",
    "StaleViewFactory",
    "TrendCacheFactory",
    "daily",
]
