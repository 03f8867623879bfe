"""Publishing: a whole file's rows go into staging, once it is known which of them are in already.

A file is compared line by line with what was loaded before, whatever the order, the line ends and the compression.
Loads of one name are one file that grew or was corrected: only what is new is added. Where lines of the earlier loads
are missing in it, or another file holds lines of it, it is refused until somebody says what is meant: `new`, it is a
file of its own, or `replace`, it takes the place of the earlier loads of its name. Of other files nothing is ever
deleted: their lines that it holds, too, are left out of it.
"""

from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, delete, func, select, text, update

from backfill import erased, expired
from backfill.bookkeeping import alone, of_the_schemas_owner
from backfill.chunks import transaction
from backfill.errors import BackfillError
from backfill.files import FORMER, incoming
from backfill.locks import staging
from backfill.queries import query
from backfill.tables import LoadedFile, Range, Reject, StagedEvent

Meant = Literal["new", "replace"] | None

NAMED = 10
"""Other files that a refusal names."""
FEW = 20_000
"""Rows that are poured into staging itself; more stay in their table, which becomes a child of it."""
MOST_CHILDREN = 100


class NotSaid(BackfillError):  # noqa: N818 - what is missing is an answer
    """It is not known what is meant by a file: nothing of it is kept."""


class Published(NamedTuple):
    """Rows that came, earlier ones that were deleted, and rows left out because other files have brought them."""

    added: int
    removed: int
    shared: int


def publish(connection: Connection, file: LoadedFile, is_stream: bool, meant: Meant) -> Published:
    """Stage what is new of the file. Raises NotSaid."""
    table = incoming(file.file_id)
    with transaction(connection):
        # Of few rows, too: where a publication is for all tables, nothing is deleted from one without a key.
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS backfill_load_{file.file_id}_pkey"))
        connection.execute(text(f"ALTER TABLE {table} ADD PRIMARY KEY (event_timestamp, event_id)"))
    with staging(connection, "load"), transaction(connection):
        alone(connection, "load")
        with of_the_schemas_owner(connection):
            StagedEvent.__table__.create(connection, checkfirst=True)  # type: ignore[attr-defined]
        erased.share(connection)
        file.erased += erased.drop_incoming(connection)
        file.expired = expired.drop_incoming(connection)
        series, removed, shared = _compare(connection, file, is_stream, meant)
        added = _move(connection, table)
        this = update(LoadedFile).where(LoadedFile.file_id == file.file_id)
        left_out = {"erased": file.erased, "expired": file.expired}
        connection.execute(this.values(finished_at=func.now(), series=series, added=added, **left_out))
        # The rejects of a file are those of its last load.
        before = select(LoadedFile.file_id).where(
            LoadedFile.series == series, LoadedFile.series != FORMER, LoadedFile.file_id != file.file_id
        )
        connection.execute(delete(Reject).where(Reject.file_id.in_(before)))
    return Published(added, removed, shared)


def _compare(connection: Connection, file: LoadedFile, is_stream: bool, meant: Meant) -> tuple[int, int, int]:
    """Take out of the file's table what is in already: the file's series, how many earlier rows went, and how many of
    its own were left out because they are in from other files.
    """
    connection.execute(
        text("CREATE TEMPORARY TABLE backfill_compared (mine bigint, theirs bigint, event_timestamp timestamptz)")
    )
    connection.execute(query("earlier"))
    connection.execute(query("times"), {"file_id": file.file_id})
    own = None if is_stream else _series_of(connection, file)
    missing = _against(connection, [own]) if own is not None else 0
    if own == FORMER:
        missing = 0  # others' lines are among them
        if connection.scalar(query("former_lines_lost")) and meant != "new":
            raise NotSaid(
                f"{file.name} was not loaded: version 2.0.6 or older loaded a file of that name, and dropped it.",
                "the same command with --new if none of its events is in; what is in cannot be told from what is not.",
            )
    if missing and meant == "new":
        own, missing = None, 0
        connection.execute(text("TRUNCATE pg_temp.backfill_compared"))
    shares = connection.execute(
        query("sharing"), {"file_id": file.file_id, "series": [] if own is None else [own]}
    ).all()
    if meant is None:
        _refuse(file, own, missing, shares)
    removed = shared = 0
    series = file.file_id if own is None else own
    if meant == "replace":
        if own is None:
            _refuse_former(file, shares)
        elif missing:
            removed, series = _replace(connection, file, own), file.file_id
    connection.execute(query("in_already"))
    if meant == "replace" and shares:
        _against(connection, [each.series for each in shares])
        shared = connection.execute(query("in_already")).rowcount
    connection.execute(text("DROP TABLE pg_temp.backfill_compared"))
    connection.execute(text("DROP VIEW pg_temp.backfill_earlier"))
    return series, removed, shared


def _series_of(connection: Connection, file: LoadedFile) -> int | None:
    """The series of the last load of that name, compressed or not."""
    if file.series == FORMER:
        return FORMER  # half loaded then
    name = file.name.removesuffix(".gz")
    whole = select(LoadedFile.series).where(
        LoadedFile.name.in_([name, f"{name}.gz"]),
        LoadedFile.finished_at.is_not(None),
        LoadedFile.file_id != file.file_id,
    )
    return connection.scalar(whole.order_by(LoadedFile.finished_at.desc(), LoadedFile.file_id.desc()).limit(1))


def _against(connection: Connection, series: list[int]) -> int:
    """Compare with all loads of these series; how many of their lines are missing in the file."""
    connection.execute(text("TRUNCATE pg_temp.backfill_compared"))
    connection.execute(query("compare"), {"series": series})
    missing = text("SELECT count(*) FROM pg_temp.backfill_compared WHERE mine IS NULL")
    return connection.scalar(missing) or 0


def _refuse(file: LoadedFile, own: int | None, missing: int, shares: Any) -> None:
    """With all that speaks against it, and what each answer would do."""
    found, stays = [], ""
    if missing:
        found.append(f"{missing:,} lines of an earlier load of that name are missing in it")
    if shares:
        each = [f"{share.name} ({share.lines:,})" for share in shares[:NAMED]]
        more = f" and {len(shares) - NAMED:,} more" if len(shares) > NAMED else ""
        lines = sum(share.lines for share in shares)
        found.append(f"{lines:,} lines of it are in already, from {', '.join(each)}{more}")
        stays = " Of the other files nothing is deleted, and their lines are not added again."
    if missing:
        raise NotSaid(
            f"{file.name} was not loaded: {'; '.join(found)}.",
            "the same command with --new if it is another file, of which all lines are added, or with --replace if it "
            f"takes the place of the earlier one: then the {missing:,} rows of {file.name} that it lacks are deleted."
            + stays,
        )
    if shares:
        renamed = "" if own is not None else " If it takes the place of one of them, load it under that name."
        raise NotSaid(
            f"{file.name} was not loaded: {'; '.join(found)}.",
            "the same command with --new if they are events of their own, or with --replace if they are the same "
            f"events: then only what is new is added, and nothing is deleted.{renamed}",
        )


def _refuse_former(file: LoadedFile, shares: Any) -> None:
    if FORMER in [each.series for each in shares]:
        raise NotSaid(
            f"{file.name} was not loaded: what version 2.0.6 or older staged cannot be replaced, "
            "since it is not known which file its rows came from.",
            "the same command with --new if its events are not in, or under the name that it had then if only some "
            "are.",
        )


def _replace(connection: Connection, file: LoadedFile, own: int) -> int:
    """The file takes the place of its earlier loads, with which it was compared; the rows that went."""
    # No worker is at a row that goes.
    connection.execute(select(Range.range_id).order_by(Range.range_id).with_for_update())
    _against(connection, [own])  # again: nobody moves what is staged to other ids any more
    removed = connection.scalar(query("replaced_rows")) or 0
    replaced = update(LoadedFile).where(LoadedFile.series == own, LoadedFile.file_id != file.file_id)
    # No content is known by these any more: who loads such a file again is asked what is meant.
    connection.execute(
        replaced.values(series=file.file_id, digest=func.concat("replaced ", LoadedFile.file_id), name=file.name)
    )
    return removed


def _move(connection: Connection, table: str) -> int:
    rows = connection.scalar(text("SELECT count(*) FROM pg_temp.backfill_incoming")) or 0
    children = text("SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass(:staging)")
    many = (connection.scalar(children, {"staging": str(StagedEvent.__table__)}) or 0) >= MOST_CHILDREN
    few = rows <= FEW or many
    if few:
        connection.execute(query("pour"))
    connection.execute(text("DROP VIEW pg_temp.backfill_incoming"))
    connection.execute(
        text(f"DROP TABLE {table} CASCADE" if few else f"ALTER TABLE {table} INHERIT {StagedEvent.__table__}")
    )
    return rows
