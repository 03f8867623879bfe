"""Finishing: the staging table goes, once what was in it is proved to be where it belongs."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from backfill import job_status
from backfill.bookkeeping import drop_staged
from backfill.errors import BackfillError
from backfill.files import half_loaded, load_again
from backfill.job import Job
from backfill.locks import staging
from backfill.tables import Control, Range, StagedEvent
from backfill.verification import prove

FINISHED = ("done", "nothing to do")


def finish(connection: Connection, jobs: Sequence[Job]) -> int:
    """Prove once more that all is moved, and drop staging, while nobody loads or plans; the number of rows that go.

    What other jobs read stays: they need not be done, which they never are for long while niches are added.
    BackfillError: something is still to be done with what is staged, and nothing is dropped.
    """
    staged = [job for job in jobs if job.source is StagedEvent]
    with connection.begin():
        _refuse_unfinished(connection, staged)  # at once, not after waiting for a load
    with staging(connection, "finish", alone=True), connection.begin():
        as_of = connection.scalars(select(Control.as_of)).one()
        for job in staged:
            if not prove(connection, job, as_of).holds:
                raise BackfillError(
                    f"Staging is still needed: not all of {job.name} is proved any more.",
                    "sidb backfill verify, which says what is missing.",
                )
        rows = drop_staged(connection)
        connection.execute(update(Range).where(Range.job.in_([job.name for job in staged])).values(planned=0))
    return rows


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
