"""Comments and privileges."""
# ruff: noqa: S608 (statements of our own making)

from tests.engine.catalog.mutations.case import CACHE, EVENTS, Mutation

COMMENTS_AND_GRANTS = (
    Mutation("comment on a table", f"COMMENT ON TABLE {CACHE} IS NULL", (f"added comment on table {CACHE}",)),
    Mutation(
        "comment on a column",
        f"COMMENT ON COLUMN {CACHE}.trend_type IS 'It''s :word, 100%'",
        (f"changed comment on column {CACHE}.trend_type",),
    ),
    Mutation(
        "comment on a function, over lines",
        "COMMENT ON FUNCTION analytics.trend_of(jsonb) IS E'One \\nTwo\\\\n :three %'",
        ("changed comment on function analytics.trend_of(jsonb)",),
    ),
    Mutation(
        "comment on a trigger",
        f"COMMENT ON TRIGGER analytics_events_inserted ON {EVENTS} IS NULL",
        (f"added comment on trigger {EVENTS}.analytics_events_inserted",),
    ),
    Mutation("comment on the schema", "COMMENT ON SCHEMA analytics IS 'x'", ("changed comment on schema analytics",)),
    Mutation(
        "grant missing",
        f"REVOKE SELECT ON {CACHE} FROM analytics_reader",
        (f"added privileges of analytics_reader on {CACHE}",),
    ),
    Mutation(
        "grant too many",
        f"GRANT TRUNCATE ON {CACHE} TO analytics_writer",
        (f"changed privileges of analytics_writer on {CACHE}",),
    ),
    Mutation(
        "grant to PUBLIC",
        "GRANT SELECT ON analytics.current_trends TO PUBLIC",
        ("removed privileges of PUBLIC on analytics.current_trends",),
    ),
    Mutation(
        "grant on a column, to be passed on",
        f"GRANT UPDATE (trend_data) ON {CACHE} TO analytics_reader WITH GRANT OPTION",
        (f"changed privileges of analytics_reader on {CACHE}",),
    ),
    Mutation(
        "function open to everybody",
        "GRANT EXECUTE ON FUNCTION analytics.refresh_stale_views() TO PUBLIC",
        ("removed privileges of PUBLIC on analytics.refresh_stale_views()",),
    ),
    Mutation(
        "schema closed to readers",
        "REVOKE USAGE ON SCHEMA analytics FROM analytics_reader",
        ("added privileges of analytics_reader on analytics",),
    ),
    Mutation(
        "sequence closed to writers",
        "REVOKE USAGE ON SEQUENCE analytics.trend_cache_trend_id_seq FROM analytics_writer",
        ("added privileges of analytics_writer on analytics.trend_cache_trend_id_seq",),
    ),
)
