"""Recommendations tables.

Plan step: V2.0.3__recommendations_tables.sql
Why: recommendations, the feature vectors they are learned from and the insights that explain them.
Reversed by: dropping the tables.

Revision ID: 2.0.3
Revises: 2.0.2
Create Date: 2025-05-15
"""

import json
from pathlib import Path

from alembic import op

revision = "2.0.3"
down_revision = "2.0.2"
branch_labels = None
depends_on = None

# Creating a table with a foreign key holds up writers of the table it refers to; dropping it holds up everybody.
locks = {
    "upgrade": {"public.features": "ShareRowExclusiveLock"},
    "downgrade": {"public.features": "AccessExclusiveLock"},
}

# What the step drops.
drops: dict[str, list[str]] = {
    "upgrade": [],
    "downgrade": [
        "analytics.content_recommendations",
        "analytics.insight_registry",
        "analytics.ml_features",
    ],
}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))


def upgrade() -> None:
    op.execute("""
        CREATE TABLE analytics.content_recommendations (
            recommendation_id bigserial PRIMARY KEY,
            niche_id bigint NOT NULL REFERENCES public.features (niche_id),
            user_id text,
            content_type text NOT NULL,
            title text NOT NULL,
            description text NOT NULL,
            content_format text,
            keywords text[] NOT NULL DEFAULT '{}',
            opportunity_score numeric(5, 4) NOT NULL,
            audience_match numeric(5, 4),
            estimated_views bigint,
            trend_status text,
            competition_level text,
            model_version text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            valid_until timestamptz NOT NULL,
            CONSTRAINT content_recommendations_key UNIQUE NULLS NOT DISTINCT (niche_id, user_id, content_type, title),
            CONSTRAINT content_recommendations_content_type_check
                CHECK (content_type IN ('video', 'short', 'stream', 'post')),
            CONSTRAINT content_recommendations_title_check CHECK (title ~ '\\S'),
            CONSTRAINT content_recommendations_opportunity_score_check CHECK (opportunity_score BETWEEN 0 AND 1),
            CONSTRAINT content_recommendations_audience_match_check CHECK (audience_match BETWEEN 0 AND 1),
            CONSTRAINT content_recommendations_estimated_views_check CHECK (estimated_views >= 0),
            CONSTRAINT content_recommendations_keywords_check CHECK (array_position(keywords, NULL) IS NULL),
            CONSTRAINT content_recommendations_trend_status_check
                CHECK (trend_status IN ('rising', 'stable', 'falling')),
            CONSTRAINT content_recommendations_competition_level_check
                CHECK (competition_level IN ('low', 'medium', 'high')),
            CONSTRAINT content_recommendations_model_version_check CHECK (model_version ~ '\\S'),
            CONSTRAINT content_recommendations_valid_until_check CHECK (valid_until > created_at)
        );
    """)
    op.execute("""
        COMMENT ON TABLE analytics.content_recommendations IS
        'Content recommended for a niche, to one user or to everybody';
        COMMENT ON COLUMN analytics.content_recommendations.recommendation_id IS 'Key of the recommendation';
        COMMENT ON COLUMN analytics.content_recommendations.niche_id IS 'The niche it is for';
        COMMENT ON COLUMN analytics.content_recommendations.user_id IS
        'Whom it is for; NULL: everybody. Subject to erasure';
        COMMENT ON COLUMN analytics.content_recommendations.content_type IS
        'What to make: video, short, stream or post';
        COMMENT ON COLUMN analytics.content_recommendations.title IS 'Suggested title';
        COMMENT ON COLUMN analytics.content_recommendations.description IS 'Why, and what it should hold';
        COMMENT ON COLUMN analytics.content_recommendations.content_format IS
        'Suggested format, for example tutorial or review';
        COMMENT ON COLUMN analytics.content_recommendations.keywords IS 'Suggested keywords, most important first';
        COMMENT ON COLUMN analytics.content_recommendations.opportunity_score IS
        'How promising, 0 to 1; recommendations are read by it';
        COMMENT ON COLUMN analytics.content_recommendations.audience_match IS 'How well it fits the audience, 0 to 1';
        COMMENT ON COLUMN analytics.content_recommendations.estimated_views IS 'Views to expect in the first 30 days';
        COMMENT ON COLUMN analytics.content_recommendations.trend_status IS
        'The niche''s trend then: rising, stable or falling';
        COMMENT ON COLUMN analytics.content_recommendations.competition_level IS
        'Competition then: low, medium or high';
        COMMENT ON COLUMN analytics.content_recommendations.model_version IS
        'Version of the model that recommended it';
        COMMENT ON COLUMN analytics.content_recommendations.created_at IS 'When it was recommended';
        COMMENT ON COLUMN analytics.content_recommendations.valid_until IS 'When it expires; kept for 12 months';
    """)
    op.execute("""
        CREATE TABLE analytics.ml_features (
            vector_id bigserial PRIMARY KEY,
            niche_id bigint NOT NULL REFERENCES public.features (niche_id),
            feature_set text NOT NULL,
            model_version text NOT NULL,
            -- Arrays have fewer elements than that.
            -- squawk-ignore prefer-bigint-over-int
            dimension integer NOT NULL,
            vector double precision[] NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT ml_features_niche_id_feature_set_model_version_key
                UNIQUE (niche_id, feature_set, model_version),
            CONSTRAINT ml_features_feature_set_check CHECK (feature_set ~ '\\S'),
            CONSTRAINT ml_features_model_version_check CHECK (model_version ~ '\\S'),
            CONSTRAINT ml_features_dimension_check CHECK (dimension > 0),
            CONSTRAINT ml_features_vector_dimension_check
                CHECK (array_ndims(vector) = 1 AND cardinality(vector) = dimension),
            CONSTRAINT ml_features_vector_nulls_check CHECK (array_position(vector, NULL) IS NULL),
            CONSTRAINT ml_features_vector_finite_check
                CHECK (NOT vector && '{NaN,Infinity,-Infinity}'::double precision[])
        );
    """)
    op.execute("""
        COMMENT ON TABLE analytics.ml_features IS 'Feature vectors of niches, one a niche, feature set and version';
        COMMENT ON COLUMN analytics.ml_features.vector_id IS 'Key of the vector';
        COMMENT ON COLUMN analytics.ml_features.niche_id IS 'The niche described';
        COMMENT ON COLUMN analytics.ml_features.feature_set IS
        'Which features, in which order, for example phase1_scores';
        COMMENT ON COLUMN analytics.ml_features.model_version IS 'Version of the code that computed the vector';
        COMMENT ON COLUMN analytics.ml_features.dimension IS 'Number of elements of the vector';
        COMMENT ON COLUMN analytics.ml_features.vector IS 'The features, finite numbers';
        COMMENT ON COLUMN analytics.ml_features.created_at IS 'When it was computed';
    """)
    op.execute("""
        CREATE TABLE analytics.insight_registry (
            insight_id bigserial PRIMARY KEY,
            niche_id bigint REFERENCES public.features (niche_id),
            insight_type text NOT NULL,
            platform text,
            title text NOT NULL,
            insight_data jsonb NOT NULL,
            score numeric(5, 4),
            model_version text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            published_at timestamptz,
            valid_until timestamptz,
            CONSTRAINT insight_registry_key UNIQUE NULLS NOT DISTINCT (niche_id, insight_type, platform, title),
            CONSTRAINT insight_registry_insight_type_check CHECK (insight_type ~ '\\S'),
            CONSTRAINT insight_registry_platform_check CHECK (platform IN ('youtube', 'tiktok', 'instagram')),
            CONSTRAINT insight_registry_title_check CHECK (title ~ '\\S'),
            CONSTRAINT insight_registry_insight_data_check CHECK (jsonb_typeof(insight_data) = 'object'),
            CONSTRAINT insight_registry_score_check CHECK (score BETWEEN 0 AND 1),
            CONSTRAINT insight_registry_model_version_check CHECK (model_version ~ '\\S'),
            CONSTRAINT insight_registry_valid_until_check CHECK (valid_until > created_at)
        );
    """)
    op.execute("""
        COMMENT ON TABLE analytics.insight_registry IS
        'Generated insights with what made them and when they may be shown';
        COMMENT ON COLUMN analytics.insight_registry.insight_id IS 'Key of the insight';
        COMMENT ON COLUMN analytics.insight_registry.niche_id IS 'The niche it is about; NULL: about all niches';
        COMMENT ON COLUMN analytics.insight_registry.insight_type IS
        'What kind: competitor_heatmap, gap_analysis, cross_platform or another';
        COMMENT ON COLUMN analytics.insight_registry.platform IS 'The platform it is about; NULL: none in particular';
        COMMENT ON COLUMN analytics.insight_registry.title IS 'The finding in a few words';
        COMMENT ON COLUMN analytics.insight_registry.insight_data IS
        'The finding: matrices, sub-niches with demand, supply, opportunity, audience and competitors';
        COMMENT ON COLUMN analytics.insight_registry.score IS 'How much it matters, 0 to 1; insights are read by it';
        COMMENT ON COLUMN analytics.insight_registry.model_version IS 'Version of the model that found it';
        COMMENT ON COLUMN analytics.insight_registry.created_at IS 'When it was found';
        COMMENT ON COLUMN analytics.insight_registry.published_at IS 'When it may be shown from; NULL: a draft';
        COMMENT ON COLUMN analytics.insight_registry.valid_until IS
        'When it expires; NULL: never. Kept for 12 months';
    """)
    op.execute("""
        DO $$
        DECLARE
            wanted record;
        BEGIN
            FOR wanted IN
                SELECT roles.rolname, rights.privileges, rights.object
                FROM (VALUES
                    ('analytics_reader', 'SELECT', 'TABLE analytics.content_recommendations'),
                    ('analytics_reader', 'SELECT', 'TABLE analytics.ml_features'),
                    ('analytics_reader', 'SELECT', 'TABLE analytics.insight_registry'),
                    ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.content_recommendations'),
                    ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.ml_features'),
                    ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.insight_registry'),
                    ('analytics_writer', 'USAGE', 'SEQUENCE analytics.content_recommendations_recommendation_id_seq'),
                    ('analytics_writer', 'USAGE', 'SEQUENCE analytics.ml_features_vector_id_seq'),
                    ('analytics_writer', 'USAGE', 'SEQUENCE analytics.insight_registry_insight_id_seq')
                ) AS rights (role_name, privileges, object)
                INNER JOIN pg_roles AS roles ON roles.rolname = rights.role_name
            LOOP
                EXECUTE format('GRANT %s ON %s TO %I', wanted.privileges, wanted.object, wanted.rolname);
            END LOOP;
        END
        $$;
    """)


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS analytics.insight_registry")
    op.execute("DROP TABLE IF EXISTS analytics.ml_features")
    op.execute("DROP TABLE IF EXISTS analytics.content_recommendations")
