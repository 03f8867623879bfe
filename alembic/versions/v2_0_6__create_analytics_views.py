"""Analytics views.

Plan step: V2.0.6__create_analytics_views.sql, with the plan's triggers for maintaining them ("Data Integrity").
Why: readers get what is current as views and what is heavy as materialized views; daily activity is exact at every
    moment. The triggers commit first, so that no writer straddles them; the count that follows takes events and deltas
    in one snapshot, so that it is exact while writers go on; the views appear only after it. Safe to run again until
    then.
Reversed by: dropping triggers, views, functions and the tables behind them; all of it can be computed again.

Revision ID: 2.0.6
Revises: 2.0.5
Create Date: 2025-05-15
"""

import json
from pathlib import Path

from alembic import op

revision = "2.0.6"
down_revision = "2.0.5"
branch_labels = None
depends_on = None

locks = {
    "upgrade": {
        "public.features": "ShareRowExclusiveLock",
        "analytics.analytics_events": "ShareRowExclusiveLock",
        "analytics.cross_platform_metrics": "ShareRowExclusiveLock",
        # where an interrupted run left them
        "analytics.niche_daily_activity_summary": "ShareLock",
        "analytics.niche_daily_activity_delta": "ShareUpdateExclusiveLock",
        "analytics.stale_views": "ShareUpdateExclusiveLock",
    },
    "downgrade": {
        "public.features": "AccessExclusiveLock",
        "analytics.analytics_events": "AccessExclusiveLock",
        "analytics.cross_platform_metrics": "AccessExclusiveLock",
    },
}

# What the step drops.
drops: dict[str, list[str]] = {
    "upgrade": [],
    "downgrade": [
        "analytics.niche_daily_activity_delta",
        "analytics.niche_daily_activity_summary",
        "analytics.platform_comparison",
        "analytics.stale_views",
        "analytics.trending_niches",
    ],
}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))

# What the downgrade drops although it holds rows: triggers fill it.
computed = (
    "analytics.niche_daily_activity_summary",
    "analytics.niche_daily_activity_delta",
    "analytics.stale_views",
)

FROZEN = Path(__file__).with_suffix("")


def frozen(name: str) -> str:
    return (FROZEN / f"{name}.sql").read_text(encoding="utf-8")


def upgrade() -> None:
    op.execute(frozen("tables"))
    op.execute(frozen("functions"))
    op.execute(frozen("triggers"))
    with op.get_context().autocommit_block():
        op.execute("SELECT analytics.rebuild_niche_daily_activity()")
    op.execute(frozen("views"))
    op.execute(frozen("materialized_views"))
    op.execute(frozen("grants"))


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER IF EXISTS features_mark_trending_niches ON public.features;
        DROP TRIGGER IF EXISTS cross_platform_metrics_mark_platform_comparison ON analytics.cross_platform_metrics;
        DROP TRIGGER IF EXISTS analytics_events_inserted ON analytics.analytics_events;
        DROP TRIGGER IF EXISTS analytics_events_updated ON analytics.analytics_events;
        DROP TRIGGER IF EXISTS analytics_events_deleted ON analytics.analytics_events;
        DROP TRIGGER IF EXISTS analytics_events_truncated ON analytics.analytics_events;
    """)
    op.execute("""
        DROP MATERIALIZED VIEW IF EXISTS analytics.platform_comparison;
        DROP MATERIALIZED VIEW IF EXISTS analytics.trending_niches;
        DROP VIEW IF EXISTS analytics.published_insights;
        DROP VIEW IF EXISTS analytics.active_recommendations;
        DROP VIEW IF EXISTS analytics.current_trends;
        DROP VIEW IF EXISTS analytics.niche_daily_activity;
    """)
    op.execute("""
        DROP FUNCTION IF EXISTS analytics.refresh_stale_views();
        DROP FUNCTION IF EXISTS analytics.mark_view_stale();
        DROP FUNCTION IF EXISTS analytics.rebuild_niche_daily_activity();
        DROP FUNCTION IF EXISTS analytics.drain_niche_daily_activity();
        DROP FUNCTION IF EXISTS analytics.record_event_activity();
        DROP TABLE IF EXISTS analytics.stale_views;
        DROP TABLE IF EXISTS analytics.niche_daily_activity_delta;
        DROP TABLE IF EXISTS analytics.niche_daily_activity_summary;
    """)
