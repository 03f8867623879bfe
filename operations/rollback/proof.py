"""The proof that a rollback left what was there before the upgrade."""

import re
from collections.abc import Mapping
from typing import Any

import psycopg
from alembic_online import Options, Session, validation
from alembic_online.acquisition import retried
from alembic_online.retry import RetryPolicy
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models.reading import Reader, readers
from operations import fingerprint
from operations.findings import Finding
from operations.rollback import checks
from operations.rollback.way import Way, before_upgrade, staying
from operations.scope import SCOPE

SHOWN = 10  # differences named in a finding
COMMENT = re.compile(r"--[^\n]*")
OF_ANALYTICS = re.compile(r"\b(analytics\.\w+)(\()?")

PHASE1 = {
    "a niche": "SELECT * FROM public.features WHERE niche_id = (SELECT min(niche_id) FROM public.features)",
    "the top five": "SELECT phrase, opportunity FROM public.hot_niches_today ORDER BY opportunity DESC LIMIT 5",
}


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
    now = validation.catalog(session.sqlalchemy, SCOPE)
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


def smoke(session: Session) -> Finding:
    """Ask what Phase 1 asks, and what those readers ask whose tables are there."""
    asked, failed = [], []
    connection = session.sqlalchemy
    for name, statement in PHASE1.items():
        asked.append(name)
        if error := _error(connection, statement):
            failed.append(f"{name}: {error}")
    for reader in readers():
        if not _has_its_relations(connection, reader):
            continue
        error = _error(connection, reader.sql, **dict.fromkeys(reader.parameters))
        if error != "column":
            asked.append(reader.name)
        if error not in (None, "column"):
            failed.append(f"{reader.name}: {error}")
    if failed:
        return checks.SMOKE.failed("; ".join(failed))
    return checks.SMOKE.ok(f"{len(asked)} answered: {', '.join(asked)}")


def _without_privileges(catalog: Mapping[str, str]) -> dict[str, str]:
    return {name: definition for name, definition in catalog.items() if not name.startswith("privileges of ")}


def _error(connection: Connection, statement: str, **parameters: None) -> str | None:
    """What the server says to a query; "column" where a column of features is gone with the revision that added it."""
    try:
        retried(lambda: connection.execute(text(statement), parameters).all(), RetryPolicy(Options().deadline))
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.UndefinedColumn):
            return "column"
        return str(error.orig).strip().partition("\n")[0]
    return None


def _has_its_relations(connection: Connection, reader: Reader) -> bool:
    used = OF_ANALYTICS.findall(COMMENT.sub("", reader.sql))
    relation, function = text("SELECT to_regclass(:name) IS NOT NULL"), text("SELECT to_regproc(:name) IS NOT NULL")
    return all(connection.scalar(function if call else relation, {"name": name}) for name, call in used)
