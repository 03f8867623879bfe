"""The proof that a rollback left what was there before the upgrade."""

from collections.abc import Mapping
from typing import Any

import psycopg
from alembic_online import Session, validation

from operations import fingerprint
from operations.findings import Finding
from operations.rollback import checks
from operations.rollback.way import Way, before_upgrade, staying
from operations.scope import SCOPE

SHOWN = 10  # differences named in a finding


def catalog(session: Session, back: Way) -> Finding:
    """Compare what there is of ours with what there was before the upgrade, as the ledger kept it.

    Privileges apart: those of tables that remain are still revoked, and compared when they are granted again.
    """
    before = before_upgrade(session, back.scripts[-1])
    if before is None:
        return checks.CATALOG.unknown(
            "the ledger does not know the upgrade; each step was validated against what it is known to change",
            "compare with a backup: pg_dump --schema-only.",
        )
    now = validation.read_catalog(session, "the comparison of the catalog")
    stayed = {name: now[name] for name in staying(session) if name in now}
    before = {**stayed, **validation.of_scope(before, SCOPE, now)}
    differences = validation.difference(*(_without_privileges(catalog) for catalog in (before, now)))
    if differences:
        more = f" and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        return checks.CATALOG.failed("; ".join(differences[:SHOWN]) + more)
    return checks.CATALOG.ok(f"{len(now)} objects, as before the upgrade to {back.scripts[-1].revision}")


def phase1_data(connection: psycopg.Connection[Any]) -> Finding:
    """Compare Phase 1's rows with the fingerprint taken when the rollback began."""
    compared = fingerprint.compare(connection, fingerprint.BEFORE_ROLLBACK)
    if compared is None:
        return checks.PHASE1_DATA.unknown("no fingerprint was taken")
    detail = f"{compared.unchanged:,} niches unchanged, {compared.touched:,} written meanwhile, {compared.new:,} new"
    if compared.holds:
        return checks.PHASE1_DATA.ok(detail)
    altered = f"altered {compared.altered:,} {compared.altered_keys}"
    vanished = f"vanished {compared.vanished:,} {compared.vanished_keys}"
    older = f"older than then {compared.older:,} {compared.older_keys}"
    return checks.PHASE1_DATA.failed(f"{altered}, {vanished}, {older}; {detail}")


def _without_privileges(catalog: Mapping[str, str]) -> dict[str, str]:
    return {name: definition for name, definition in catalog.items() if not name.startswith("privileges of ")}
