"""Indexes and constraints."""
# ruff: noqa: S608 (statements of our own making)

from tests.engine.catalog.mutations.case import CACHE, EVENTS, RECS, Mutation

INDEX = "idx_content_recommendations_user_id"


def _index(definition: str) -> str:
    return f"DROP INDEX analytics.{INDEX}; CREATE INDEX {INDEX} ON {definition}"


def _check(name: str, table: str, definition: str) -> str:
    return f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {definition}"


_CHANGED_INDEX = (f"changed index {RECS}.{INDEX}",)

INDEXES = (
    Mutation("index dropped", f"DROP INDEX analytics.{INDEX}", (f"added index {RECS}.{INDEX}",)),
    Mutation(
        "index too many",
        f"CREATE UNIQUE INDEX extra ON {RECS} (recommendation_id, md5(user_id)) WHERE user_id IS NOT NULL",
        (f"removed index {RECS}.extra",),
        contains=("CREATE UNIQUE INDEX CONCURRENTLY extra", "autocommit_block"),
    ),
    Mutation("index WHERE", _index(f"{RECS} (user_id) WHERE user_id <> ''"), _CHANGED_INDEX),
    Mutation("index INCLUDE", _index(f"{RECS} (user_id) INCLUDE (content_type)"), _CHANGED_INDEX),
    Mutation("index method", _index(f"{RECS} USING hash (user_id)"), _CHANGED_INDEX),
    Mutation("index opclass", _index(f"{RECS} (user_id text_pattern_ops)"), _CHANGED_INDEX),
    Mutation("index storage parameter", _index(f"{RECS} (user_id) WITH (fillfactor = 50)"), _CHANGED_INDEX),
    Mutation("index order", _index(f"{RECS} (user_id DESC)"), _CHANGED_INDEX),
    Mutation("index collation", _index(f'{RECS} (user_id COLLATE "C")'), _CHANGED_INDEX),
    Mutation(
        "index INVALID",
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'analytics.{INDEX}'::regclass",
        _CHANGED_INDEX,
        stays=(f"index {RECS}.{INDEX}",),
    ),
    Mutation(
        "comment on an index",
        f"COMMENT ON INDEX analytics.{INDEX} IS 'Erasure'",
        (f"removed comment on index {RECS}.{INDEX}",),
    ),
    Mutation(
        "index of a partitioned table",
        "DROP INDEX analytics.idx_analytics_events_user_id",
        (f"added index {EVENTS}.idx_analytics_events_user_id",),
        contains=("ON ONLY analytics.analytics_events", "ATTACH PARTITION"),
    ),
    Mutation(
        "index of a partitioned table too many",
        f"CREATE INDEX extra ON {EVENTS} (event_source) WHERE event_type <> ':word %'",
        (f"removed index {EVENTS}.extra",),
    ),
)

CONSTRAINTS = (
    Mutation(
        "CHECK expression",
        _check("insight_registry_score_check", "analytics.insight_registry", "CHECK (score <= 1)"),
        ("changed constraint analytics.insight_registry.insight_registry_score_check",),
        contains=("NOT VALID", "VALIDATE CONSTRAINT insight_registry_score_check", "autocommit_block"),
    ),
    Mutation(
        "CHECK dropped",
        "ALTER TABLE public.features DROP CONSTRAINT features_trend_vector_check",
        ("added constraint public.features.features_trend_vector_check",),
    ),
    Mutation(
        "CHECK too many",
        f"ALTER TABLE {EVENTS} ADD CONSTRAINT extra CHECK (event_type <> ':word' AND event_source !~ '\\d%');"
        f"COMMENT ON CONSTRAINT extra ON {EVENTS} IS 'Extra'",
        (f"removed constraint {EVENTS}.extra", f"removed comment on constraint {EVENTS}.extra"),
    ),
    Mutation(
        "CHECK left NOT VALID",
        _check("insight_registry_score_check", "analytics.insight_registry", "CHECK (score BETWEEN 0 AND 1) NOT VALID"),
        ("changed constraint analytics.insight_registry.insight_registry_score_check",),
    ),
    Mutation(
        "foreign key left NOT VALID",
        _check(
            "ml_features_niche_id_fkey", "analytics.ml_features", "FOREIGN KEY (niche_id) REFERENCES features NOT VALID"
        ),
        ("changed constraint analytics.ml_features.ml_features_niche_id_fkey",),
    ),
    Mutation(
        "foreign key dropped",
        "ALTER TABLE analytics.ml_features DROP CONSTRAINT ml_features_niche_id_fkey",
        ("added constraint analytics.ml_features.ml_features_niche_id_fkey",),
    ),
    Mutation(
        "foreign key ON DELETE",
        _check(
            "ml_features_niche_id_fkey",
            "analytics.ml_features",
            "FOREIGN KEY (niche_id) REFERENCES features ON DELETE CASCADE",
        ),
        ("changed constraint analytics.ml_features.ml_features_niche_id_fkey",),
    ),
    Mutation(
        "foreign key switched off",
        "ALTER TABLE analytics.ml_features DISABLE TRIGGER ALL",
        ("changed constraint analytics.ml_features.ml_features_niche_id_fkey",),
        contains=("NOT VALID", "VALIDATE CONSTRAINT ml_features_niche_id_fkey"),
        stays=("constraint analytics.ml_features.ml_features_niche_id_fkey",),
    ),
    Mutation(
        "unique key dropped",
        "ALTER TABLE analytics.ml_features DROP CONSTRAINT ml_features_niche_id_feature_set_model_version_key",
        ("added constraint analytics.ml_features.ml_features_niche_id_feature_set_model_version_key",),
    ),
    Mutation(
        "unique key of Phase 1 dropped",
        "ALTER TABLE public.features DROP CONSTRAINT features_phrase_key",
        by_hand="public.features.phrase: has no unique constraint",
    ),
    Mutation(
        "unique key NULLS DISTINCT",
        _check("trend_cache_key", CACHE, "UNIQUE (niche_id, trend_type, trend_source, related_niche_id, parameters)"),
        (f"changed constraint {CACHE}.trend_cache_key",),
    ),
    Mutation(
        "primary key of a partitioned table dropped",
        f"ALTER TABLE {EVENTS} DROP CONSTRAINT analytics_events_pkey",
        (f"added constraint {EVENTS}.analytics_events_pkey",),
        contains=("CREATE UNIQUE INDEX CONCURRENTLY", "USING INDEX"),
    ),
    Mutation(
        "primary key dropped",
        "ALTER TABLE analytics.stale_views DROP CONSTRAINT stale_views_pkey",
        ("added constraint analytics.stale_views.stale_views_pkey",),
    ),
    Mutation(
        "primary key renamed",
        "ALTER TABLE analytics.stale_views RENAME CONSTRAINT stale_views_pkey TO stale_views_key",
        ("removed constraint analytics.stale_views.stale_views_key",),
        contains=("RENAME CONSTRAINT stale_views_key TO stale_views_pkey",),
    ),
    Mutation(
        "exclusion constraint",
        "ALTER TABLE analytics.stale_views ADD CONSTRAINT one EXCLUDE USING btree (view_name WITH =)",
        ("removed constraint analytics.stale_views.one",),
        by_hand="removed constraint analytics.stale_views.one",
    ),
)
