"""Niches as Phase 1 leaves them, and as the analysis leaves them."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import factory

from models import Feature, HotNicheToday
from tests.factories.base import NOW, NicheKey, RowFactory

TODAY = NOW.date()


def daily(counts: Iterable[int], until: date = TODAY) -> list[list[object]]:
    """A trend vector of these counts, oldest first, the last of them on day ``until``."""
    numbers = list(counts)
    first = until - timedelta(days=len(numbers) - 1)
    return [[(first + timedelta(days=day)).isoformat(), number] for day, number in enumerate(numbers)]


RISING = daily([0] * 76 + list(range(1, 15)))
FALLING = daily([14] * 76 + list(range(14, 0, -1)))
STABLE = daily([5] * 90)


def score(step: int) -> factory.Sequence:
    """A score from 0.1 to 0.9999, another for each row and, by ``step``, for each column."""
    return factory.Sequence(lambda n: Decimal(1000 + n * step % 9000) / 10_000)


class FeatureFactory(RowFactory):
    """A niche with consistent Phase 1 scores, not analysed yet."""

    class Meta:
        model = Feature

    class Params:
        analysed = factory.Trait(trend_vector=STABLE, last_analyzed_at=NOW, analytics_version=1)
        rising = factory.Trait(analysed=True, trend_vector=RISING)
        falling = factory.Trait(analysed=True, trend_vector=FALLING)
        dormant = factory.Trait(updated_at=NOW - timedelta(days=400))

    phrase = factory.Sequence(lambda n: f"niche {n}")
    demand_score = score(997)
    monetise_score = score(1499)
    supply_score = score(2003)
    opportunity = factory.LazyAttribute(lambda row: round(row.demand_score * row.monetise_score / row.supply_score, 5))


class HotNicheTodayFactory(RowFactory):
    """A hot niche as a Phase 1 program writes it: seven columns, the others filled by the database."""

    class Meta:
        model = HotNicheToday

    class Params:
        explicit = factory.Trait(trend_direction="rising", trend_confidence=Decimal("0.9"), days_trending=9)

    niche_id = NicheKey()
    phrase = factory.Sequence(lambda n: f"hot niche {n}")
    demand_score = score(997)
    monetise_score = score(1499)
    supply_score = score(2003)
    opportunity = factory.LazyAttribute(lambda row: round(row.demand_score * row.monetise_score / row.supply_score, 5))
    updated_at = NOW
