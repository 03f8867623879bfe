"""Feature vectors."""

import factory

from models import MlFeature
from tests.factories.base import NicheKey, RowFactory


class MlFeatureFactory(RowFactory):
    """A niche's vector of three features; the dimension follows the vector."""

    class Meta:
        model = MlFeature

    niche_id = NicheKey()
    feature_set = "phase1_scores"
    model_version = "1.0"
    vector = factory.LazyAttribute(lambda _: [0.25, 0.5, 0.75])
    dimension = factory.LazyAttribute(lambda row: len(row.vector))
