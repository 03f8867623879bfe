"""Replicas and replication slots."""

from alembic_online.quantities import size
from alembic_online.replica_lag_limits import LAG as LIMIT

from operations import replicas
from operations.findings import Check, Finding
from operations.preflight.context import Context, Questions, judged

SLOTS = Check(
    "replication slots",
    "A slot that nobody reads keeps WAL until the disk is full, and a migration writes much of it.",
    "start what reads the slot, or, if it is gone for good, SELECT pg_drop_replication_slot('…').",
)
LAG = Check(
    "replication lag",
    f"Each replica streams and follows closely: readers tolerate {LIMIT:g} s of lag, and a migration adds to it.",
    "wait until it has caught up; start a replica that is stopped; see pg_stat_replication.",
)


def slots(context: Context) -> Finding:
    wrong, doubtful = [], []
    found = context.rows("slots")
    for slot in found:
        keeps = f"{slot.name} keeps {size(slot.bytes)} of WAL"
        if slot.wal_status in ("lost", "unreserved"):
            wrong.append(f"{slot.name} has lost WAL, or is about to")
        elif not slot.active:
            wrong.append(f"nobody reads slot {keeps}")
        elif slot.bytes > context.limits.slot_bytes:
            doubtful.append(f"slot {keeps}")
    return judged(SLOTS, f"{len(found)}, all read" if found else "none", wrong, doubtful)


def lag(context: Context) -> Finding:
    standbys = context.rows("replicas")
    stopped = [slot.name for slot in context.rows("slots") if slot.kind == "physical" and not slot.active]
    if standbys and all(replica.state is None for replica in standbys):
        return LAG.unknown(
            "only members of pg_monitor may see it", "as an administrator: GRANT pg_monitor TO the migrating role."
        )
    wrong = [f"no replica reads slot {name}" for name in stopped]
    doubtful, seen, limits = [], [], context.limits
    for replica in standbys:
        seconds, share = replica.seconds or 0, (replica.bytes or 0) / limits.lag_bytes
        behind = f"{replica.name} is {size(replica.bytes or 0)} and {seconds:.1f} s behind"
        if replica.state != "streaming":
            wrong.append(f"{replica.name} is not streaming but in state {replica.state}")
        elif seconds > limits.lag_seconds or share > 1:
            wrong.append(behind)
        elif seconds > limits.lag_warning_seconds or share > limits.warning_share:
            doubtful.append(behind)
        seen.append(behind)
    return judged(LAG, "; ".join(seen) or "no replica", wrong, doubtful)


def named(context: Context) -> list[Finding]:
    """Those of which the address is given, looked at themselves."""
    return list(replicas.beside(context.connection, context.request.replicas))


QUESTIONS: Questions = {
    SLOTS: slots,
    LAG: lag,
    replicas.REPLICA: named,
}
