"""The backfill's own tables, in schema ``sidb``: staging and bookkeeping.

They have a MetaData of their own, so that neither autogenerate nor the catalog comparison knows them, and no downgrade
drops them: what was done stays known when the schema it was done in comes back.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    Identity,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

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
        list[int]: ARRAY(BigInteger),
        datetime: DateTime(timezone=True),
    }


class StagedEvent(Bookkeeping):
    """An event of the history as loaded; has its final ``event_id`` already, so that moving it can be repeated.

    Only of files that are whole: until then the rows of one lie in a table of their own, ``sidb.backfill_load_<id>``,
    which becomes a child of this table, or is poured into it. ``line`` is a hash of the row's values, by which
    later loads find what is in already. Rows staged by version 2.0.6 or older have neither file nor line.
    """

    __tablename__ = "backfill_events"

    event_timestamp: Mapped[datetime] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=_NEXT_EVENT_ID)
    event_type: Mapped[str]
    event_source: Mapped[str]
    event_data: Mapped[dict[str, Any]]
    user_id: Mapped[str | None]
    niche_id: Mapped[int | None]
    created_at: Mapped[datetime | None]
    file_id: Mapped[int | None]
    line: Mapped[int | None]


class LoadedLine(Bookkeeping):
    """What is known of a staged row once staging is dropped, so that a later load finds it is in already."""

    __tablename__ = "backfill_lines"

    event_timestamp: Mapped[datetime] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file_id: Mapped[int | None]
    line: Mapped[int | None]


class LoadedFile(Bookkeeping):
    """A file by its content, and how far it is staged: so many records, of which so many were refused.

    ``series`` joins the loads of one file as it grows or is corrected: the file_id of the first; 0 for all that version
    2.0.6 or older loaded, of whose rows it is not known which file they came from. ``lines`` is how far it is read, in
    lines (in rows where it is Parquet); ``added`` how many of its rows were not in already; ``erased`` how many of its
    records are left out, or gone since, because their users were erased, ``expired`` how many because their
    time is over.
    """

    __tablename__ = "backfill_files"

    file_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    records: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    rejected: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    series: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    lines: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    added: Mapped[int | None]
    oldest: Mapped[datetime | None]
    newest: Mapped[datetime | None]
    erased: Mapped[int] = mapped_column(server_default=_NO_ROWS)
    expired: Mapped[int] = mapped_column(server_default=_NO_ROWS)


class Reject(Bookkeeping):
    """A record of a file that could not be staged: where it stands, why, and what it holds.

    ``line`` is that on which the record begins, counted from 1; of a Parquet file, the row.
    """

    __tablename__ = "backfill_rejects"

    reject_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    file_id: Mapped[int] = mapped_column(index=True)
    file: Mapped[str]
    line: Mapped[int]
    reason: Mapped[str]
    content: Mapped[str]


class Control(Bookkeeping):
    """One row: what "now" is to the backfill, and its deadline."""

    __tablename__ = "backfill_control"

    one_row: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    as_of: Mapped[datetime]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deadline: Mapped[datetime]

    __table_args__ = (CheckConstraint("one_row", name="backfill_control_one_row"),)


class PauseOrder(Bookkeeping):
    """Somebody's `pause`, until `resume`: while there is one, every worker holds back.

    A row of its own for each, so that who pauses waits for nobody who stands still in a transaction.
    """

    __tablename__ = "backfill_pause_orders"

    order_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class JobState(Bookkeeping):
    """What is known of a job as a whole; it is done when it is verified."""

    __tablename__ = "backfill_jobs"

    job: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(server_default=_NO_ROWS)  # rows set aside since the last batch that worked
    stopped: Mapped[str | None]  # why it goes no further
    verified_at: Mapped[datetime | None]


class Range(Bookkeeping):
    """A part of a job's source and how far it is; its locked row is the lease of the worker that is at it.

    ``lower`` and ``upper`` (exclusive) are whole numbers that the job turns into values of its partition column; the
    cursor is the text of such a value, and a key. ``passed`` counts the rows before the cursor, the ``rows_`` columns
    all that was ever done. Of a source that comes in files, a pass takes those in ``files``; ``walked`` are those of
    earlier passes, ``waiting`` those of the next. NULL: the job does not go by files, or the range is of version 2.0.6
    or older.
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
    walked: Mapped[list[int] | None]
    files: Mapped[list[int] | None]
    waiting: Mapped[list[int] | None]

    __table_args__ = (UniqueConstraint("job", "lower"),)


class Target(Bookkeeping):
    """The table, or column of a table, that a job's progress describes, by what a change of name or schema keeps.

    ``oid`` and ``attnum`` (0: the table) are those of pg_attribute. Another one under the same name is filled anew.
    """

    __tablename__ = "backfill_targets"

    job: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    oid: Mapped[int]
    attnum: Mapped[int]


class Walked(Bookkeeping):
    """A row of a job's source that was walked, by its key, where keys do not tell which rows came later."""

    __tablename__ = "backfill_walked"

    job: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class SetAside(Bookkeeping):
    """A row of a job's source that its target refuses, by its key; `sidb backfill retry` tries it again."""

    __tablename__ = "backfill_set_aside"

    job: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    range_id: Mapped[int]
    error: Mapped[str]
    again: Mapped[bool] = mapped_column(server_default=text("false"))  # by the next pass
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Renumbered(Bookkeeping):
    """An event that is known by another id by now, since a newer event had its own: what an archive holds as `was`."""

    __tablename__ = "backfill_renumbered"

    was: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


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


class ErasureKey(Bookkeeping):
    """A secret key under which ids of erased users are hashed (HMAC-SHA-256). One a database, made by its first
    erasure; another comes with the certificate of an erasure that is repeated here.

    The pads are the key's two as HMAC defines them, so that SQL can hash without an extension.
    """

    __tablename__ = "erasure_key"

    key_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    secret: Mapped[bytes] = mapped_column(unique=True)
    inner_pad: Mapped[bytes]
    outer_pad: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ErasedUser(Bookkeeping):
    """A tombstone: a user of this id was erased, by the erasure named, and does not come back."""

    __tablename__ = "erased_user"

    user_hash: Mapped[bytes] = mapped_column(primary_key=True)
    key_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    erasure_id: Mapped[int] = mapped_column(index=True)
    erased_at: Mapped[datetime] = mapped_column(server_default=func.now())
