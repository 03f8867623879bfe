"""Finishing: the staging table goes, once what was in it is proved to be where it belongs."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from backfill import job_status
from backfill.bookkeeping import drop_staged
from backfill.errors import BackfillError
from backfill.files import half_loaded, load_again
from backfill.job import Job
from backfill.locks import staging
from backfill.tables import Control, Range, StagedEvent
from backfill.verification import Proof, prove

FINISHED = ("done", "nothing to do")
SMALL_SHARE = 0.01
"""Of the staged rows: as many may have been deleted since they were moved without anybody being asked."""


class Finished(NamedTuple):
    """Staged rows that were dropped, and how many of them had been deleted from the events since they were moved."""

    rows: int
    deleted: int


def finish(connection: Connection, jobs: Sequence[Job], accept_deleted: int | None = None) -> Finished:
    """Prove once more that all is moved, and drop staging, while nobody loads or plans.

    `accept_deleted`: the number of staged rows whose events were deleted, of which staging is the last copy.
    What other jobs read stays: they need not be done, which they never are for long while niches are added.
    BackfillError: something is still to be done with what is staged, or more are deleted than a few, and nothing is
    dropped.
    """
    staged = [job for job in jobs if job.source is StagedEvent]
    with connection.begin():
        _refuse_unfinished(connection, staged)  # at once, not after waiting for a load
    with staging(connection, "finish", alone=True), connection.begin():
        as_of = connection.scalars(select(Control.as_of)).one()
        proofs = [prove(connection, job, as_of) for job in staged]
        for job, proof in zip(staged, proofs, strict=True):
            if not proof.holds:
                raise BackfillError(
                    f"Staging is still needed: not all of {job.name} is proved any more.",
                    "sidb backfill verify, which says what is missing.",
                )
        deleted = _refuse_deleted(proofs, accept_deleted)
        rows = drop_staged(connection)
        connection.execute(update(Range).where(Range.job.in_([job.name for job in staged])).values(planned=0))
    return Finished(rows, deleted)


def _refuse_deleted(proofs: Sequence[Proof], accepted: int | None) -> int:
    """How many staged rows are not among the events any more. BackfillError: they are many, or not as `accepted`."""
    deleted, staged = sum(each.deleted for each in proofs), sum(each.rows for each in proofs)
    if accepted == deleted or (accepted is None and deleted <= staged * SMALL_SHARE):
        return deleted
    raise BackfillError(
        f"Staging is still needed: of {staged:,} staged rows that were moved, {deleted:,} are not in"
        " analytics.analytics_events any more, and staging may be their last copy.",
        "where they were lost, as when an older backup was restored, sidb backfill load --replace FILE for each file"
        " of theirs, which brings them back; where they were meant to go,"
        f" sidb backfill finish --accept-deleted {deleted}.",
    )


def _refuse_unfinished(connection: Connection, jobs: Sequence[Job]) -> None:
    if half := half_loaded(connection):
        named = "; ".join(f"{file.name} is half loaded ({file.records:,} records)" for file in half)
        again = load_again([file.name for file in half])
        raise BackfillError(f"Staging is still needed: {named}.", f"{again}; then what sidb status says.")
    unfinished = [each for each in job_status.jobs_status(connection, jobs) if each.state not in FINISHED]
    if unfinished:
        named = ", ".join(f"{each.job} ({each.state})" for each in unfinished)
        raise BackfillError(
            f"Staging is still needed: {named}.", "sidb backfill run --all, sidb backfill verify, then this again."
        )
