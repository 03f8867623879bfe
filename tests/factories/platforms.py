"""Metrics of niches on platforms."""

from datetime import timedelta
from decimal import Decimal

import factory
from sqlalchemy import null

from models import CrossPlatformMetric
from tests.factories.base import NOW, NicheKey, RowFactory
from tests.factories.niches import score


class CrossPlatformMetricFactory(RowFactory):
    """A niche on YouTube today."""

    class Meta:
        model = CrossPlatformMetric

    class Params:
        yesterday = factory.Trait(updated_at=NOW - timedelta(days=1))
        undated = factory.Trait(updated_at=null())  # None would leave it to the default
        shrinking = factory.Trait(growth_rate=Decimal("-0.25"))

    niche_id = NicheKey()
    platform = "youtube"
    demand_score = score(997)
    supply_score = score(2003)
    engagement_score = score(1499)
    growth_rate = Decimal("0.25")
    updated_at = NOW
    audience_demographics = factory.LazyAttribute(
        lambda _: {"age": {"18-24": 0.4, "25-34": 0.6}, "gender": {"female": 0.5, "male": 0.5}}
    )
