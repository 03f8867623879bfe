"""Analytics indices.

Plan step: V2.0.5__create_analytics_indices.sql
Why: each index serves one of the readers' queries (models/readers) or a maintenance job, named beside it. Built
    concurrently, so that writers of the tables go on. An index left over by an interrupted run, valid or not, is
    dropped first: running the step again always ends in the same state.
Reversed by: dropping them concurrently.

Revision ID: 2.0.5
Revises: 2.0.4
Create Date: 2025-05-15
"""

import json
from pathlib import Path

from alembic import op

revision = "2.0.5"
down_revision = "2.0.4"
branch_labels = None
depends_on = None

TABLES = ("analytics_events", "trend_cache", "content_recommendations", "insight_registry")

locks = {
    "upgrade": {f"analytics.{table}": "ShareUpdateExclusiveLock" for table in TABLES},
    "downgrade": {f"analytics.{table}": "ShareUpdateExclusiveLock" for table in TABLES},
}

# What the step drops.
drops: dict[str, list[str]] = {
    "upgrade": [],
    "downgrade": [],
}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))

INDEXES = {
    # niche_history: one niche's scoring events over a year, in order of time
    "idx_analytics_events_niche_history": "analytics.analytics_events (niche_id, event_type, event_timestamp)",
    # deleting a niche looks for pairs here
    "idx_trend_cache_related_niche_id": """
        analytics.trend_cache (related_niche_id) WHERE related_niche_id IS NOT NULL
    """,
    # sidb maintain deletes what has expired
    "idx_trend_cache_valid_until": "analytics.trend_cache (valid_until)",
    # content_recommendations: the best few of a niche, for a user and for everybody, found in the index alone, since
    # most entries have expired and are passed over
    "idx_content_recommendations_best": """
        analytics.content_recommendations (niche_id, user_id, opportunity_score DESC, recommendation_id DESC)
        INCLUDE (valid_until)
    """,
    # erasure of a user's data
    "idx_content_recommendations_user_id": """
        analytics.content_recommendations (user_id) WHERE user_id IS NOT NULL
    """,
    # competitor_analysis, cross_platform: a niche's published insights of one kind, best first
    "idx_insight_registry_published": """
        analytics.insight_registry (niche_id, insight_type, score DESC NULLS LAST, insight_id DESC)
        WHERE published_at IS NOT NULL
    """,
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS analytics.{name}")
            # Without IF NOT EXISTS, which would accept an invalid index.
            create = f"CREATE INDEX CONCURRENTLY {name} ON {definition.strip()}"
            op.execute(f"-- squawk-ignore prefer-robust-stmts\n{create}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in reversed(INDEXES):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS analytics.{name}")
