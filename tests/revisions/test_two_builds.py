"""Models and revisions lead to the same database, as PostgreSQL itself stores it."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from models import HOT_NICHES_TODAY
from tests.fixtures.databases import Clone
from tests.revisions.catalog import Catalog, catalog

Connect = Callable[..., Engine]


PARTITIONS = """
    SELECT
        replace(p.relid::regclass::text, 'analytics_partitions.', '') AS name,
        pg_get_expr(c.relpartbound, c.oid) AS bound,
        ARRAY(
            SELECT concat_ws(
                ' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
            )
            FROM pg_attribute AS a
            LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum
        ) AS columns,
        ARRAY(
            SELECT concat_ws(' ', k.conname, pg_get_constraintdef(k.oid), k.convalidated) FROM pg_constraint AS k
            WHERE k.conrelid = c.oid ORDER BY k.conname
        ) AS constraints,
        ARRAY(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index AS i WHERE i.indrelid = c.oid ORDER BY 1) AS indexes
    FROM pg_partition_tree('analytics.analytics_events') AS p
    INNER JOIN pg_class AS c ON c.oid = p.relid
    WHERE p.isleaf
    ORDER BY name
"""


def test_create_all_and_the_revisions_give_the_same_catalog(clone: Clone, connect: Connect) -> None:
    """Partitions apart: the table that was attached as the first one brings grants and comments with it."""
    created = catalog(connect(clone("created")))
    migrated = catalog(connect(clone("migrated_table")))
    for found in (created, migrated):
        for name in [name for name in found if "alembic_version" in name or "analytics_partitions." in name]:
            del found[name]
    assert migrated == created


def test_partitions_are_defined_alike(clone: Clone, connect: Connect) -> None:
    found = []
    for name in ("created", "migrated_table"):
        with connect(clone(name)).connect() as connection:
            found.append(connection.exec_driver_sql(PARTITIONS, execution_options={"no_parameters": True}).all())
    created, migrated = found
    assert migrated == created
    assert [row.name[:22] for row in created].count("analytics_events_first") == 1
    assert len(created) == 5  # and the DEFAULT one, and three months


def test_the_migrated_materialized_view_is_the_declared_one(clone: Clone, connect: Connect) -> None:
    declared = connect(clone("created"))
    with declared.begin() as connection:
        connection.exec_driver_sql("DROP TABLE public.hot_niches_today")
        connection.exec_driver_sql(HOT_NICHES_TODAY.sql, execution_options={"no_parameters": True})
    migrated = about_hot_niches_today(catalog(connect(clone("migrated_matview"))))
    assert migrated == about_hot_niches_today(catalog(declared))
    assert len(migrated) == 12  # the view, ten columns, an index


def about_hot_niches_today(found: Catalog) -> Catalog:
    return {name: definition for name, definition in found.items() if "public.hot_niches_today" in name}


@pytest.mark.parametrize(
    "difference",
    [
        "ALTER TABLE public.features ALTER updated_at DROP DEFAULT",
        "ALTER TABLE analytics.trend_cache ALTER created_at SET NOT NULL",
        "DROP INDEX analytics.idx_trend_cache_valid_until",
        "ALTER TABLE analytics.insight_registry DROP CONSTRAINT insight_registry_score_check,"
        " ADD CONSTRAINT insight_registry_score_check CHECK (score <= 1)",
        "ALTER TABLE public.features DISABLE TRIGGER features_mark_trending_niches",
        "GRANT SELECT ON analytics.ml_features TO PUBLIC",
        "GRANT SELECT (phrase) ON public.features TO PUBLIC",
        "COMMENT ON COLUMN analytics.ml_features.vector IS 'something else'",
        "ALTER FUNCTION analytics.trend_of COST 1",
        "ALTER SEQUENCE analytics.ml_features_vector_id_seq CACHE 5",
        "DROP VIEW analytics.current_trends;"
        " CREATE VIEW analytics.current_trends AS SELECT * FROM analytics.trend_cache WHERE valid_until >= now()",
    ],
)
def test_the_comparison_sees(difference: str, clone: Clone, connect: Connect) -> None:
    engine = connect(clone("created"))
    before = catalog(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(difference)
    assert catalog(engine) != before
