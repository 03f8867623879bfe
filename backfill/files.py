"""Files of history as the bookkeeping knows them: which are whole, which half loaded, and how one is given up."""

import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, text

from backfill.errors import BackfillError
from backfill.source import STANDARD_INPUT
from backfill.tables import SCHEMA, LoadedFile, Reject

FORMER, UNDECIDED = 0, -1
"""The series of all that version 2.0.6 or older staged, and of a file that is not whole yet."""


class HalfLoaded(NamedTuple):
    """A file whose load has not come to its end: killed, failed, or still at it. None of its rows is in staging yet."""

    name: str
    records: int
    started_at: datetime


def half_loaded(connection: Connection) -> Sequence[HalfLoaded]:
    """The files that are to be loaded to their end, or given up, before anything is proved or finished; reads only."""
    columns = (LoadedFile.name, LoadedFile.records, LoadedFile.started_at)
    begun = select(*columns).where(LoadedFile.finished_at.is_(None)).order_by(LoadedFile.file_id)
    return [HalfLoaded(*row) for row in connection.execute(begun)]


def load_again(names: Sequence[str]) -> str:
    """What to type where files of these names are half loaded."""
    files = " ".join("-" if name == STANDARD_INPUT else shlex.quote(name) for name in names)
    one, it = ("file", "it") if len(names) == 1 else ("files", "them")
    return (
        f"load the same {one} again, which continues {it} and is safe (sidb backfill load {files}), or give {it} up"
        f" (sidb backfill load --forget {files})"
    )


FROM_BACKUP = (
    "restore sidb.backfill_events, with the tables sidb.backfill_load_<number> that inherit from it, from a backup;"
    " then sidb backfill verify. Without one, compare analytics.analytics_events with the files themselves"
)
"""What to do where staged rows are gone before they were proved."""


def incoming(file_id: int) -> str:
    """The table that holds the rows of a file until it is whole."""
    return f"{SCHEMA}.backfill_load_{file_id}"


def forget(connection: Connection, name: str) -> int:
    """Give up the half-loaded files of that name, with all that was read of them; the number of records.

    BackfillError: there is none, or a process is loading it.
    """
    begun = select(LoadedFile.file_id, LoadedFile.records).where(
        LoadedFile.name == name, LoadedFile.finished_at.is_(None)
    )
    found = connection.execute(begun.order_by(LoadedFile.file_id)).all()
    if not found:
        raise BackfillError(f"No file {name} is half loaded.", "sidb backfill status names those that are.")
    for file_id, _ in found:
        if not connection.scalar(select(func.pg_try_advisory_xact_lock(claim_key(file_id)))):
            raise BackfillError(f"{name} is being loaded by another process.", "let that one finish, or end it.")
        discard(connection, file_id)
    return sum(records for _, records in found)


def discard(connection: Connection, file_id: int) -> None:
    """Drop what was read of a file that is not whole."""
    connection.execute(text(f"DROP TABLE IF EXISTS {incoming(file_id)} CASCADE"))  # the loader's own view goes, too
    connection.execute(delete(Reject).where(Reject.file_id == file_id))
    connection.execute(delete(LoadedFile).where(LoadedFile.file_id == file_id))


def claim_key(file_id: int) -> int:
    """The advisory lock that a loader of this file holds from its beginning to its end."""
    return CLAIMS + file_id


CLAIMS = 0x51DB_F11E << 32
