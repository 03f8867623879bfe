"""Phase 1 baseline.

Plan step: none; what the plan takes for granted, as deployed.
Why: on an empty database it creates Phase 1's two tables; on an existing one it compares what is there with what
    Phase 2 needs, and accepts it, or stops with every difference listed and nothing changed.
Reversed by: nothing to do; the tables are Phase 1's own and stay.

Revision ID: 1.0.0
Revises:
Create Date: 2025-05-15
"""

import json
from pathlib import Path

from alembic import op

revision = "1.0.0"
down_revision = None
branch_labels = None
depends_on = None

locks: dict[str, dict[str, str]] = {"upgrade": {}, "downgrade": {}}

# What the step drops.
drops: dict[str, list[str]] = {
    "upgrade": [],
    "downgrade": [],
}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))

FROZEN = Path(__file__).with_suffix("")


def upgrade() -> None:
    op.execute((FROZEN / "create_or_adopt.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Phase 1's tables are not ours to drop."""
