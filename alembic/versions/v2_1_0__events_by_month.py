"""Events by month.

Plan step: none; ours after the plan's: a table that is to hold years of events lets go of a month in an instant.
Why: analytics_events becomes partitioned by month of event_timestamp, by attaching the table as it is: no row is moved.
    Up to a bound, the first of a month at least one month ahead, all stays in that first partition; three months
    follow, and a DEFAULT that never refuses a row. Until the swap, which is one transaction, everything can be run
    again: what an interrupted run left is gone on from, or dropped. Meanwhile rows dated past the bound are refused.
Reversed by: detaching the first partition, moving what lies past its bound into it, and giving it its name and key
    back. More than 50,000 rows would take too long under the lock: that is refused, unless the data is kept elsewhere.
    So it is where the first partition is gone.

Revision ID: 2.1.0
Revises: 2.0.7
Create Date: 2026-11-26
"""

import json
from pathlib import Path

from alembic import op

revision = "2.1.0"
down_revision = "2.0.7"
branch_labels = None
depends_on = None

locks = {
    "upgrade": {
        "public.features": "AccessExclusiveLock",
        "analytics.analytics_events": "AccessExclusiveLock",
        # where an interrupted run left it
        "analytics_partitions.analytics_events": "AccessExclusiveLock",
    },
    "downgrade": {
        "public.features": "AccessExclusiveLock",
        "analytics.analytics_events": "AccessExclusiveLock",
    },
}

# What the step drops.
drops: dict[str, list[str]] = {"upgrade": [], "downgrade": []}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))

# Another table of the name takes its place, either way.
replaces = {"upgrade": ["analytics.analytics_events"], "downgrade": ["analytics.analytics_events"]}

# What is dropped beside the table: the upgrade has written nothing to it, the downgrade has copied all rows out of it;
# and an empty table that stood in for the first partition.
computed = ("analytics_partitions.analytics_events", "analytics_partitions.analytics_events_first")

TABLE, PARENT, FIRST = (
    "analytics.analytics_events",
    "analytics_partitions.analytics_events",
    "analytics_partitions.analytics_events_first",
)


def frozen(name: str, **names: str) -> str:
    text = (Path(__file__).with_suffix("") / f"{name}.sql").read_text(encoding="utf-8")
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def refuse_taken() -> str:
    folder = Path(__file__).parent / "v2_0_0__analytics_schema"
    return (folder / "refuse_taken.sql").read_text(encoding="utf-8").replace("{names}", "'analytics_partitions'")


def on(table: str) -> dict[str, str]:
    """The triggers, created on a table; and what reads beforehand how the owner has switched them."""
    return {name: frozen(name, table=table) for name in ("triggers", "switched")}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(refuse_taken())
        op.execute(frozen("refuse", far=frozen("far"), others=frozen("others")))
        op.execute(frozen("leftovers"))
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS analytics_events_key"
            " ON analytics.analytics_events (event_id, event_timestamp)"
        )
        op.execute(frozen("bound", far=frozen("far")))
        op.execute("""
            -- squawk-ignore prefer-robust-stmts
            ALTER TABLE analytics.analytics_events VALIDATE CONSTRAINT analytics_events_bound
        """)
        op.execute(frozen("parent"))
        op.execute(frozen("rights", kind="TABLE", source=TABLE, target=PARENT))
        # The table is empty, and an interrupted run makes it anew.
        op.execute("""
            ALTER TABLE analytics_partitions.analytics_events
            -- squawk-ignore prefer-robust-stmts, constraint-missing-not-valid, adding-foreign-key-constraint
            ADD CONSTRAINT analytics_events_niche_id_fkey FOREIGN KEY (niche_id) REFERENCES public.features (niche_id)
        """)
    op.execute(frozen("swap", others=frozen("others"), **on(TABLE)))
    # Whoever loses a privilege on the table keeps none on a part of it: as on an index, there is none.
    op.execute(frozen("rights", kind="TABLE", source=f"{FIRST}_pkey", target=FIRST))


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(frozen("refuse_many", others=frozen("others")))
        op.execute(frozen("leftovers"))
        op.execute(frozen("first"))
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS analytics_events_plain_key"
            " ON analytics_partitions.analytics_events_first (event_id)"
        )
        op.execute(frozen("plain", **on(PARENT)))
        for kind, relation in (("TABLE", "analytics_events"), ("SEQUENCE", "analytics_events_event_id_seq")):
            names = {"source": f"analytics.{relation}", "target": f"analytics_partitions.{relation}"}
            op.execute(frozen("rights", kind=kind, **names))
    # From here on everybody waits.
    op.execute(frozen("put_aside"))
    op.execute(frozen("rights", kind="TABLE", source=TABLE, target=FIRST))
    op.execute(frozen("swap_back", **on(TABLE)))
    op.execute(frozen("drop_parent"))
