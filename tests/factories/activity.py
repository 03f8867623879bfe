"""What the triggers write; tests write it themselves only to see what these tables refuse."""

import factory

from models import NicheDailyActivityDelta, NicheDailyActivitySummary, StaleView
from tests.factories.base import NOW, NicheKey, RowFactory


class NicheDailyActivitySummaryFactory(RowFactory):
    """One view of a niche today, folded in."""

    class Meta:
        model = NicheDailyActivitySummary

    niche_id = NicheKey()
    day = NOW.date()
    event_type = "view"
    events = 1


class NicheDailyActivityDeltaFactory(RowFactory):
    """One view of a niche today, not folded in yet."""

    class Meta:
        model = NicheDailyActivityDelta

    class Params:
        gone = factory.Trait(events=-1)

    niche_id = NicheKey()
    day = NOW.date()
    event_type = "view"
    events = 1


class StaleViewFactory(RowFactory):
    """A mark on trending_niches."""

    class Meta:
        model = StaleView

    view_name = "trending_niches"
