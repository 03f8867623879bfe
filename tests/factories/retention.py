"""What `sidb maintain` and the drain write; tests write it themselves only to see what these tables refuse."""

import factory

from models import NicheDailyActivityKept, Retention
from tests.factories.base import NOW, NicheKey, RowFactory


class RetentionFactory(RowFactory):
    """A table whose rows are kept from today on."""

    class Meta:
        model = Retention

    relation = factory.Sequence(lambda number: f"table_{number}")
    kept_from = NOW.date()


class NicheDailyActivityKeptFactory(RowFactory):
    """One view of a niche on a day whose events go."""

    class Meta:
        model = NicheDailyActivityKept

    niche_id = NicheKey()
    day = NOW.date()
    event_type = "view"
    events = 1
