"""Phase 1's data: that the migration has changed none of it."""

from operations.findings import Check, Finding
from operations.fingerprint import BEFORE_UPGRADE, compare
from operations.verify.subject import Subject, listed

PHASE1_ROWS = Check(
    "Phase 1 rows",
    "Each row of features whose updated_at is that of the fingerprint taken before the upgrade has the same seven"
    " values, and none is gone. Rows that the application wrote since have another updated_at: they are counted.",
    "find out who changed or deleted the rows (Phase 1's programs set updated_at); the backup has them as they were.",
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
        )
        if number
    ]
    counted = (
        f"{found.unchanged:,} unchanged since {found.taken_at:%Y-%m-%d %H:%M}, {found.touched:,} written by the"
        f" application since, {found.new:,} new"
    )
    if not found.holds:
        return PHASE1_ROWS.failed(f"{found.altered + found.vanished:,} rows; {counted}{listed(lines)}")
    return PHASE1_ROWS.ok(counted)
