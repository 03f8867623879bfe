"""Bound functions.

Plan step: none; what the functions of 2.0.4 call and read cannot be taken for something else.
Why: the names in trend_of are bound when it is created, so that no object of a caller's search_path takes their place;
    fill_hot_niche_trend reads features itself, not what others have inherit from it: a niche that stands in a child,
    too, would stop the writers of hot_niches_today. Both give what they gave; no reader or writer waits.
Reversed by: the functions as 2.0.4 made them.

Revision ID: 2.0.7
Revises: 2.0.6
Create Date: 2026-11-26
"""

from pathlib import Path

from alembic import op

revision = "2.0.7"
down_revision = "2.0.6"
branch_labels = None
depends_on = None

locks: dict[str, dict[str, str]] = {"upgrade": {}, "downgrade": {}}

# What the step drops.
drops: dict[str, list[str]] = {"upgrade": [], "downgrade": []}

REPLACED = ["changed function analytics.fill_hot_niche_trend()", "changed function analytics.trend_of(jsonb)"]
changes = {"upgrade": [REPLACED], "downgrade": [REPLACED]}


def frozen(name: str) -> str:
    return (Path(__file__).with_suffix("") / f"{name}.sql").read_text(encoding="utf-8")


def upgrade() -> None:
    op.execute(frozen("trend_of"))
    op.execute(frozen("fill_hot_niche_trend"))


def downgrade() -> None:
    op.execute(frozen("fill_hot_niche_trend_before"))
    op.execute(frozen("trend_of_before"))
