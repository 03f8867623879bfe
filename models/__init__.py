"""The target state of the database: tables, views, functions, triggers and grants. Imports nothing local.

``Base.metadata.create_all(engine)`` builds all of it.
"""

from models.activity import NicheDailyActivityDelta, NicheDailyActivitySummary, StaleView, niche_daily_activity
from models.base import ANALYTICS, PARTITIONS, Base
from models.events import AnalyticsEvent
from models.insights import Insight
from models.learning import MlFeature
from models.niches import Feature, HotNicheToday
from models.platforms import CrossPlatformMetric
from models.recommendations import ContentRecommendation
from models.retention_horizon import NicheDailyActivityKept, Retention
from models.trends import TrendCache
from models.views import HOT_NICHES_TODAY, ROLES, SQL_FILES, SqlFile

__all__ = [
    "ANALYTICS",
    "HOT_NICHES_TODAY",
    "PARTITIONS",
    "ROLES",
    "SQL_FILES",
    "AnalyticsEvent",
    "Base",
    "ContentRecommendation",
    "CrossPlatformMetric",
    "Feature",
    "HotNicheToday",
    "Insight",
    "MlFeature",
    "NicheDailyActivityDelta",
    "NicheDailyActivityKept",
    "NicheDailyActivitySummary",
    "Retention",
    "SqlFile",
    "StaleView",
    "TrendCache",
    "niche_daily_activity",
]
