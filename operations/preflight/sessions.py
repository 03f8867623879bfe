"""Other people's sessions that a migration would have to wait for."""

from alembic_online.quantities import duration

from operations.findings import Check, Finding
from operations.preflight.context import Context, Questions, judged

LONG = Check(
    "long transactions",
    "Transactions at work, prepared ones included, that are open for long: an index built concurrently waits for each.",
    "wait for them, or end them: SELECT pg_terminate_backend(pid); ROLLBACK PREPARED '…'.",
)
IDLE = Check(
    "idle transactions",
    "Sessions that leave a transaction open and do nothing: they hold their locks for as long.",
    "find out what forgot to commit; end it: SELECT pg_terminate_backend(pid), or sidb upgrade --end-idle-after 60s.",
)
TABLES = Check(
    "sessions on the tables",
    "Who works on features and hot_niches_today with more than reads and writes, or waits for such a lock: another "
    "migration, VACUUM FULL, CREATE INDEX.",
    "wait until it is done, or end it: SELECT pg_terminate_backend(pid).",
)

ORDINARY = {"AccessShareLock", "RowShareLock", "RowExclusiveLock", "SIReadLock"}
"""The locks that reading and writing rows takes; a migration works beside them."""


def long(context: Context) -> Finding:
    return _transactions(context, LONG, idle=False, limit=context.limits.transaction_seconds)


def idle(context: Context) -> Finding:
    return _transactions(context, IDLE, idle=True, limit=context.limits.idle_seconds)


def _transactions(context: Context, check: Check, *, idle: bool, limit: float) -> Finding:
    warn_at = limit * context.limits.warning_share
    found = [row for row in context.rows("transactions", seconds=warn_at) if row.idle is idle]
    told = [(f"{row.whose} for {duration(row.seconds)}", row.seconds > limit) for row in found]
    hidden = context.value("hidden_sessions")
    if hidden and not told:
        return check.unknown(
            f"{hidden} sessions of other roles hide from this one what they do",
            "as an administrator: GRANT pg_read_all_stats TO the migrating role.",
        )
    wrong, doubtful = [text for text, over in told if over], [text for text, over in told if not over]
    return judged(check, f"none for longer than {duration(warn_at)}", wrong, doubtful)


def tables(context: Context) -> Finding:
    found = context.rows("table_sessions")
    wrong: list[str] = []
    doubtful: list[str] = []
    for holder in found:
        strong = [mode for mode in holder.modes if mode not in ORDINARY]
        if holder.granted and not strong:
            continue
        how = "holds" if holder.granted else "waits for"
        told = f"{holder.whose} {how} {(strong or holder.modes)[-1]} on {holder.relation}"
        (doubtful if holder.autovacuum else wrong).append(told)
    return judged(TABLES, f"{len({holder.whose for holder in found})} at work, none in the way", wrong, doubtful)


QUESTIONS: Questions = {
    LONG: long,
    IDLE: idle,
    TABLES: tables,
}
