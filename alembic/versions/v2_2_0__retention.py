"""Retention.

Plan step: none; the service's contract keeps user activity for 24 months, and insights, recommendations and
    cross-platform data for 12.
Why: rows can go when their time is over, while what was counted of them stays. A table holds from which day on the rows
    of each table are kept, and whatever counts events anew leaves earlier days alone; their daily activity, which
    cannot be counted again, moves to a table of its own. Nothing goes by this step; no reader or writer waits.
Reversed by: the functions and the view as 2.0.6 made them. Where a horizon was set, it and the activity of days whose
    events have gone are data: refused, unless they are kept elsewhere.

Revision ID: 2.2.0
Revises: 2.1.1
Create Date: 2026-11-26
"""

import json
from pathlib import Path

from alembic import op

revision = "2.2.0"
down_revision = "2.1.1"
branch_labels = None
depends_on = None

locks: dict[str, dict[str, str]] = {
    "upgrade": {"analytics.niche_daily_activity": "AccessExclusiveLock"},
    "downgrade": {"analytics.niche_daily_activity": "AccessExclusiveLock"},
}

# What the step drops.
drops: dict[str, list[str]] = {
    "upgrade": [],
    "downgrade": ["analytics.niche_daily_activity_kept", "analytics.retention"],
}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))


def frozen(name: str) -> str:
    return (Path(__file__).with_suffix("") / f"{name}.sql").read_text(encoding="utf-8")


def upgrade() -> None:
    op.execute(frozen("tables"))
    op.execute(frozen("functions"))
    op.execute(frozen("view"))
    op.execute(frozen("grants"))


def downgrade() -> None:
    op.execute(frozen("fold"))
    op.execute(frozen("view_before"))
    op.execute(frozen("functions_before"))
    op.execute(frozen("count_rest"))
    op.execute("""
        DROP FUNCTION IF EXISTS analytics.move_retention_horizon(text, date);
        DROP TABLE IF EXISTS analytics.niche_daily_activity_kept;
        DROP TABLE IF EXISTS analytics.retention;
    """)
