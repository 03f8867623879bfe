"""Readers of trends, and what every reader's file holds."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import orm, text

from models import reader
from models.reader import Reader, readers
from tests.factories import NOW, AnalyticsEventFactory, TrendCacheFactory
from tests.fixtures.readers import Read, column

NICHE, OTHER, THIRD = 1, 2, 3


def test_the_readers_are_those_of_the_api() -> None:
    assert [(reader.name, reader.budget_ms) for reader in readers()] == [
        ("competitor_analysis", 500),
        ("content_recommendations", 500),
        ("cross_platform", 500),
        ("hot_niches", 500),
        ("niche_history", 500),
        ("niche_scout", 500),
        ("trend_chart", 500),
        ("trend_correlations", 500),
        ("trending_niches", 200),
    ]


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_the_header_describes_every_parameter(reader: Reader) -> None:
    described = re.findall(r"^--   (\w+) (?:bigint|integer|numeric|text|date): ", reader.sql, re.MULTILINE)
    assert sorted(described) == sorted(reader.parameters)


def test_a_reader_without_a_budget_says_what_to_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow.sql").write_text("SELECT 1;\n")
    monkeypatch.setattr(reader, "READERS", tmp_path)
    with pytest.raises(ValueError, match=r"slow\.sql states no budget\. Next: "):
        _ = Reader("slow").budget_ms


# trend_chart


def point(at: str, **values: Any) -> dict[str, Any]:
    return {"at": at, "demand": 0.5, "supply": 0.25, "opportunity": 0.75, **values}


def points(*days: str) -> dict[str, Any]:
    return {"points": [point(day) for day in days]}


def test_trend_chart_gives_points_in_order_and_forecasts_with_their_confidence(read: Read) -> None:
    forecast = point("2026-01-03", forecast=True, confidence=0.8)
    unordered = [forecast, point("2026-01-02", supply=None), point("2026-01-01T00:00:00Z", forecast=False)]
    TrendCacheFactory(niche_id=NICHE, trend_data={"points": unordered})
    rows = read("trend_chart", niche_id=NICHE)
    assert [(row["at"].isoformat(), row["supply"], row["forecast"], row["confidence"]) for row in rows] == [
        ("2026-01-01", Decimal("0.25"), False, None),
        ("2026-01-02", None, False, None),
        ("2026-01-03", Decimal("0.25"), True, Decimal("0.8")),
    ]


def test_trend_chart_is_of_one_niche_period_and_granularity(read: Read) -> None:
    asked = {"period": "1y", "granularity": "weekly"}
    TrendCacheFactory(niche_id=NICHE, trend_data=points("2026-01-01"))
    TrendCacheFactory(niche_id=NICHE, trend_data=points("2026-02-02", "2026-02-09"), parameters=asked)
    TrendCacheFactory(niche_id=NICHE, trend_data=points("2026-03-03"), trend_type="another")
    TrendCacheFactory(niche_id=OTHER, trend_data=points("2026-04-04"))
    assert column(read("trend_chart", niche_id=NICHE), "at") == [date(2026, 1, 1)]
    assert column(read("trend_chart", niche_id=NICHE, **asked), "at") == [date(2026, 2, 2), date(2026, 2, 9)]
    assert read("trend_chart", niche_id=NICHE, period="1y") == []


def test_trend_chart_is_the_newest_that_has_not_expired(read: Read) -> None:
    TrendCacheFactory(niche_id=NICHE, trend_source="two", created_at=NOW - timedelta(hours=8))
    TrendCacheFactory(niche_id=NICHE, trend_source="one", created_at=NOW - timedelta(hours=9))
    TrendCacheFactory(niche_id=NICHE, trend_source="expired", valid_until=NOW - timedelta(seconds=1))
    TrendCacheFactory(niche_id=NICHE, trend_source="pair", related_niche_id=OTHER)
    TrendCacheFactory(niche_id=OTHER, expired=True)
    assert column(read("trend_chart", niche_id=NICHE), "trend_source") == ["two"]
    assert read("trend_chart", niche_id=OTHER) == []


def test_a_chart_without_points_has_no_rows(read: Read) -> None:
    TrendCacheFactory(niche_id=NICHE, trend_data={})
    assert read("trend_chart", niche_id=NICHE) == []


# niche_history


def scored(at: str, demand: float, **values: Any) -> None:
    AnalyticsEventFactory(
        **{"event_type": "niche_scored", "niche_id": NICHE} | values,
        event_timestamp=datetime.fromisoformat(at),
        event_data={"demand_score": demand, "monetise_score": 0.4, "supply_score": 0.25, "opportunity": 0.66667},
    )


@pytest.fixture
def _history(session: orm.Session) -> None:
    scored("2026-01-01T00:00:00+00:00", 0.2)
    scored("2026-01-01T23:59:59+00:00", 0.4)
    scored("2026-01-04T00:30:00+02:00", 0.6)  # still the third in UTC
    scored("2026-03-02T12:00:00+00:00", 0.8)
    scored("2026-01-02T12:00:00+00:00", 0.9, niche_id=OTHER)
    scored("2026-01-02T12:00:00+00:00", 0.9, event_type="search")


@pytest.mark.usefixtures("_history")
def test_niche_history_leaves_out_what_has_no_day(session: orm.Session, read: Read) -> None:
    """A series from -infinity on would never end."""
    session.execute(text("SET LOCAL statement_timeout = '5s'"))
    before = read("niche_history", niche_id=NICHE)
    for at in ("-infinity", "infinity"):
        session.execute(
            text(
                "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data,"
                " niche_id) VALUES ('niche_scored', 'web', CAST(:at AS timestamptz), '{}', :niche)"
            ),
            {"at": at, "niche": NICHE},
        )
    assert read("niche_history", niche_id=NICHE) == before != []


@pytest.mark.usefixtures("_history")
def test_niche_history_gives_the_mean_of_each_day_and_a_row_for_each_gap(read: Read) -> None:
    rows = read("niche_history", niche_id=NICHE, until=date(2026, 1, 31))
    assert [tuple(row.values()) for row in rows] == [
        (date(2026, 1, 1), 2, Decimal("0.3"), Decimal("0.25"), Decimal("0.66667")),
        (date(2026, 1, 2), 0, None, None, None),
        (date(2026, 1, 3), 1, Decimal("0.6"), Decimal("0.25"), Decimal("0.66667")),
    ]


@pytest.mark.usefixtures("_history")
def test_niche_history_leaves_out_scores_that_are_no_numbers(read: Read) -> None:
    AnalyticsEventFactory(
        event_type="niche_scored",
        niche_id=NICHE,
        event_timestamp=datetime(2026, 1, 3, tzinfo=UTC),
        event_data={"demand_score": "n/a", "supply_score": {}, "opportunity": 0.33333},
    )
    [row] = read("niche_history", niche_id=NICHE, since=date(2026, 1, 3), until=date(2026, 1, 3))
    assert tuple(row.values())[1:] == (2, Decimal("0.6"), Decimal("0.25"), Decimal("0.5"))


@pytest.mark.usefixtures("_history")
def test_niche_history_by_week_and_month(read: Read) -> None:
    weekly = read("niche_history", niche_id=NICHE, granularity="weekly")
    assert column(weekly, "at") == [date(2025, 12, 29) + timedelta(weeks=week) for week in range(10)]
    assert column(weekly, "scorings") == [3, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    monthly = read("niche_history", niche_id=NICHE, granularity="monthly")
    assert column(monthly, "at") == [date(2026, month, 1) for month in (1, 2, 3)]
    assert column(monthly, "demand") == [Decimal("0.4"), None, Decimal("0.8")]
    assert read("niche_history", niche_id=NICHE, granularity="yearly") == []


@pytest.mark.usefixtures("_history")
def test_niche_history_of_a_window(read: Read) -> None:
    window = {"niche_id": NICHE, "since": date(2026, 1, 3), "until": date(2026, 3, 2)}
    daily = column(read("niche_history", **window), "at")
    assert (daily[0], daily[-1]) == (date(2026, 1, 3), date(2026, 3, 2))
    assert column(read("niche_history", **window, granularity="monthly"), "scorings") == [3, 0, 1]
    assert read("niche_history", **window | {"since": date(2026, 2, 1), "until": date(2026, 3, 1)}) == []


# trend_correlations


def correlated(niche: int, related: int, coefficient: float, **values: Any) -> None:
    data = {"coefficient": coefficient, "relationship": "leads", "lag_days": 3}
    TrendCacheFactory(correlation=True, niche_id=niche, related_niche_id=related, trend_data=data, **values)


def test_trend_correlations_gives_pairs_on_either_side_strongest_first(read: Read) -> None:
    correlated(NICHE, OTHER, 0.5)
    correlated(THIRD, NICHE, -0.9)
    correlated(OTHER, THIRD, 1)
    correlated(NICHE, 4, 0.7, valid_until=datetime.now(UTC) - timedelta(seconds=1))
    TrendCacheFactory(niche_id=NICHE, related_niche_id=5)
    TrendCacheFactory(niche_id=NICHE, correlation=True, related_niche_id=None)
    rows = read("trend_correlations", niche_id=NICHE)
    assert [(row["niche_id"], row["related_niche_id"], row["coefficient"]) for row in rows] == [
        (THIRD, NICHE, Decimal("-0.9")),
        (NICHE, OTHER, Decimal("0.5")),
    ]
    assert (rows[0]["relationship"], rows[0]["lag_days"]) == ("leads", 3)
    assert column(read("trend_correlations", niche_id=NICHE, other_niche_id=OTHER), "related_niche_id") == [OTHER]
    assert column(read("trend_correlations", niche_id=NICHE, max_rows=1), "niche_id") == [THIRD]
