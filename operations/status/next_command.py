"""The one next command, from what a look at a database found."""

from backfill.files import load_again
from operations.status.state import Backfill, Status

LOAD = "sidb backfill load FILE…, or sidb backfill run where there is no history"


def command(status: Status) -> str:
    """What to type next; what changes something is typed on the primary."""
    next_step = _command(status)
    anywhere = not status.standby or "primary" in next_step or next_step.startswith("sidb monitor")
    return next_step if anywhere else f"{next_step} (on the primary)"


def _command(status: Status) -> str:
    if status.amiss:
        return status.amiss[0].next_step
    if not status.phase1:
        return "point DATABASE_URL at the database of Phase 1, or sidb demo"
    if not status.revision:
        return "sidb status, as the role that migrates" if status.unknown else "sidb preflight"
    if status.revision != [status.head]:
        return _upgrade(status)
    if status.rights_missing:
        return "run the statements above; then sidb verify"
    if waiting := [each.archive for each in status.archives if each.restored < each.tables]:
        return f"sidb restore {waiting[0]}, or --drop {waiting[0]} where nobody wants it back"
    if (next_step := _backfill(status.backfill)) is not None:
        return next_step
    if status.raised:
        return "sidb preflight --finish"
    return "sidb monitor"


def _upgrade(status: Status) -> str:
    rolled_back = [each.archive for each in status.archives if [each.target] == status.revision and not each.restored]
    if not rolled_back:
        return "sidb upgrade"
    return f"when what led to the rollback is put right: sidb upgrade, then sidb restore {rolled_back[0]}"


def _backfill(backfill: Backfill | None) -> str | None:
    if backfill is not None and backfill.half_loaded and not backfill.paused:
        return load_again(backfill.half_loaded)
    if backfill is None or (backfill.deadline is None and not any(job.left for job in backfill.jobs)):
        return LOAD
    if backfill.paused:
        return "sidb backfill resume"
    if any(job.set_aside or job.state == "stopped" for job in backfill.jobs):
        return "sidb backfill status names what was set aside; correct it, then sidb backfill retry"
    if any(job.left for job in backfill.jobs):
        return "sidb backfill run, then daily"
    if any("verified" in job.state for job in backfill.jobs):
        return "sidb backfill verify"
    return None
