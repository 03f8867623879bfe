"""Names, comments and published columns: as PostgreSQL, the plan and the service's own design have them."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, inspect, text

from models import ANALYTICS, Base, ContentRecommendation, Insight, TrendCache, views
from models.reader import readers
from models.vocabularies import COMPETITION_LEVELS, CONTENT_TYPES, DIRECTIONS, PLATFORMS
from operations import phase1
from operations.phase1 import Shape
from tests.fixtures.databases import Alembic, Clone

# The plan, "Sample Migration Script", verbatim.
SAMPLE_SCRIPT = """\
-- V2.0.0__analytics_schema.sql
CREATE SCHEMA IF NOT EXISTS analytics;

-- Event tracking table
CREATE TABLE analytics.analytics_events (
  event_id BIGSERIAL PRIMARY KEY,
  event_type TEXT NOT NULL,
  event_source TEXT NOT NULL,
  event_timestamp TIMESTAMPTZ NOT NULL,
  event_data JSONB NOT NULL,
  user_id TEXT,
  niche_id BIGINT REFERENCES features(niche_id),
  created_at TIMESTAMPTZ DEFAULT now()
);

-- Index on common query patterns
CREATE INDEX idx_analytics_events_timestamp ON analytics.analytics_events(event_timestamp);
CREATE INDEX idx_analytics_events_type_source ON analytics.analytics_events(event_type, event_source);
CREATE INDEX idx_analytics_events_niche_id ON analytics.analytics_events(niche_id);
CREATE INDEX idx_analytics_events_user_id ON analytics.analytics_events(user_id);
"""

Connect = Callable[..., Engine]


def table_as_stored(connection: Connection, table: str) -> dict[str, list[Any]]:
    """Columns, constraints and indexes of a table, as PostgreSQL prints them."""
    queries = {
        "columns": """
            SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
            FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum
        """,
        "constraints": """
            SELECT conname, pg_get_constraintdef(oid), convalidated
            FROM pg_constraint WHERE conrelid = CAST(:table AS regclass)
            ORDER BY conname
        """,
        "indexes": """
            SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = CAST(:table AS regclass) ORDER BY 1
        """,
    }
    return {
        what: [tuple(row) for row in connection.execute(text(sql), {"table": table})] for what, sql in queries.items()
    }


@pytest.mark.parametrize("partitioned", [False, True])
def test_the_plans_sample_script_is_the_table(clone: Clone, connect: Connect, partitioned: bool) -> None:
    """Through revision 2.0.6 to the letter; then by month, with the columns and indexes that it had."""
    with connect(clone("empty")).begin() as connection:
        phase1.create(connection, Shape.TABLE)
        connection.exec_driver_sql(SAMPLE_SCRIPT)
        planned = table_as_stored(connection, "analytics.analytics_events")
    engine = connect(clone("created" if partitioned else "phase1_table"))
    if not partitioned:
        Alembic(engine.url).upgrade("2.0.6")
    with engine.connect() as connection:
        found = table_as_stored(connection, "analytics.analytics_events")

    later = [index for index in found["indexes"] if "idx_analytics_events_niche_history" in index[0]]
    assert len(later) == 1
    found["indexes"].remove(later[0])
    if partitioned:
        key = ("(event_id)", "(event_id, event_timestamp)")
        planned["indexes"] = sorted((i[0].replace(" ON ", " ON ONLY ").replace(*key),) for i in planned["indexes"])
        planned["constraints"] = [(name, text.replace(*key), valid) for name, text, valid in planned["constraints"]]
    assert found == planned
    assert (len(planned["columns"]), len(planned["indexes"])) == (8, 5)


# Constraints that read several columns, or a column that has one already: PostgreSQL would only count them.
NAMED = {
    "trend_cache_key",
    "content_recommendations_key",
    "insight_registry_key",
    "trend_cache_parameters_size_check",
    "trend_cache_related_niche_id_check",
    "trend_cache_valid_until_check",
    "content_recommendations_valid_until_check",
    "insight_registry_valid_until_check",
    "ml_features_vector_dimension_check",
    "ml_features_vector_finite_check",
    "ml_features_vector_nulls_check",
}


def test_constraints_have_the_names_that_postgresql_gives(migrated: Engine) -> None:
    """Ask it: the same constraints without a name, on twins of the tables."""
    query = text("""
        SELECT t.relname AS table_name, c.conname AS name, pg_get_constraintdef(c.oid) AS definition
        FROM pg_constraint AS c INNER JOIN pg_class AS t ON t.oid = c.conrelid
        WHERE t.relnamespace = CAST(:schema AS regnamespace) AND c.contype <> 'n'
        ORDER BY c.contype = 'f', c.conname = ANY(:named), c.conname
    """)
    with migrated.connect() as connection:
        ours = connection.execute(query, {"schema": ANALYTICS, "named": list(NAMED)}).all()
        connection.execute(text("CREATE SCHEMA twin"))
        for table in {row.table_name for row in ours}:
            connection.execute(text(f"CREATE TABLE twin.{table} (LIKE {ANALYTICS}.{table})"))
        for row in ours:
            connection.exec_driver_sql(f"ALTER TABLE twin.{row.table_name} ADD {row.definition}")
        defaults = {row.name for row in connection.execute(query, {"schema": "twin", "named": []})}
    assert {row.name for row in ours} - defaults == NAMED


def test_names_say_what_they_belong_to(migrated: Engine) -> None:
    query = text("""
        SELECT t.relname AS table_name, i.relname AS name, 'idx_' || t.relname || '_' AS prefix
        FROM pg_index AS x
        INNER JOIN pg_class AS i ON i.oid = x.indexrelid
        INNER JOIN pg_class AS t ON t.oid = x.indrelid
        WHERE t.relnamespace = 'analytics'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.oid)
        UNION ALL
        SELECT conrelid::regclass::text, conname, split_part(conrelid::regclass::text, '.', 2) || '_'
        FROM pg_constraint WHERE connamespace = 'analytics'::regnamespace
        UNION ALL
        SELECT t.relname, g.tgname, t.relname || '_'
        FROM pg_trigger AS g INNER JOIN pg_class AS t ON t.oid = g.tgrelid
        WHERE NOT g.tgisinternal
    """)
    with migrated.connect() as connection:
        found = connection.execute(query).all()
    assert len(found) > 60
    assert [row for row in found if not row.name.startswith(row.prefix)] == []


# The service's design published these: name, type, whether required, default.
PUBLISHED = {
    "trend_cache": [
        ("trend_id", "bigint", True, "nextval('analytics.trend_cache_trend_id_seq'::regclass)"),
        ("trend_type", "text", True, None),
        ("trend_source", "text", True, None),
        ("trend_data", "jsonb", True, None),
        ("parameters", "jsonb", True, None),
        ("valid_until", "timestamp with time zone", True, None),
        ("created_at", "timestamp with time zone", False, "now()"),
    ],
    "cross_platform_metrics": [
        ("metric_id", "bigint", True, "nextval('analytics.cross_platform_metrics_metric_id_seq'::regclass)"),
        ("niche_id", "bigint", False, None),
        ("platform", "text", True, None),
        ("demand_score", "numeric(5,4)", False, None),
        ("supply_score", "numeric(5,4)", False, None),
        ("engagement_score", "numeric(5,4)", False, None),
        ("growth_rate", "numeric(5,4)", False, None),
        ("updated_at", "timestamp with time zone", False, "now()"),
    ],
}


@pytest.mark.parametrize("table", PUBLISHED)
def test_published_columns_are_kept(migrated: Engine, table: str) -> None:
    """They come first; what stands behind them may be left out by a writer."""
    with migrated.connect() as connection:
        columns = table_as_stored(connection, f"{ANALYTICS}.{table}")["columns"]
    published = PUBLISHED[table]
    assert columns[: len(published)] == published
    assert not [name for name, _, required, _ in columns[len(published) :] if required]


def test_instants_know_their_zone(migrated: Engine) -> None:
    query = text("""
        SELECT attrelid::regclass, attname FROM pg_attribute
        WHERE atttypid IN ('timestamp'::regtype, 'time'::regtype) AND attnum > 0
            AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace::regnamespace::text IN ('analytics', 'public'))
    """)
    with migrated.connect() as connection:
        assert connection.execute(query).all() == []


# Everything that can carry a comment, whether Phase 2 added it, and the comment.
COMMENTED = text("""
    SELECT 'schema ' || n.nspname AS object, TRUE AS ours, obj_description(n.oid, 'pg_namespace') AS comment
    FROM pg_namespace AS n WHERE n.nspname IN ('analytics', 'analytics_phase1')
    UNION ALL
    SELECT
        'relation ' || c.oid::regclass,
        c.relnamespace = 'analytics'::regnamespace,
        obj_description(c.oid, 'pg_class')
    FROM pg_class AS c
    WHERE c.relkind IN ('r', 'v', 'm') AND c.relnamespace::regnamespace::text IN ('analytics', 'public')
    UNION ALL
    SELECT
        'column ' || c.oid::regclass || '.' || a.attname,
        c.relnamespace = 'analytics'::regnamespace
        OR a.attname IN ('trend_vector', 'last_analyzed_at', 'analytics_version')
        OR a.attname IN ('trend_direction', 'trend_confidence', 'days_trending'),
        col_description(c.oid, a.attnum)
    FROM pg_attribute AS a INNER JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm')
        AND c.relnamespace::regnamespace::text IN ('analytics', 'public')
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure, TRUE, obj_description(p.oid, 'pg_proc')
    FROM pg_proc AS p WHERE p.pronamespace::regnamespace::text IN ('analytics', 'public')
    UNION ALL
    SELECT 'trigger ' || t.tgname, TRUE, obj_description(t.oid, 'pg_trigger')
    FROM pg_trigger AS t WHERE NOT t.tgisinternal
""")


def test_phase_2_is_commented_and_phase_1_is_not(shape: Shape, clone: Clone, connect: Connect) -> None:
    with connect(clone(f"migrated_{shape}")).connect() as connection:
        found = [row for row in connection.execute(COMMENTED) if "alembic_version" not in row.object]
    assert [row.object for row in found if row.ours and not row.comment] == []
    assert [row.object for row in found if not row.ours and row.comment] == []
    kinds = Counter(row.object.split()[0] for row in found if row.ours)
    assert set(kinds) == {"schema", "relation", "column", "function", "trigger"}
    assert kinds["column"] > 120


@pytest.mark.parametrize(
    ("view", "model"),
    [
        ("current_trends", TrendCache),
        ("active_recommendations", ContentRecommendation),
        ("published_insights", Insight),
    ],
)
def test_views_say_of_their_columns_what_the_table_says(migrated: Engine, view: str, model: type[Base]) -> None:
    shown = {c["name"]: c["comment"] for c in inspect(migrated).get_columns(view, schema=ANALYTICS)}
    assert shown == {c.name: c.comment for c in model.__table__.columns}


@pytest.mark.parametrize("vocabulary", [PLATFORMS, CONTENT_TYPES, DIRECTIONS, COMPETITION_LEVELS])
def test_sql_that_lists_the_words_of_a_vocabulary_lists_them_all(vocabulary: tuple[str, ...]) -> None:
    """What the models say of it follows the vocabulary by itself."""
    sql = [file.read_text(encoding="utf-8") for file in views.SQL.rglob("*.sql")] + [each.sql for each in readers()]
    word = rf"(?:{'|'.join(vocabulary)})"
    listed = re.findall(rf"\b{word}(?:, {word})+(?: or {word})?", "\n".join(sql).replace("'", ""))
    assert [words for words in listed if set(re.split(", | or ", words)) != set(vocabulary)] == []
