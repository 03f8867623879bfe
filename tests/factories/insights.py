"""Insights: drafts, published ones, expired ones."""

from datetime import timedelta

import factory

from models import Insight
from tests.factories.base import NOW, NicheKey, RowFactory
from tests.factories.niches import score


class InsightFactory(RowFactory):
    """A gap analysis of a niche, published and valid for 30 days."""

    class Meta:
        model = Insight

    class Params:
        draft = factory.Trait(published_at=None)
        scheduled = factory.Trait(published_at=NOW + timedelta(days=1))
        expired = factory.Trait(valid_until=NOW - timedelta(hours=1))
        lasting = factory.Trait(valid_until=None)
        general = factory.Trait(niche_id=None)

    niche_id = NicheKey()
    insight_type = "gap_analysis"
    title = factory.Sequence(lambda n: f"Gap {n}")
    insight_data = factory.LazyAttribute(lambda _: {"sub_niches": [{"phrase": "mini", "demand": 0.7, "supply": 0.2}]})
    score = score(997)
    model_version = "1.0"
    created_at = NOW - timedelta(days=2)
    published_at = NOW - timedelta(days=1)
    valid_until = NOW + timedelta(days=30)
