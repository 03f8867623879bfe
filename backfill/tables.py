"""The backfill's own tables, in schema ``sidb``: staging and bookkeeping.

They have a MetaData of their own, so that neither autogenerate nor the catalog comparison knows them, and no downgrade
drops them: what was done stays known when the schema it was done in comes back.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    DateTime,
    Double,
    Engine,
    Identity,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateSchema

SCHEMA = "sidb"

# As text, looked up at each call: a regclass would tie the event table's sequence to this one, and hold up downgrades.
_NEXT_EVENT_ID = text("nextval('analytics.analytics_events_event_id_seq'::text)")
_NO_ROWS = text("0")


class Bookkeeping(DeclarativeBase):
    """Base of the backfill's tables."""

    metadata = MetaData(schema=SCHEMA)
    type_annotation_map = {  # noqa: RUF012 (the declarative API's own attribute)
        int: BigInteger,
        str: Text,
        float: Double,
        dict[str, Any]: JSONB,
        datetime: DateTime(timezone=True),
    }


class StagedEvent(Bookkeeping):
    """An event of the history as loaded; has its final ``event_id`` already, so that moving it can be repeated."""

    __tablename__ = "backfill_events"

    event_timestamp: Mapped[datetime] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=_NEXT_EVENT_ID)
    event_type: Mapped[str]
    event_source: Mapped[str]
    event_data: Mapped[dict[str, Any]]
    user_id: Mapped[str | None]
    niche_id: Mapped[int | None]
    created_at: Mapped[datetime | None]


class LoadedFile(Bookkeeping):
    """A file by its content, and how far it is staged: so many records, of which so many were refused."""

    __tablename__ = "backfill_files"

    file_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    records: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    rejected: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


class Reject(Bookkeeping):
    """A record of a file that could not be staged: where it stands, why, and what it holds."""

    __tablename__ = "backfill_rejects"

    reject_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    file_id: Mapped[int] = mapped_column(index=True)
    file: Mapped[str]
    line: Mapped[int]
    reason: Mapped[str]
    content: Mapped[str]


class Control(Bookkeeping):
    """One row: what "now" is to the backfill, its deadline, and whether somebody paused it."""

    __tablename__ = "backfill_control"

    one_row: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    as_of: Mapped[datetime]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deadline: Mapped[datetime]
    paused_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("one_row", name="backfill_control_one_row"),)


class JobState(Bookkeeping):
    """What is known of a job as a whole; it is done when it is verified."""

    __tablename__ = "backfill_jobs"

    job: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(server_default=_NO_ROWS)  # rows set aside since the last batch that worked
    stopped: Mapped[str | None]  # why it goes no further
    verified_at: Mapped[datetime | None]


class Range(Bookkeeping):
    """A part of a job's source and how far it is; its locked row is the lease of the worker that is at it.

    ``lower`` and ``upper`` (exclusive) and the cursor are values of the job's cut and key; ``passed`` counts the rows
    before the cursor in the present pass, the ``rows_`` columns all that was ever done.
    """

    __tablename__ = "backfill_ranges"

    range_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    job: Mapped[str]
    lower: Mapped[str]
    upper: Mapped[str]
    newest: Mapped[datetime | None]
    planned: Mapped[int]
    cursor_cut: Mapped[str | None]
    cursor_key: Mapped[int | None]
    passed: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    skipped: Mapped[int] = mapped_column(server_default=_NO_ROWS)  # in this pass: locked by the application
    ready_at: Mapped[datetime] = mapped_column(server_default=func.now())
    done_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=_NO_ROWS)  # of the present batch, all failed
    suspect: Mapped[int] = mapped_column(server_default=_NO_ROWS)  # rows after the cursor among which one fails
    rows_read: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    rows_written: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    rows_present: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    rows_refused: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    seconds: Mapped[float] = mapped_column(server_default=_NO_ROWS)
    rested: Mapped[float] = mapped_column(server_default=_NO_ROWS)  # seconds after its batches, for the application
    error: Mapped[str | None]

    __table_args__ = (UniqueConstraint("job", "lower"),)


class SetAside(Bookkeeping):
    """A row of a job's source that its target refuses, by its key; `sidb backfill retry` tries it again."""

    __tablename__ = "backfill_set_aside"

    job: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    range_id: Mapped[int]
    error: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Pause(Bookkeeping):
    """A time in which a worker held back, and why; without an end while it lasts, or if the worker was killed."""

    __tablename__ = "backfill_pauses"

    pause_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    job: Mapped[str | None]
    range_id: Mapped[int | None]
    reason: Mapped[str]
    detail: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    ended_at: Mapped[datetime | None]


def create(engine: Engine) -> None:
    """Create what is not there yet; any number of processes may do so at once."""
    with engine.begin() as connection:
        alone(connection, "tables")
        connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
        Bookkeeping.metadata.create_all(connection)


def alone(connection: Connection, what: str) -> None:
    """Until the end of the transaction, nobody else does `what` to the bookkeeping."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sidb backfill {what}", 0))))
