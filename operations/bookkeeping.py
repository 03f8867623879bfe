"""The rollout's own tables in schema sidb, brought up to date on use; dropped by no downgrade."""

from typing import Any

import psycopg
from alembic_online.bookkeeping import Component, bring_up_to_date

from operations.queries import query

BOOKKEEPING = "sidb"
"""The schema of the ledger, too: deployed ledgers keep it."""

FINGERPRINT = Component("fingerprint", [query(f"fingerprint/{name}") for name in ("create", "key", "oldest_open")])
RIGHTS = Component("rights", [query(f"rights/{name}") for name in ("create", "create_settings")])
RAISED_SETTINGS = Component("raised settings", [query("preflight/remembered_create")])
PREFLIGHT_RUNS = Component("preflight runs", [query("preflight/runs_create")])
SIZE_SAMPLES = Component("size samples", [query("monitor/create_samples")])
RETENTION = Component("retention", [query("retention/create")])
ROLLBACKS = Component(
    "rollbacks",
    [query(f"rollback/{name}") for name in ("create", "create_dependants", "create_kept_as", "create_left_columns")],
)
ERASURES = Component("erasures", [query("erasure/create")])


def open_records(connection: psycopg.Connection[Any], component: Component) -> None:
    """Make the component's tables what this code expects. Raises OnlineError."""
    bring_up_to_date(connection, BOOKKEEPING, component)
