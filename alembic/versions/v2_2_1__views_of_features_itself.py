"""Views of features itself.

Plan step: none; what 2.0.7 did for the function, for the two materialized views that look up trend vectors.
Why: hot_niches_today, where it is a materialized view, and trending_niches read features itself, not what others have
    inherit from it: a niche that stands in a child, too, would stop every REFRESH, and with it the application's
    nightly transaction. Each is built anew aside and exchanged, with all that it has; readers wait for the exchange
    alone. Nothing is done where it reads so already, or where hot_niches_today is a table.
Reversed by: the views as 2.0.4 and 2.0.6 make them in this database, exchanged in the same way: where something
    inherits from features, that is as they are.

Revision ID: 2.2.1
Revises: 2.2.0
Create Date: 2026-11-28
"""

from pathlib import Path

from alembic import op

revision = "2.2.1"
down_revision = "2.2.0"
branch_labels = None
depends_on = None

REPLACED = {"public.hot_niches_today": "AccessExclusiveLock", "analytics.trending_niches": "AccessExclusiveLock"}
locks = {"upgrade": REPLACED, "downgrade": REPLACED}

# What the step drops.
drops: dict[str, list[str]] = {"upgrade": [], "downgrade": []}

HOT = "changed materialized view public.hot_niches_today"
TRENDING = "changed materialized view analytics.trending_niches"
# What reads as it should is left alone.
FORMS: list[list[str]] = [[TRENDING], [TRENDING, HOT], [HOT], []]
changes = {"upgrade": FORMS, "downgrade": FORMS}

VIEWS = (
    {
        "schema": "analytics",
        "name": "trending_niches",
        "aside": "analytics_partitions",
        "reads": r"CROSS JOIN LATERAL analytics\.trend_of\(f\.trend_vector\)",
        "compares_rows": "false",  # of what it lacks there are marks
    },
    {
        "schema": "public",
        "name": "hot_niches_today",
        "aside": "analytics",
        "reads": r"WHERE \(f\.niche_id = hot\.niche_id\)",
        "compares_rows": "true",
    },
)


def frozen(name: str, parts: dict[str, str]) -> str:
    text = (Path(__file__).with_suffix("") / f"{name}.sql").read_text(encoding="utf-8")
    for part, value in parts.items():
        text = text.replace(f"{{{part}}}", value)
    return text


def replace(only: str) -> None:
    """Have both views read features itself; without `only`, as they did before, where that can be."""
    with op.get_context().autocommit_block():
        for view in VIEWS:
            op.execute(frozen("build", {**view, "only": only}) + frozen("exchange", view))


def upgrade() -> None:
    replace(only="true")


def downgrade() -> None:
    replace(only="false")
