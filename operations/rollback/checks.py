"""What a rollback and a restore check, and what to do where a check fails."""

from operations.findings import Check

BACKFILL = Check(
    "backfill",
    "The backfill must not write to tables that move aside: a rollback pauses it and remembers whether it was paused.",
    "stop its workers by hand (Ctrl-C finishes the present batch), and run the rollback again.",
)
CLOSED = Check(
    "access closed",
    "Applications must not write to tables that move aside: their privileges are revoked and remembered. REVOKE blocks"
    " neither superusers nor roles with the owner's rights, who are named.",
    "stop these programs by hand; for the next time, give the application a role of its own that owns nothing.",
)
SESSIONS = Check(
    "sessions ended",
    "Sessions that were at work on the tables when they were closed are ended, after a second's grace.",
    "have them ended by an administrator: SELECT pg_terminate_backend(pid), or GRANT pg_signal_backend to this role.",
)
MOVED = Check(
    "moved aside",
    "Tables that the way back would drop move, whole, into an archive schema; dropped columns are copied by key.",
    "run `sidb rollback` again: it continues with the step that was not finished.",
)
ERASED = Check(
    "erased users",
    "What an archive holds of users who were erased is deleted, and does not come back.",
    "give the role that restores the rights of the one that migrates.",
)
CATALOG = Check(
    "catalog",
    "What the database holds of ours is what it held before the upgrade, object by object.",
    "look at each difference: somebody changed it since, or the way back missed it (then report it).",
)
PHASE1_DATA = Check(
    "Phase 1 data",
    "The rows of Phase 1 that nobody changed meanwhile are the same as before the rollback.",
    "compare with the backup; rows whose updated_at moved on were changed by the application and are counted apart.",
)
OPENED = Check(
    "access opened",
    "Tables that remain get back every privilege as it was: columns, grant options and grantors included.",
    "grant what is listed by hand; `SELECT * FROM sidb.rollback_right` holds all that was taken away.",
)
GIVEN_UP = Check(
    "given up",
    "A rollback that is given up leaves the tables open to applications. Steps that it had undone stay undone, and what"
    " it had moved stays in its archive, until `sidb upgrade` and `sidb restore`.",
    "grant by hand what `access opened` lists; the rollback is given up all the same.",
)
SMOKE = Check(
    "smoke queries",
    "Phase 1's queries answer, and those readers of Phase 2 whose tables remain.",
    "run the query that failed by hand; `sidb rollback --abort` is too late now, `sidb upgrade` goes forward again.",
)
RETENTION = Check(
    "retention",
    "Rows before the horizon of their table are not written back; the daily activity of the days before that of the"
    " events is as it was before the rollback.",
    "sidb maintain deletes those that came back with a whole table.",
)
RESTORED = Check(
    "restored",
    "Every row of the archive is in its table again, or counted with the reason why not.",
    "run `sidb restore` again: it continues where it stopped.",
)
LEFT = Check(
    "rows left",
    "With --skip, rows that hold a value in a column which their table lacks by now stay in the archive.",
    "add the column, and run `sidb restore` again.",
)
ACTIVITY = Check(
    "daily activity",
    "niche_daily_activity counts the events that came back: rebuilt after a move, kept by triggers in a merge.",
    "SELECT analytics.rebuild_niche_daily_activity(), as the migrating role.",
)
DEPENDANTS = Check(
    "others' objects",
    "What others had built on what a rollback took away, and was put aside by --take-along, is as it was: made anew in"
    " its order, with owner, comments and privileges.",
    "settle what is named, and run `sidb restore` again with the archive's number; or run the SQL that is printed.",
)
MODELS = Check(
    "models",
    "After a restore, the catalog is the one that the upgrade had left, object by object.",
    "`alembic check` names each difference and `alembic revision --autogenerate` writes the revision that corrects it.",
)

CHECKS = (
    BACKFILL,
    CLOSED,
    SESSIONS,
    MOVED,
    CATALOG,
    PHASE1_DATA,
    OPENED,
    GIVEN_UP,
    SMOKE,
    ERASED,
    RETENTION,
    RESTORED,
    ACTIVITY,
    DEPENDANTS,
    MODELS,
)
