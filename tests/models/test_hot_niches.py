"""hot_niches_today as a table: a Phase 1 writer knows seven columns, and the other three are right all the same."""

from decimal import Decimal

import pytest
from sqlalchemy import Row, orm, text

from tests.factories import RISING, FeatureFactory, HotNicheTodayFactory

SEVEN = "niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at"
NICHE = f"SELECT {SEVEN} FROM features WHERE niche_id = :niche"  # noqa: S608 - our own words
OLD_INSERT = text(f"INSERT INTO hot_niches_today ({SEVEN}) {NICHE}")
UNKNOWN = ("stable", 0, 0)


@pytest.fixture
def rising(session: orm.Session) -> int:
    """A niche with a rising trend; nothing is hot yet."""
    session.execute(text("DELETE FROM hot_niches_today"))
    niche_id: int = FeatureFactory(rising=True).niche_id
    return niche_id


def trend(session: orm.Session) -> Row[tuple[str, Decimal, int]]:
    return session.execute(text("SELECT trend_direction, trend_confidence, days_trending FROM hot_niches_today")).one()


def trend_of(session: orm.Session, niche_id: int) -> Row[tuple[str, Decimal, int]]:
    query = "SELECT (t).direction, (t).confidence, (t).days FROM (SELECT analytics.trend_of(trend_vector) AS t"
    return session.execute(text(f"{query} FROM features WHERE niche_id = :niche) AS f"), {"niche": niche_id}).one()


def test_an_old_insert_is_filled(session: orm.Session, rising: int) -> None:
    session.execute(OLD_INSERT, {"niche": rising})
    assert tuple(trend(session)) == tuple(trend_of(session, rising))
    assert trend(session).trend_direction == "rising"
    assert trend(session).days_trending == 13


def test_a_niche_that_is_not_analysed_is_stable(session: orm.Session, rising: int) -> None:
    session.execute(OLD_INSERT, {"niche": FeatureFactory().niche_id})
    assert tuple(trend(session)) == UNKNOWN


@pytest.mark.parametrize("niche_id", [None, 10**12])
def test_a_niche_that_features_does_not_know_is_stable(session: orm.Session, rising: int, niche_id: int | None) -> None:
    session.execute(text("INSERT INTO hot_niches_today (niche_id) VALUES (:niche)"), {"niche": niche_id})
    assert tuple(trend(session)) == UNKNOWN


def test_explicit_values_are_left_alone(session: orm.Session, rising: int) -> None:
    HotNicheTodayFactory(niche_id=rising, trend_direction="falling", trend_confidence=Decimal("0.25"), days_trending=3)
    assert tuple(trend(session)) == ("falling", Decimal("0.25"), 3)


def test_one_explicit_value_is_left_alone_and_the_others_are_filled(session: orm.Session, rising: int) -> None:
    HotNicheTodayFactory(niche_id=rising, days_trending=99)
    direction, confidence, _ = trend_of(session, rising)
    assert tuple(trend(session)) == (direction, confidence, 99)


def test_an_old_update_renews_the_trend(session: orm.Session, rising: int) -> None:
    """Also one that turns the row into another niche's."""
    session.execute(OLD_INSERT, {"niche": rising})
    falling = FeatureFactory(falling=True)
    session.execute(text("UPDATE hot_niches_today SET niche_id = :niche, opportunity = 1"), {"niche": falling.niche_id})
    assert tuple(trend(session)) == tuple(trend_of(session, falling.niche_id))
    session.execute(text("UPDATE features SET trend_vector = :v"), {"v": str(RISING).replace("'", '"')})
    assert trend(session).trend_direction == "falling"  # as of when the row was written
    session.execute(text("UPDATE hot_niches_today SET updated_at = now()"))
    assert trend(session).trend_direction == "rising"


def test_an_explicit_update_is_left_alone(session: orm.Session, rising: int) -> None:
    session.execute(OLD_INSERT, {"niche": rising})
    session.execute(text("UPDATE hot_niches_today SET trend_direction = 'stable', opportunity = 1"))
    assert tuple(trend(session)) == ("stable", *tuple(trend_of(session, rising))[1:])
    session.execute(text("UPDATE hot_niches_today SET days_trending = NULL"))
    assert trend(session).days_trending is None


def test_an_old_upsert(session: orm.Session, rising: int) -> None:
    """The table has no key to name in ON CONFLICT; MERGE does without."""
    merge = text(f"""
        MERGE INTO hot_niches_today AS hot
        USING ({NICHE}) AS f ON f.niche_id = hot.niche_id
        WHEN MATCHED THEN UPDATE SET opportunity = f.opportunity, updated_at = f.updated_at
        WHEN NOT MATCHED THEN INSERT ({SEVEN}) VALUES
            (f.niche_id, f.phrase, f.demand_score, f.monetise_score, f.supply_score, f.opportunity, f.updated_at)
    """)  # noqa: S608
    for vector, direction in [
        ("[]", "stable"),
        ('[["d", 1], ["d", 2]]', "rising"),
        ('[["d", 2], ["d", 1]]', "falling"),
    ]:
        session.execute(text("UPDATE features SET trend_vector = CAST(:v AS jsonb)"), {"v": vector})
        session.execute(merge, {"niche": rising})
        assert trend(session).trend_direction == direction


def test_a_niche_that_stands_in_a_child_of_features_too(session: orm.Session, rising: int) -> None:
    """What others have inherit from features stops no writer, and changes no trend."""
    expected = tuple(trend_of(session, rising))
    session.execute(text("CREATE TABLE archived () INHERITS (features)"))
    session.execute(text("INSERT INTO archived SELECT * FROM ONLY features"))
    session.execute(text(OLD_INSERT.text.replace("FROM features", "FROM ONLY features")), {"niche": rising})
    assert tuple(trend(session)) == expected
