"""Faults, planted by SQL in a sound, backfilled database with hot_niches_today as a table: what each must be found by.

Niche 150 is no hot one. As session_replication_role = replica, a careless repair or a
replication tool writes past triggers and foreign keys.
"""

from dataclasses import dataclass

from operations.queries import query

# An event of the loaded history that no trend vector reaches back to.
OLD_EVENT = """
    SELECT e.event_id FROM analytics.analytics_events AS e
    WHERE e.event_source = 'demo' AND e.event_timestamp < now() - interval '100 days'
    ORDER BY e.event_id LIMIT 1
"""
BESIDE_INDEX = """
    UPDATE pg_index SET indisready = false WHERE indexrelid = '{0}'::regclass; {1};
    UPDATE pg_index SET indisready = true WHERE indexrelid = '{0}'::regclass
"""
"""Rows that come in past an index: it does not hold them."""
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
STRANGER = "CREATE ROLE stranger"
NO_STRANGER = "DROP OWNED BY stranger CASCADE; DROP ROLE stranger"
AS_BEFORE_UPGRADE = f"DELETE FROM sidb.phase1_right; INSERT INTO sidb.phase1_right {query('rights/held')}"  # noqa: S608
SET_INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}'::regclass"


@dataclass(frozen=True)
class Fault:
    """`found` are the checks that fail (and no other), each with what its line must name."""

    name: str
    plant: str
    found: dict[str, str]
    template: str = "backfilled_table"
    undo: str = ""
    """Of what belongs to the whole server: roles."""


FAULTS = (
    # The schema
    Fault("a dropped table", "DROP TABLE analytics.insight_registry CASCADE", {
        "catalog": "missing: table analytics.insight_registry",
    }),
    Fault("a dropped column", "ALTER TABLE analytics.trend_cache DROP COLUMN created_at CASCADE", {
        "catalog": "missing: column analytics.trend_cache.created_at",
    }),
    Fault("an extra column", "ALTER TABLE analytics.ml_features ADD COLUMN note text", {
        "catalog": "not in the models: column analytics.ml_features.note",
    }),
    Fault("a missing default", "ALTER TABLE analytics.trend_cache ALTER COLUMN created_at DROP DEFAULT", {
        "catalog": "not as in the models: column analytics.trend_cache.created_at",
    }),
    Fault("a column that takes NULL", "ALTER TABLE analytics.analytics_events ALTER COLUMN event_type DROP NOT NULL", {
        "catalog": "not as in the models: column analytics.analytics_events.event_type",
    }),
    Fault("a dropped trigger", "DROP TRIGGER analytics_events_deleted ON analytics.analytics_events", {
        "catalog": "missing: trigger analytics.analytics_events.analytics_events_deleted",
    }),
    Fault("a disabled trigger", "ALTER TABLE public.features DISABLE TRIGGER features_mark_trending_niches", {
        "catalog": "not as in the models: trigger public.features.features_mark_trending_niches",
        "in force": "trigger features_mark_trending_niches on public.features is disabled",
    }),
    Fault("a trigger for replicas only", """
        ALTER TABLE analytics.analytics_events ENABLE REPLICA TRIGGER analytics_events_updated
    """, {
        "catalog": "trigger analytics.analytics_events.analytics_events_updated",
        "in force": "trigger analytics_events_updated on analytics.analytics_events is disabled",
    }),
    Fault("a dropped foreign key", "ALTER TABLE analytics.ml_features DROP CONSTRAINT ml_features_niche_id_fkey", {
        "catalog": "missing: constraint analytics.ml_features.ml_features_niche_id_fkey",
    }),
    Fault("a disabled foreign key", "ALTER TABLE analytics.ml_features DISABLE TRIGGER ALL", {
        "catalog": "not as in the models: constraint analytics.ml_features.ml_features_niche_id_fkey",
        "in force": "constraint ml_features_niche_id_fkey on analytics.ml_features has its triggers disabled",
    }),
    Fault("a changed CHECK of the same name", """
        ALTER TABLE analytics.cross_platform_metrics
            DROP CONSTRAINT cross_platform_metrics_demand_score_check,
            ADD CONSTRAINT cross_platform_metrics_demand_score_check CHECK (demand_score >= 0 AND demand_score <= 10)
    """, {
        "catalog": (
            "not as in the models: constraint "
            "analytics.cross_platform_metrics.cross_platform_metrics_demand_score_check"
        ),
    }),
    Fault("a dropped index", "DROP INDEX analytics.idx_analytics_events_type_source", {
        "catalog": "missing: index analytics.analytics_events.idx_analytics_events_type_source",
    }),
    Fault("an invalid index", SET_INVALID.format("analytics.idx_analytics_events_user_id"), {
        "catalog": "not as in the models: index analytics.analytics_events.idx_analytics_events_user_id",
        "in force": "index analytics.idx_analytics_events_user_id on analytics.analytics_events is invalid",
    }),
    Fault("a changed function", """
        CREATE OR REPLACE FUNCTION analytics.mark_view_stale() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'
    """, {
        "catalog": "not as in the models: function analytics.mark_view_stale()",
    }),
    Fault("a changed view", """
        CREATE OR REPLACE VIEW analytics.niche_daily_activity AS
        SELECT niche_id, day, event_type, events FROM analytics.niche_daily_activity_summary
    """, {
        "catalog": "not as in the models: view analytics.niche_daily_activity",
    }),
    Fault("a revoked right", "REVOKE SELECT ON analytics.trend_cache FROM analytics_reader", {
        "catalog": "missing: privileges of analytics_reader on analytics.trend_cache",
    }),
    Fault("a right too much", "GRANT UPDATE ON analytics.analytics_events TO PUBLIC", {
        "catalog": "not in the models: privileges of PUBLIC on analytics.analytics_events",
    }),
    Fault("a view without content", "REFRESH MATERIALIZED VIEW analytics.platform_comparison WITH NO DATA", {
        "in force": "materialized view analytics.platform_comparison is not populated",
        "catalog": "setting analytics.platform_comparison.emptiness",
    }),
    # Who owns what, and who may do what
    Fault("another owner of a table", f"""
        {STRANGER}; ALTER TABLE analytics.stale_views OWNER TO stranger; REVOKE ALL ON analytics.stale_views FROM PUBLIC
    """, {
        "owners": (
            "table analytics.stale_views belongs to stranger, the rest of it to {owner}: ALTER TABLE"
            " analytics.stale_views OWNER TO {owner}"
        ),
    }, undo=NO_STRANGER),
    Fault("another owner of a SECURITY DEFINER function", f"""
        {STRANGER}; ALTER FUNCTION analytics.mark_view_stale() OWNER TO stranger
    """, {
        "owners": (
            "routine analytics.mark_view_stale() belongs to stranger and runs with the rights of that role, the rest of"
            " it to {owner}: ALTER ROUTINE analytics.mark_view_stale() OWNER TO {owner}"
        ),
    }, undo=NO_STRANGER),
    Fault("a function that runs as its caller", "ALTER FUNCTION analytics.mark_view_stale() SECURITY INVOKER", {
        "catalog": "not as in the models: function analytics.mark_view_stale()",
    }),
    Fault("a function with another search_path", """
        ALTER FUNCTION analytics.mark_view_stale() SET search_path = public, pg_catalog
    """, {
        "catalog": "not as in the models: function analytics.mark_view_stale()",
    }),
    Fault("a group role made superuser", "ALTER ROLE analytics_reader SUPERUSER", {
        "group roles": "analytics_reader is a superuser: ALTER ROLE analytics_reader NOSUPERUSER",
    }, undo="ALTER ROLE analytics_reader NOSUPERUSER"),
    Fault("a group role that may create roles", "ALTER ROLE analytics_writer CREATEROLE", {
        "group roles": "analytics_writer is allowed to create roles: ALTER ROLE analytics_writer NOCREATEROLE",
    }, undo="ALTER ROLE analytics_writer NOCREATEROLE"),
    Fault("a group role that is a member of the owner", "GRANT postgres TO analytics_writer", {
        "group roles": "analytics_writer is a member of postgres, which is a superuser: REVOKE postgres FROM",
    }, undo="REVOKE postgres FROM analytics_writer"),
    Fault("the application's right on features", f"""
        {STRANGER}; GRANT SELECT, UPDATE ON public.features TO stranger; {AS_BEFORE_UPGRADE};
        REVOKE UPDATE ON public.features FROM stranger
    """, {
        "application's rights": (
            "stranger has lost UPDATE on public.features: GRANT UPDATE ON TABLE public.features TO stranger"
        ),
    }, undo=NO_STRANGER),
    Fault("the application's right on a column, to grant", f"""
        {STRANGER}; GRANT INSERT (phrase) ON public.features TO stranger WITH GRANT OPTION; {AS_BEFORE_UPGRADE};
        REVOKE GRANT OPTION FOR INSERT (phrase) ON public.features FROM stranger
    """, {
        "application's rights": "GRANT INSERT (phrase) ON TABLE public.features TO stranger WITH GRANT OPTION",
    }, undo=NO_STRANGER),
    Fault("the application's right on the sequence", f"""
        GRANT USAGE ON SEQUENCE public.features_niche_id_seq TO PUBLIC; {AS_BEFORE_UPGRADE};
        REVOKE USAGE ON SEQUENCE public.features_niche_id_seq FROM PUBLIC
    """, {
        "application's rights": "GRANT USAGE ON SEQUENCE public.features_niche_id_seq TO PUBLIC",
    }),
    Fault("the schema closed to the application", "REVOKE USAGE ON SCHEMA public FROM PUBLIC", {
        "application's rights": "PUBLIC has lost USAGE on public: GRANT USAGE ON SCHEMA public TO PUBLIC",
    }),
    Fault("another owner of Phase 1's table", f"{STRANGER}; ALTER TABLE public.hot_niches_today OWNER TO stranger", {
        "application's rights": (
            "public.hot_niches_today belongs to stranger, and belonged to {owner}: ALTER TABLE public.hot_niches_today"
            " OWNER TO {owner}"
        ),
    }, undo=NO_STRANGER),
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
    Fault("a duplicate that its unique index does not know", BESIDE_INDEX.format(
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
    Fault("rows missing from an index", BESIDE_INDEX.format("analytics.idx_analytics_events_user_id", EVENT), {
        "indexes": (
            "index analytics.idx_analytics_events_user_id of analytics.analytics_events: 1 rows are missing from it"
            " (event_id 4249): REINDEX INDEX CONCURRENTLY analytics.idx_analytics_events_user_id"
        ),
    }),
    Fault("rows missing from a partial index", BESIDE_INDEX.format(
        "analytics.idx_insight_registry_published", INSIGHT
    ), {
        "indexes": "index analytics.idx_insight_registry_published of analytics.insight_registry: 1 rows are missing",
    }),
    Fault("rows missing from an index in another order", BESIDE_INDEX.format(
        "analytics.idx_content_recommendations_best", RECOMMENDATION
    ), {
        "indexes": (
            "index analytics.idx_content_recommendations_best of analytics.content_recommendations: 1 rows are missing"
        ),
    }),
    Fault("rows missing from an index on an expression of others", f"""
        CREATE INDEX features_lower_idx ON public.features (lower(phrase));
        {BESIDE_INDEX.format("public.features_lower_idx", NICHE)};
        REFRESH MATERIALIZED VIEW analytics.trending_niches
    """, {
        "indexes": "index public.features_lower_idx of public.features: 1 rows are missing from it (niche_id 201)",
    }),
    Fault("a row missing from a unique index, where amcheck is installed", f"""
        CREATE EXTENSION amcheck; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
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
    # What is derived
    Fault("a lost delta", """
        INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
        VALUES ('view', 'web', now(), '{}', 150), ('view', 'web', now(), '{}', 150);
        DELETE FROM analytics.niche_daily_activity_delta; SELECT analytics.refresh_stale_views()
    """, {
        "activity": "view: the view says 0, there are 2",
    }),
    Fault("a wrong count", """
        UPDATE analytics.niche_daily_activity_summary SET events = events + 1
        WHERE niche_id = 150 AND event_type = 'niche_scored'
    """, {
        "activity": "niche_scored: the view says 2, there are 1",
    }),
    Fault("a materialized view changed behind its back", """
        SET session_replication_role = replica;
        UPDATE public.features SET opportunity = 0.00001, updated_at = now() WHERE niche_id = 150
    """, {
        "materialized views": "analytics.trending_niches differs in 1 niches (150), and nothing marks it as stale",
    }),
    Fault("marks that were lost", """
        UPDATE analytics.cross_platform_metrics SET demand_score = 0.5 WHERE niche_id = 150;
        DELETE FROM analytics.stale_views
    """, {
        "materialized views": "analytics.platform_comparison differs in 1 niches (150), and nothing marks it as stale",
    }),
    Fault("a hot niche with another opportunity", """
        UPDATE public.hot_niches_today SET opportunity = opportunity + 0.1 WHERE niche_id = 26
    """, {
        "hot niches": "niche 26 differs from features",
    }),
    Fault("a hot niche twice", """
        ALTER TABLE public.hot_niches_today DROP CONSTRAINT IF EXISTS hot_niches_today_pkey;
        INSERT INTO public.hot_niches_today SELECT * FROM public.hot_niches_today WHERE niche_id = 26
    """, {
        "hot niches": "niche 26 is there 2 times",
    }),
    Fault("a hot niche's wrong trend", """
        UPDATE public.hot_niches_today SET days_trending = 99 WHERE niche_id = 26
    """, {
        "hot trends": "missing or different: 26",
    }),
    Fault("hot niches emptied", "DELETE FROM public.hot_niches_today", {
        "hot niches": "public.hot_niches_today is empty, and",
    }),
    # Old and new
    Fault("charts deleted", "DELETE FROM analytics.trend_cache", {
        "charts": "200 of 200 are not in analytics.trend_cache (niche_id 1, 2, 3, 4, 5)",
    }),
    Fault("a chart deleted", "DELETE FROM analytics.trend_cache WHERE niche_id = 150", {
        "charts": "1 of 200 are not in analytics.trend_cache (niche_id 150)",
    }),
    Fault("a vector that disagrees with its events", """
        UPDATE public.features SET trend_vector = '[]' WHERE niche_id = 150; SELECT analytics.refresh_stale_views()
    """, {
        "trends": "missing or different: 150",
    }),
    # Phase 1's rows
    Fault("a changed row with its old updated_at", """
        SET session_replication_role = replica;
        UPDATE public.features SET monetise_score = 1 - monetise_score WHERE niche_id IN (150, 7)
    """, {
        "Phase 1 rows": "niches 7, 150 have other values and the same updated_at",
    }),
    Fault("a row overwritten by an older copy", """
        SET session_replication_role = replica;
        UPDATE public.features SET demand_score = 0.5, updated_at = updated_at - interval '3 days' WHERE niche_id = 150;
        REFRESH MATERIALIZED VIEW analytics.trending_niches
    """, {
        "Phase 1 rows": "niches 150 are older than any transaction that was open then: a copy from before",
    }),
    Fault("a row that comes from an older copy", """
        INSERT INTO public.features (phrase, updated_at) VALUES ('from the backup', now() - interval '3 days');
        SELECT analytics.refresh_stale_views()
    """, {
        "Phase 1 rows": "niches 201 are older than any transaction that was open then: a copy from before",
    }),
    Fault("a deleted row", """
        DELETE FROM analytics.analytics_events WHERE niche_id = 150;
        DELETE FROM analytics.ml_features WHERE niche_id = 150;
        DELETE FROM analytics.cross_platform_metrics WHERE niche_id = 150;
        DELETE FROM analytics.trend_cache WHERE niche_id = 150;
        DELETE FROM public.features WHERE niche_id = 150; SELECT analytics.refresh_stale_views()
    """, {
        "Phase 1 rows": "niches 150 are gone",
    }),
    # Phase 1's own view
    Fault("the view of Phase 1 dropped", "DROP SCHEMA analytics_phase1 CASCADE", {
        "Phase 1 view": "CREATE MATERIALIZED VIEW analytics_phase1.hot_niches_today AS SELECT features.niche_id,",
    }, "backfilled_matview"),
    Fault("another view in its place", """
        DROP MATERIALIZED VIEW analytics_phase1.hot_niches_today;
        CREATE MATERIALIZED VIEW analytics_phase1.hot_niches_today AS SELECT niche_id, phrase FROM public.features
    """, {
        "Phase 1 view": "it has no column demand_score as ours has",
    }, "backfilled_matview"),
    Fault("hot niches emptied, a materialized view", """
        CREATE TABLE public.features_aside AS SELECT * FROM public.features;
        ALTER TABLE public.features DISABLE TRIGGER USER;
        UPDATE public.features SET updated_at = updated_at - interval '1 year';
        REFRESH MATERIALIZED VIEW public.hot_niches_today;
        UPDATE public.features AS f SET updated_at = a.updated_at FROM public.features_aside AS a
        WHERE a.niche_id = f.niche_id;
        ALTER TABLE public.features ENABLE TRIGGER USER
    """, {
        "hot niches": "public.hot_niches_today is empty, and",
    }, "backfilled_matview"),
)  # fmt: skip

# What others may do to rows of the backfill's: it is said, and no fault.
THEIR_RIGHT = (
    Fault("a doubled event", f"""
        INSERT INTO analytics.analytics_events
            (event_type, event_source, event_timestamp, event_data, user_id, niche_id, created_at)
        SELECT event_type, event_source, event_timestamp, event_data, user_id, niche_id, created_at
        FROM analytics.analytics_events WHERE event_id = ({OLD_EVENT})
    """, {  # noqa: S608
        "history": "1 rows of others equal a staged event: ",
    }),
    Fault("a lost event", f"DELETE FROM analytics.analytics_events WHERE event_id = ({OLD_EVENT})", {  # noqa: S608
        "history": "1 rows were deleted since, and stay so: ",
    }),
    Fault("a changed event", f"""
        UPDATE analytics.analytics_events SET event_data = '{{"views": -1}}' WHERE event_id = ({OLD_EVENT})
    """, {  # noqa: S608
        "history": "1 rows were changed since, and stay so: ",
    }),
    Fault("a lost feature vector", "DELETE FROM analytics.ml_features WHERE niche_id = 150", {
        "scores": "1 rows were deleted since, and stay so: 150",
    }),
    Fault("a doubled scoring", """
        INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
        SELECT event_type, event_source, event_timestamp, event_data, niche_id
        FROM analytics.analytics_events WHERE niche_id = 150 AND event_source = 'phase1'
    """, {
        "scores": "1 rows of others are further scorings of their niches: 150",
    }),
)  # fmt: skip
