"""Every constraint that Phase 2 adds, with a row that it refuses."""

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, delete, exc, null, orm, text
from sqlalchemy.dialects.postgresql import insert

from models import ANALYTICS, Base, Feature
from tests.factories import (
    NOW,
    AnalyticsEventFactory,
    ContentRecommendationFactory,
    CrossPlatformMetricFactory,
    FeatureFactory,
    HotNicheTodayFactory,
    InsightFactory,
    MlFeatureFactory,
    NicheDailyActivityDeltaFactory,
    NicheDailyActivityKeptFactory,
    NicheDailyActivitySummaryFactory,
    RetentionFactory,
    StaleViewFactory,
    TrendCacheFactory,
)
from tests.factories.base import RowFactory
from tests.fixtures.databases import Templates
from tests.fixtures.rows import factories_on

NOBODY = 10**12  # the key of no niche
LATER = NOW + timedelta(days=1)

FACTORIES: dict[str, type[RowFactory]] = {
    made._meta.model.__tablename__: made
    for made in (
        FeatureFactory,
        HotNicheTodayFactory,
        AnalyticsEventFactory,
        TrendCacheFactory,
        CrossPlatformMetricFactory,
        ContentRecommendationFactory,
        MlFeatureFactory,
        InsightFactory,
        NicheDailyActivitySummaryFactory,
        NicheDailyActivityDeltaFactory,
        NicheDailyActivityKeptFactory,
        RetentionFactory,
        StaleViewFactory,
    )
}

# CHECKs and foreign keys, and the columns that make an otherwise valid row refused, each in turn.
REFUSED: dict[str, list[dict[str, Any]]] = {
    "features_trend_vector_check": [{"trend_vector": text("'{}'::jsonb")}, {"trend_vector": text("'3'")}],
    "features_analytics_version_check": [{"analytics_version": -1}],
    "hot_niches_today_trend_direction_check": [{"trend_direction": "up"}],
    "hot_niches_today_trend_confidence_check": [{"trend_confidence": -0.1}, {"trend_confidence": 2}],
    "hot_niches_today_days_trending_check": [{"days_trending": -1}],
    "analytics_events_niche_id_fkey": [{"niche_id": NOBODY}],
    "trend_cache_niche_id_fkey": [{"niche_id": NOBODY}],
    "trend_cache_related_niche_id_fkey": [{"related_niche_id": NOBODY}],
    "trend_cache_trend_type_check": [{"trend_type": ""}, {"trend_type": " \t\n"}],
    "trend_cache_trend_source_check": [{"trend_source": ""}, {"trend_source": "  "}],
    "trend_cache_parameters_check": [{"parameters": []}, {"parameters": "30d"}],
    "trend_cache_parameters_size_check": [{"parameters": {"period": "x" * 2000}}],
    "trend_cache_trend_data_check": [{"trend_data": [1]}, {"trend_data": 1}],
    "trend_cache_related_niche_id_check": [{"niche_id": 1, "related_niche_id": 1}],
    "trend_cache_valid_until_check": [{"valid_until": NOW, "created_at": t} for t in (NOW, LATER)],
    "cross_platform_metrics_niche_id_fkey": [{"niche_id": NOBODY}],
    "cross_platform_metrics_platform_check": [{"platform": "myspace"}, {"platform": ""}],
    "cross_platform_metrics_demand_score_check": [{"demand_score": s} for s in (-0.1, 2)],
    "cross_platform_metrics_supply_score_check": [{"supply_score": s} for s in (-0.1, 2)],
    "cross_platform_metrics_engagement_score_check": [{"engagement_score": s} for s in (-0.0001, 1.0001)],
    "cross_platform_metrics_growth_rate_check": [{"growth_rate": -1.0001}],
    "cross_platform_metrics_audience_demographics_check": [{"audience_demographics": ["18-24"]}],
    "content_recommendations_niche_id_fkey": [{"niche_id": NOBODY}],
    "content_recommendations_content_type_check": [{"content_type": "podcast"}],
    "content_recommendations_title_check": [{"title": ""}, {"title": "\n"}],
    "content_recommendations_opportunity_score_check": [{"opportunity_score": s} for s in (-0.1, 1.1)],
    "content_recommendations_audience_match_check": [{"audience_match": s} for s in (-0.1, 1.1)],
    "content_recommendations_estimated_views_check": [{"estimated_views": -1}],
    "content_recommendations_keywords_check": [{"keywords": ["diy", None]}],
    "content_recommendations_trend_status_check": [{"trend_status": "viral"}],
    "content_recommendations_competition_level_check": [{"competition_level": "none"}],
    "content_recommendations_model_version_check": [{"model_version": " "}],
    "content_recommendations_valid_until_check": [{"valid_until": NOW - timedelta(days=2)}],
    "ml_features_niche_id_fkey": [{"niche_id": NOBODY}],
    "ml_features_feature_set_check": [{"feature_set": ""}],
    "ml_features_model_version_check": [{"model_version": ""}],
    "ml_features_dimension_check": [{"vector": []}, {"dimension": -3}],
    "ml_features_vector_dimension_check": [
        {"dimension": 2},
        {"dimension": 4},
        {"vector": [[1.0, 2.0]], "dimension": 2},
        {"vector": [], "dimension": 1},
    ],
    "ml_features_vector_nulls_check": [{"vector": [1.0, None]}],
    "ml_features_vector_finite_check": [{"vector": [x]} for x in (math.nan, math.inf, -math.inf)],
    "insight_registry_niche_id_fkey": [{"niche_id": NOBODY}],
    "insight_registry_insight_type_check": [{"insight_type": ""}],
    "insight_registry_platform_check": [{"platform": "myspace"}],
    "insight_registry_title_check": [{"title": "  "}],
    "insight_registry_insight_data_check": [{"insight_data": ["gap"]}],
    "insight_registry_score_check": [{"score": -0.1}, {"score": 1.1}],
    "insight_registry_model_version_check": [{"model_version": ""}],
    "insight_registry_valid_until_check": [{"valid_until": NOW - timedelta(days=3)}],
}

# Keys, and the columns that two rows, otherwise different, may not share.
KEYS: dict[str, list[dict[str, Any]]] = {
    "analytics_events_pkey": [{"event_id": 7, "event_timestamp": NOW}],
    "trend_cache_pkey": [{"trend_id": 7}],
    "trend_cache_key": [
        {"niche_id": 1, "related_niche_id": 2, "trend_type": "correlation"},
        {"niche_id": 1, "related_niche_id": None},
        {"niche_id": None, "related_niche_id": None},
    ],
    "cross_platform_metrics_pkey": [{"metric_id": 7}],
    "cross_platform_metrics_niche_id_platform_metric_date_key": [
        {"niche_id": 1},
        {"niche_id": None},
        {"niche_id": 1, "updated_at": null()},
    ],
    "content_recommendations_pkey": [{"recommendation_id": 7}],
    "content_recommendations_key": [{"niche_id": 1, "title": "same", "user_id": user} for user in ("user-1", None)],
    "ml_features_pkey": [{"vector_id": 7}],
    "ml_features_niche_id_feature_set_model_version_key": [{"niche_id": 1}],
    "insight_registry_pkey": [{"insight_id": 7}],
    "insight_registry_key": [
        {"niche_id": 1, "title": "same", "platform": "tiktok"},
        {"niche_id": 1, "title": "same", "platform": None},
        {"niche_id": None, "title": "same", "platform": None},
    ],
    "niche_daily_activity_summary_pkey": [{"niche_id": 1}],
    "niche_daily_activity_kept_pkey": [{"niche_id": 1}],
    "retention_pkey": [{"relation": "analytics_events"}],
}

# Identities that nobody may give: table and column.
ALWAYS = {"stale_views": "mark_id"}

# What a caller cannot write at all: table and column.
COMPUTED = {"cross_platform_metrics": "metric_date"}

# Columns that refuse NULL, from the models; test_each_has_a_case holds them to the catalog.
REQUIRED = [
    (table.name, column.name)
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if not column.nullable and (table.schema == ANALYTICS or column.name == "analytics_version")
]


@pytest.fixture(scope="module")
def connection(templates: Templates) -> Iterator[Connection]:
    """One database for all tests of this file: each of them takes back what it did."""
    for url in templates.clone("migrated_table"):
        engine = create_engine(url)
        with engine.connect() as opened:
            yield opened
        engine.dispose()


@pytest.fixture
def session(connection: Connection) -> Iterator[orm.Session]:
    with connection.begin() as transaction, factories_on(connection) as opened:
        yield opened
        transaction.rollback()


def refusal(factory: type[RowFactory], values: dict[str, Any]) -> psycopg.Error:
    with pytest.raises(exc.DBAPIError) as caught:
        factory(**values)
    error = caught.value.orig
    assert isinstance(error, psycopg.Error)
    return error


def factory_of(constraint: str) -> type[RowFactory]:
    return FACTORIES[max((table for table in FACTORIES if constraint.startswith(table)), key=len)]


def each(cases: dict[str, list[dict[str, Any]]]) -> list[Any]:
    return [
        pytest.param(name, values, id=f"{name}-{n}") for name, rows in cases.items() for n, values in enumerate(rows)
    ]


@pytest.mark.parametrize(("constraint", "values"), each(REFUSED))
def test_refuses(session: orm.Session, constraint: str, values: dict[str, Any]) -> None:
    assert refusal(factory_of(constraint), values).diag.constraint_name == constraint


@pytest.mark.parametrize(("constraint", "values"), each(KEYS))
def test_refuses_a_second(session: orm.Session, constraint: str, values: dict[str, Any]) -> None:
    factory_of(constraint)(**values)
    found = refusal(factory_of(constraint), values).diag.constraint_name
    assert str(found).replace("_first", "") == constraint  # the first partition's index stands in for its parent's


@pytest.mark.parametrize(("table", "column"), REQUIRED)
def test_refuses_null(session: orm.Session, table: str, column: str) -> None:
    required = {"dimension": 3} if column == "vector" else {}
    error = refusal(FACTORIES[table], {**required, column: null()})
    if (table, column) in ALWAYS.items():
        assert isinstance(error, psycopg.errors.GeneratedAlways)
    else:
        assert isinstance(error, psycopg.errors.NotNullViolation)
        assert error.diag.column_name == column
        assert str(error.diag.table_name).startswith(table)  # of events, the partition that was to take it


@pytest.mark.parametrize(("table", "column"), ALWAYS.items())
def test_a_given_identity_is_refused(session: orm.Session, table: str, column: str) -> None:
    assert isinstance(refusal(FACTORIES[table], {column: 7}), psycopg.errors.GeneratedAlways)


@pytest.mark.parametrize("table", ALWAYS)
def test_an_identity_is_a_key(session: orm.Session, table: str) -> None:
    FACTORIES[table]()
    with pytest.raises(exc.IntegrityError) as caught:
        session.execute(text(f"INSERT INTO analytics.{table} OVERRIDING SYSTEM VALUE TABLE analytics.{table}"))
    assert caught.value.orig.diag.constraint_name == f"{table}_pkey"


@pytest.mark.parametrize(("table", "column"), COMPUTED.items())
def test_a_computed_column_is_refused(session: orm.Session, table: str, column: str) -> None:
    statement = insert(FACTORIES[table]._meta.model.__table__).values({"platform": "tiktok", column: NOW.date()})
    with pytest.raises(exc.ProgrammingError) as caught:
        session.execute(statement)
    assert isinstance(caught.value.orig, psycopg.errors.GeneratedAlways)


def test_a_niche_with_events_stays(session: orm.Session) -> None:
    """No foreign key cascades: what is known about a niche is never lost by accident."""
    for factory in (made for name, made in FACTORIES.items() if f"{name}_niche_id_fkey" in REFUSED):
        row = factory()
        with pytest.raises(exc.IntegrityError) as caught, session.begin_nested():
            session.execute(delete(Feature).where(Feature.niche_id == row.niche_id))
        assert caught.value.orig.diag.constraint_name == f"{row.__tablename__}_niche_id_fkey"


def test_each_has_a_case(session: orm.Session) -> None:
    """Whoever adds a constraint adds a row that it refuses."""
    theirs = {"features_pkey", "features_phrase_key"}  # Phase 1's
    constraints = text("""
        SELECT conname FROM pg_constraint
        WHERE contype <> 'n' AND (connamespace = 'analytics'::regnamespace
            OR conrelid IN ('public.features'::regclass, 'public.hot_niches_today'::regclass))
    """)
    identities = {f"{table}_pkey" for table in ALWAYS}
    assert set(session.scalars(constraints)) - theirs == {*REFUSED, *KEYS, *identities}

    columns = text("""
        SELECT c.relname, a.attname, a.attnotnull, a.attidentity, a.attgenerated
        FROM pg_attribute AS a INNER JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
            AND (c.relnamespace = 'analytics'::regnamespace OR a.attname = 'analytics_version')
    """)
    found = session.execute(columns).all()
    assert {(c.relname, c.attname) for c in found if c.attnotnull} == set(REQUIRED)
    assert {(c.relname, c.attname) for c in found if c.attidentity} == set(ALWAYS.items())
    assert {(c.relname, c.attname) for c in found if c.attgenerated} == set(COMPUTED.items())
    assert not [c for c in found if c.attidentity == "d"]
