"""Recommended content."""

from datetime import timedelta

import factory

from models import ContentRecommendation
from tests.factories.base import NOW, NicheKey, RowFactory
from tests.factories.niches import score


class ContentRecommendationFactory(RowFactory):
    """A video recommended to everybody, valid for a week."""

    class Meta:
        model = ContentRecommendation

    class Params:
        personal = factory.Trait(user_id="user-1")
        expired = factory.Trait(created_at=NOW - timedelta(days=8), valid_until=NOW - timedelta(days=1))

    niche_id = NicheKey()
    content_type = "video"
    title = factory.Sequence(lambda n: f"Ten things about niche {n}")
    description = "Demand is high and few videos answer it."
    content_format = "tutorial"
    keywords = factory.LazyAttribute(lambda _: ["how to", "beginner"])
    opportunity_score = score(997)
    audience_match = score(1499)
    estimated_views = factory.Sequence(lambda n: 1000 + n)
    trend_status = "rising"
    competition_level = "low"
    model_version = "1.0"
    created_at = NOW - timedelta(minutes=1)
    valid_until = NOW + timedelta(days=7)
