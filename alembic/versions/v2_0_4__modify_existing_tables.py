"""Modify existing tables.

Plan step: V2.0.4__modify_existing_tables.sql, for both shapes of hot_niches_today.
Why: features gets the columns of the analysis, hot_niches_today those of the trend. Columns come with constant defaults
    and CHECKs NOT VALID, an instant each; validation reads the rows afterwards, in transactions of its own, while the
    application goes on. Where hot_niches_today is a materialized view, a wider one takes its place and Phase 1's own is
    kept, whole, in schema analytics_phase1. Every statement is safe to run again.
Reversed by: dropping the columns; Phase 1's own materialized view is refreshed and moved back.

Revision ID: 2.0.4
Revises: 2.0.3
Create Date: 2025-05-15
"""

import json
from pathlib import Path

from alembic import op

revision = "2.0.4"
down_revision = "2.0.3"
branch_labels = None
depends_on = None

locks = {
    "upgrade": {"public.features": "AccessExclusiveLock", "public.hot_niches_today": "AccessExclusiveLock"},
    "downgrade": {
        "public.features": "AccessExclusiveLock",
        "public.hot_niches_today": "AccessExclusiveLock",
        "analytics_phase1.hot_niches_today": "AccessExclusiveLock",
    },
}

# What the step drops.
drops: dict[str, list[str]] = {
    "upgrade": [],
    "downgrade": [
        "public.features.analytics_version",
        "public.features.last_analyzed_at",
        "public.features.trend_vector",
        "public.hot_niches_today.days_trending",
        "public.hot_niches_today.trend_confidence",
        "public.hot_niches_today.trend_direction",
    ],
}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))

# What the downgrade drops although it holds values: triggers fill it.
computed = (
    "public.hot_niches_today.trend_direction",
    "public.hot_niches_today.trend_confidence",
    "public.hot_niches_today.days_trending",
)

FROZEN = Path(__file__).with_suffix("")


def frozen(name: str) -> str:
    return (FROZEN / f"{name}.sql").read_text(encoding="utf-8")


def refuse_taken() -> str:
    text = (FROZEN.parent / "v2_0_0__analytics_schema" / "refuse_taken.sql").read_text(encoding="utf-8")
    return text.replace("{names}", "'analytics_phase1'")


def upgrade() -> None:
    op.execute(refuse_taken())
    op.execute(frozen("refuse_dependants"))
    op.execute(frozen("trend_of"))
    op.execute(frozen("fill_hot_niche_trend"))
    op.execute("""
        ALTER TABLE public.features
            ADD COLUMN IF NOT EXISTS trend_vector jsonb,
            ADD COLUMN IF NOT EXISTS last_analyzed_at timestamptz,
            -- The plan wants an integer.
            -- squawk-ignore prefer-bigint-over-int
            ADD COLUMN IF NOT EXISTS analytics_version integer NOT NULL DEFAULT 0,
            -- Only an interrupted run can have left them; they are added again below.
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT IF EXISTS features_trend_vector_check,
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT IF EXISTS features_analytics_version_check,
            ADD CONSTRAINT features_trend_vector_check CHECK (jsonb_typeof(trend_vector) = 'array') NOT VALID,
            ADD CONSTRAINT features_analytics_version_check CHECK (analytics_version >= 0) NOT VALID;
        COMMENT ON COLUMN public.features.trend_vector IS
        'Events a day over the last 90 days, oldest first, gaps as zero: JSON array of [date, number of events]';
        COMMENT ON COLUMN public.features.last_analyzed_at IS
        'When trend_vector was last computed; NULL: not analysed yet';
        COMMENT ON COLUMN public.features.analytics_version IS
        'Version of the analysis that last wrote the analytics columns of this row; 0: none';
    """)
    op.execute(frozen("widen_table"))
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE public.features VALIDATE CONSTRAINT features_trend_vector_check")
        op.execute("ALTER TABLE public.features VALIDATE CONSTRAINT features_analytics_version_check")
        op.execute(frozen("validate_table"))
        op.execute(frozen("replace_materialized_view"))


def downgrade() -> None:
    # By itself, so that nobody waits for features while the old one is refreshed.
    with op.get_context().autocommit_block():
        op.execute(frozen("restore_materialized_view"))
    op.execute(frozen("narrow_table"))
    op.execute("""
        ALTER TABLE public.features
            DROP COLUMN IF EXISTS trend_vector,
            DROP COLUMN IF EXISTS last_analyzed_at,
            DROP COLUMN IF EXISTS analytics_version;
        DROP FUNCTION IF EXISTS analytics.fill_hot_niche_trend();
        DROP FUNCTION IF EXISTS analytics.trend_of(jsonb);
    """)
