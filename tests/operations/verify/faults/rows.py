"""Faults of the rows: constraints, keys and indexes that do not hold."""

from tests.operations.verify.faults.case import Fault

BESIDE_INDEX = """
    UPDATE pg_index SET indisready = false WHERE indexrelid = '{0}'::regclass; {1};
    UPDATE pg_index SET indisready = true WHERE indexrelid = '{0}'::regclass
"""
"""Rows that come in past an index: it does not hold them."""
PAST_INDEX = f"DROP EXTENSION IF EXISTS amcheck; {BESIDE_INDEX}"
"""The same where amcheck, which says it otherwise, is not installed."""
IN_ANOTHER_ORDER = """
    DROP EXTENSION IF EXISTS amcheck;
    CREATE {0} INDEX in_another_order ON {1};
    UPDATE pg_class AS c SET relfilenode = o.relfilenode, relpages = o.relpages
    FROM pg_class AS o
    WHERE
        c.oid <> o.oid AND c.oid IN ('{2}'::regclass, '{3}.in_another_order'::regclass)
        AND o.oid IN ('{2}'::regclass, '{3}.in_another_order'::regclass);
    DROP INDEX {3}.in_another_order
"""
"""A btree with every row, as another order has them: what a change of collation leaves."""
NOT_UNIQUE = """
    UPDATE pg_index SET indisunique = false WHERE indexrelid = '{0}'::regclass; {1};
    UPDATE pg_index SET indisunique = true WHERE indexrelid = '{0}'::regclass
"""
"""Rows that come in twice, and are in the index, as after a change of collation."""
WITHOUT_NOT_NULL = """
    UPDATE pg_attribute SET attnotnull = false WHERE attrelid = '{0}'::regclass AND attname = '{1}';
    UPDATE {0} SET {1} = NULL WHERE niche_id = 150;
    UPDATE pg_attribute SET attnotnull = true WHERE attrelid = '{0}'::regclass AND attname = '{1}'
"""
INSIGHT = """
    INSERT INTO analytics.insight_registry (niche_id, insight_type, title, insight_data, model_version, published_at)
    VALUES (150, 'baseline', 'mine', '{}', '1', now())
"""
RECOMMENDATION = """
    INSERT INTO analytics.content_recommendations
        (niche_id, user_id, content_type, title, description, opportunity_score, model_version, valid_until)
    VALUES (150, 'somebody', 'video', 'mine', '', 0.5, '1', now() + interval '1 day')
"""
NICHE = "INSERT INTO public.features (phrase) VALUES ('New')"
EVENT = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id)
    VALUES ('view', 'web', now(), '{}', 'somebody')
"""

ROWS = (
    # Constraints, on the rows
    Fault("an orphan", """
        SET session_replication_role = replica;
        INSERT INTO analytics.insight_registry (niche_id, insight_type, title, insight_data, model_version)
        VALUES (999999, 'baseline', 'nobody''s', '{}', '1')
    """, {
        "foreign keys": (
            "1 rows of analytics.insight_registry refer to nothing: insight_registry_niche_id_fkey (insight_id 1)"
        ),
    }),
    Fault("an orphan by the second of two foreign keys", """
        SET session_replication_role = replica;
        UPDATE analytics.trend_cache SET related_niche_id = 888888 WHERE niche_id IN (150, 151)
    """, {
        "foreign keys": "2 rows of analytics.trend_cache refer to nothing: trend_cache_related_niche_id_fkey",
    }),
    Fault("an orphan behind a NOT VALID foreign key", """
        ALTER TABLE analytics.insight_registry DROP CONSTRAINT insight_registry_niche_id_fkey;
        INSERT INTO analytics.insight_registry (niche_id, insight_type, title, insight_data, model_version)
        VALUES (999999, 'baseline', 'nobody''s', '{}', '1');
        ALTER TABLE analytics.insight_registry ADD CONSTRAINT insight_registry_niche_id_fkey
            FOREIGN KEY (niche_id) REFERENCES public.features (niche_id) NOT VALID
    """, {
        "catalog": "not as in the models: constraint analytics.insight_registry.insight_registry_niche_id_fkey",
        "in force": "constraint insight_registry_niche_id_fkey on analytics.insight_registry is not validated",
        "foreign keys": "insight_registry_niche_id_fkey (insight_id 1)",
    }),
    Fault("a row behind a NOT VALID CHECK", """
        ALTER TABLE analytics.insight_registry DROP CONSTRAINT insight_registry_score_check;
        INSERT INTO analytics.insight_registry (niche_id, insight_type, title, insight_data, model_version, score)
        VALUES (150, 'baseline', 'too good', '{}', '1', 1.5);
        ALTER TABLE analytics.insight_registry ADD CONSTRAINT insight_registry_score_check
            CHECK (score >= 0 AND score <= 1) NOT VALID
    """, {
        "catalog": "not as in the models: constraint analytics.insight_registry.insight_registry_score_check",
        "in force": "constraint insight_registry_score_check on analytics.insight_registry is not validated",
        "check constraints": (
            "1 rows of analytics.insight_registry break insight_registry_score_check (insight_id 1)"
        ),
    }),
    Fault("a row that breaks a CHECK which says that it is valid", """
        ALTER TABLE public.hot_niches_today DROP CONSTRAINT hot_niches_today_days_trending_check;
        UPDATE public.hot_niches_today SET days_trending = -1 WHERE niche_id = 26;
        ALTER TABLE public.hot_niches_today ADD CONSTRAINT hot_niches_today_days_trending_check
            CHECK (days_trending >= 0) NOT VALID;
        UPDATE pg_constraint SET convalidated = true WHERE conname = 'hot_niches_today_days_trending_check'
    """, {
        "check constraints": "1 rows of public.hot_niches_today break hot_niches_today_days_trending_check (",
        "hot trends": "missing or different: 26",
    }),
    # Keys and indexes, on the rows
    Fault("a duplicate that its unique index does not know", PAST_INDEX.format(
        "analytics.insight_registry_key", INSIGHT + ";" + INSIGHT
    ), {
        "keys": (
            "analytics.insight_registry: 1 keys of insight_registry_key are there more than once (150, baseline, mine):"
            " afterwards REINDEX INDEX CONCURRENTLY analytics.insight_registry_key"
        ),
        "indexes": (
            "index analytics.insight_registry_key of analytics.insight_registry: 2 rows are missing from it"
        ),
    }),
    Fault("a duplicate in a unique index", NOT_UNIQUE.format(
        "analytics.insight_registry_key", INSIGHT + ";" + INSIGHT
    ), {
        "keys": "insight_registry_key are there more than once (150, baseline, mine)",
    }),
    Fault("a primary key twice", NOT_UNIQUE.format("analytics.stale_views_pkey", """
        INSERT INTO analytics.stale_views (mark_id, view_name) OVERRIDING SYSTEM VALUE
        VALUES (7, 'trending_niches'), (7, 'trending_niches');
        SELECT setval('analytics.stale_views_mark_id_seq', 7)
    """), {
        "keys": "analytics.stale_views: 1 keys of stale_views_pkey are there more than once (7)",
    }),
    Fault("NULL in a NOT NULL column", WITHOUT_NOT_NULL.format("analytics.cross_platform_metrics", "platform"), {
        "not null": "1 rows of analytics.cross_platform_metrics have NULL in platform (metric_id ",
    }),
    Fault("NULL in features", f"""
        ALTER TABLE public.features DISABLE TRIGGER USER;
        {WITHOUT_NOT_NULL.format("public.features", "analytics_version")};
        ALTER TABLE public.features ENABLE TRIGGER USER
    """, {
        "not null": (
            "1 rows of public.features have NULL in analytics_version (niche_id 150): UPDATE public.features SET"
            " analytics_version = … WHERE num_nulls(analytics_version) > 0"
        ),
        "trends": "missing or different: 150",
    }),
    Fault("rows missing from an index", PAST_INDEX.format(
        "analytics_partitions.analytics_events_first_user_id_idx", EVENT
    ), {
        "indexes": (
            "index analytics_partitions.analytics_events_first_user_id_idx of"
            " analytics_partitions.analytics_events_first: 1 rows are missing from it (event_id, event_timestamp 4249"
        ),
    }),
    Fault("rows missing from a partial index", PAST_INDEX.format(
        "analytics.idx_insight_registry_published", INSIGHT
    ), {
        "indexes": "index analytics.idx_insight_registry_published of analytics.insight_registry: 1 rows are missing",
    }),
    Fault("rows missing from an index in another order", PAST_INDEX.format(
        "analytics.idx_content_recommendations_best", RECOMMENDATION
    ), {
        "indexes": (
            "index analytics.idx_content_recommendations_best of analytics.content_recommendations: 1 rows are missing"
        ),
    }),
    Fault("rows missing from an index on an expression of others", f"""
        CREATE INDEX features_lower_idx ON public.features (lower(phrase));
        {PAST_INDEX.format("public.features_lower_idx", NICHE)};
        REFRESH MATERIALIZED VIEW analytics.trending_niches
    """, {
        "indexes": "index public.features_lower_idx of public.features: 1 rows are missing from it (niche_id 201)",
    }),
    Fault("a primary key's index in another order", IN_ANOTHER_ORDER.format(
        "UNIQUE", "analytics.ml_features (vector_id DESC)", "analytics.ml_features_pkey", "analytics"
    ), {
        "indexes": (
            "index analytics.ml_features_pkey of analytics.ml_features: 199 of its entries are in the wrong order"
        ),
    }),
    Fault("an index with a NULL at the other end", IN_ANOTHER_ORDER.format(
        "INDEX theirs_idx ON public.features ((niche_id / 100), nullif(niche_id, 7)); CREATE",
        "public.features ((niche_id / 100), nullif(niche_id, 7) NULLS FIRST)",
        "public.theirs_idx",
        "public",
    ), {
        "indexes": "index public.theirs_idx of public.features: 1 of its entries are in the wrong order",
    }),
    Fault("a row missing from a unique index, where amcheck is installed", f"""
        CREATE EXTENSION IF NOT EXISTS amcheck; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
        {BESIDE_INDEX.format("public.features_phrase_key", NICHE)};
        REFRESH MATERIALIZED VIEW analytics.trending_niches
    """, {
        "indexes": "amcheck: heap tuple",
    }),
    Fault("a sequence behind its table", "SELECT setval('analytics.ml_features_vector_id_seq', 199)", {
        "sequences": (
            "analytics.ml_features_vector_id_seq gives 200 next, and analytics.ml_features.vector_id is at 200:"
            " SELECT setval('analytics.ml_features_vector_id_seq', 200)"
        ),
    }),
    Fault("Phase 1's sequence behind features", "SELECT setval('public.features_niche_id_seq', 200, false)", {
        "sequences": "public.features_niche_id_seq gives 200 next, and public.features.niche_id is at 200",
    }),
    Fault("Phase 1's sequence behind features, which does not own it", """
        ALTER SEQUENCE public.features_niche_id_seq OWNED BY NONE;
        SELECT setval('public.features_niche_id_seq', 1, false)
    """, {
        "sequences": "public.features_niche_id_seq gives 1 next, and public.features.niche_id is at 200",
    }),
)  # fmt: skip
