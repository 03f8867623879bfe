"""What PostgreSQL stores, compared canonically: snapshot, diff, the models' target, Alembic's plugin."""

from alembic_online.catalog.diff import Change, diff
from alembic_online.catalog.snapshot import Identity, Snapshot, definitions, snapshot

__all__ = ["Change", "Identity", "Snapshot", "definitions", "diff", "snapshot"]
