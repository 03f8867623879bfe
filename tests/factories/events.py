"""Events, one a minute backwards from now."""

from datetime import timedelta

import factory

from models import AnalyticsEvent
from tests.factories.base import NOW, NicheKey, RowFactory


class AnalyticsEventFactory(RowFactory):
    """Somebody viewed a niche a few minutes ago."""

    class Meta:
        model = AnalyticsEvent

    class Params:
        late = factory.Trait(event_timestamp=NOW - timedelta(days=3))  # written now, happened then
        anonymous = factory.Trait(user_id=None)
        general = factory.Trait(niche_id=None)

    event_type = "view"
    event_source = "youtube"
    event_timestamp = factory.Sequence(lambda n: NOW - timedelta(minutes=n % 600))
    event_data = factory.Sequence(lambda n: {"position": n})
    user_id = factory.Sequence(lambda n: f"user-{n % 10}")
    niche_id = NicheKey()
