"""Trend analysis tables.

Plan step: V2.0.1__trend_analysis_tables.sql
Why: results of trend calculations are kept until they expire, so that a chart is one indexed read.
Reversed by: dropping the table; a cache can be computed again.

Revision ID: 2.0.1
Revises: 2.0.0
Create Date: 2025-05-15
"""

import json
from pathlib import Path

from alembic import op

revision = "2.0.1"
down_revision = "2.0.0"
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
        "analytics.trend_cache",
    ],
}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))


def upgrade() -> None:
    op.execute("""
        CREATE TABLE analytics.trend_cache (
            trend_id bigserial PRIMARY KEY,
            trend_type text NOT NULL,
            trend_source text NOT NULL,
            trend_data jsonb NOT NULL,
            parameters jsonb NOT NULL,
            valid_until timestamptz NOT NULL,
            created_at timestamptz DEFAULT now(),
            niche_id bigint REFERENCES public.features (niche_id),
            related_niche_id bigint REFERENCES public.features (niche_id),
            CONSTRAINT trend_cache_key
                UNIQUE NULLS NOT DISTINCT (niche_id, trend_type, trend_source, related_niche_id, parameters),
            CONSTRAINT trend_cache_trend_type_check CHECK (trend_type ~ '\\S'),
            CONSTRAINT trend_cache_trend_source_check CHECK (trend_source ~ '\\S'),
            CONSTRAINT trend_cache_parameters_check CHECK (jsonb_typeof(parameters) = 'object'),
            CONSTRAINT trend_cache_parameters_size_check CHECK (octet_length(parameters::text) <= 2000),
            CONSTRAINT trend_cache_trend_data_check CHECK (jsonb_typeof(trend_data) = 'object'),
            CONSTRAINT trend_cache_related_niche_id_check CHECK (related_niche_id <> niche_id),
            CONSTRAINT trend_cache_valid_until_check CHECK (valid_until > created_at)
        );
    """)
    op.execute("""
        COMMENT ON TABLE analytics.trend_cache IS 'Cached results of trend calculations, each until valid_until';
        COMMENT ON COLUMN analytics.trend_cache.trend_id IS 'Key of the entry';
        COMMENT ON COLUMN analytics.trend_cache.trend_type IS
        'What was calculated: chart, correlation or another kind';
        COMMENT ON COLUMN analytics.trend_cache.trend_source IS 'What calculated it, for example niche_trends';
        COMMENT ON COLUMN analytics.trend_cache.trend_data IS
        'The result. chart: {points: [{at, demand, supply, opportunity, forecast, confidence}]}; correlation:'
        ' {coefficient, relationship, lag_days}';
        COMMENT ON COLUMN analytics.trend_cache.parameters IS
        'What it was calculated for, part of the key: for a chart {period, granularity}; at most 2,000 bytes';
        COMMENT ON COLUMN analytics.trend_cache.valid_until IS
        'When the entry expires; queries live 1 hour, charts 24';
        COMMENT ON COLUMN analytics.trend_cache.created_at IS 'When it was calculated';
        COMMENT ON COLUMN analytics.trend_cache.niche_id IS 'The niche it is about; NULL: about all niches';
        COMMENT ON COLUMN analytics.trend_cache.related_niche_id IS
        'The other niche of a correlated pair; NULL: not about a pair';
    """)
    op.execute("""
        DO $$
        DECLARE
            wanted record;
        BEGIN
            FOR wanted IN
                SELECT roles.rolname, rights.privileges, rights.object
                FROM (VALUES
                    ('analytics_reader', 'SELECT', 'TABLE analytics.trend_cache'),
                    ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.trend_cache'),
                    ('analytics_writer', 'USAGE', 'SEQUENCE analytics.trend_cache_trend_id_seq')
                ) AS rights (role_name, privileges, object)
                INNER JOIN pg_roles AS roles ON roles.rolname = rights.role_name
            LOOP
                EXECUTE format('GRANT %s ON %s TO %I', wanted.privileges, wanted.object, wanted.rolname);
            END LOOP;
        END
        $$;
    """)


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS analytics.trend_cache")
