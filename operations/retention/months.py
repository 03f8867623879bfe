"""Months of events that go whole: detached in a short lock, exported if asked, and dropped.

DETACH … CONCURRENTLY is refused beside a DEFAULT partition. A table set aside is written down in the transaction that
does it, so that the run after a kill finishes it; nothing reads or writes it any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from alembic_online import OnlineError, acquire
from psycopg.sql import SQL, Identifier

from operations.retention import exporting
from operations.retention.tables import EVENTS, Kept
from operations.retention.work import HeldBackError, Work, qualified

FEATURES = "public.features"
EXCLUSIVE = "AccessExclusiveLock"


@dataclass(frozen=True)
class Finished:
    """A table set aside that is dropped, with as many rows as are known to have been in it; or why it is `left`."""

    name: str
    rows: int
    left: str = ""


def detach(work: Work, partition: str, kept_from: date, rows: int) -> None:
    """Take a partition out of the table, and its foreign keys off, so that dropping it holds up nobody.

    Raises HeldBackError where its locks are not to be had, foreign keys refer to the table, or a rollback is half-way.
    """
    if referring := [name for (name,) in work.rows("referring", relation=EVENTS.relation)]:
        raise HeldBackError(f"no month goes while a foreign key refers to the events: {', '.join(referring)}")
    work.refuse_half_way()
    locks = dict.fromkeys([FEATURES, EVENTS.relation, partition], EXCLUSIVE)
    with work.connection.transaction():
        _acquire(work, locks, partition)
        parent, child = qualified(EVENTS.relation), qualified(partition)
        work.connection.execute(SQL("ALTER TABLE {} DETACH PARTITION {}").format(parent, child))
        for (statement,) in work.rows("foreign_keys", aside=partition):
            work.connection.execute(statement)
        work.begin(EVENTS, partition, kept_from, rows)


def finish(work: Work, kept: Kept, kept_from: date) -> Iterator[Finished]:
    """Export and drop what was set aside, by this run or by one that did not end.

    What is to be kept by now, since the period is longer than it was then, stays.
    """
    for found in work.rows("unfinished", relation=kept.name):
        name = found.aside.partition(".")[2]
        if found.is_attached:
            work.connection.execute("DELETE FROM sidb.expiry WHERE expiry_id = %s", [found.expiry_id])
        elif not found.is_there:
            work.finish(found.expiry_id)
        elif kept_from < found.kept_from and _holds_kept(work, kept, found.aside, kept_from):
            yield Finished(name, 0, f"{found.aside} holds rows to be kept by now: attach or insert them, and drop it")
        else:
            yield Finished(name, _finish(work, kept, found))


def _finish(work: Work, kept: Kept, found: Any) -> int:
    directory = work.directory or (Path(found.directory) if found.directory else None)
    rows = None if found.sha256 is None else int(found.rows)
    if directory is not None and rows is None:
        rows = exporting.export(work, kept, found, directory)
    _drop(work, found.aside, found.expiry_id, rows)
    return int(found.rows) if rows is None else rows


def _holds_kept(work: Work, kept: Kept, aside: str, kept_from: date) -> bool:
    statement = SQL(
        "SELECT EXISTS (SELECT FROM {} AS t WHERE t.{} >= %(kept_from)s::date::timestamp AT TIME ZONE 'UTC') AS found"
    ).format(qualified(aside), Identifier(kept.time))
    return bool(work.one(statement, kept_from=kept_from).found)


def _drop(work: Work, aside: str, expiry_id: int, exported: int | None) -> None:
    """Raises OnlineError where it holds more than was exported: somebody writes to it."""
    work.look(EVENTS)
    work.refuse_half_way()
    with work.connection.transaction():
        _acquire(work, {aside: EXCLUSIVE}, aside)
        if exported is not None:
            count = work.one(SQL("SELECT count(*) AS rows FROM {}").format(qualified(aside))).rows
            if count > exported:
                raise OnlineError(
                    f"{aside} holds {count:,} rows, of which {exported:,} were exported: somebody writes to it.",
                    "end that; UPDATE sidb.expiry SET sha256 = NULL for it, and sidb maintain exports it anew.",
                )
        try:
            work.connection.execute(SQL("DROP TABLE {}").format(qualified(aside)))
        except psycopg.errors.DependentObjectsStillExist as error:
            raise OnlineError(
                f"{aside} cannot be dropped: {str(error.diag.message_detail).partition(chr(10))[0]}.",
                "drop what is built on it; sidb maintain goes on with it.",
            ) from None
        work.finish(expiry_id)


def _acquire(work: Work, locks: dict[str, str], what: str) -> None:
    try:
        acquire(work.session, locks, f"expiry of {what}", work.policy)
    except OnlineError as error:
        raise HeldBackError(error.what.partition("\n")[0]) from None
