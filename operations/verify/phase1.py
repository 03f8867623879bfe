"""Phase 1's data: that the migration has changed none of it."""

from operations.findings import Check, Finding
from operations.fingerprint import BEFORE_UPGRADE, compare
from operations.scope import SCOPE
from operations.verify.subject import Looks, Subject, listed

PHASE1_ROWS = Check(
    "Phase 1 rows",
    "Each row of features whose updated_at is that of the fingerprint taken before the upgrade has the same seven"
    " values, and none is gone. Rows that the application wrote since have a newer updated_at: they are counted; one"
    " from before any transaction that was open then is an older copy.",
    "find out who changed or deleted the rows (Phase 1's programs set updated_at); the backup has them as they were.",
)

KEPT = "analytics_phase1.hot_niches_today"
KEPT_VIEW = Check(
    "Phase 1 view",
    "Where hot_niches_today is a materialized view, Phase 1's own waits in schema analytics_phase1 for the way back:"
    " it is there, with the columns and the owner that it had.",
    "create it as the line says, with the indexes and privileges of public.hot_niches_today; find out who dropped it.",
)


def phase1_rows(subject: Subject) -> Finding:
    found = compare(subject.driver, BEFORE_UPGRADE)
    if found is None:
        return PHASE1_ROWS.unknown(
            "no fingerprint was taken before the upgrade", "it is taken when an upgrade by sidb leaves 1.0.0"
        )
    lines = [
        f"niches {', '.join(str(key) for key in keys)}{' …' if number > len(keys) else ''} {what}"
        for number, keys, what in (
            (found.altered, found.altered_keys, "have other values and the same updated_at"),
            (found.vanished, found.vanished_keys, "are gone"),
            (found.older, found.older_keys, "are older than any transaction that was open then: a copy from before"),
        )
        if number
    ]
    counted = (
        f"{found.unchanged:,} unchanged since {found.taken_at:%Y-%m-%d %H:%M}, {found.touched:,} written by the"
        f" application since, {found.new:,} new"
    )
    if found.oldest_open is None:
        counted += "; since when transactions were open then is not known, nor whether a row is an older copy"
    if not found.holds:
        return PHASE1_ROWS.failed(f"{found.altered + found.vanished + found.older:,} rows; {counted}{listed(lines)}")
    return PHASE1_ROWS.ok(counted)


def kept_view(subject: Subject) -> Finding | None:
    """Whether the view is there that a way back would put in the place of ours."""
    found = next(iter(subject.rows("kept_view")), None)
    if found is None:
        return None
    if not found.there or not found.is_materialized:
        pattern = SCOPE.shared["public.hot_niches_today"].view
        phase1s = pattern.search(found.ours) if pattern is not None else None
        query = " ".join(phase1s[3].lstrip("(").split()) if phase1s else "…"
        what = "is not there" if not found.there else "is no materialized view"
        return KEPT_VIEW.failed(
            f"materialized view {KEPT} {what}, and there is no way back to Phase 1's without it:\n"
            "  CREATE SCHEMA IF NOT EXISTS analytics_phase1;"
            f" CREATE MATERIALIZED VIEW {KEPT} AS {query} WITH NO DATA"
        )
    wrong = [f"it has no column {column} as ours has" for column in found.lacking]
    if found.owner != found.owner_of_ours:
        alter = f"ALTER MATERIALIZED VIEW {KEPT} OWNER TO {found.owner_of_ours}"
        wrong.append(f"its owner is {found.owner}, that of public.hot_niches_today {found.owner_of_ours}: {alter}")
    if wrong:
        return KEPT_VIEW.failed(f"materialized view {KEPT} is not as it was{listed(wrong)}")
    return KEPT_VIEW.ok(f"{KEPT} is there, with all of its columns")


LOOKS: Looks = {
    PHASE1_ROWS: phase1_rows,
    KEPT_VIEW: kept_view,
}
