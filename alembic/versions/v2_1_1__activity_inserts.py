"""Activity of inserted events.

Plan step: none; what counts the events of an INSERT does less, so that writers of single events wait less.
Why: looking for a second event and grouping cost more than they save: drain_niche_daily_activity() groups anyhow. The
    view niche_daily_activity gives what it gave; no reader or writer waits.
Reversed by: the function as 2.0.6 made it.

Revision ID: 2.1.1
Revises: 2.1.0
Create Date: 2026-11-26
"""

from pathlib import Path

from alembic import op

revision = "2.1.1"
down_revision = "2.1.0"
branch_labels = None
depends_on = None

locks: dict[str, dict[str, str]] = {"upgrade": {}, "downgrade": {}}

# What the step drops.
drops: dict[str, list[str]] = {"upgrade": [], "downgrade": []}

REPLACED = ["changed function analytics.record_event_activity()"]
changes = {"upgrade": [REPLACED], "downgrade": [REPLACED]}


def frozen(name: str) -> str:
    return (Path(__file__).with_suffix("") / f"{name}.sql").read_text(encoding="utf-8")


def upgrade() -> None:
    op.execute(frozen("record_event_activity"))


def downgrade() -> None:
    op.execute(frozen("record_event_activity_before"))
