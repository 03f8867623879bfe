"""Views, functions, triggers, and the models' SQL files themselves."""
# ruff: noqa: S608 (statements of our own making)

from operations.phase1 import Shape
from tests.engine.catalog.mutations.case import CACHE, CURRENT, EVENTS, RECS, Mutation

STALE = "CREATE OR REPLACE FUNCTION analytics.mark_view_stale() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"

VIEWS = (
    Mutation(
        "view's body",
        f"DROP VIEW analytics.current_trends; {CURRENT} valid_until >= now()",
        ("changed view analytics.current_trends", "added privileges of analytics_reader on analytics.current_trends"),
    ),
    Mutation("view dropped", "DROP VIEW analytics.current_trends", ("added view analytics.current_trends",)),
    Mutation(
        "view too many, with :word, % and privileges",
        "CREATE VIEW analytics.extra AS SELECT event_id, event_type || ':word 100%' AS word"
        " FROM analytics.analytics_events WHERE event_type LIKE '%\\:x%';"
        "COMMENT ON COLUMN analytics.extra.word IS 'It''s :one';"
        "GRANT SELECT ON analytics.extra TO analytics_reader WITH GRANT OPTION",
        ("removed view analytics.extra",),
    ),
    Mutation(
        "views that depend on each other",
        "DROP VIEW analytics.published_insights; CREATE VIEW analytics.published_insights AS"
        " SELECT insight_id, niche_id FROM analytics.insight_registry;"
        "CREATE VIEW analytics.a_first AS SELECT insight_id FROM analytics.published_insights;"
        "CREATE VIEW analytics.z_second AS SELECT a.insight_id FROM analytics.a_first AS a",
        ("changed view analytics.published_insights", "removed view analytics.a_first"),
    ),
    Mutation(
        "view under somebody else's view",
        f"DROP VIEW analytics.current_trends; {CURRENT} valid_until >= now();"
        "CREATE VIEW public.theirs AS SELECT trend_id FROM analytics.current_trends",
        ("changed view analytics.current_trends",),
        by_hand="view analytics.current_trends cannot be dropped: view public.theirs uses it",
    ),
    Mutation(
        "new column used by a view",
        f"DROP VIEW analytics.active_recommendations; ALTER TABLE {RECS} DROP COLUMN content_format;"
        f"CREATE VIEW analytics.active_recommendations AS SELECT recommendation_id FROM {RECS}",
        (f"added column {RECS}.content_format", "changed view analytics.active_recommendations"),
    ),
    Mutation(
        "dropped column that a view used",
        f"ALTER TABLE {CACHE} ADD COLUMN extra text; DROP VIEW analytics.current_trends;"
        f"CREATE VIEW analytics.current_trends AS SELECT trend_id, extra FROM {CACHE}",
        (f"removed column {CACHE}.extra", "changed view analytics.current_trends"),
    ),
    Mutation(
        "view's option",
        "ALTER VIEW analytics.current_trends SET (security_barrier = true)",
        ("changed view analytics.current_trends",),
    ),
    Mutation(
        "materialized view's body",
        "DROP MATERIALIZED VIEW analytics.trending_niches; CREATE MATERIALIZED VIEW analytics.trending_niches AS"
        " SELECT niche_id, phrase FROM public.features;"
        "CREATE UNIQUE INDEX idx_trending_niches_niche_id ON analytics.trending_niches (niche_id)",
        ("changed materialized view analytics.trending_niches",),
        contains=("# Built anew from its base tables",),
    ),
    Mutation(
        "materialized view's partial index",
        "DROP INDEX analytics.idx_trending_niches_direction; CREATE INDEX idx_trending_niches_direction ON"
        " analytics.trending_niches (direction) WHERE slope > 0",
        ("changed index analytics.trending_niches.idx_trending_niches_direction",),
    ),
    Mutation(
        "materialized view's index too many",
        "CREATE INDEX extra ON analytics.trending_niches (phrase)",
        ("removed index analytics.trending_niches.extra",),
    ),
    Mutation(
        "materialized view dropped",
        "DROP MATERIALIZED VIEW analytics.platform_comparison",
        ("added materialized view analytics.platform_comparison",),
    ),
    Mutation(
        "comment on a view's column",
        "COMMENT ON COLUMN analytics.trending_niches.slope IS NULL",
        ("added comment on column analytics.trending_niches.slope",),
    ),
    Mutation(
        "hot_niches_today in its other shape",
        "COMMENT ON COLUMN public.hot_niches_today.days_trending IS 'x'",
        ("changed comment on column public.hot_niches_today.days_trending",),
        shape=Shape.MATVIEW,
    ),
)

FUNCTIONS = (
    Mutation(
        "function with :word and %",
        f"""{STALE} AS $$BEGIN RAISE NOTICE ':word, "quoted" \\: 100%% %', tg_argv[0]; RETURN NULL; END$$""",
        ("changed function analytics.mark_view_stale()",),
    ),
    Mutation(
        "function's body over lines, with blanks at their ends",
        f"{STALE} AS $$\nBEGIN  \n\n\t-- it's\n    RETURN NULL;\nEND\n$$",
        ("changed function analytics.mark_view_stale()",),
    ),
    Mutation(
        "function's properties",
        "ALTER FUNCTION analytics.trend_of(jsonb) COST 1 VOLATILE",
        ("changed function analytics.trend_of(jsonb)",),
    ),
    Mutation(
        "function's result, under a materialized view",
        "DROP MATERIALIZED VIEW analytics.trending_niches; DROP FUNCTION analytics.trend_of(jsonb);"
        "CREATE FUNCTION analytics.trend_of(vector jsonb, OUT direction text, OUT days int) LANGUAGE sql IMMUTABLE"
        " AS $$ SELECT 'stable', 0 $$; CREATE MATERIALIZED VIEW analytics.trending_niches AS SELECT f.niche_id, t.days"
        " FROM public.features AS f CROSS JOIN LATERAL analytics.trend_of(f.trend_vector) AS t",
        ("changed function analytics.trend_of(jsonb)", "changed materialized view analytics.trending_niches"),
    ),
    Mutation(
        "function too many, used by a view",
        "CREATE FUNCTION analytics.extra(a int, b text[]) RETURNS int LANGUAGE sql RETURN a;"
        "COMMENT ON FUNCTION analytics.extra IS 'Extra';"
        "CREATE VIEW analytics.uses AS SELECT analytics.extra(1, NULL) AS e",
        ("removed function analytics.extra(integer, text[])", "removed view analytics.uses"),
    ),
    Mutation(
        "procedure too many",
        "CREATE PROCEDURE analytics.extra() LANGUAGE sql AS $$ SELECT 1 $$",
        ("removed function analytics.extra()",),
    ),
    Mutation(
        "trigger's events",
        "DROP TRIGGER features_mark_trending_niches ON public.features; CREATE TRIGGER features_mark_trending_niches"
        " AFTER INSERT ON public.features EXECUTE FUNCTION analytics.mark_view_stale('trending_niches')",
        ("changed trigger public.features.features_mark_trending_niches",),
    ),
    Mutation(
        "trigger disabled",
        f"ALTER TABLE {EVENTS} DISABLE TRIGGER analytics_events_inserted",
        (f"changed trigger {EVENTS}.analytics_events_inserted",),
    ),
    Mutation(
        "trigger dropped",
        f"DROP TRIGGER analytics_events_truncated ON {EVENTS}",
        (f"added trigger {EVENTS}.analytics_events_truncated",),
    ),
    Mutation(
        "trigger function dropped with its triggers",
        "DROP FUNCTION analytics.mark_view_stale() CASCADE",
        ("added function analytics.mark_view_stale()", "added trigger public.features.features_mark_trending_niches"),
    ),
)

EDITED_FILES = (
    Mutation(
        "SQL file of a view edited",
        detected=("changed view analytics.current_trends",),
        edits=(
            (
                "views/current_trends.sql",
                "t.valid_until > now()",
                "t.valid_until >= now() AND t.trend_type <> ':word %'",
            ),
        ),
    ),
    Mutation(
        "SQL file of a materialized view edited, its partial index too",
        detected=("changed materialized view analytics.trending_niches",),
        edits=(
            ("materialized_views/trending_niches.sql", "WHERE f.trend_vector IS NOT NULL;", "WHERE f.opportunity > 0;"),
            (
                "materialized_views/trending_niches.sql",
                "(niche_id);",
                "(niche_id); CREATE INDEX few ON analytics.trending_niches (phrase) WHERE slope > 1;",
            ),
        ),
    ),
    Mutation(
        "SQL file of a trigger edited",
        detected=("changed trigger public.features.features_mark_trending_niches",),
        edits=(("triggers/features.sql", "AFTER INSERT OR DELETE OR", "AFTER DELETE OR"),),
    ),
    Mutation(
        "SQL file of the grants edited",
        detected=("removed privileges of analytics_reader on analytics.trend_of(jsonb)",),
        edits=(("grants.sql", "('analytics_reader', 'EXECUTE', 'FUNCTION analytics.trend_of(jsonb)'),", ""),),
    ),
    Mutation(
        "SQL file of hot_niches_today's other shape edited",
        detected=("changed materialized view public.hot_niches_today",),
        edits=(("materialized_views/hot_niches_today.sql", "trend.days AS", "trend.days + 0 AS"),),
        by_hand="index public.hot_niches_today.hot_niches_today_opportunity_idx uses it",  # which is Phase 1's
        shape=Shape.MATVIEW,
    ),
)
