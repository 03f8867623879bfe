"""Phase 1 as it is here: does it fit, and may its rows trouble anybody?

What revision 1.0.0 refuses is found by its own statements, run ahead of time and rolled back.
"""

import re

import psycopg
from alembic_online.messages import server_error

from operations.embedded import CLONE
from operations.findings import Check, Finding
from operations.preflight.context import Context, Questions, judged

VERSIONS = CLONE / "alembic" / "versions"
ADOPT = VERSIONS / "v1_0_0__phase1_baseline" / "create_or_adopt.sql"

PHASE1 = Check(
    "phase 1",
    "Phase 1's two relations have the columns and keys that Phase 2 builds on; hot_niches_today may be a table or a"
    " materialized view. Whether the role may alter them is among its privileges.",
    "correct what is listed, or move what is not Phase 1's out of the way.",
)
INDEXES = Check(
    "invalid indexes",
    "Indexes that were left invalid: they cost writes and answer no query; ours fail the validation after a step.",
    "REINDEX INDEX CONCURRENTLY, or DROP INDEX CONCURRENTLY.",
)
OVERFLOW = Check(
    "numeric overflow",
    "Rows whose opportunity Phase 1's formula takes out of its type's range (numeric(6,5): below 10): one of them "
    "fails the nightly scorer's whole transaction, and the migration would be suspected.",
    "correct the scores of those rows (supply_score near 0), or widen features.opportunity, before the migration.",
)

OWNER = re.compile(r": belongs to .*, of which .* is not a member$")

KINDS = {"r": "a table", "m": "a materialized view"}


def phase1(context: Context) -> Finding:
    seen = context.row("phase1")
    if at := revision(context):
        return PHASE1.ok(f"adopted before; the database is at revision {at}")
    if seen.kind is None and seen.rows is None:
        return PHASE1.warning(
            "there is none: the upgrade would create it, empty", "see that DATABASE_URL names the right database."
        )
    refused = _refused(context, ADOPT.read_text(encoding="utf-8"))
    if refused is not None:
        differences = [line.strip().removeprefix("- ") for line in refused.splitlines() if line.startswith("  - ")]
        theirs = [line for line in differences if not OWNER.search(line)]
        if theirs or not differences:
            return PHASE1.failed("; ".join(theirs) or refused)
    rows = "a number of rows not known yet" if seen.rows < 0 else f"about {seen.rows:,} rows"
    return PHASE1.ok(f"fits; features has {rows}, hot_niches_today is {KINDS[seen.kind]}")


def revision(context: Context) -> str | None:
    """What the database is migrated to; None: not at all."""
    found: str | None = context.value("current_revision") if context.row("phase1").stamped else None
    return found


def _refused(context: Context, sql: str) -> str | None:
    """What a revision's statements would refuse; None: nothing. Nothing that they do stays."""
    try:
        with context.connection.transaction(force_rollback=True):
            # Revisions read Alembic's table, which only the first upgrade makes.
            context.connection.execute("CREATE TEMPORARY TABLE IF NOT EXISTS alembic_version (version_num varchar(32))")
            context.connection.execute(sql.encode())
    except psycopg.errors.RaiseException as error:
        return str(server_error(error))
    return None


def indexes(context: Context) -> Finding:
    found = context.rows("invalid_indexes")
    named = {ours: [f"{row.name} on {row.relation}" for row in found if row.ours is ours] for ours in (True, False)}
    return judged(INDEXES, "none", named[True], named[False])


def overflow(context: Context) -> Finding:
    limit = context.value("opportunity_limit")
    if limit is None:
        return OVERFLOW.ok("features.opportunity has no limit, or is not there")
    seen = context.row("near_overflow", limit=limit)
    wrong, doubtful = [], []
    if seen.over:
        ids = ", ".join(map(str, seen.first))
        wrong.append(f"{seen.over:,} rows cannot be scored again, as {limit:.0f} is reached (niche_id {ids})")
    if seen.near:
        doubtful.append(f"{seen.near:,} rows are within a tenth of the limit {limit:.0f}")
    return judged(OVERFLOW, f"highest opportunity {seen.highest or 0:.5f}, limit {limit:.0f}", wrong, doubtful)


QUESTIONS: Questions = {
    PHASE1: phase1,
    INDEXES: indexes,
    OVERFLOW: overflow,
}
