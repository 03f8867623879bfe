"""Loading: files of history into staging with COPY, in chunks that commit together with how far the file is."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, groupby
from typing import Any, Literal

import psycopg
from sqlalchemy import Connection, Engine, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError

from backfill.errors import BackfillError
from backfill.niches import Niches
from backfill.plain_csv import Plain
from backfill.reading import Source, one_by_one
from backfill.records import Bad, Row, Unfit, check_all
from backfill.tables import LoadedFile, Reject, StagedEvent, create

CHUNK = 50_000  # in one transaction; some 90 MB of memory, 120 where they are read record by record
BLOCK = 500
KEPT = 10_000  # characters of a rejected record's content

COLUMNS = ("event_timestamp", "event_type", "event_source", "event_data", "user_id", "created_at", "niche_id")
COPY = f"COPY {StagedEvent.__table__} ({', '.join(COLUMNS)}) FROM STDIN"

Report = Callable[[Source, int, int], None]


@dataclass(frozen=True)
class Loaded:
    """What became of a file: its records, those refused, and whether it was in already."""

    name: str
    records: int
    rejected: int
    already: bool = False


@dataclass
class Blocks:
    """A file's records in its order, taken a block at a time: plain ones as they stand, or a list of others."""

    records: Iterator[Row | Bad | Plain]
    _ahead: tuple[Plain, ...] = ()

    def take(self, most: int) -> Plain | list[Row | Bad]:
        """No more than so many, and none where there are none."""
        most_others = min(most, BLOCK)
        others: list[Row | Bad] = []
        ahead, self._ahead = self._ahead, ()
        for each in chain(ahead, self.records):
            if not isinstance(each, Plain):
                others.append(each)
                if len(others) == most_others:
                    break
            elif others:
                self._ahead = (each,)
                break
            else:
                block, rest = each.cut(most)
                self._ahead = (rest,) if rest else ()
                return block
        return others

    def skip(self, records: int) -> None:
        while records and (block := self.take(records)):
            records -= len(block)


def load(
    engine: Engine,
    source: Source,
    unknown_niches: Literal["create", "reject"] = "create",
    report: Report | None = None,
    chunk: int = CHUNK,
) -> Loaded:
    """Stage a file; goes on where an earlier try was killed, and does nothing where all is in.

    `report` hears of the source, records so far and rejects after each chunk. BackfillError: it is no history, the
    connection was lost, or another process is loading the same content.
    """
    create(engine)
    with closing(source.records()) as probed:
        next(probed, None)  # an unreadable file is refused before it is read through
    digest = source.digest()
    try:
        with engine.connect() as connection, engine.connect() as beside, closing(source.records()) as records:
            file = _file(connection, source, digest)
            if file.finished_at is not None:
                return Loaded(source.name, file.records, file.rejected, already=True)
            niches = Niches(beside, create=unknown_niches == "create")
            blocks = Blocks(records)
            blocks.skip(file.records)
            over = False
            while not over:
                over = _stage_chunk(connection, file, niches, blocks, chunk)
                if report:
                    report(source, file.records, file.rejected)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise _lost(source) from error
    return Loaded(source.name, file.records, file.rejected)


def _lost(source: Source) -> BackfillError:
    return BackfillError(
        f"The connection was lost while {source.name} was being loaded.",
        "run the same command again when the server is back: it goes on where this stopped.",
    )


def _file(connection: Connection, source: Source, digest: str) -> LoadedFile:
    with connection.begin():
        connection.execute(upsert(LoadedFile).values(digest=digest, name=source.name).on_conflict_do_nothing())
        row = connection.execute(select(LoadedFile.__table__).where(LoadedFile.digest == digest)).one()
    return LoadedFile(**row._mapping)


def _stage_chunk(connection: Connection, file: LoadedFile, niches: Niches, blocks: Blocks, chunk: int) -> bool:
    """Stage the next records in one transaction; True when they were the last."""
    rejects: list[Bad] = []
    taken = 0
    tried: list[Plain | list[Row]] = []  # for when the server refuses one

    def ready() -> Iterator[Plain | list[Row]]:
        nonlocal taken
        while taken < chunk and (block := blocks.take(chunk - taken)):
            taken += len(block)
            if not isinstance(block, Plain) or not niches.exist(block):
                tried.append(niches.resolve(one_by_one(block), rejects))
            else:
                tried.append(block)
            yield tried[-1]

    with connection.begin():
        connection.execute(text("SET LOCAL timezone = 'UTC'"))
        before = select(LoadedFile.records).where(LoadedFile.file_id == file.file_id).with_for_update()
        if connection.scalar(before) != file.records:
            raise BackfillError(f"{file.name} is being loaded by another process.", "let that one finish.")
        try:
            with connection.begin_nested():
                _copy(connection, ready())
        except _REFUSALS as error:
            if not _is_refusal(error):
                raise
            _copy_around(connection, _sound(tried, rejects), rejects)
            over = False
        else:
            over = taken < chunk
        mark = update(StagedEvent).where(StagedEvent.file_id.is_(None)).values(file_id=file.file_id)
        connection.execute(mark)
        if rejects:
            connection.execute(insert(Reject), [_reject(file, bad) for bad in rejects])
        if not over:
            # The rows and how far the file is are lost or kept together, and the last commit, which calls the file
            # finished, makes all before it last: none of the others has to wait for the disk.
            connection.execute(text("SET LOCAL synchronous_commit = off"))
        done = {"records": file.records + taken, "rejected": file.rejected + len(rejects)}
        finished_at = datetime.now(UTC) if over else None
        this = update(LoadedFile).where(LoadedFile.file_id == file.file_id)
        connection.execute(this.values(**done, finished_at=finished_at))
    file.records, file.rejected, file.finished_at = done["records"], done["rejected"], finished_at
    return over


_REFUSALS = (psycopg.Error, UnicodeEncodeError)


def _is_refusal(error: Exception) -> bool:
    """Whether the server, or the driver for it, refuses what a row holds; anything else is an error of its own."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.DataError) or (error.sqlstate or "")[:2] in ("22", "23", "54")
    return True


def _copy(connection: Connection, blocks: Iterable[Plain | list[Row]]) -> None:
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    assert driver is not None
    for statement, run in groupby(blocks, lambda block: block.form.copy if isinstance(block, Plain) else COPY):
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for block in run:
                if isinstance(block, Plain):
                    copy.write(block.content)
                    continue
                for row in block:
                    copy.write_row((*row[:6], row.niche_id or None))


def _sound(blocks: Iterable[Plain | list[Row]], rejects: list[Bad]) -> list[Row]:
    """The rows that this program finds nothing wrong with, looked at closely; the others go to the rejects."""
    rows: list[Row] = []
    for block in blocks:
        for each in one_by_one(block):
            if isinstance(each, Bad):
                rejects.append(each)
                continue
            try:
                rows.append(check_all(each))
            except Unfit as unfit:
                rejects.append(Bad(each.line, str(unfit), each.content))
    return rows


def _copy_around(connection: Connection, rows: list[Row], rejects: list[Bad]) -> None:
    """COPY all rows but those that the server refuses, which are found by halving."""
    try:
        with connection.begin_nested():
            _copy(connection, [rows])
    except _REFUSALS as error:
        if not _is_refusal(error):
            raise
        if len(rows) == 1:
            rejects.append(Bad(rows[0].line, _said(error), rows[0].content))
            return
        half = len(rows) // 2
        _copy_around(connection, rows[:half], rejects)
        _copy_around(connection, rows[half:], rejects)


def _said(error: Exception) -> str:
    """The server's reason with its detail, or the driver's."""
    said = (error.diag.message_primary, error.diag.message_detail) if isinstance(error, psycopg.Error) else ()
    return ": ".join(part for part in said if part) or str(error)


def _reject(file: LoadedFile, bad: Bad) -> dict[str, Any]:
    def storable(value: str) -> str:
        return value.replace("\0", "\\0").encode(errors="backslashreplace").decode()

    return {
        "file_id": file.file_id,
        "file": file.name,
        "line": bad.line,
        "reason": storable(bad.reason),
        "content": storable(bad.content[:KEPT]),
    }
