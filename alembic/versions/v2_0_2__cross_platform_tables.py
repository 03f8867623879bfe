"""Cross-platform tables.

Plan step: V2.0.2__cross_platform_tables.sql
Why: metrics made comparable across platforms, one row a niche, platform and day, so that they can be upserted.
Reversed by: dropping the table.

Revision ID: 2.0.2
Revises: 2.0.1
Create Date: 2025-05-15
"""

import json
from pathlib import Path

from alembic import op

revision = "2.0.2"
down_revision = "2.0.1"
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
        "analytics.cross_platform_metrics",
    ],
}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))


def upgrade() -> None:
    op.execute("""
        CREATE TABLE analytics.cross_platform_metrics (
            metric_id bigserial PRIMARY KEY,
            niche_id bigint REFERENCES public.features (niche_id),
            platform text NOT NULL,
            demand_score numeric(5, 4),
            supply_score numeric(5, 4),
            engagement_score numeric(5, 4),
            growth_rate numeric(5, 4),
            updated_at timestamptz DEFAULT now(),
            audience_demographics jsonb,
            metric_date date GENERATED ALWAYS AS ((updated_at AT TIME ZONE 'UTC')::date) STORED,
            CONSTRAINT cross_platform_metrics_niche_id_platform_metric_date_key
                UNIQUE NULLS NOT DISTINCT (niche_id, platform, metric_date),
            CONSTRAINT cross_platform_metrics_platform_check CHECK (platform IN ('youtube', 'tiktok', 'instagram')),
            CONSTRAINT cross_platform_metrics_demand_score_check CHECK (demand_score BETWEEN 0 AND 1),
            CONSTRAINT cross_platform_metrics_supply_score_check CHECK (supply_score BETWEEN 0 AND 1),
            CONSTRAINT cross_platform_metrics_engagement_score_check CHECK (engagement_score BETWEEN 0 AND 1),
            CONSTRAINT cross_platform_metrics_growth_rate_check CHECK (growth_rate >= -1),
            CONSTRAINT cross_platform_metrics_audience_demographics_check
                CHECK (jsonb_typeof(audience_demographics) = 'object')
        );
    """)
    op.execute("""
        COMMENT ON TABLE analytics.cross_platform_metrics IS
        'Normalised metrics, one row a niche, platform and UTC day';
        COMMENT ON COLUMN analytics.cross_platform_metrics.metric_id IS 'Key of the row';
        COMMENT ON COLUMN analytics.cross_platform_metrics.niche_id IS 'The niche measured';
        COMMENT ON COLUMN analytics.cross_platform_metrics.platform IS 'Where: youtube, tiktok or instagram';
        COMMENT ON COLUMN analytics.cross_platform_metrics.demand_score IS 'Demand on the platform, 0 to 1';
        COMMENT ON COLUMN analytics.cross_platform_metrics.supply_score IS 'Supply on the platform, 0 to 1';
        COMMENT ON COLUMN analytics.cross_platform_metrics.engagement_score IS 'Engagement on the platform, 0 to 1';
        COMMENT ON COLUMN analytics.cross_platform_metrics.growth_rate IS
        'Relative growth since the day before: 0.25 is a quarter more; -1 at least';
        COMMENT ON COLUMN analytics.cross_platform_metrics.updated_at IS 'When it was measured';
        COMMENT ON COLUMN analytics.cross_platform_metrics.audience_demographics IS
        'Shares of the audience, 0 to 1: {age: {group: share}, gender: {group: share}}';
        COMMENT ON COLUMN analytics.cross_platform_metrics.metric_date IS
        'The UTC day of updated_at; with niche and platform the key';
    """)
    op.execute("""
        DO $$
        DECLARE
            wanted record;
        BEGIN
            FOR wanted IN
                SELECT roles.rolname, rights.privileges, rights.object
                FROM (VALUES
                    ('analytics_reader', 'SELECT', 'TABLE analytics.cross_platform_metrics'),
                    ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.cross_platform_metrics'),
                    ('analytics_writer', 'USAGE', 'SEQUENCE analytics.cross_platform_metrics_metric_id_seq')
                ) AS rights (role_name, privileges, object)
                INNER JOIN pg_roles AS roles ON roles.rolname = rights.role_name
            LOOP
                EXECUTE format('GRANT %s ON %s TO %I', wanted.privileges, wanted.object, wanted.rolname);
            END LOOP;
        END
        $$;
    """)


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS analytics.cross_platform_metrics")
