"""The factories make what they promise: every state of every row is valid, and the graph around it exists."""

import inspect

import pytest
from factory.declarations import Trait
from sqlalchemy import func, orm, select, text

from models import AnalyticsEvent, Base, Feature
from tests import factories
from tests.factories.base import RowFactory

FACTORIES = [made for _, made in inspect.getmembers(factories, inspect.isclass) if issubclass(made, RowFactory)]


def test_each_model_has_one() -> None:
    assert {made._meta.model for made in FACTORIES} == {mapper.class_ for mapper in Base.registry.mappers}
    assert len(FACTORIES) == len(list(Base.registry.mappers))


def test_every_state_is_valid(session: orm.Session) -> None:
    for made in FACTORIES:
        traits = [name for name, value in made._meta.parameters.items() if isinstance(value, Trait)]
        for state in [{}, *({trait: True} for trait in traits)]:
            row = made(**state)
            session.refresh(row)  # as the database has it
        made.create_batch(2)


def test_an_event_has_a_niche_that_exists(session: orm.Session) -> None:
    event = factories.AnalyticsEventFactory(niche_id__phrase="sourdough")
    assert session.get_one(Feature, event.niche_id).phrase == "sourdough"


def test_a_given_niche_is_taken_and_none_is_made(session: orm.Session) -> None:
    niche = factories.FeatureFactory()
    before = session.scalar(select(func.count()).select_from(Feature))
    factories.AnalyticsEventFactory(niche_id=niche.niche_id)
    factories.AnalyticsEventFactory(general=True)
    assert session.scalar(select(func.count()).select_from(Feature)) == before
    assert session.scalars(select(AnalyticsEvent.niche_id)).all() == [niche.niche_id, None]


@pytest.mark.parametrize(("trait", "direction"), [("rising", "rising"), ("falling", "falling"), ("analysed", "stable")])
def test_trend_vectors_have_the_trend_they_are_named_for(session: orm.Session, trait: str, direction: str) -> None:
    niche = factories.FeatureFactory(**{trait: True})
    assert len(niche.trend_vector) == 90
    query = text("SELECT (analytics.trend_of(trend_vector)).direction FROM features WHERE niche_id = :niche")
    assert session.scalar(query, {"niche": niche.niche_id}) == direction
