"""Loading: files of history into staging, in chunks that commit together with how far the file is.

Until a file is whole its rows lie in a table of their own; then they are compared with what earlier loads staged, and
go into staging together (`publishing`), so that nobody ever moves, proves or drops a part of a file.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from threading import Event
from typing import Literal, NamedTuple

import psycopg
from sqlalchemy import Connection, Engine, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError

from backfill import erased, lost_events
from backfill.bookkeeping import create, of_the_schemas_owner
from backfill.chunks import Chunk, find_niches, open_session, said, transaction
from backfill.errors import BackfillError
from backfill.files import UNDECIDED, claim_key, discard, incoming
from backfill.formats.base import Bad, Format
from backfill.locks import Tell, watched
from backfill.pacing import Throttle
from backfill.publishing import Meant, Published, publish
from backfill.queries import query
from backfill.source import Source
from backfill.tables import LoadedFile, Reject, StagedEvent

CHUNK = 2**23
"""Bytes in one transaction."""
SHUT_DOWN = ("57P01", "57P02", "57P03")
KEPT = 10_000  # characters of a rejected record's content

Report = Callable[[Source, int, int], None]


@dataclass(frozen=True)
class Loaded:
    """What became of a file: its records, those refused, the rows that were new, and whether it was in already.

    `shared` records are left out since other files have brought them, `erased` ones since their users were erased,
    `expired` ones since their time is over. Of a file that was in already, `lost` rows are no events any more.
    """

    name: str
    records: int
    rejected: int
    added: int
    removed: int = 0
    shared: int = 0
    already: bool = False
    erased: int = 0
    expired: int = 0
    lost: int = 0


def load(
    engine: Engine,
    source: Source,
    unknown_niches: Literal["create", "reject"] = "create",
    report: Report | None = None,
    chunk: int = CHUNK,
    meant: Meant = None,
    tell: Tell = lambda _said: None,
    stop: Event | None = None,
    throttle: Throttle | None = None,
) -> Loaded:
    """Stage a file; goes on where an earlier try was killed, and does nothing where all is in.

    `report` hears of the source, records so far and rejects after each chunk, `tell` of other sessions waited for; set
    `stop` to end after the present chunk. `throttle` says how long to rest between two; it must not ask on a session
    of this load.
    BackfillError: it is no history, it is not known what is `meant` by it, another process is loading the same
    content, or the server or `stop` ended the load.
    """
    stop, throttle = stop or Event(), throttle or Throttle()
    try:
        create(engine)
        with source.opened():
            pass  # an unreadable file is refused before it is read through
        digest = source.digest()
        with _session(engine, tell, stop) as connection:
            file = _claimed(connection, source, digest)
            if file.finished_at is not None:
                with _session(engine, tell, stop) as aside:
                    if meant != "replace" or not lost_events.forget(aside, file):
                        return _already(source, file, lost_events.count(aside, file))
                # By its content it is known no more. That other rows may be deleted for it was not meant.
                file, meant = _claimed(connection, source, digest), None
            with source.opened() as format, _session(engine, tell, stop) as other:
                for each in (sessions := (connection, other)):
                    open_session(each, file.file_id, format)
                staging = _Staging(source, file, format, unknown_niches == "create", report)
                _stage(staging, sessions, chunk, stop, throttle)
                with other.begin():  # nothing of it may hang on the table that goes
                    other.execute(text("DROP VIEW pg_temp.backfill_incoming"))
            try:
                source.refuse_changed()
                published = publish(connection, file, source.is_stream, meant)
            except BackfillError:  # neither continued nor compared
                with connection.begin():
                    discard(connection, file.file_id)
                raise
    except (DBAPIError, psycopg.Error) as error:
        raise _failed(source, error) from error
    return _loaded(source, file, published)


def _already(source: Source, file: LoadedFile, lost: int) -> Loaded:
    return replace(_loaded(source, file, Published(0, 0, 0), already=True), lost=lost)


def _loaded(source: Source, file: LoadedFile, published: Published, *, already: bool = False) -> Loaded:
    left_out = {"erased": file.erased, "expired": file.expired}
    return Loaded(source.name, file.records, file.rejected, **published._asdict(), already=already, **left_out)


@contextmanager
def _session(engine: Engine, tell: Tell, stop: Event) -> Iterator[Connection]:
    """One of its own: its temporary tables, settings and locks go with it."""
    with engine.connect() as connection:
        connection.detach()
        with watched(connection, tell, stop):
            yield connection


def _failed(source: Source, error: DBAPIError | psycopg.Error) -> BackfillError:
    again = "run the same command again: it continues where this stopped."
    found = error.orig if isinstance(error, DBAPIError) else error
    state = (found.sqlstate or "") if isinstance(found, psycopg.Error) else ""
    if isinstance(found, psycopg.OperationalError) and (not state or state[:2] == "08" or state in SHUT_DOWN):
        return BackfillError(
            f"The connection was lost while {source.name} was being loaded.", f"when the server is back, {again}"
        )
    return BackfillError(f"Loading {source.name} stopped: {said(error)}.", f"see to that, then {again}")


def _claimed(connection: Connection, source: Source, digest: str) -> LoadedFile:
    """The file's row, which no other process works on until the session ends, and the table of its rows."""
    this = LoadedFile.digest == digest
    with connection.begin():
        connection.execute(
            upsert(LoadedFile).values(digest=digest, name=source.name, series=UNDECIDED).on_conflict_do_nothing()
        )
        file_id = connection.scalar(select(LoadedFile.file_id).where(this)) or 0
        claimed = connection.scalar(select(func.pg_try_advisory_lock(claim_key(file_id))))
    if not claimed:
        raise BackfillError(f"{source.name} is being loaded by another process.", "let that one finish.")
    columns = ("file_id", "name", "records", "rejected", "lines", "series", "erased", "expired")
    with connection.begin():
        row = connection.execute(
            select(LoadedFile.finished_at.is_not(None), *(getattr(LoadedFile, name) for name in columns)).where(this)
        ).one_or_none()
        if row is None:
            raise BackfillError(f"{source.name} was given up by another process.", "load it again.")
        file = dict(zip(columns, row[1:], strict=True))
        if not row[0] and not connection.scalar(select(func.to_regclass(incoming(file_id)).is_not(None))):
            # New, or half loaded by a version that staged at once: begun anew, and compared with what that staged.
            with of_the_schemas_owner(connection):
                connection.execute(
                    text(f"CREATE TABLE {incoming(file_id)} (LIKE {StagedEvent.__table__} INCLUDING DEFAULTS)")
                )
            connection.execute(delete(Reject).where(Reject.file_id == file_id))
            anew = {"records": 0, "rejected": 0, "lines": 0, "erased": 0, "name": source.name}
            connection.execute(update(LoadedFile).where(this).values(**anew))
            file |= anew
    return LoadedFile(**file, finished_at=True if row[0] else None)


def _stage(
    staging: "_Staging", sessions: tuple[Connection, Connection], size: int, stop: Event, throttle: Throttle
) -> None:
    """Chunk by chunk, from where the file is, each on a session of its own, committed in their order.

    Two at once; one, with a rest before the next, where the throttle leaves a part of the time to others.
    """
    items = staging.format.pieces(staging.file.lines)
    with ThreadPoolExecutor(len(sessions)) as readers:
        under_way: deque[_Before] = deque()
        is_last = False
        for session in cycle(sessions):
            if is_last:
                break
            with throttle.piece():
                if len(under_way) == len(sessions):
                    staging.end(under_way.popleft(), stop)  # the session is free again
                chunk, is_split = Chunk.take(staging.format, items, size), Event()
                before, is_last = under_way[-1] if under_way else None, chunk.is_last
                staged = readers.submit(staging.read, session, chunk, is_split, before)
                under_way.append(_Before(is_last, is_split, staged))
                while under_way and (is_last or throttle.share() < 1):
                    staging.end(under_way.popleft(), stop)


class _Before(NamedTuple):
    """A chunk that others follow: whether it is split, with its niches known, and how much is read when it is in."""

    is_last: bool
    is_split: Event
    staged: Future[tuple[int, int]]


@dataclass(frozen=True)
class _Staging:
    """A file that is staged, by its format; `report` hears of it after each chunk."""

    source: Source
    file: LoadedFile
    format: Format
    create_niches: bool
    report: Report | None

    def read(self, session: Connection, chunk: Chunk, is_split: Event, before: _Before | None) -> tuple[int, int]:
        """Stage a chunk behind the one before it: the records and rejects of the file so far."""
        try:
            with transaction(session):
                copied = chunk.copy(session)
            if copied and ("phrase" in self.format.columns or "record" in self.format.columns):
                find_niches(session, self.create_niches)
            if before is not None:
                before.is_split.wait()  # for a niche, maybe: no transaction of this one stays open meanwhile
        finally:
            is_split.set()
        with transaction(session):
            erased.share(session)
            left_out = chunk.drop_erased(session)
            rows = chunk.stage(session, self.file.file_id)
            if rows + left_out < copied:
                session.execute(query("refuse_together"))
            if before is not None:
                before.staged.result()  # if that one failed, this one must not be kept, either
            _record(session, self.file, chunk, rows, left_out)
        return self.file.records, self.file.rejected

    def end(self, chunk: _Before, stop: Event) -> None:
        """Wait until a chunk is in. BackfillError: to end after it was asked for."""
        records, rejected = chunk.staged.result()
        if self.report:
            self.report(self.source, records, rejected)
        if stop.is_set() and not chunk.is_last:
            raise BackfillError(
                f"Stopped as asked: {self.file.records:,} records of {self.source.name} are read.",
                "run the same command again: it continues where this stopped.",
            )


def _record(connection: Connection, file: LoadedFile, chunk: Chunk, rows: int, left_out: int) -> None:
    """The rejects, and how far the file is; with the rows of the chunk they are lost or kept together."""
    rejects = chunk.refused(connection)
    if rejects:
        _reject(connection, file, rejects)
    done = {
        "records": file.records + rows + len(rejects) + left_out,
        "erased": file.erased + left_out,
        "rejected": file.rejected + len(rejects),
        "lines": max(file.lines, chunk.after - 1),
    }
    connection.execute(update(LoadedFile).where(LoadedFile.file_id == file.file_id).values(**done))
    # The last commit, which marks the file as whole, makes all before it durable: none of these waits for the disk.
    connection.execute(text("SET LOCAL synchronous_commit = off"))
    for name, value in done.items():
        setattr(file, name, value)


def _reject(connection: Connection, file: LoadedFile, rejects: list[Bad]) -> None:
    contents = [bad.content.replace(b"\0", b"\\0").decode(errors="backslashreplace")[:KEPT] for bad in rejects]
    kept = [(bad.reason, content) for bad, content in zip(rejects, contents, strict=True)]
    hidden = erased.mentioning(connection, ["\n".join(each) for each in kept])
    nothing = (erased.HIDDEN["reason"], erased.HIDDEN["content"])
    kept = [nothing if is_hidden else each for each, is_hidden in zip(kept, hidden, strict=True)]
    reasons, contents = [each[0] for each in kept], [each[1] for each in kept]
    of_file = {"file_id": file.file_id, "file": file.name, "lines": [bad.line for bad in rejects]}
    connection.execute(query("reject"), {**of_file, "reasons": reasons, "contents": contents})
