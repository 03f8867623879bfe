"""Readers of niches by their trend: trending_niches, hot_niches, niche_scout."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import URL, Engine, orm, text, update
from sqlalchemy.exc import ProgrammingError

from models import Feature
from operations import phase1
from operations.phase1 import Shape
from tests.factories import AnalyticsEventFactory, CrossPlatformMetricFactory, daily
from tests.fixtures.databases import Clone
from tests.fixtures.readers import Read, ask, column
from tests.fixtures.roles import Login

STEEP, GENTLE, LATE, STABLE, FALLING = TRENDING = (1, 2, 3, 4, 5)

EVENTS = {
    STEEP: list(range(1, 15)),  # slope 0.13, for 13 days
    GENTLE: list(range(20, 48, 2)),  # slope 0.06, for 13 days
    LATE: [0] * 11 + [10, 20, 40],  # rising for 3 days
    STABLE: [10] * 14,  # for 14 days
    FALLING: list(range(14, 0, -1)),  # slope -0.13, for 13 days
}

FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [FALLING, STABLE, GENTLE, STEEP]),
    ({"direction": "rising"}, [GENTLE, STEEP]),
    ({"direction": "stable"}, [STABLE]),
    ({"direction": "falling"}, [FALLING]),
    ({"direction": "sideways"}, []),
    ({"minimum_days": 0}, [FALLING, STABLE, LATE, GENTLE, STEEP]),
    ({"minimum_days": 14}, [STABLE]),
    ({"minimum_slope": 0.1}, [FALLING, STABLE, STEEP]),
    ({"minimum_slope": 0.1, "direction": "rising"}, [STEEP]),
    ({"minimum_slope": 0.2, "direction": "falling"}, []),
    ({"minimum_slope": 0.2, "direction": "stable"}, [STABLE]),
]


def analyse(session: orm.Session) -> None:
    """Five niches have a trend, and the greatest opportunities, the last of them the very greatest."""
    for niche, events in EVENTS.items():
        values = {"trend_vector": daily(events), "opportunity": 9 + niche / 10, "updated_at": datetime.now(UTC)}
        session.execute(update(Feature).where(Feature.niche_id == niche).values(values))
    session.execute(text("SELECT analytics.refresh_stale_views()"))


@pytest.fixture
def _analysed(session: orm.Session) -> None:
    analyse(session)
    phase1.refresh(session.connection(), Shape.TABLE)
    session.commit()


@pytest.fixture
def read_hot(login: Login, connect: Callable[[URL], Engine]) -> Read:
    """Reads hot_niches with the one right that it needs besides analytics_reader's."""
    engine = connect(login("analytics_reader", "SELECT ON public.hot_niches_today"))
    return lambda **given: ask(engine, "hot_niches", **given)


@pytest.mark.usefixtures("_analysed")
@pytest.mark.parametrize(("filters", "expected"), FILTERS)
def test_trending_niches_filters(read: Read, filters: dict[str, Any], expected: list[int]) -> None:
    assert column(read("trending_niches", **filters), "niche_id") == expected


@pytest.mark.usefixtures("_analysed")
def test_trending_niches_gives_the_best_of_all_directions_together(read: Read) -> None:
    assert column(read("trending_niches", minimum_days=0, max_rows=3), "niche_id") == [FALLING, STABLE, LATE]
    (best,) = read("trending_niches", minimum_days=0, direction="rising", max_rows=1)
    assert (best["niche_id"], best["direction"], best["days_trending"]) == (LATE, "rising", 3)


@pytest.mark.usefixtures("_analysed")
@pytest.mark.parametrize(("filters", "expected"), FILTERS)
def test_hot_niches_filters(read_hot: Read, filters: dict[str, Any], expected: list[int]) -> None:
    rows = read_hot(**filters)
    assert [niche for niche in column(rows, "niche_id") if niche in TRENDING] == expected
    assert column(rows, "opportunity") == sorted(column(rows, "opportunity"), reverse=True)


@pytest.mark.usefixtures("_analysed")
def test_a_hot_niche_that_is_not_analysed_is_stable_for_no_days(read_hot: Read) -> None:
    others = [row for row in read_hot(minimum_days=0) if row["niche_id"] not in TRENDING]
    assert {(row["direction"], row["days_trending"], row["slope"]) for row in others} == {("stable", 0, None)}


@pytest.mark.usefixtures("_analysed")
def test_a_hot_niche_rises_by_its_direction_whatever_the_slope_at_the_last_refresh(
    session: orm.Session, read_hot: Read
) -> None:
    values = {"trend_vector": daily(EVENTS[STEEP])}
    session.execute(update(Feature).where(Feature.niche_id == STABLE).values(values))
    phase1.refresh(session.connection(), Shape.TABLE)
    session.commit()
    assert STABLE in column(read_hot(direction="rising"), "niche_id")
    assert STABLE not in column(read_hot(direction="rising", minimum_slope=0.01), "niche_id")


def test_hot_niches_in_either_shape(shape: Shape, clone: Clone, connect: Callable[[URL], Engine]) -> None:
    engine = connect(clone(f"migrated_{shape}"))
    with orm.Session(engine) as session, session.begin():
        analyse(session)
        phase1.refresh(session.connection(), shape)
    first = ask(engine, "hot_niches")[0]
    assert (first["niche_id"], first["direction"], first["days_trending"]) == (FALLING, "falling", 13)
    assert (first["slope"], first["volatility"]) == (Decimal("-0.133333"), 0)


def test_hot_niches_needs_a_right_that_phase_1_gives(read: Read) -> None:
    with pytest.raises(ProgrammingError, match="permission denied for table hot_niches_today"):
        read("hot_niches")


@pytest.mark.usefixtures("_analysed")
def test_niche_scout_sums_a_niche_up(read: Read) -> None:
    last = date(2026, 1, 20)
    late = time(23, 30, tzinfo=UTC)  # the next day in the reader's time zone
    for back in range(15):  # one day too many
        for _ in range(14 - back if back < 14 else 50):
            day = datetime.combine(last - timedelta(days=back), late)
            AnalyticsEventFactory(niche_id=STEEP, event_type="search", event_timestamp=day)
    AnalyticsEventFactory(niche_id=STEEP, event_type="view", event_timestamp=datetime.combine(last, late))
    AnalyticsEventFactory(niche_id=GENTLE, event_type="search", event_timestamp=datetime.combine(last, late))
    CrossPlatformMetricFactory(niche_id=STEEP, demand_score=0.6)
    CrossPlatformMetricFactory(niche_id=STEEP, demand_score=0.2, platform="tiktok")
    (row,) = read("niche_scout", niche_id=STEEP, until=last)
    assert (row["direction"], row["days_trending"], row["stability"]) == ("rising", 13, 1)
    assert row["platforms"] == {"youtube": 0.75, "tiktok": 0.25}
    assert row["searches"] == daily(range(1, 15), last)
    assert (row["search_direction"], row["search_slope"]) == ("rising", Decimal("0.133333"))


@pytest.mark.usefixtures("_analysed")
def test_niche_scout_of_a_niche_without_searches_or_platforms(read: Read) -> None:
    (row,) = read("niche_scout", niche_id=LATE)
    assert 0 < row["stability"] < 1
    assert row["platforms"] == {}
    assert row["searches"] == daily([0] * 14, datetime.now(UTC).date() - timedelta(days=1))
    assert (row["search_direction"], row["search_confidence"]) == ("stable", 0)
    assert read("niche_scout", niche_id=100) == []
